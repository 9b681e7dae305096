"""A chat history over a service that answers as it is told, and clients of it that remember what they are told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from engine.api import schema
from engine.api.service import AnswerRequest
from engine.chats.history import ChatHistory
from engine.clock import Clock, ManualClock
from tests.support.local_api import PlayedService, until

Event = TypeVar("Event")
MODEL = "gentorrent-builtin"


async def no_count(request: AnswerRequest) -> int | None:
    return None


async def _room() -> None:
    return


class Client:
    """One connection to the history."""

    def __init__(self, history: ChatHistory) -> None:
        self.events: list[schema.ControlEvent] = []
        self._session = history.attach(self.events.append, _room)
        self._refs = 0

    def close(self) -> None:
        self._session.close()

    async def do(self, request: schema.ChatsRequest) -> Any:
        """The reply to a request."""
        self._refs += 1
        ref = f"r{self._refs}"
        await self._session.handle(msgspec.structs.replace(request, ref=ref))
        *pieces, reply = (event for event in self.events if getattr(event, "ref", None) == ref)
        assert all(isinstance(piece, schema.ExportPiece) for piece in pieces)
        return reply

    def all(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[Event]) -> Event:
        return self.all(kind)[-1]

    async def ended(self, answer: str) -> schema.StoredMessage:
        """The answer at its end."""

        def found() -> list[schema.StoredMessage]:
            changed = self.all(schema.MessageChanged)
            return [one.message for one in changed if one.message.message == answer and not one.added]

        await until(found)
        return found()[-1]

    async def ask(self, chat: str, text: str, **more: Any) -> schema.StoredMessage:
        """Ask and wait for the whole answer."""
        accepted = await self.do(schema.SendMessage(chat=chat, text=text, **more))
        assert isinstance(accepted, schema.Accepted), accepted
        return await self.ended(accepted.answer)

    async def opened(self, chat: str = "c", **more: Any) -> schema.ChatOpened:
        """A chat that is made if it is not there, and open."""
        await self.do(schema.CreateChat(chat=chat, **more))
        opened = await self.do(schema.OpenChat(chat=chat))
        assert isinstance(opened, schema.ChatOpened), opened
        return opened

    async def branch(self, chat: str = "c") -> list[str]:
        """The texts of the branch that is shown."""
        page = await self.do(schema.GetMessages(chat=chat, limit=200))
        return [message.text for message in page.messages]


@asynccontextmanager
async def history_at(
    path: Path,
    service: PlayedService,
    *,
    count: Callable[[AnswerRequest], Awaitable[int | None]] = no_count,
    clock: Clock | None = None,
    notices: list[str] | None = None,
) -> AsyncIterator[ChatHistory]:
    """A running history; at the end it stops as that of an engine does."""
    told = [] if notices is None else notices
    history = ChatHistory(path, service, count, clock or ManualClock(), os.urandom, told.append)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(history.run())
        await asyncio.sleep(0)
        try:
            yield history
        finally:
            task.cancel()
