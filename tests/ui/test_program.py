"""``gentorrent app`` as a program: starts, ends in order, says why it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app import main
from app.engine_address import read_address
from tests.support.lifeline import ENVIRONMENT, lifeline
from tests.support.network import gone, is_running

pytestmark = pytest.mark.timeout(120)


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "GENTORRENT_KEYRING": "off", "GENTORRENT_API_PORT": "0", **changes}


def test_ctrl_c_ends_window_and_engine(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine.cli", "app", "--data", str(tmp_path), "--no-relay"]
    window = subprocess.Popen(
        command,
        env=environment(**ENVIRONMENT),
        stdin=lifeline(),
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert window.stderr is not None
    with window.stderr:
        try:
            address = None
            for _ in range(1200):
                address = read_address(tmp_path)
                if address is not None and address.port:
                    break
                time.sleep(0.1)
            assert address is not None
            time.sleep(0.5)
            os.killpg(window.pid, signal.SIGINT)
            assert window.wait(120) == 0
        finally:
            if window.poll() is None:
                os.killpg(window.pid, signal.SIGKILL)
                window.wait(60)
        assert not is_running(address.pid)
        assert window.stderr.read() == ""


def test_window_and_engine_leave_with_the_program_that_started_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--data", str(tmp_path), "--no-relay"]
    with subprocess.Popen(command, env=environment(**ENVIRONMENT), stdin=subprocess.PIPE, text=True) as window:
        assert window.stdin is not None
        for _ in range(1200):
            address = read_address(tmp_path)
            if address is not None and address.port:
                break
            time.sleep(0.1)
        assert address is not None
        assert is_running(address.pid)
        window.stdin.close()
        assert window.wait(120) == 0
    assert gone({address.pid}, 60) == set()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_no_display_is_said_in_words() -> None:
    without = {name: value for name, value in environment().items() if name not in ("DISPLAY", "QT_QPA_PLATFORM")}
    without.pop("WAYLAND_DISPLAY", None)
    ended = subprocess.run(
        [sys.executable, "-m", "app"], env=without, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "There is no display" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt brings everything on other systems")
def test_missing_library_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "_X11_LIBRARIES", ("libxcb-nothing.so.7",))
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert main._obstacle() == ""
    monkeypatch.delenv("QT_QPA_PLATFORM")
    assert "libxcb-nothing.so.7 is missing" in main._obstacle()
    assert "apt-get install" in main._obstacle()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    assert main._obstacle() == ""


def test_bad_usage_and_help() -> None:
    for arguments, code in ((["--bogus"], 2), (["--help"], 0)):
        ended = subprocess.run(
            [sys.executable, "-m", "app", *arguments], env=environment(), capture_output=True, timeout=60, check=False
        )
        assert ended.returncode == code


def test_usable_window_is_told_to_who_measures(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app", "--data", str(tmp_path)],
        env=environment(GENTORRENT_MEASURE_START="1"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "usable\n", "")
