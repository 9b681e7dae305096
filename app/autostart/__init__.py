"""Starting with the computer, as each system does it: an entry of this user alone, never of the whole machine.

:func:`for_this_system` gives the one of the system; each has ``enabled()``, ``enable(command)`` and ``disable()``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from engine.programs import frozen, module_command


class Autostart(Protocol):
    """One entry in the system's list of programs to start. All raise ``OSError`` when the system refuses."""

    def enabled(self) -> bool:
        """Whether the entry is there."""

    def enable(self, command: Sequence[str]) -> None:
        """Make or replace the entry."""

    def disable(self) -> None:
        """Remove the entry; there may be none."""


def for_this_system(
    environment: Mapping[str, str] | None = None, home: Path | None = None, platform: str = sys.platform
) -> Autostart:
    """What ``platform`` needs."""
    home = home or Path.home()
    if platform == "win32":
        from app.autostart.windows import RunKey

        return RunKey()
    if platform == "darwin":
        from app.autostart.macos import LaunchAgent

        return LaunchAgent(home)
    from app.autostart.linux import DesktopEntry

    return DesktopEntry(os.environ if environment is None else environment, home)


def start_command(data_directory: Path | None, platform: str = sys.platform) -> list[str]:
    """How this installation's window is started without showing it. ``data_directory``: None for the user's own."""
    command = module_command("app")
    if platform == "win32" and not frozen():  # no console window
        windowed = Path(command[0]).with_name("pythonw.exe")
        command[0] = str(windowed) if windowed.exists() else command[0]
    if data_directory is not None:
        command += ["--data", str(data_directory)]
    return [*command, "--autostarted"]
