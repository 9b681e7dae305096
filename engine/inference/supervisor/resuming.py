"""An answer that outlives the worker that was making it: what has been delivered, and who may be to blame.

It decides; the supervisor asks the next worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from engine.errors import WorkerDiedError
from engine.inference.types import Delta, Done, GenerationEvent, GenerationRequest, Queued, Started


class WorkerCrashedError(WorkerDiedError):
    """A worker ended by itself; ``alone``: only one answer had not moved since it was asked of this worker."""

    def __init__(self, text: str, *, alone: bool) -> None:
        super().__init__(text)
        self.alone = alone


MAX_DEATHS = 12
"""Workers that may die under one answer, whoever is to blame."""
MAX_BLAMED = 2
"""Workers that may die with nobody but this answer as a suspect."""


@dataclass(slots=True)
class ResumableAnswer:
    """``resting``: asked of a worker, but no token of it has come yet: if the worker dies now, it is a suspect."""

    request: GenerationRequest
    ids: list[int] = field(default_factory=list)
    characters: int = 0
    started: Started | None = None
    resting: bool = False
    deaths: int = 0
    blamed: int = 0

    def remaining(self) -> GenerationRequest:
        """The request as the next worker gets it."""
        if not self.ids:
            return self.request
        return msgspec.structs.replace(
            self.request,
            continue_tokens=self.request.continue_tokens + tuple(self.ids),
            continue_characters=self.characters,
        )

    def take(self, event: GenerationEvent) -> GenerationEvent | None:
        """An event of the present worker as the asker shall hear it; None for what was said before."""
        if isinstance(event, Delta):
            self.resting = False
            self.ids.extend(event.ids)
            self.characters += len(event.text)
            return event
        if isinstance(event, Started):
            first, self.started = self.started, self.started or event
            return event if first is None else None
        if isinstance(event, Queued):
            return event if self.started is None else None
        if self.started is not None and event.cached_tokens != self.started.cached_tokens and self.deaths:
            return Done(event.reason, event.prompt_tokens, event.completion_tokens, self.started.cached_tokens)
        return event

    def died(self, *, alone: bool) -> bool:
        """The worker died; ``alone``: no other answer was a suspect. Whether another worker is to be asked."""
        self.deaths += 1
        self.blamed += alone and self.resting
        return self.blamed < MAX_BLAMED and self.deaths < MAX_DEATHS


class Turn:
    """The time in which an answer is asked of a worker and has not moved yet."""

    def __init__(self, lock: asyncio.Lock | None) -> None:
        self._lock = lock

    def end(self) -> None:
        """The answer has moved, or is over; a second call changes nothing."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()


class Turns:
    """Answers ask side by side; ``one_at_a_time`` after a worker has died soon with several suspects, so that the next
    death tells which one it was."""

    def __init__(self) -> None:
        self.one_at_a_time = False
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for the turn, if there are turns."""
        lock = self._lock if self.one_at_a_time else None
        if lock is not None:
            await lock.acquire()
        turn = Turn(lock)
        try:
            yield turn
        finally:
            turn.end()
