"""What the owner chose in the window, and how the window was left: two small files in the data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from PySide6.QtCore import QObject, Signal

from app.private_files import read_kept, write_kept

PREFERENCES_NAME = "window.json"
STATE_NAME = "window-state.json"
MAX_FILE = 65_536
"""Bytes of either file that are read at most."""
MAX_COLLAPSED = 200


class Preferences(msgspec.Struct, frozen=True, omit_defaults=True):
    """Unknown fields of a newer version are ignored; a file with wrong values counts as none."""

    language: Annotated[str, Meta(max_length=20)] = ""
    """A code of ``app.i18n.languages()``; empty: the system's."""
    look: Literal["system", "light", "dark"] = "system"
    on_close: Literal["hide", "quit"] = "hide"
    """What closing the window does where there is a tray; without one it quits."""
    start_hidden: bool = False
    """Whether a start by itself, when the computer starts, shows no window."""
    tell_answers: bool = True
    tell_contributing: bool = True
    welcomed: bool = False
    """Whether the page of the first start has been left."""
    contribute: bool = False
    """Whether the switch was on: it is turned on again when the engine starts anew."""
    threads: Annotated[int, Meta(ge=1, le=1024)] | None = None
    """CPU threads for answers; None: the engine's own choice."""


class WindowState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the window was left. ``geometry``: what Qt writes and reads, in base 64."""

    geometry: Annotated[str, Meta(max_length=4096)] = ""
    page: Literal["chat", "contribute", "models", "network", "settings"] = "chat"
    chat: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_-]*$")] = ""  # the one that was open
    collapsed: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=MAX_COLLAPSED)] = ()
    """Folders whose chats do not show."""


class PreferenceStore(QObject):
    """The preferences of one data directory; ``changed`` after each change, with the new ones."""

    changed = Signal(object)

    def __init__(self, data_directory: Path) -> None:
        super().__init__()
        self._file = data_directory / PREFERENCES_NAME
        self.now = read_kept(self._file, Preferences, MAX_FILE)
        self.problem = ""
        """Why the last change will be forgotten when the window closes; empty: it will not."""

    def change(self, **values: object) -> None:
        """Change and keep some of them."""
        new = msgspec.structs.replace(self.now, **values)
        if new == self.now:
            return
        self.now = new
        self.problem = write_kept(self._file, new)
        self.changed.emit(new)


def read_state(data_directory: Path) -> WindowState:
    """How the window was left, or the defaults."""
    return read_kept(data_directory / STATE_NAME, WindowState, MAX_FILE)


def write_state(data_directory: Path, state: WindowState) -> None:
    """Keep it; a full disk costs the place of the window, nothing else."""
    write_kept(data_directory / STATE_NAME, state)


def engine_options(preferences: Preferences, given: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments of an engine that the window starts: what was ``given`` on the command line, then what the owner
    chose in the window and the command line does not speak of."""
    if preferences.threads is None or "--threads" in given:
        return given
    return (*given, "--threads", str(preferences.threads))
