"""The events of one answer on their way from the worker's pipe to whoever asked. Bounded by coalescing."""

from __future__ import annotations

import asyncio
from collections import deque

from engine.inference.types import Delta, Done, GenerationEvent, Queued


class Mailbox:
    """Never blocks the pipe: for a slow reader waiting deltas grow together, and of places only the newest counts, so
    that at most one answer's tokens wait here."""

    def __init__(self) -> None:
        self._events: deque[GenerationEvent] = deque()
        self._error: Exception | None = None
        self._filled = asyncio.Event()
        self.sent = False  # the worker knows of the request
        self.complete = False  # the worker has nothing more to say

    def put(self, event: GenerationEvent) -> None:
        """Add an event from the worker."""
        self.complete = isinstance(event, Done)
        last = self._events[-1] if self._events else None
        if isinstance(last, Delta) and isinstance(event, Delta):
            self._events[-1] = Delta(last.ids + event.ids, last.text + event.text)
        elif isinstance(last, Queued) and isinstance(event, Queued):
            self._events[-1] = event
        else:
            self._events.append(event)
        self._filled.set()

    def fail(self, error: Exception) -> None:
        """End with ``error``, after what has arrived already."""
        self.complete = True
        self._error = self._error or error
        self._filled.set()

    async def next(self) -> GenerationEvent:
        """The next event; raises the error that ended the answer."""
        while not self._events:
            if self._error is not None:
                raise self._error
            self._filled.clear()
            await self._filled.wait()
        return self._events.popleft()
