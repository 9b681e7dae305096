"""What waits to be sent to one control client: bounded, so that a client that does not read cannot fill the memory."""

from __future__ import annotations

import asyncio
from collections import deque

from engine.api.schema import ChatDelta, ControlEvent, State

MAX_EVENTS = 512
"""Events that wait at most; one more and the client is cut."""
MAX_JOINED_TEXT = 16_384
"""Characters up to which waiting pieces of one answer are joined into one event."""
MAX_TEXT = 4_000_000
"""Characters of answers that wait at most."""


class OutboxFullError(Exception):
    """The client reads too slowly."""


class Outbox:
    """A queue in which a newer state replaces an older one and pieces of one answer grow together."""

    def __init__(self) -> None:
        self._events: deque[ControlEvent] = deque()
        self._state: State | None = None
        self._text = 0
        self._filled = asyncio.Event()

    def put(self, event: ControlEvent) -> None:
        """Add an event; :class:`OutboxFullError` when there is no room."""
        if isinstance(event, State):
            self._state = event
        elif isinstance(event, ChatDelta) and self._joined(event):
            pass
        else:
            self._events.append(event)
        if isinstance(event, ChatDelta):
            self._text += _length(event)
        if len(self._events) > MAX_EVENTS or self._text > MAX_TEXT:
            raise OutboxFullError
        self._filled.set()

    async def take(self) -> ControlEvent:
        """Wait for the next event. A state goes first: it is small, and there is only one."""
        while True:
            if self._state is not None:
                state, self._state = self._state, None
                return state
            if self._events:
                event = self._events.popleft()
                if isinstance(event, ChatDelta):
                    self._text -= _length(event)
                return event
            self._filled.clear()
            await self._filled.wait()

    def _joined(self, delta: ChatDelta) -> bool:
        last = self._events[-1] if self._events else None
        if not isinstance(last, ChatDelta) or last.id != delta.id or _length(last) > MAX_JOINED_TEXT:
            return False
        self._events[-1] = ChatDelta(
            id=delta.id,
            text=last.text + delta.text,
            tokens=last.tokens + delta.tokens,
            reasoning=last.reasoning + delta.reasoning,
        )
        return True


def _length(delta: ChatDelta) -> int:
    return len(delta.text) + len(delta.reasoning)
