"""A database whose file was deleted or replaced while it was open: SQLite goes on writing the file that has no name any
more, and with the engine all of it would be gone. It is written anew where it was."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from engine.chats.database import Database
from engine.chats.recovery import Opened, keep_aside, made, ready, take_place, unfinished, with_companions
from engine.errors import StorageError
from engine.sentences import say, together
from engine.storage.files import make_directory, storage_error

Identity = tuple[int, int]


def identity(path: Path) -> Identity | None:
    """Which file is at ``path``; None: none is there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def write_anew(database: Database, path: Path, stamp: str) -> Opened:
    """A copy of an open database, at ``path``; a file that came there meanwhile is kept aside. ``StorageError`` or
    ``sqlite3.Error`` when the disk takes none: then all is as it was, and ``database`` is still open."""
    making, whole = unfinished(path)
    make_directory(path.parent)
    try:
        _check_room(database, path)
        try:
            database.copy_to(made(making))
            making.replace(whole)
            database.truncate_log()  # a file that was only moved away is whole, and no other one gets this one's log
            found = identity(path) is not None
            aside = keep_aside(path, "other", stamp) if found else None
            take_place(whole, path)
        except BaseException:
            for left in (one for name in (making, whole) for one in with_companions(name)):
                with contextlib.suppress(OSError):
                    left.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise storage_error("replace", path, error) from error
    opened = ready(path)
    database.close()
    kept = (say("recovered.aside", name=aside.name, folder=str(aside.parent)),) if aside else ()
    said = say("saving.replaced" if aside else "saving.deleted", name=path.name)
    return Opened(opened, together(said, *kept, say("saving.anew")))


def _check_room(database: Database, path: Path) -> None:
    """Not to fill a disk again and again with the beginning of a copy."""
    if database.size() > shutil.disk_usage(path.parent).free:
        raise StorageError(say("saving.disk_full"))
