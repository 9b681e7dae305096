"""Small typed states, one JSON file each, e.g. the list of guards."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from engine.errors import StorageError
from engine.sentences import say
from engine.storage.files import read_limited, write_atomically

MAXIMUM_STATE_LENGTH = 4 * 1024 * 1024
T = TypeVar("T")


def load_state(
    path: Path, kind: type[T], *, most: int = MAXIMUM_STATE_LENGTH, damaged: str = "storage.damaged"
) -> T | None:
    """The state in ``path`` (a ``msgspec.Struct``, dataclass or plain types), None if there is none yet.

    ``StorageError`` if the file is longer than ``most`` bytes or holds something else; ``damaged``: the sentence that
    names it and says what to do.
    """
    data = read_limited(path, most)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StorageError(say(damaged, path=str(path), error=str(error))) from error


def save_state(path: Path, state: object) -> None:
    """Replace the state in ``path`` atomically; ``StorageError`` if the disk refuses."""
    write_atomically(path, msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
