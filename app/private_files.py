"""What the window keeps is for its owner alone, also on machines with several users."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TypeVar

import msgspec

_log = logging.getLogger(__name__)
_Kept = TypeVar("_Kept", bound=msgspec.Struct)


def make_directory(path: Path) -> None:
    """Make ``path`` and its parents, the last one for its owner alone."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def private(path: str, flags: int) -> int:
    """The ``opener`` of a file that others cannot read."""
    return os.open(path, flags, 0o600)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that others cannot read."""
    with open(path, "wb", opener=private) as file:
        file.write(content)


def read_kept(file: Path, kind: type[_Kept], most: int) -> _Kept:
    """What :func:`write_kept` wrote, ``most`` bytes at most, or the defaults; what cannot be read is set aside."""
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(most), type=kind)
    except FileNotFoundError:
        return kind()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _log.warning("%s cannot be read and is set aside: %s", file.name, error)
        try:
            os.replace(file, file.with_suffix(".damaged"))
        except OSError:
            pass
        return kind()


def write_kept(file: Path, value: msgspec.Struct) -> str:
    """Replace ``file`` at once, so that a crash leaves the old or the new one. Returns the problem in words."""
    new = file.with_suffix(".new")
    try:
        make_directory(file.parent)
        write_private(new, msgspec.json.format(msgspec.json.encode(value), indent=1))
        os.replace(new, file)
    except OSError as error:
        _log.warning("%s cannot be written: %s", file.name, error)
        return error.strerror or str(error)
    return ""
