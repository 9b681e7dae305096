"""Where the engine of a data directory is: its lock file, and the note that says whether a window started it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.private_files import write_private
from engine.api import schema

LOCK_NAME = "engine.lock"
NOTE_NAME = "window-engine.json"
LOG_NAME = "engine-output.log"
MAX_FILE = 4096
"""Bytes of either file that are read at most."""


class StartedEngine(msgspec.Struct, frozen=True):
    """The note: which engine a window started, as that engine's lock file names it, and with which options."""

    pid: int
    started: float
    options: tuple[str, ...] = ()


def read_address(data_directory: Path) -> schema.EngineAddress | None:
    """What stands in the lock file, or None without a readable one. An engine that was killed leaves its file behind,
    so only a connection tells whether the engine lives. Port 0: its local API does not listen yet."""
    try:
        with (data_directory / LOCK_NAME).open("rb") as file:
            return schema.address_decoder.decode(file.read(MAX_FILE))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def note_started(data_directory: Path, address: schema.EngineAddress, options: tuple[str, ...]) -> None:
    """Remember that a window started this engine, so that a later window may stop it. A full disk is no reason to
    stop here: the engine then counts as somebody else's and is left running."""
    note = msgspec.json.encode(StartedEngine(address.pid, address.started, options))
    try:
        write_private(data_directory / NOTE_NAME, note)
    except OSError:
        pass


def read_note(data_directory: Path, address: schema.EngineAddress) -> StartedEngine | None:
    """The note if this window or an earlier one started the engine at ``address``."""
    try:
        with (data_directory / NOTE_NAME).open("rb") as file:
            note = msgspec.json.decode(file.read(MAX_FILE), type=StartedEngine)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return note if (note.pid, note.started) == (address.pid, address.started) else None
