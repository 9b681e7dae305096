"""A verifier times how fast a node reads: a short conversation as any client has it, whose last question is long.

The short questions go over the same paths just before, so what the way takes is known; the long one is sent at a given
moment, to all nodes that are asked together. Its answer is scored as answers to challenges are: who sends words at once
that the model would not have written has read nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from engine.clock import Clock
from engine.directory.sampling import random_below
from engine.errors import GenTorrentError
from engine.ids import short_id
from engine.inference.types import GenerationRequest, InferenceBackend, PromptMessage
from engine.node.overlay_client import OverlayClient, Served
from engine.node.timed_answers import Worth
from engine.node.timed_talk import TimedTalk
from engine.paths.running_answer import AnswerSummary
from engine.verification.capacity.draw import Claimant
from engine.verification.capacity.measuring import LEAST_TOKENS, LONGEST_SECONDS, prompt_tokens
from engine.verification.capacity.speeds import MARK_BYTES
from engine.verification.challenges.pool import Pool
from engine.wire.answer import Finished, FrameEvent, Sampling, Tokens
from engine.wire.challenges import SpeedMeasured

logger = logging.getLogger(__name__)
SHORT_ONES = 2
"""Questions before the long one, of which the faster one tells how long the way is."""
SHORT_SECONDS = 20.0
"""For which their answers are waited for, and for the rest of the long one's."""
MOST_CHARACTERS_PER_TOKEN = 4
"""Of plain English, with a large vocabulary."""
LEAST_CHARACTERS_PER_TOKEN = 2
"""Where nobody here knows the model's tokenizer, what a node says of a prompt's length is believed up to this."""
SENT_SECONDS = 10.0
"""For which it is waited until a question has left this machine."""
LOOK_SECONDS = 0.02
LEFT_BYTES = 2_000
"""That may wait in this machine's links without a question's being among them."""
Judge = Callable[[Finished, AnswerSummary, Sequence[int]], Awaitable[Worth]]
"""Of a whole answer: :meth:`engine.node.timed_answers.TimedAnswers.worth`."""


class Timing(Protocol):
    """Who asks: :class:`SpeedChats`."""

    async def measure(self, claimant: Claimant, seconds: float) -> SpeedMeasured | None:
        """How long the node takes for a long question that is sent in so many seconds; None where it cannot be said."""
        ...


@dataclass(slots=True)
class _Heard:
    """What came of one question. ``sent``: when it had left this machine, ``first``: when the first token came
    (monotonic seconds)."""

    sent: float
    first: float | None = None
    alive: bool = False
    text: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    end: tuple[Finished, AnswerSummary] | None = None

    @property
    def seconds(self) -> float | None:
        """Until the first token."""
        return None if self.first is None else max(self.first - self.sent, 0.0)


@dataclass(slots=True)
class _Talk:
    """One conversation."""

    client: OverlayClient
    claimant: Claimant
    chat: bytes
    said: TimedTalk
    read: int = 0  # tokens of the conversation so far


