"""Reading and writing files so that a crash, a full disk or another user of the machine does no harm."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Literal

from engine.errors import StorageError
from engine.sentences import say

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
LONGEST_COPY = 16 * 1024 * 1024
MOST_ASIDE = 9
"""Of one file, what was damaged, where folders are among it."""
Action = Literal[
    "read",
    "write",
    "open",
    "lock",
    "delete",
    "copy",
    "copy to",
    "make the folder",
    "replace",
    "rename",
    "change",
    "look at the disk of",
]
_ACTIONS: dict[Action, str] = {
    "read": "storage.read",
    "write": "storage.write",
    "open": "storage.open",
    "lock": "storage.lock",
    "delete": "storage.delete",
    "copy": "storage.copy",
    "copy to": "storage.copy_to",
    "make the folder": "storage.make_folder",
    "replace": "storage.replace",
    "rename": "storage.rename",
    "change": "storage.change",
    "look at the disk of": "storage.look_at_disk",
}


def make_directory(path: Path) -> None:
    """Make ``path`` and its parents, the last one for its owner alone; ``StorageError`` if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
    except OSError as error:
        raise storage_error("make the folder", path, error) from error


def write_atomically(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Replace ``path`` by ``data``: after a crash at any moment it holds the old bytes or the new ones.

    Written to a file beside it, flushed to the disk and renamed. ``StorageError`` if it fails (a full disk, say); the
    old file is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _flush_directory(path.parent)
    except OSError as error:
        raise storage_error("write", path, error) from error


def read_limited(path: Path, limit: int) -> bytes | None:
    """The bytes of ``path``, None if there is no such file; ``StorageError`` if it is longer than ``limit``."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error("read", path, error) from error
    if len(data) > limit:
        raise StorageError(say("storage.too_long", path=str(path), most=limit))
    return data


def remove(path: Path) -> None:
    """Delete ``path`` if it is there; ``StorageError`` if that fails."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error("delete", path, error) from error


def overwrite_and_remove(path: Path) -> None:
    """Delete ``path`` if it is there, its bytes overwritten before, as far as the file system does that in place;
    ``StorageError`` if that fails."""
    try:
        with path.open("r+b") as file:
            left = file.seek(0, os.SEEK_END)
            file.seek(0)
            while left > 0:
                left -= file.write(bytes(min(left, 1_048_576)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error("delete", path, error) from error


def storage_error(action: Action, path: Path, error: OSError) -> StorageError:
    """What the user is told when the operating system refuses something."""
    what, where = say(_ACTIONS[action]), str(path)
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return StorageError(say("storage.full", action=what, path=where))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(say("storage.denied", action=what, path=where, error=str(error.strerror)))
    return StorageError(say("storage.failed", action=what, path=where, error=error.strerror or str(error)))


def _flush_directory(directory: Path) -> None:
    """Make a rename durable where the system can (Windows cannot open folders)."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _aside(path: Path) -> Path:
    """Where something damaged is kept: in the place of the one before it, but a folder neither takes a place that is
    taken nor gives its own."""
    places = [path.with_name(f"{path.name}.damaged{number}") for number in ("", *range(2, MOST_ASIDE + 1))]
    with contextlib.suppress(OSError):
        for place in places:
            if not place.exists() or not (place.is_dir() or path.is_dir()):
                return place
    return places[0]


def set_aside(path: Path) -> Path:
    """Move a damaged file out of the way and keep it for who wants to look; its new place, or ``path`` itself where the
    disk refuses."""
    place = _aside(path)
    try:
        path.replace(place)
    except OSError:
        return path
    return place


def keep_aside(path: Path) -> Path:
    """As :func:`set_aside`, but the file stays where it is, too, until it is replaced: a crash leaves no gap.
    What can be neither linked nor copied (a folder in its place) is moved after all."""
    place = _aside(path)
    with contextlib.suppress(OSError):
        place.unlink(missing_ok=True)
        os.link(path, place)
        return place
    with contextlib.suppress(StorageError):  # no hard links here
        if (data := read_limited(path, LONGEST_COPY)) is not None:
            write_atomically(place, data)
            return place
    return set_aside(path)
