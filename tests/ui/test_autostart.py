"""Starting with the computer: what is written for each system, and that it is understood."""

from __future__ import annotations

import contextlib
import plistlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from app.autostart import for_this_system, start_command
from app.autostart.linux import DesktopEntry, quoted
from app.autostart.macos import LaunchAgent
from app.autostart.windows import APPROVED, KEY, RunKey

COMMAND = ["/opt/Gen Torrent/python", "-m", "app", "--data", '/home/a "b" $c 100%', "--autostarted"]


class Registry:
    """winreg, as far as it is used."""

    HKEY_CURRENT_USER, REG_SZ, KEY_SET_VALUE = "user", 1, 2

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def OpenKey(self, root: str, path: str, reserved: int = 0, access: int = 0):
        if path not in self.keys:
            raise FileNotFoundError(path)
        yield self.keys[path]

    @contextlib.contextmanager
    def CreateKey(self, root: str, path: str):
        yield self.keys.setdefault(path, {})

    def SetValueEx(self, key: dict[str, Any], name: str, reserved: int, kind: int, value: str) -> None:
        key[name] = value

    def QueryValueEx(self, key: dict[str, Any], name: str) -> tuple[Any, int]:
        if name not in key:
            raise FileNotFoundError(name)
        return key[name], self.REG_SZ

    def DeleteValue(self, key: dict[str, Any], name: str) -> None:
        if name not in key:
            raise FileNotFoundError(name)
        del key[name]


def unquoted(line: str) -> list[str]:
    """An Exec line as a desktop reads it: escapes of the file, then quotes and their escapes, then field codes."""
    line = line.replace("\\\\", "\\")
    words = [
        re.sub(r'\\(["`$\\])', r"\1", quoted) if quoted or not plain else plain
        for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|([^ "]+)', line)
    ]
    return [word.replace("%%", "%") for word in words]


def test_desktop_entry_starts_the_command(tmp_path: Path) -> None:
    entry = DesktopEntry({}, tmp_path)
    assert not entry.enabled()
    entry.enable(COMMAND)
    assert entry.enabled()
    assert entry.file == tmp_path / ".config" / "autostart" / "gentorrent.desktop"
    lines = entry.file.read_text("utf-8").splitlines()
    assert lines[0] == "[Desktop Entry]"
    (execution,) = [line.removeprefix("Exec=") for line in lines if line.startswith("Exec=")]
    assert unquoted(execution) == COMMAND
    entry.enable(["other"])
    assert "Exec=other" in entry.file.read_text("utf-8").splitlines()
    entry.disable()
    entry.disable()
    assert not entry.enabled()


@pytest.mark.parametrize("argument", ["", "plain", "/a/b-c_d.e", "a b", 'q"', "b\\", "$HOME `id`", "50%", "ü"])
def test_arguments_survive_quoting(argument: str) -> None:
    assert unquoted(quoted(argument)) == [argument]


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_entry_that_the_desktop_switched_off_is_off(tmp_path: Path, line: str) -> None:
    entry = DesktopEntry({"XDG_CONFIG_HOME": str(tmp_path)}, tmp_path / "home")
    entry.enable(COMMAND)
    assert entry.file.parent == tmp_path / "autostart"
    entry.file.write_text(f"{entry.file.read_text('utf-8')}{line}\n", "utf-8")
    assert not entry.enabled()
    entry.enable(COMMAND)
    assert entry.enabled()


def test_launch_agent_starts_the_command(tmp_path: Path) -> None:
    agent = LaunchAgent(tmp_path)
    assert not agent.enabled()
    agent.enable(COMMAND)
    assert agent.enabled()
    kept = plistlib.loads(agent.file.read_bytes())
    assert kept["ProgramArguments"] == COMMAND
    assert kept["RunAtLoad"] is True
    assert kept["Label"] == agent.file.stem
    agent.file.write_bytes(b"broken")
    assert not agent.enabled()
    agent.disable()
    agent.disable()
    assert not agent.file.exists()


def test_run_key_starts_the_command() -> None:
    registry = Registry()
    key = RunKey(registry)
    assert not key.enabled()
    key.enable(COMMAND)
    assert key.enabled()
    assert registry.keys[KEY]["GenTorrent"].startswith('"/opt/Gen Torrent/python" -m app --data ')
    registry.keys[APPROVED] = {"GenTorrent": b"\x03" + bytes(11)}  # switched off in the task manager
    assert not key.enabled()
    key.enable(COMMAND)
    assert key.enabled()
    key.disable()
    key.disable()
    assert not key.enabled()
    with pytest.raises(OSError, match="260 characters"):
        key.enable(["x" * 300])


def test_each_system_gets_its_own(tmp_path: Path) -> None:
    assert isinstance(for_this_system({}, tmp_path, "linux"), DesktopEntry)
    assert isinstance(for_this_system({}, tmp_path, "darwin"), LaunchAgent)
    assert start_command(None) == [sys.executable, "-m", "app", "--autostarted"]
    assert start_command(tmp_path)[-3:] == ["--data", str(tmp_path), "--autostarted"]