class SpeedChats:
    """Asks through the engine's own client (None: there is none now). ``backend`` counts the tokens of prompts where it
    has the model; ``judge`` says what an answer is worth; ``texts_percent``: see ``Candidate.texts_percent``."""

    def __init__(
        self,
        client: Callable[[], OverlayClient | None],
        backend: InferenceBackend,
        pool: Pool,
        judge: Judge,
        texts_percent: Callable[[bytes], int],
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._client = client
        self._backend = backend
        self._pool = pool
        self._judge = judge
        self._texts_percent = texts_percent
        self._clock = clock
        self._random_bytes = random_bytes
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def measure(self, claimant: Claimant, seconds: float) -> SpeedMeasured | None:
        """See :class:`Timing`."""
        at, client = self._clock.monotonic() + seconds, self._client()
        if client is None or claimant.claimed < 1:
            return None
        said = TimedTalk(self._pool, self._random_bytes, SHORT_ONES, self._texts_percent(claimant.model))
        talk = _Talk(client, claimant, self._random_bytes(16), said)
        try:
            short = await self._short_ones(talk, at)
            if short is None or self._clock.monotonic() > at:
                return None
            await self.sleep(at - self._clock.monotonic())
            return await self._long_one(talk, short)
        except GenTorrentError as error:
            logger.info("how fast %s reads cannot be said: %s", short_id(claimant.node_id), error)
            return None

    async def _short_ones(self, talk: _Talk, at: float) -> float | None:
        """Seconds to the first token of the faster one."""
        found: list[float] = []
        for place, text in enumerate(talk.said.short):
            if place:
                left = at - self._clock.monotonic()
                await self.sleep(max(0.0, left * (random_below(50, self._random_bytes) + 10) / 100))
            heard = await self._ask(talk, text, SHORT_SECONDS)
            if heard is None or heard.end is None or heard.seconds is None:
                return None
            found.append(heard.seconds)
            talk.said.answered("".join(heard.text))
            talk.read = heard.end[0].prompt_tokens + heard.end[0].completion_tokens
        return min(found, default=None)

    async def _long_one(self, talk: _Talk, short: float) -> SpeedMeasured | None:
        claimant = talk.claimant
        wanted = prompt_tokens(claimant.claimed, claimant.context - talk.read - talk.said.most_tokens)
        if wanted < LEAST_TOKENS // 2:  # its context is too small for any reading that could be timed
            return None
        text = talk.said.document(int(wanted * _characters_per_token(talk)))
        heard = await self._ask(talk, text, LONGEST_SECONDS)
        if heard is None or (heard.first is not None and heard.end is None):
            return None  # it was lost
        end = heard.end[0] if heard.end is not None else None
        told = end.prompt_tokens if end is not None else talk.read + len(text)
        tokens = min((await self._count(talk) or told) - talk.read, len(text) // LEAST_CHARACTERS_PER_TOKEN)
        worth = await self._judge(*heard.end, heard.ids) if heard.end is not None else Worth.COUNTS
        if worth is Worth.NOTHING:
            return None
        has_read = heard.seconds is not None and worth is Worth.COUNTS
        return SpeedMeasured(
            node=claimant.node_id,
            model=claimant.model[:MARK_BYTES],
            claimed=int(claimant.claimed),
            tokens=max(1, tokens),
            short_ms=_milliseconds(short),
            long_ms=_milliseconds((heard.seconds if has_read else None) or LONGEST_SECONDS),
            waited_ms=end.waited_ms if end is not None and has_read else 0,
        )

    async def _ask(self, talk: _Talk, text: str, seconds: float) -> _Heard | None:
        """One more question of the conversation; None where the node was lost. Who was alive all the time and gave no
        first token within ``seconds`` has none here either."""
        client, claimant = talk.client, talk.claimant
        shape = await client.wait_ready(talk.chat)
        target = client.target_of(claimant.node_id, claimant.model_id, claimant.model)
        question = talk.said.ask(claimant.model_id, text)
        heard = _Heard(sent=self._clock.monotonic())
        async with asyncio.TaskGroup() as tasks:
            served = client.ask(talk.chat, question, target, shape)
            reading = tasks.create_task(self._read(served, heard))
            others = [tasks.create_task(self._until_sent(client, heard))]
            others.append(tasks.create_task(self._end(reading, heard, seconds)))
            reading.add_done_callback(lambda _: [task.cancel() for task in others])
        return heard if heard.alive or heard.first is not None else None

    async def _read(self, served: AsyncGenerator[Served, None], heard: _Heard) -> None:
        try:
            async with aclosing(served):
                async for one in served:
                    heard.alive = True
                    for event in one.events:
                        self._take(event, one.summary, heard)
        except GenTorrentError as error:
            heard.alive = False
            logger.info("a question that was to be timed has no answer: %s", error)

    def _take(self, event: FrameEvent, summary: AnswerSummary, heard: _Heard) -> None:
        if isinstance(event, Tokens):
            if event.ids and heard.first is None:
                heard.first = self._clock.monotonic()
            heard.text.append(event.text)
            heard.ids += event.ids
        elif isinstance(event, Finished):
            heard.end = event, summary

    async def _until_sent(self, client: OverlayClient, heard: _Heard) -> None:
        """Time counts from when the question has left this machine: its own line is nobody's fault."""
        until = heard.sent + SENT_SECONDS
        await self.sleep(0.0)
        while client.backlog() > LEFT_BYTES and self._clock.monotonic() < until:
            await self.sleep(LOOK_SECONDS)
            heard.sent = self._clock.monotonic()

    async def _end(self, reading: asyncio.Task[None], heard: _Heard, seconds: float) -> None:
        await self.sleep(seconds)
        if heard.first is not None:
            await self.sleep(SHORT_SECONDS)
        reading.cancel()

    async def _count(self, talk: _Talk) -> int | None:
        """Tokens of the whole conversation, by the model's own tokenizer; None where it is not here."""
        found = next((info for info in self._backend.models() if info.digest == talk.claimant.model), None)
        if found is None:
            return None
        wanted = GenerationRequest(
            model_id=found.model_id,
            messages=tuple(PromptMessage(one.role, one.content) for one in talk.said.messages),
            prompt=talk.said.prompt or None,
            sampling=Sampling(seed=0),
        )
        shape = await self._backend.describe(wanted)
        return shape.prompt_tokens if shape is not None else None


def _characters_per_token(talk: _Talk) -> float:
    """As the short questions show it; with what a model puts around a question that is rather too little, and a
    question that is too long for the context would bring nothing."""
    return min(max(talk.said.characters / max(talk.read, 1), LEAST_CHARACTERS_PER_TOKEN), MOST_CHARACTERS_PER_TOKEN)


def _milliseconds(seconds: float) -> int:
    return min(max(round(seconds * 1000), 0), 0xFFFF_FFFF)
