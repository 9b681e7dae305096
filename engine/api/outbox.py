"""What waits to be sent to one control client: bounded, so that a client that does not read cannot fill the memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

import msgspec

from engine.api.schema import (
    AnswerDelta,
    BranchSelected,
    ChatDelta,
    ChatOpened,
    ControlEvent,
    ExportPiece,
    MessagePage,
    State,
    TextPiece,
    Topology,
)

MAX_EVENTS = 512
"""Events that wait at most; one more and the client is cut."""
MAX_JOINED_TEXT = 16_384
"""Characters up to which waiting pieces of one answer are joined into one event."""
MAX_TEXT = 4_000_000
"""Characters of texts that wait at most."""
FEW_EVENTS = 64
FEW_TEXT = 500_000
"""While no more waits than this, there is room for replies."""


class OutboxFullError(Exception):
    """The client reads too slowly."""


class Outbox:
    """A queue in which a newer state replaces an older one and pieces of one answer grow together."""

    def __init__(self) -> None:
        self._events: deque[ControlEvent] = deque()
        self._state: State | None = None
        self._text = 0
        self._filled = asyncio.Event()
        self._taken = asyncio.Event()
        self._overflowed = asyncio.Event()

    def put(self, event: ControlEvent) -> None:
        """Add an event; :class:`OutboxFullError` when there is no room."""
        if isinstance(event, State):
            self._state = event
        else:
            if not self._joined(event):
                self._events.append(event)
            self._text += _length(event)
        self._filled.set()
        if len(self._events) > MAX_EVENTS or self._text > MAX_TEXT:
            self._overflow()

    def _overflow(self) -> None:
        """Nothing more is sent to this client, and nothing kept for it."""
        self._overflowed.set()
        self._events.clear()
        self._text = 0
        raise OutboxFullError

    def push(self, event: ControlEvent) -> None:
        """The same for those who have nothing to do with the client's fate: where there is no room, :meth:`overflow`
        says so."""
        if not self._overflowed.is_set():
            with contextlib.suppress(OutboxFullError):
                self.put(event)

    async def overflow(self) -> None:
        """Wait until there was no room for an event, then raise :class:`OutboxFullError`."""
        await self._overflowed.wait()
        raise OutboxFullError

    async def room(self) -> None:
        """Wait until few events wait."""
        while len(self._events) > FEW_EVENTS or self._text > FEW_TEXT:
            self._taken.clear()
            await self._taken.wait()

    async def take(self) -> ControlEvent:
        """Wait for the next event. A state goes first: it is small, and there is only one."""
        while True:
            if self._state is not None:
                state, self._state = self._state, None
                return state
            if self._events:
                event = self._events.popleft()
                self._text -= _length(event)
                self._taken.set()
                return event
            self._filled.clear()
            await self._filled.wait()

    def _joined(self, event: ControlEvent) -> bool:
        """Whether the event became a part of the one before it."""
        last = self._events[-1] if self._events else None
        if isinstance(event, Topology) and not event.ref and isinstance(last, Topology) and not last.ref:
            self._events[-1] = event  # the newer picture counts
            return True
        if last is None or _length(last) > MAX_JOINED_TEXT:
            return False
        match last, event:
            case ChatDelta(), ChatDelta() if last.id == event.id:
                pass
            case AnswerDelta(), AnswerDelta() if last.message == event.message:
                pass
            case _:
                return False
        self._events[-1] = msgspec.structs.replace(
            last,
            text=last.text + event.text,
            tokens=last.tokens + event.tokens,
            reasoning=last.reasoning + event.reasoning,
        )
        return True


def _length(event: ControlEvent) -> int:
    match event:
        case ChatDelta() | AnswerDelta():
            return len(event.text) + len(event.reasoning)
        case TextPiece() | ExportPiece():
            return len(event.text)
        case ChatOpened() | MessagePage() | BranchSelected():
            return sum(len(message.text) + len(message.reasoning) for message in event.messages)
    return 0
