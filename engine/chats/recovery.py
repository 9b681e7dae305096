"""Opens the chat database. What cannot be used is kept aside, and what can be read of it goes into a new one."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct

from engine.chats.database import TABLE_OF, Database, read_row
from engine.chats.rows import ChatRow, Key, MessageRow, Row, key_of
from engine.chats.tables import APPLICATION_ID, VERSION, migrate
from engine.errors import StorageError
from engine.sentences import said_by, say, together
from engine.storage.files import PRIVATE_FILE, make_directory, storage_error

_BATCH = 100
"""Rows that are read, and written, at a time."""
CHECKED_ALWAYS = 16_777_216
"""Bytes of a file that takes no time to check."""
LOST = "Recovered chat"
"""Title of a chat of which only messages could be read."""
_LARGEST_JUMP = 2**40
_BUSY_SECONDS = 5.0
_PAGE = 4096
"""Bytes of a page in every file that this program makes."""
_COMPANIONS = ("", "-wal", "-shm", "-journal")


class UnusableError(StorageError):
    """The database is damaged or of another program; ``kind`` is a word for its new name."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database; ``notice`` is for the owner where something had to be done, empty otherwise."""

    database: Database
    notice: str = ""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is no sound database."""
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_database(path: Path | None, stamp: str, damaged: bool = False) -> Opened:
    """The database at ``path`` (None: one in memory). ``stamp`` goes into the name of a file that is kept aside;
    ``damaged``: it was found to be, whatever it looks like.

    ``StorageError`` when there can be none now, as the folder cannot be written.
    """
    if path is None:
        return Opened(ready(":memory:"))
    make_directory(path.parent)
    _finish_earlier(path)
    try:
        if damaged:
            raise UnusableError("damaged", say("recovered.damaged"))
        return Opened(ready(made(path)))
    except UnusableError as error:
        return _replaced(path, error, stamp)


def _replaced(path: Path, error: UnusableError, stamp: str) -> Opened:
    """A new database with what can be read of the old one, in its place. Whatever ends this in the middle, at the next
    start the old one is there, or the new one is whole."""
    making, whole = unfinished(path)
    try:
        database = ready(made(making))
        try:
            chats, messages = _recover(path, database)
        finally:
            database.close()
        making.replace(whole)
        aside = keep_aside(path, error.kind, stamp)
        take_place(whole, path)
    except OSError as failure:
        raise storage_error("replace", path, failure) from failure
    return Opened(ready(path), _told(error, aside, chats, messages))


def _finish_earlier(path: Path) -> None:
    """What an earlier :func:`_replaced` left that was ended in the middle."""
    making, whole = unfinished(path)
    try:
        if whole.exists() and not path.exists():
            take_place(whole, path)
        for left in [*with_companions(making), *with_companions(whole)]:
            left.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error("replace", path, error) from error


def unfinished(path: Path) -> tuple[Path, Path]:
    """Names of a new database while rows are brought into it, and when that is done: the next start deletes the first,
    and brings the second to ``path`` if nothing is there."""
    return path.with_name(f"{path.name}.recovering"), path.with_name(f"{path.name}.recovered")


def take_place(whole: Path, path: Path) -> None:
    """A database is that at ``path`` from now on. A log that lies there is of another one, and
    SQLite would write it into this one."""
    for left in with_companions(path)[1:]:
        left.unlink(missing_ok=True)
    whole.replace(path)


def with_companions(path: Path) -> list[Path]:
    """The files that a database may consist of."""
    return [path.with_name(path.name + companion) for companion in _COMPANIONS]


def kept_aside(path: Path) -> list[Path]:
    """Files with rows of it beside ``path``: those that were kept aside at any time, and unfinished new ones."""
    patterns = (f"{path.stem}.*{path.suffix}*", f"{path.name}.recover*")
    return sorted({one for pattern in patterns for one in path.parent.glob(pattern)})


def made(path: Path) -> Path:
    """``path``, where there is a file for its owner alone."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), PRIVATE_FILE))
        if hasattr(os, "chmod"):
            path.chmod(PRIVATE_FILE)  # SQLite gives its companions the same
    except OSError as error:
        raise storage_error("open", path, error) from error
    return path


