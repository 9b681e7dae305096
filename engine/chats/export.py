"""A chat as text for a file: Markdown for people, JSON with everything for programs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from engine.chats.live import LiveChat
from engine.chats.rows import AttachmentRow, ChatRow, MessageRow
from engine.chats.words import fence_for

if TYPE_CHECKING:
    from engine.chats.history import ChatHistory

PIECE = 100_000
"""Characters of one piece."""
_AT_ONCE = 8
"""Messages that are read at a time; each may have a receipt of megabytes."""
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the file ``name``."""

    text: str
    name: str
    last: bool = False


async def pieces(history: ChatHistory, chat: str, form: Literal["markdown", "json"]) -> AsyncIterator[Piece]:
    """The chat, as it is at the beginning; messages that come meanwhile are not in it."""
    async with history.use(chat) as live:
        row, tip = live.row, live.tip
        names = live.tree.branch(tip) if form == "markdown" else live.tree.in_order()
    name = f"{_file_name(row.title)}.{'md' if form == 'markdown' else 'json'}"
    waiting = ""
    texts = _markdown(history, live, row, names) if form == "markdown" else _json(history, live, row, names, tip)
    async for text in texts:
        waiting += text
        while len(waiting) > PIECE:
            yield Piece(waiting[:PIECE], name)
            waiting = waiting[PIECE:]
    yield Piece(waiting, name, last=True)


async def _messages(
    history: ChatHistory, live: LiveChat, names: list[str]
) -> AsyncIterator[tuple[MessageRow, list[AttachmentRow]]]:
    for begin in range(0, len(names), _AT_ONCE):
        some = names[begin : begin + _AT_ONCE]
        rows = await live.store.whole_messages(some)
        files = await live.store.whole_attachments(live.id, some)
        running = live.running
        if running is not None and running.row.id in rows:
            rows[running.row.id] = running.now()
        for name in some:
            if name in rows:
                yield rows[name], [one for one in files if one.message == name]


async def _markdown(history: ChatHistory, live: LiveChat, row: ChatRow, names: list[str]) -> AsyncIterator[str]:
    yield f"# {_line(row.title) or 'Chat'}\n\n"
    if row.settings.system.strip():
        yield f"> **System prompt**\n>\n{_quoted(row.settings.system)}\n\n"
    async for message, files in _messages(history, live, names):
        yield from_message(message, files)


def from_message(message: MessageRow, files: list[AttachmentRow]) -> str:
    """One message as Markdown."""
    parts = [f"## {_heading(message)}\n"]
    if message.reasoning:
        parts.append(f"<details><summary>Reasoning</summary>\n\n{message.reasoning.rstrip()}\n\n</details>\n")
    if message.text:
        parts.append(f"{message.text.rstrip()}\n")
    for one in files:
        fence = fence_for(one.text)
        parts.append(f"Attached: {_line(one.name)}\n\n{fence}\n{one.text.rstrip()}\n{fence}\n")
    if message.problem is not None:
        parts.append(f"*{_line(message.problem.text)}*\n")
    return "\n".join(parts) + "\n"


def _heading(message: MessageRow) -> str:
    when = _date(message.created)
    if message.role == "user":
        return f"Question, {when}"
    details = message.details
    badge = f", {details.badge}" if details and details.badge else ""
    return f"Answer by {_line(message.model)}{badge}, {when}"


async def _json(history: ChatHistory, live: LiveChat, row: ChatRow, names: list[str], tip: str) -> AsyncIterator[str]:
    head = {
        "format": "gentorrent-chat-1",
        "title": row.title,
        "created": row.created,
        "updated": row.updated,
        "settings": row.settings,
        "tip": tip,
    }
    yield _encoded(head)[:-1] + ',"messages":['
    first = True
    async for message, files in _messages(history, live, names):
        fields = msgspec.to_builtins(message)
        fields["attachments"] = [{"name": one.name, "text": one.text} for one in files]
        yield ("" if first else ",") + "\n" + _encoded({name: fields[name] for name in _ordered(fields)})
        first = False
    yield "\n]}\n"


def _ordered(fields: dict[str, object]) -> Iterator[str]:
    yield from (name for name in fields if name not in ("chat", "place"))


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y, %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def _line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _file_name(title: str) -> str:
    """A name that every file system takes."""
    name = re.sub(r"[^\w .-]+", " ", title)
    return " ".join(name.split()).strip(". ")[:_LONGEST_NAME].strip(". ") or "chat"
