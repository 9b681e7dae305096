"""A second start brings the first window to the front, also after a crash, for each data directory by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket

from app.single_instance import LOCK_NAME, MAX_MESSAGE, SingleInstance, _address
from tests.ui.test_program import environment

CALL = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.single_instance import SingleInstance
application = QCoreApplication([])
instance = SingleInstance(Path(sys.argv[1]))
if instance.claim():
    print("first", flush=True)
    sys.exit(application.exec())
print("called" if instance.call_first() else "silent", flush=True)
"""


def start(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CALL, str(directory)], stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(60)
    assert process.stdout is not None
    process.stdout.close()


def second_calls_the_first(qtbot, folder: Path) -> None:
    first = SingleInstance(folder)
    assert first.claim()
    second = start(folder)
    with qtbot.waitSignal(first.wanted, timeout=120_000):
        pass
    assert said(second) == "called"
    end(second)
    first.release()


def test_second_start_calls_the_first(qtbot, tmp_path: Path) -> None:
    second_calls_the_first(qtbot, tmp_path)
    third = start(tmp_path)
    assert said(third) == "first"
    end(third)


def test_another_data_directory_has_its_own_window(qtbot, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path / "one")
    assert first.claim()
    second = start(tmp_path / "two")
    assert said(second) == "first"
    end(second)
    first.release()


def test_crashed_window_does_not_stand_in_the_way(qtbot, tmp_path: Path) -> None:
    crashed = start(tmp_path)
    assert said(crashed) == "first"
    os.kill(crashed.pid, signal.SIGKILL)
    end(crashed)
    assert (tmp_path / LOCK_NAME).exists()
    second_calls_the_first(qtbot, tmp_path)


def test_window_that_hangs_is_told_to_the_user(tmp_path: Path) -> None:
    hanging = start(tmp_path)
    try:
        assert said(hanging) == "first"
        os.kill(hanging.pid, signal.SIGSTOP)
        second = subprocess.run(
            [sys.executable, "-m", "app", "--data", str(tmp_path)],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert "its window does not answer" in second.stderr
    finally:
        end(hanging)


def test_strangers_on_the_socket_change_nothing(qtbot, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path)
    assert first.claim()
    told: list[bool] = []
    first.wanted.connect(lambda: told.append(True))
    sockets = []
    for message in (b"x" * (2 * MAX_MESSAGE), b"\xff\xfe\n", b"\n", b"quit now\n"):
        socket = QLocalSocket()
        socket.connectToServer(_address(tmp_path))
        assert socket.waitForConnected(1000)
        socket.write(message)
        socket.flush()
        sockets.append(socket)
    qtbot.wait(100)
    assert told == []
    for socket in sockets:
        socket.abort()
    first.release()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no files for this")
def test_socket_is_this_users_alone(qtbot, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path)
    assert first.claim()
    file = Path(_address(tmp_path))
    if file.is_absolute():
        assert file.stat().st_mode & 0o077 == 0
    first.release()


def test_directory_that_cannot_be_made_does_not_keep_the_window_shut(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    began = time.monotonic()
    assert SingleInstance(tmp_path / "file" / "below").claim()
    assert time.monotonic() - began < 5
