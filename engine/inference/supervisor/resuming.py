"""An answer that outlives the worker that was making it: what has been delivered, and who may be to blame.

Most workers die of something outside of the answers: memory is short, somebody kills them. Then everybody just goes on
with the next worker. But a request may also kill every worker that touches it, and must not take its neighbours down
again and again. Which one it is cannot be seen, so it is found out:

1. Whoever the dead worker had begun and had not given a token yet is a *suspect*. A request that kills in the middle of
   its answer is one the second time, because then the worker dies of its replay.
2. Was there one suspect, it is *blamed*. Were there several, they ask the next worker one at a time (:class:`Turns`),
   and so does everybody else for as long: each waits until the one before it has had a token. So the next death has one
   suspect. Whoever was blamed least goes first: the innocent are out of the way before the culprit has its turn.
3. Who was blamed ``MAX_BLAMED`` times is given up, and nobody else. Once may be chance: the machine's memory can run
   out at any moment.

Everything here decides; the supervisor does what it says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, ValuesView
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from engine.errors import WorkerDiedError
from engine.inference.supervisor.changes import Changes
from engine.inference.supervisor.mailbox import Mailbox
from engine.inference.types import Delta, Done, GenerationEvent, GenerationRequest, Queued, Started
from engine.sentences import say

MAX_BLAMED = 3
"""Workers that may die with nobody but this answer as a suspect."""
MAX_DEATHS = 20
"""Workers that may die under one answer, whoever is to blame."""


@dataclass(slots=True, eq=False)
class ResumableAnswer:
    """``number``: by order of arrival. ``mailbox``: what the present worker says. ``suspect``: the worker has begun it
    and said no token yet. ``cautious``: was a suspect when a worker died, and has had no token since. ``stopped``: why
    nobody shall go on with it."""

    number: int
    request: GenerationRequest
    mailbox: Mailbox = field(default_factory=Mailbox)
    ids: list[int] = field(default_factory=list)
    characters: int = 0
    started: Started | None = None
    digest: bytes = b""
    suspect: bool = False
    cautious: bool = False
    deaths: int = 0
    blamed: int = 0
    stopped: Exception | None = None

    def remaining(self) -> GenerationRequest:
        """The request as the next worker gets it."""
        request = self.request
        if not self.ids:
            return request
        before = request.continue_characters if request.continue_tokens else 0
        return msgspec.structs.replace(
            request,
            continue_tokens=request.continue_tokens + tuple(self.ids),
            continue_characters=None if before is None else before + self.characters,
        )

    def heard(self, event: GenerationEvent) -> None:
        """An event has come from the worker, whether the asker reads it already or not."""
        if isinstance(event, Done) or (isinstance(event, Delta) and event.ids):
            self.suspect = self.cautious = False
        elif not isinstance(event, Delta):  # text alone comes from tokens that were made before
            self.suspect = isinstance(event, Started)  # who waits in the worker's queue is not being computed
        self.mailbox.put(event)

    def take(self, event: GenerationEvent) -> GenerationEvent | None:
        """An event of the present worker as the asker shall hear it; None for what was said before.

        :class:`WorkerDiedError` when the next worker reads the conversation in another way than the one before it.
        """
        if isinstance(event, Delta):
            self.ids.extend(event.ids)
            self.characters += len(event.text)
            return event
        if isinstance(event, Started):
            first, self.started = self.started, self.started or event
            if first is not None and first.prompt_ids != event.prompt_ids:
                raise changed_error(self.request.model_id)
            return event if first is None else None
        if isinstance(event, Queued):
            return event if self.started is None else None
        if self.started is not None and self.deaths:  # what the first worker found cached is what was saved
            return Done(event.reason, event.prompt_tokens, event.completion_tokens, self.started.cached_tokens)
        return event

    def failed(self, error: Exception) -> None:
        """The worker has said that it ends with ``error``."""
        self.suspect = self.cautious = False
        self.mailbox.fail(error)

    def same_model(self, digest: bytes) -> None:
        """:class:`WorkerDiedError` unless the model is still the one that the answer began with."""
        if self.ids and self.digest != digest:
            raise changed_error(self.request.model_id)
        self.digest = digest

    def stop(self, error: Exception) -> None:
        """Nobody shall go on with it: it ends with ``error``, after what has arrived."""
        self.stopped = self.stopped or error
        self.mailbox.fail(error)

    def renew(self) -> None:
        """It is not asked of any worker now."""
        self.mailbox = Mailbox()
        self.suspect = False

    @property
    def hopeless(self) -> bool:
        """Whether it is given up."""
        return self.blamed >= MAX_BLAMED or self.deaths >= MAX_DEATHS


def changed_error(model_id: str) -> WorkerDiedError:
    """The files of a model changed under a running answer."""
    return WorkerDiedError(say("load.replaced", model=model_id))


def worker_died(answers: Collection[ResumableAnswer], *, innocent: bool = False) -> None:
    """A worker has died under ``answers``. ``innocent``: not one of them was to blame."""
    suspects = [one for one in answers if one.suspect and not innocent]
    for one in answers:
        one.deaths += one.mailbox.sent and not one.mailbox.complete
        one.suspect = False
    for one in suspects:
        one.cautious = True
        one.blamed += len(suspects) == 1


class Turns:
    """Who may ask the worker now: everybody at once, or one at a time while an answer is cautious."""

    def __init__(self, answers: ValuesView[ResumableAnswer], changes: Changes) -> None:
        self._answers = answers
        self._changes = changes
        self._waiting: set[ResumableAnswer] = set()
        self._holder: ResumableAnswer | None = None

    @asynccontextmanager
    async def turn(self, answer: ResumableAnswer) -> AsyncIterator[None]:
        """Wait for the turn, if there are turns, or until the answer is stopped. :meth:`moved` ends it early."""
        self._waiting.add(answer)
        try:
            if answer.blamed:
                await asyncio.sleep(0)  # all wake at once; whoever was blamed less shall stand in line by now
            while not answer.stopped and self._others_first(answer):
                await self._changes.wait()
        finally:
            self._waiting.discard(answer)
        if self._holder is None:
            self._holder = answer
        try:
            yield
        finally:
            self.moved(answer)

    def moved(self, answer: ResumableAnswer) -> None:
        """It has had a token, or is over; a second call changes nothing."""
        if self._holder is answer:
            self._holder = None
            self._changes.notify()

    def _others_first(self, answer: ResumableAnswer) -> bool:
        if not any(one.cautious for one in self._answers):
            return False
        first = min(self._waiting, key=lambda one: (one.blamed, one.number))
        return self._holder is not None or first is not answer
