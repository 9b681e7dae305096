"""The chat database: one SQLite file. Every method belongs into one thread (:mod:`engine.chats.store` has it)."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from engine.api.schema import MAX_PIECE, Attachment
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
)
from engine.chats.words import MARK_BEGIN, MARK_END

AnyRow = TypeVar("AnyRow", bound=Struct)
TABLE_OF: Mapping[type[Struct], str] = {
    ChatRow: "chats",
    MessageRow: "messages",
    AttachmentRow: "attachments",
    DraftRow: "drafts",
    FolderRow: "folders",
    PresetRow: "presets",
}
_JSON = frozenset({"settings", "details", "problem", "preset"})
"""Columns that hold JSON."""
_CHUNK = 500
"""Values of one statement."""
_SNIPPET_WORDS = 24
_PURGED_AT_ONCE = 200
"""Messages."""
_encoder = msgspec.json.Encoder()


class ReadMessage(Struct, frozen=True):
    """A message whose ``row`` has the first pieces of its texts and no receipt, and how long they are."""

    row: MessageRow
    characters: int
    reasoning_characters: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A message or, with an empty ``message``, a title that was found; ``snippet`` has marks."""

    chat: ChatRow
    snippet: str
    message: str = ""
    role: str = ""
    created: float = 0.0


def read_row(kind: type[AnyRow], names: Sequence[str], values: Sequence[Any]) -> AnyRow:
    """The row that stands in the columns ``names``; ``msgspec.ValidationError`` or ``DecodeError`` when it makes no
    sense. Columns that this version does not know are passed over."""
    fields = {
        name: msgspec.json.decode(value) if name in _JSON and value is not None else value
        for name, value in zip(names, values, strict=True)
    }
    return msgspec.convert(fields, kind, strict=False)