def ready(path: Path | str) -> Database:
    """A database that is sound and has all tables; :class:`UnusableError` or ``StorageError``."""
    connection: sqlite3.Connection | None = None
    try:
        whole = path == ":memory:" or _to_be_checked(Path(path))
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        _check(connection, whole)
        for pragma in (
            f"page_size = {_PAGE}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "temp_store = MEMORY",
            "journal_size_limit = 8388608",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        migrate(connection)
        return Database(connection)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        if is_damage(error):
            raise UnusableError("damaged", say("recovered.damaged_as", found=str(error))) from error
        raise StorageError(f"The chat database {path} cannot be opened ({error}). Check the disk.") from error
    except UnusableError:
        assert connection is not None
        connection.close()
        raise


def _to_be_checked(path: Path) -> bool:
    """A large file is not read whole at every start, only after one that did not end well (its log was left behind);
    damage that shows later is mended then."""
    log = path.with_name(path.name + "-wal")
    return _size(path) <= CHECKED_ALWAYS or _size(log) > 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _check(connection: sqlite3.Connection, whole: bool) -> None:
    """:class:`UnusableError` for what is not this program's, or damaged; ``whole``: every page is looked at."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not (application or version or tables):
        return  # new
    if application != APPLICATION_ID:
        raise UnusableError("foreign", say("recovered.foreign"))
    if version > VERSION:
        raise UnusableError("newer", say("recovered.newer"))
    if not whole:
        return
    (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise UnusableError("damaged", say("recovered.damaged_as", found=str(result)))


def keep_aside(path: Path, kind: str, stamp: str) -> Path:
    """Rename the database with what belongs to it; the new name."""
    number = 0
    while True:
        aside = path.with_name(f"{path.stem}.{kind}-{stamp}{f'-{number}' if number else ''}{path.suffix}")
        if not aside.exists():
            break
        number += 1
    try:
        # The log goes first: beside another database SQLite would write it into that one.
        for old, new in reversed(list(zip(with_companions(path), with_companions(aside), strict=True))):
            if old.exists():
                old.replace(new)
    except OSError as error:
        raise storage_error("rename", path, error) from error
    return aside


def _told(error: UnusableError, aside: Path, chats: int, messages: int) -> str:
    found = say("recovered.some", chats=chats, messages=messages) if chats else say("recovered.nothing")
    kept = say("recovered.aside", name=aside.name, folder=str(aside.parent))
    return together(said_by(error), kept, found)


# ------------------------------------------------------------------------------------------------- reading damaged ones


def _recover(old: Path, database: Database) -> tuple[int, int]:
    """Copy every row that can be read; how many chats and messages there are then."""
    with contextlib.ExitStack() as closing:
        connection = closing.enter_context(_reading(old))
        if not _lists_tables(connection):
            connection = closing.enter_context(_with_a_new_beginning(old))
        chats = {name for _, name in _copied(_readable(connection, ChatRow), database)}
        messages = _copied(_mended(_readable(connection, MessageRow), chats, database.counters()[1]), database)
        for kind in TABLE_OF:
            if kind not in (ChatRow, MessageRow):
                _copied(_readable(connection, kind), database)
        return len(chats), sum(kind is MessageRow for kind, _ in messages)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA writable_schema = ON").close()  # else a file that was cut short is not read
        yield connection
    finally:
        connection.close()


def _lists_tables(connection: sqlite3.Connection) -> bool:
    try:
        (count,) = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()
        return bool(count)
    except sqlite3.Error:
        return False


@contextlib.contextmanager
def _with_a_new_beginning(old: Path) -> Iterator[sqlite3.Connection]:
    """A copy whose first page, where SQLite has its header and the list of tables, is that of a new database: tables of
    one version begin at the same pages in every file, as none is ever rearranged."""
    template, copy = (old.with_name(f"{old.name}.recovery-{name}") for name in ("template", "copy"))
    try:
        ready(template).close()
        page = bytearray(template.read_bytes()[:_PAGE])
        page[92:96] = bytes(4)  # so that SQLite counts the pages of the file itself
        shutil.copyfile(old, copy)
        with copy.open("r+b") as file:
            file.write(page)
        with _reading(copy) as connection:
            yield connection
    except OSError as error:
        raise storage_error("read", old, error) from error
    finally:
        for made in [*with_companions(template), *with_companions(copy)]:
            made.unlink(missing_ok=True)


def _copied(rows: Iterable[Row], database: Database) -> list[Key]:
    """Write rows in batches; their names."""
    names: list[Key] = []
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        changes = [(key_of(row), row) for row in batch]
        try:
            database.write(changes)
        except sqlite3.IntegrityError:  # one of them makes no sense beside the others
            for change in changes:
                with contextlib.suppress(sqlite3.IntegrityError):
                    database.write([change])
        names += [key_of(row) for row in batch]
    return names


def _mended(rows: Iterable[Row], chats: set[str], activity: int) -> Iterator[Row]:
    """Messages in the order in which they were made, counted anew. One whose parent is lost follows what came before it
    in its chat; one whose chat is lost brings a new row for it."""
    known: set[str] = set()
    last: dict[str, str] = {}
    for place, row in enumerate(rows, 1):
        if not isinstance(row, MessageRow):
            continue
        if row.chat not in chats:
            chats.add(row.chat)
            activity += 1
            yield ChatRow(id=row.chat, title=LOST, created=row.created, updated=row.created, activity=activity)
        lost = row.parent and row.parent not in known
        parent = last.get(row.chat, "") if lost else row.parent
        yield msgspec.structs.replace(row, parent=parent, place=place)
        known.add(row.id)
        last[row.chat] = row.id


def _readable(connection: sqlite3.Connection, kind: type[Struct]) -> Iterator[Row]:
    """The rows of a table that can be read and make sense, by their row ids."""
    table = TABLE_OF[kind]
    try:
        there = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
    except sqlite3.Error:
        return
    names = [name for name in kind.__struct_fields__ if name in there]
    if "id" not in names:
        return
    seen: set[str] = set()
    for values in _scan(connection, f"SELECT rowid, {', '.join(names)} FROM {table} NOT INDEXED"):  # noqa: S608
        try:
            row = cast(Row, read_row(kind, names, values))
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError):
            continue
        if row.id and row.id not in seen:
            seen.add(row.id)
            yield row


def _scan(connection: sqlite3.Connection, select: str) -> Iterator[Sequence[Any]]:
    """The rows of a table in the order of their row ids, as far as pages can be read. After one that cannot, the search
    goes on further and further behind it, and from there back to it."""
    last, jump = -1, 0
    while jump <= _LARGEST_JUMP:
        try:
            found = connection.execute(
                f"{select} WHERE rowid > ? ORDER BY rowid LIMIT {1 if jump else _BATCH}", (last + jump,)
            ).fetchall()
        except sqlite3.Error:
            if not jump:
                one_by_one = list(_one_by_one(connection, select, last))
                yield from (values for _, *values in one_by_one)
                last = one_by_one[-1][0] if one_by_one else last
            jump = max(1, jump * 2)
            continue
        if jump:
            end = found[0][0] if found else last + jump + 1
            between = list(_back(connection, select, end, last))
            yield from (values for _, *values in reversed(between))
        jump = 0
        if not found:
            return
        yield from (values for _, *values in found)
        last = found[-1][0]


def _one_by_one(connection: sqlite3.Connection, select: str, last: int) -> Iterator[Sequence[Any]]:
    try:
        yield from connection.execute(f"{select} WHERE rowid > ? ORDER BY rowid LIMIT {_BATCH}", (last,))
    except sqlite3.Error:
        return


def _back(connection: sqlite3.Connection, select: str, end: int, last: int) -> Iterator[Sequence[Any]]:
    try:
        yield from connection.execute(f"{select} WHERE rowid < ? AND rowid > ? ORDER BY rowid DESC", (end, last))
    except sqlite3.Error:
        return
