"""XDG autostart: a desktop entry in ``~/.config/autostart``. Neither Windows nor macOS reads it.

Desktop Application Autostart Specification 0.5 and Desktop Entry Specification 1.5.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

NAME = "gentorrent.desktop"
_RESERVED = set(" \t\n\"'\\><~|&;$*?#()`")


class DesktopEntry:
    """The entry of this user."""

    def __init__(self, environment: Mapping[str, str], home: Path) -> None:
        folder = environment.get("XDG_CONFIG_HOME", "")
        self.file = (Path(folder) if folder.startswith("/") else home / ".config") / "autostart" / NAME

    def enabled(self) -> bool:
        """The entry is there and no desktop has switched it off, which they do by a line in it."""
        try:
            lines = self.file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return False
        return "Hidden=true" not in lines and "X-GNOME-Autostart-enabled=false" not in lines

    def enable(self, command: Sequence[str]) -> None:
        """Make or replace the entry."""
        text = (
            "[Desktop Entry]\nType=Application\nVersion=1.5\nName=GenTorrent\nTerminal=false\n"
            f"Exec={' '.join(map(quoted, command))}\n"
        )
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(text, "utf-8")
        os.replace(new, self.file)

    def disable(self) -> None:
        """Remove the entry; there may be none."""
        self.file.unlink(missing_ok=True)


def quoted(argument: str) -> str:
    """``argument`` as an Exec line wants it: field codes doubled, reserved characters within quotes and escaped twice,
    once for the quotes and once for the line itself."""
    argument = argument.replace("%", "%%")
    if argument and not _RESERVED & set(argument):
        return argument
    escaped = "".join("\\" + character if character in '"`$\\' else character for character in argument)
    return '"' + escaped.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") + '"'