class Database:
    """Over an open connection whose tables are there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def close(self) -> None:
        """Give the file back."""
        self._sql.close()

    # Writing

    def write(self, changes: Iterable[tuple[Key, Row | None]]) -> None:
        """Put rows in the place of those with their names, or remove them (None): all or nothing."""
        with self._transaction():
            for (kind, name), row in changes:
                if row is None:
                    self._sql.execute(f"DELETE FROM {TABLE_OF[kind]} WHERE id = ?", (name,))  # noqa: S608
                else:
                    self._sql.execute(_UPSERTS[kind], _values(row))

    def running_answers(self) -> list[str]:
        """Answers that say that they are being written."""
        return [name for (name,) in self._sql.execute("SELECT id FROM messages WHERE state = 'writing'")]

    def interrupt_answers(self, names: Sequence[str], problem: str) -> None:
        """Mark answers that nobody writes any more; ``problem`` is JSON."""
        with self._transaction():
            for name in names:
                change = "UPDATE messages SET state = 'interrupted', problem = ? WHERE id = ? AND state = 'writing'"
                self._sql.execute(change, (problem, name))

    def deleted_chats(self) -> list[str]:
        """Those that are marked as deleted and still here."""
        return [name for (name,) in self._sql.execute("SELECT id FROM chats WHERE deleted = 1")]

    def purge(self, chat: str) -> bool:
        """Remove a part of a deleted chat for good; whether there is more of it. Others get their turn in between."""
        with self._transaction():
            if self._sql.execute("SELECT 1 FROM chats WHERE id = ? AND deleted = 1", (chat,)).fetchone() is None:
                return False
            some = "DELETE FROM messages WHERE place IN (SELECT place FROM messages WHERE chat = ? LIMIT ?)"
            if self._sql.execute(some, (chat, _PURGED_AT_ONCE)).rowcount == _PURGED_AT_ONCE:
                return True
            self._sql.execute("DELETE FROM attachments WHERE chat = ?", (chat,))
            for table in ("drafts", "chats"):
                self._sql.execute(f"DELETE FROM {table} WHERE id = ?", (chat,))  # noqa: S608
            self._sql.execute(f"DELETE FROM drafts WHERE {_EDITS}", _edits(chat))  # noqa: S608
        return False

    def move_messages(self, names: Sequence[str], origin: ChatRow, target: ChatRow) -> None:
        """Messages of one chat are another one's from now on, with their files and wordings; both chats are written as
        they are then. All or nothing."""
        with self._transaction():
            for row in (origin, target):
                self._sql.execute(_UPSERTS[ChatRow], _values(row))
            for chunk in _chunks(names):
                marks = _marks(chunk)
                self._sql.execute(f"UPDATE messages SET chat = ? WHERE id IN ({marks})", (target.id, *chunk))  # noqa: S608
                files = f"UPDATE attachments SET chat = ? WHERE chat = ? AND message IN ({marks})"  # noqa: S608
                self._sql.execute(files, (target.id, origin.id, *chunk))
            for name in {row.id.partition("/")[2] for row in self.edits(origin.id)} & set(names):
                wording = "UPDATE drafts SET id = ? WHERE id = ?"
                self._sql.execute(wording, (edit_name(target.id, name), edit_name(origin.id, name)))

    def merge_index(self, index: Literal["titles", "texts"]) -> bool:
        """Do a part of what removes the words of deleted texts from a full-text index, where they stay until its pieces
        are merged; whether there is more to do (FTS5's documentation, "The 'merge' Command")."""
        before = self._sql.total_changes
        with self._transaction():
            self._sql.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', -500)")  # noqa: S608
        return self._sql.total_changes - before >= 2

    def truncate_log(self) -> None:
        """Bring everything into the file itself and empty the log beside it."""
        self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def copy_to(self, path: Path) -> None:
        """Write all of it into another file, also when its own has no name any more."""
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as target:
            self._sql.backup(target)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._sql.execute("COMMIT")
        except BaseException:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")
            raise

    # Reading

    def size(self) -> int:
        """Bytes of all pages."""
        (pages,) = self._sql.execute("PRAGMA page_count").fetchone()
        (page,) = self._sql.execute("PRAGMA page_size").fetchone()
        return int(pages) * int(page)

    def count(self) -> int:
        """Chats and messages."""
        (count,) = self._sql.execute("SELECT (SELECT count(*) FROM chats) + (SELECT count(*) FROM messages)").fetchone()
        return int(count)

    def counters(self) -> tuple[int, int]:
        """The highest ``place`` and ``activity`` that were given."""
        (place,) = self._sql.execute("SELECT coalesce(max(place), 0) FROM messages").fetchone()
        (activity,) = self._sql.execute("SELECT coalesce(max(activity), 0) FROM chats").fetchone()
        return int(place), int(activity)

    def chats(self, folder: str | None, before: int, limit: int) -> list[ChatRow]:
        """Those that are not deleted, the newest first; with an empty ``folder`` those that are in none."""
        where, values = "deleted = 0", list[Any]()
        if before:
            where += " AND activity < ?"
            values.append(before)
        if folder:
            where += " AND folder = ?"
            values.append(folder)
        elif folder is not None:
            where += " AND folder NOT IN (SELECT id FROM folders)"
        return list(self._rows(ChatRow, f"WHERE {where} ORDER BY activity DESC LIMIT ?", [*values, limit]))

    def chat(self, chat: str) -> ChatRow | None:
        """One chat, also a deleted one."""
        return next(self._rows(ChatRow, "WHERE id = ?", [chat]), None)

    def folders(self) -> list[FolderRow]:
        return list(self._rows(FolderRow, "ORDER BY name, id"))

    def presets(self) -> list[PresetRow]:
        return list(self._rows(PresetRow, "ORDER BY id"))

    def nodes(self, chat: str) -> list[Node]:
        """All messages of a chat, without their texts."""
        query = "SELECT id, parent, place, role FROM messages WHERE chat = ? ORDER BY place"
        return [Node(*values) for values in self._sql.execute(query, (chat,))]

    def messages(
        self, names: Sequence[str], text: int = MAX_PIECE, reasoning: int = MAX_PIECE
    ) -> dict[str, ReadMessage]:
        """The beginnings of messages: so many characters of their texts, no receipts."""
        columns = ", ".join(_COLUMNS[MessageRow]).replace(" text,", " substr(text, 1, ?),")
        columns = columns.replace(" reasoning,", " substr(reasoning, 1, ?),").replace("receipt", "''")
        found = {}
        for chunk in _chunks(names):
            query = f"SELECT length(text), length(reasoning), {columns} FROM messages WHERE id IN ({_marks(chunk)})"  # noqa: S608
            for characters, thought, *values in self._sql.execute(query, (text, reasoning, *chunk)):
                row = read_row(MessageRow, _COLUMNS[MessageRow], values)
                found[row.id] = ReadMessage(row, characters, thought)
        return found

    def whole_messages(self, names: Sequence[str]) -> dict[str, MessageRow]:
        """Messages with everything."""
        found: dict[str, MessageRow] = {}
        for chunk in _chunks(names):
            rows = self._rows(MessageRow, f"WHERE id IN ({_marks(chunk)})", chunk)
            found |= {row.id: row for row in rows}
        return found

    def attachments(self, chat: str, messages: Sequence[str]) -> dict[str, list[Attachment]]:
        """What is attached to messages ("" is the draft), without the texts."""
        found: dict[str, list[Attachment]] = {}
        for chunk in _chunks(messages):
            query = (
                "SELECT message, id, name, length(text) FROM attachments"  # noqa: S608
                f" WHERE chat = ? AND message IN ({_marks(chunk)}) ORDER BY message, place"
            )
            for message, name, file_name, characters in self._sql.execute(query, (chat, *chunk)):
                one = Attachment(attachment=name, name=file_name, characters=characters)
                found.setdefault(message, []).append(one)
        return found

    def whole_attachments(self, chat: str, messages: Sequence[str]) -> list[AttachmentRow]:
        """What is attached to messages ("" is the draft), with the texts."""
        found: list[AttachmentRow] = []
        for chunk in _chunks(messages):
            where = f"WHERE chat = ? AND message IN ({_marks(chunk)}) ORDER BY message, place"
            found += self._rows(AttachmentRow, where, [chat, *chunk])
        return found

    def attachment(self, name: str) -> AttachmentRow | None:
        """The attachment of this name, wherever it is."""
        return next(self._rows(AttachmentRow, "WHERE id = ?", [name]), None)

    def draft(self, chat: str) -> str:
        """The text of a draft."""
        row = next(self._rows(DraftRow, "WHERE id = ?", [chat]), None)
        return row.text if row else ""

    def edits(self, chat: str) -> list[DraftRow]:
        """Other wordings of questions of a chat."""
        return list(self._rows(DraftRow, f"WHERE {_EDITS}", _edits(chat)))

    def find_titles(self, expression: str, limit: int, offset: int) -> list[Hit]:
        """Titles that match an FTS5 expression, the best first."""
        columns = ", ".join(f"chats.{name}" for name in _COLUMNS[ChatRow])
        query = (
            f"SELECT highlight(titles, 0, '{MARK_BEGIN}', '{MARK_END}'), {columns} FROM titles"  # noqa: S608
            " JOIN chats ON chats.number = titles.rowid WHERE titles MATCH ? AND chats.deleted = 0"
            " ORDER BY rank, chats.activity DESC LIMIT ? OFFSET ?"
        )
        found = self._sql.execute(query, (expression, limit, offset))
        return [Hit(read_row(ChatRow, _COLUMNS[ChatRow], values), snippet) for snippet, *values in found]

    def find_texts(self, expression: str, limit: int, offset: int, chat: str = "") -> list[Hit]:
        """Messages that match an FTS5 expression, the best first; of one ``chat``, as they were written."""
        columns = ", ".join(f"chats.{name}" for name in _COLUMNS[ChatRow])
        query = (
            f"SELECT snippet(texts, 0, '{MARK_BEGIN}', '{MARK_END}', '…', {_SNIPPET_WORDS}), messages.id,"  # noqa: S608
            f" messages.role, messages.created, {columns} FROM texts JOIN messages ON messages.place = texts.rowid"
            " JOIN chats ON chats.id = messages.chat WHERE texts MATCH ? AND chats.deleted = 0"
            f" {'AND messages.chat = ? ORDER BY' if chat else 'ORDER BY rank,'} messages.place"
            f" {'' if chat else 'DESC'} LIMIT ? OFFSET ?"
        )
        given = (expression, chat, limit, offset) if chat else (expression, limit, offset)
        return [
            Hit(read_row(ChatRow, _COLUMNS[ChatRow], values), snippet, message, role, created)
            for snippet, message, role, created, *values in self._sql.execute(query, given)
        ]

    def _rows(self, kind: type[AnyRow], rest: str, values: Sequence[Any] = ()) -> Iterator[AnyRow]:
        names = _COLUMNS[kind]
        query = f"SELECT {', '.join(names)} FROM {TABLE_OF[kind]} {rest}"  # noqa: S608
        for found in self._sql.execute(query, values):
            yield read_row(kind, names, found)


_COLUMNS: Mapping[type[Struct], tuple[str, ...]] = {kind: kind.__struct_fields__ for kind in TABLE_OF}


def _upsert(kind: type[Struct]) -> str:
    names = _COLUMNS[kind]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("id", "place"))
    return (
        f"INSERT INTO {TABLE_OF[kind]} ({', '.join(names)}) VALUES ({_marks(names)})"  # noqa: S608
        f" ON CONFLICT (id) DO UPDATE SET {changes}"
    )


def _values(row: Row) -> list[Any]:
    values = []
    for name, value in zip(row.__struct_fields__, msgspec.structs.astuple(row), strict=True):
        values.append(_encoder.encode(value).decode() if name in _JSON and value is not None else value)
    return values


_EDITS = "id > ? AND id < ?"
"""Those of one chat, by its primary key."""


def _edits(chat: str) -> list[str]:
    return [edit_name(chat, ""), f"{chat}0"]  # "0" comes right behind "/"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(names), _CHUNK):
        yield names[begin : begin + _CHUNK]


_UPSERTS: Mapping[type[Struct], str] = {kind: _upsert(kind) for kind in TABLE_OF}
