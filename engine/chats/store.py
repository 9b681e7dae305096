"""Rows of chats, kept: what the disk does not take waits in memory, is read from there, and is written as soon as it
can.

The database works in a thread of its own, in the order in which it is asked, so that no disk holds up the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from engine.api.schema import MAX_PIECE, UNSENT_NAME, Attachment
from engine.chats.database import Database, ReadMessage
from engine.chats.lost_file import Identity, identity, write_anew
from engine.chats.recovery import Opened, is_damage, kept_aside, open_database, with_companions
from engine.chats.rows import (
    AttachmentRow,
    ChatRow,
    DraftRow,
    FolderRow,
    Key,
    MessageRow,
    Node,
    PresetRow,
    Row,
    edit_name,
    key_of,
    weight,
)
from engine.clock import Clock
from engine.errors import StorageError
from engine.sentences import said_by, say, together
from engine.storage.files import overwrite_and_remove

MAX_WAITING = 64_000_000
"""Characters that may wait for the disk."""
RETRY_SECONDS = 2.0
"""Between two attempts to write what the disk did not take."""
_NO_ROW = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, UnicodeError, OverflowError)
"""What a row itself is to blame for, which would keep all others waiting for ever."""
_logger = logging.getLogger(__name__)
_P = ParamSpec("_P")
_T = TypeVar("_T")


class ChatStore:
    """All rows of one database; ``path`` None: a database in memory, for what shall not be written."""

    def __init__(self, path: Path | None, clock: Clock, notice: Callable[[str], None]) -> None:
        self.path = path
        self._clock = clock
        self._notice = notice
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chats")
        self._database: Database | None = None
        self._identity: Identity | None = None
        self._lost = 0
        """How many rows have no file any more."""
        self._closed = False
        self._waiting: dict[Key, Row | None] = {}
        self._last_told = ("", 0)
        self.problem = ""
        """Why something is in memory only, for people; empty when all is on the disk."""
        self.told: Callable[[], None] = lambda: None
        """Called when ``problem`` or what waits has changed."""

    # The thread

    async def ask(self, method: Callable[Concatenate[Database, _P], _T], *values: _P.args, **named: _P.kwargs) -> _T:
        """What a method of the database gives; ``StorageError`` with words for people when the disk refuses."""
        return await self._run(lambda: self._in_thread(lambda database: method(database, *values, **named)))

    async def _run(self, work: Callable[[], tuple[_T, str]]) -> _T:
        if self._closed:
            raise StorageError(say("saving.closed"))
        result, notice = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        if notice:
            _logger.warning("%s", notice)
            self._notice(notice)
        return result

    def _in_thread(self, work: Callable[[Database], _T]) -> tuple[_T, str]:
        """The work's result, and what the owner must be told. A database that turns out to be damaged is kept aside and
        its readable rows are brought into a new one, on which the work is done."""
        notice = self._open()
        assert self._database is not None
        try:
            return work(self._database), notice
        except sqlite3.Error as error:
            if isinstance(error, _NO_ROW):
                raise
            if not is_damage(error):
                raise _refused(error) from error
        except (msgspec.ValidationError, msgspec.DecodeError):
            pass  # a row that makes no sense is damage, too
        self._close()
        notice = f"{notice} {self._open(damaged=True)}".strip()
        try:
            return work(self._database), notice
        except sqlite3.Error as error:
            raise _refused(error) from error

    def _open(self, damaged: bool = False) -> str:
        if self._database is not None:
            return ""
        try:
            opened = open_database(self.path, self._stamp(), damaged)
        except sqlite3.Error as error:
            raise _refused(error) from error
        return self._opened(opened)

    def _opened(self, opened: Opened) -> str:
        self._database = opened.database
        self._identity = identity(self.path) if self.path is not None else None
        self._lost = 0
        return opened.notice

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._clock.wall(), UTC).strftime("%Y%m%d-%H%M%S")

    def _stay(self) -> tuple[None, str]:
        """Write all of it anew if its file is not there any more; ``StorageError`` if the disk does not take that."""
        if self._database is None or self.path is None or identity(self.path) == self._identity:
            self._lost = 0
            return None, ""
        self._lost = max(1, self._database.count())
        try:
            return None, self._opened(write_anew(self._database, self.path, self._stamp()))
        except sqlite3.Error as error:
            reason = _refused(error)
        except StorageError as error:
            reason = error
        raise StorageError(together(say("saving.gone", name=self.path.name), said_by(reason))) from reason

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    async def close(self) -> None:
        """Try once more to write what waits, and give the file back."""
        await self.flush()
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    # Writing

    @property
    def waiting(self) -> int:
        """How many rows are in memory only."""
        return len(self._waiting) + self._lost

    def waits(self, kind: type[Row], name: str) -> bool:
        """Whether the newest state of a row is in memory only, as the disk does not take it."""
        return bool(self.problem) and (bool(self._lost) or (kind, name) in self._waiting)

    def check_room(self) -> None:
        """``StorageError`` while so much waits for the disk that nothing more may."""
        if self.problem and sum(weight(row) for row in self._waiting.values()) > MAX_WAITING:
            raise StorageError(together(self.problem, say("saving.no_room")))

    def keep(self, *rows: Row, gone: Iterable[Key] = ()) -> None:
        """Keep rows, and remove those that are ``gone``; in memory, until the next :meth:`save` or :meth:`flush`."""
        self._waiting |= {**dict.fromkeys(gone), **{key_of(row): row for row in rows}}

    async def save(self, *rows: Row, gone: Iterable[Key] = ()) -> bool:
        """Keep rows and remove those that are ``gone``, all at once. False: in memory only so far, for the reason in
        ``problem``."""
        self.keep(*rows, gone=gone)
        return await self.flush()

    async def flush(self) -> bool:
        """Write what waits, and all anew if the file was deleted meanwhile."""
        batch = dict(self._waiting)
        try:
            await self._run(self._stay)
            if batch:
                await self._write(batch)
        except StorageError as error:
            if not self.problem:
                _logger.error("chats cannot be written: %s", error)
            self.problem = together(said_by(error), say("saving.kept"))
        else:
            for key, row in batch.items():
                if self._waiting.get(key, self) is row:
                    del self._waiting[key]
            self.problem = ""  # what came meanwhile is on its way
        state = (self.problem, self.waiting if self.problem else 0)
        if state != self._last_told:
            self._last_told = state
            self.told()
        return not self.problem

    async def _write(self, batch: dict[Key, Row | None]) -> None:
        """All at once; where a row is among them that no database takes, the others one by one."""
        try:
            await self.ask(Database.write, list(batch.items()))
        except _NO_ROW as error:
            if len(batch) == 1:
                _logger.error("a row of the chats cannot be kept: %s", type(error).__name__)
                return
            for change in batch.items():
                await self._write(dict([change]))

    async def keep_trying(self) -> None:
        """Write again what the disk did not take, until cancelled."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if self._waiting or self.problem:
                try:
                    await self.flush()
                except Exception:
                    _logger.exception("chats could not be written")

    async def erase(self) -> None:
        """Remove every row, what was kept of damaged databases and what a window could not send: the files are
        overwritten and deleted, which a full disk and a damaged database allow, too. ``StorageError`` if the disk
        refuses."""
        self._waiting.clear()
        self.problem, self._last_told = "", ("", 0)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._erase)
        self.told()

    def _erase(self) -> None:
        self._close()
        if self.path is not None:
            unsent = self.path.with_name(UNSENT_NAME)
            beside = [unsent, unsent.with_suffix(".new"), unsent.with_suffix(".damaged")]
            for file in [*kept_aside(self.path), *with_companions(self.path), *beside]:
                overwrite_and_remove(file)
        self._lost = 0

    # Reading: the database, and over it what waits. What waits is looked at before the database is, so that no row is
    # missed that is written in between.

    def _over(self, kind: type[_T]) -> dict[str, _T | None]:
        return {name: row for (of, name), row in self._waiting.items() if of is kind}  # type: ignore[misc]

    async def chats(self, folder: str | None, before: int, limit: int) -> list[ChatRow]:
        """See :meth:`Database.chats`."""
        over = self._over(ChatRow)
        folders = {row.id for row in await self.folders()} if folder == "" else set()
        rows = {row.id: row for row in await self.ask(Database.chats, folder, before, limit + len(over))}
        rows |= {name: row for name, row in over.items() if row is not None}
        wanted = [
            row
            for row in rows.values()
            if not row.deleted
            and over.get(row.id, row) is not None
            and (not before or row.activity < before)
            and (folder in (None, row.folder) or (folder == "" and row.folder not in folders))
        ]
        return sorted(wanted, key=lambda row: -row.activity)[:limit]

    async def chat(self, chat: str) -> ChatRow | None:
        """One chat, also a deleted one."""
        over = self._over(ChatRow)
        return over[chat] if chat in over else await self.ask(Database.chat, chat)

    async def folders(self) -> list[FolderRow]:
        over = self._over(FolderRow)
        rows: dict[str, FolderRow | None] = {row.id: row for row in await self.ask(Database.folders)}
        return sorted((row for row in (rows | over).values() if row), key=lambda row: (row.name.casefold(), row.id))

    async def presets(self) -> list[PresetRow]:
        over = self._over(PresetRow)
        rows: dict[str, PresetRow | None] = {row.id: row for row in await self.ask(Database.presets)}
        return sorted((row for row in (rows | over).values() if row), key=lambda row: row.preset.name.casefold())

    async def nodes(self, chat: str) -> list[Node]:
        """All messages of a chat, without their texts."""
        over = {name: row for name, row in self._over(MessageRow).items() if row is not None and row.chat == chat}
        rows = {node.id: node for node in await self.ask(Database.nodes, chat)}
        return list(
            (rows | {name: Node(row.id, row.parent, row.place, row.role) for name, row in over.items()}).values()
        )

    async def messages(
        self, names: Sequence[str], text: int = MAX_PIECE, reasoning: int = MAX_PIECE
    ) -> dict[str, ReadMessage]:
        """The beginnings of messages: so many characters of their texts, no receipts."""
        over = self._over(MessageRow)
        found = await self.ask(Database.messages, [name for name in names if name not in over], text, reasoning)
        rows = [row for name in names if (row := over.get(name)) is not None]
        return found | {row.id: beginning(row, text, reasoning) for row in rows}

    async def whole_messages(self, names: Sequence[str]) -> dict[str, MessageRow]:
        """Messages with everything."""
        over = self._over(MessageRow)
        found = await self.ask(Database.whole_messages, [name for name in names if name not in over])
        return found | {name: row for name in names if (row := over.get(name)) is not None}

    async def attachments(self, chat: str, messages: Sequence[str]) -> dict[str, list[Attachment]]:
        """What is attached to messages ("" is the draft), without the texts."""
        over = self._over(AttachmentRow)
        found = await self.ask(Database.attachments, chat, messages)
        found = {of: [one for one in all_of if one.attachment not in over] for of, all_of in found.items()}
        for row in sorted((row for row in over.values() if row), key=lambda row: row.place):
            if row.chat == chat and row.message in messages:
                one = Attachment(attachment=row.id, name=row.name, characters=len(row.text))
                found.setdefault(row.message, []).append(one)
        return found

    async def whole_attachments(self, chat: str, messages: Sequence[str]) -> list[AttachmentRow]:
        """What is attached to messages ("" is the draft), with the texts."""
        over = self._over(AttachmentRow)
        found = {row.id: row for row in await self.ask(Database.whole_attachments, chat, messages)}
        rows = [row for name, row in found.items() if name not in over]
        rows += [row for row in over.values() if row is not None and row.chat == chat and row.message in messages]
        return sorted(rows, key=lambda row: (row.message, row.place))

    async def attachment(self, name: str) -> AttachmentRow | None:
        """The attachment of this name, wherever it is."""
        over = self._over(AttachmentRow)
        return over[name] if name in over else await self.ask(Database.attachment, name)

    async def draft(self, chat: str) -> str:
        """The text of a draft."""
        over = self._over(DraftRow)
        if chat in over:
            row = over[chat]
            return row.text if row is not None else ""
        return await self.ask(Database.draft, chat)

    async def edits(self, chat: str) -> dict[str, str]:
        """Other wordings of questions of a chat, by the names of these."""
        mark = edit_name(chat, "")
        over = {name: row for name, row in self._over(DraftRow).items() if name.startswith(mark)}
        found: dict[str, DraftRow | None] = {row.id: row for row in await self.ask(Database.edits, chat)}
        return {name.removeprefix(mark): row.text for name, row in (found | over).items() if row is not None}


def beginning(row: MessageRow, text: int = MAX_PIECE, reasoning: int = MAX_PIECE) -> ReadMessage:
    """A whole message as :meth:`Database.messages` gives it."""
    cut = msgspec.structs.replace(row, text=row.text[:text], reasoning=row.reasoning[:reasoning], receipt="")
    return ReadMessage(cut, len(row.text), len(row.reasoning))


def _refused(error: sqlite3.Error) -> StorageError:
    """What people are told when the disk refuses."""
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if number == sqlite3.SQLITE_FULL:
        return StorageError(say("saving.disk_full"))
    if number in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(say("saving.held"))
    if number in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StorageError(say("saving.read_only"))
    return StorageError(say("saving.broken", error=str(error)))
