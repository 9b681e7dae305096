"""The events of one answer on their way from the worker's pipe to whoever asked."""

from __future__ import annotations

import asyncio
from collections import deque

from engine.inference.types import Delta, Done, GenerationEvent, Queued, TokenLogprob


class Mailbox:
    """Never blocks the pipe. For a slow reader deltas are handed out joined, and of places only the newest waits, so
    that at most one answer's tokens wait here."""

    def __init__(self) -> None:
        self._events: deque[GenerationEvent] = deque()
        self._error: Exception | None = None
        self._filled = asyncio.Event()
        self.sent = False  # the worker knows of the request
        self.complete = False  # the worker has nothing more to say, or nobody listens to it any more

    def put(self, event: GenerationEvent) -> None:
        """Add an event from the worker; what comes after the end is dropped."""
        if self.complete:
            return
        self.complete = isinstance(event, Done)
        if isinstance(event, Queued) and self._events and isinstance(self._events[-1], Queued):
            self._events.pop()
        self._events.append(event)
        self._filled.set()

    def fail(self, error: Exception) -> None:
        """End with ``error``, after what has arrived already; an answer that is complete stays so."""
        if not self.complete:
            self.complete = True
            self._error = error
            self._filled.set()

    async def next(self) -> GenerationEvent:
        """The next event; raises the error that ended the answer."""
        while not self._events:
            if self._error is not None:
                raise self._error
            self._filled.clear()
            await self._filled.wait()
        event = self._events.popleft()
        return self._joined(event) if isinstance(event, Delta) else event

    def _joined(self, first: Delta) -> Delta:
        """``first`` and the deltas right behind it."""
        if not self._events or not isinstance(self._events[0], Delta):
            return first
        ids, text, logprobs = list(first.ids), [first.text], list[TokenLogprob](first.logprobs)
        while self._events and isinstance(following := self._events[0], Delta):
            self._events.popleft()
            ids += following.ids
            text.append(following.text)
            logprobs += following.logprobs
        return Delta(tuple(ids), "".join(text), tuple(logprobs))
