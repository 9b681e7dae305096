"""How one node is timed: what counts as its time, as its tokens, and what brings no measurement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from engine.clock import ManualClock
from engine.errors import ServingNodeLostError, UnknownModelError
from engine.inference.types import GenerationRequest, ModelInfo, PromptShape
from engine.node.asking_speed import SENT_SECONDS, SpeedChats
from engine.node.overlay_client import Served
from engine.node.timed_answers import Worth
from engine.node.timed_talk import LEAST_ANSWER
from engine.paths.outgoing import Question
from engine.verification.capacity.draw import Claimant
from engine.verification.challenges.pool import read_pool
from engine.wire.answer import Finished, FrameEvent, Stage, Tokens
from tests.support.records import identity, seeded
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

NODE = identity(3).node_id
MODEL = b"m" * 32
START = 1_750_000_000.0
BEGINNINGS = '[stories]\nplain = true\nweight = 1\ntexts = ["It was a dark night for a {word}, and nobody was about."]'


class Time:
    """Simulated time in which sleepers wake in their order."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        self._sleepers.append((self.clock.monotonic() + max(seconds, 0.0), self._count, done))
        await done

    async def run(self, task: asyncio.Task[Any]) -> Any:
        while not task.done():
            for _ in range(20):
                await asyncio.sleep(0)
            self._sleepers = [one for one in self._sleepers if not one[2].done()]
            if self._sleepers and not task.done():
                at, _, done = self._sleepers.pop(self._sleepers.index(min(self._sleepers, key=lambda one: one[:2])))
                self.clock.advance(max(0.0, at - self.clock.monotonic()))
                done.set_result(None)
        return task.result()


class Client:
    """A node behind a client: reads ``rate`` tokens a second, ``way`` seconds away, four characters a token."""

    def __init__(self, time: Time, **changes: Any) -> None:
        self._time = time
        self.rate, self.way, self.line, self.waited, self.told = 1_000.0, 0.2, 0.0, 0, 1.0
        self.lost_at = self.unknown_at = -1
        self.silent = False
        self.breaks_off = False
        self.asked: list[Question] = []
        self._left = START
        self._before = 0
        for name, value in changes.items():
            setattr(self, name, value)

    def backlog(self) -> int:
        return 10_000 if self._time.clock.monotonic() < self._left else 0

    async def wait_ready(self, chat: bytes) -> str:
        return "shape"

    def target_of(self, node: bytes, model_id: str, digest: bytes) -> str:
        assert (node, model_id, digest) == (NODE, "m", MODEL)
        if len(self.asked) == self.unknown_at:
            raise UnknownModelError("gone")
        return "target"

    async def ask(self, chat: bytes, question: Question, target: str, shape: str) -> AsyncGenerator[Served, None]:
        self.asked.append(question)
        said = len(question.prompt) + sum(len(one.content) for one in question.messages)
        tokens = said // 4
        fresh = (said - self._before) // 4
        self._before = said
        is_long = fresh > 200
        if is_long:
            self._left = self._time.clock.monotonic() + self.line
            await self._time.sleep(self.line)
        if len(self.asked) == self.lost_at:
            raise ServingNodeLostError("lost")
        yield _served(Stage("prefill", 0, 0.0))
        if is_long and self.silent:
            await self._time.sleep(1e6)
        await self._time.sleep(self.way + fresh / self.rate + (self.waited / 1000 if is_long else 0.0))
        yield _served(Tokens(0, (5,), "so "))
        await self._time.sleep(0.1)
        if is_long and self.breaks_off:
            raise ServingNodeLostError("lost")
        end = Finished("stop", int(tokens * self.told), 2, b"", bytes(64), 0, self.waited if is_long else 0)
        yield _served(Tokens(1, (6,), "it is"), end)


def _served(*events: FrameEvent) -> Served:
    return Served(events, cast(Any, None))


class Worker:
    """Of the verifier; ``has``: the model's tokenizer is here."""

    def __init__(self, has: bool) -> None:
        self._has = has

    def models(self) -> list[ModelInfo]:
        info = ModelInfo(model_id="own name", digest=MODEL, tokenizer_digest=MODEL, context_length=4096, slots=1)
        return [info] if self._has else []

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        assert request.model_id == "own name"
        said = len(request.prompt or "") + sum(len(one.content) for one in request.messages)
        return PromptShape(said // 4, 0, ())


def claimant(claimed: float = 1_000.0, context: int = 32_768) -> Claimant:
    return Claimant(
        node_id=NODE, model=MODEL, prefix="", family="", first_seen=0, model_id="m", claimed=claimed, context=context
    )


class Judge:
    """Finds every answer to be of this worth."""

    def __init__(self, worth: Worth) -> None:
        self.worth = worth
        self.asked: list[tuple[Finished, list[int]]] = []

    async def __call__(self, end: Finished, summary: Any, ids: Any) -> Worth:
        self.asked.append((end, list(ids)))
        return self.worth


async def measure(
    client: Client | None,
    time: Time,
    *,
    has: bool = True,
    judge: Judge | None = None,
    texts: int = 0,
    **claim: Any,
) -> Any:
    pool = read_pool([QUESTIONS, BEGINNINGS], WORDS, MANNERS)
    worker, judge = cast(Any, Worker(has)), judge or Judge(Worth.COUNTS)
    chats = SpeedChats(lambda: cast(Any, client), worker, pool, judge, lambda _: texts, time.clock, seeded(5))
    chats.sleep = time.sleep
    task = asyncio.get_running_loop().create_task(chats.measure(claimant(**claim), 30.0))
    return await time.run(task)


async def test_the_way_and_the_members_own_line_do_not_count() -> None:
    for changes in ({}, {"way": 1.5}, {"line": 3.0}):
        time = Time()
        found = await measure(client := Client(time, **changes), time)
        assert found.node == NODE
        assert found.model == MODEL[:8]
        took = (found.long_ms - found.short_ms) / 1000
        assert found.tokens / took == pytest.approx(1_000, rel=0.05), changes
        assert 900 < found.tokens < 2_300
        assert time.clock.monotonic() > START + 30.0, "the long one is asked at the given moment"
        assert not any(one.may_forward for one in client.asked)


@pytest.mark.parametrize("texts", [1, 100])
async def test_a_timed_conversation_is_one_of_the_pool_whose_last_question_is_long(texts: int) -> None:
    time = Time()
    await measure(client := Client(time), time, texts=texts)
    first, second, long = client.asked
    assert {one.sampling.seed for one in client.asked} != {0}
    assert len({(one.max_tokens, one.min_tokens) for one in client.asked}) == 1
    assert 16 < long.max_tokens < 2 * LEAST_ANSWER
    if texts == 100:
        assert second.prompt.startswith(f"{first.prompt}so it is")
        assert long.prompt.startswith(f"{second.prompt}so it is")
        assert not any(one.messages for one in client.asked)
    else:
        roles = [one.role for one in long.messages if one.role != "system"]
        assert roles == ["user", "assistant", "user", "assistant", "user"]
        assert not any(one.prompt for one in client.asked)


async def test_words_that_the_model_would_not_have_written_give_no_speed() -> None:
    time = Time()
    judge = Judge(Worth.FALSE)
    found = await measure(Client(time, rate=1e6, waited=700), time, judge=judge)
    assert found.long_ms == 60_000, "it has read nothing, however soon it said something"
    assert found.waited_ms == 0
    assert [ids for _, ids in judge.asked] == [[5, 6]], "of the long question alone"
    time = Time()
    assert await measure(Client(time, rate=1e6), time, judge=Judge(Worth.NOTHING)) is None
    time = Time()
    assert await measure(Client(time, rate=1e6, breaks_off=True), time) is None


async def test_a_line_that_never_clears_excuses_nobody_for_long() -> None:
    time = Time()
    found = await measure(Client(time, line=25.0), time)
    assert found.long_ms > 1_000 * (25.0 - SENT_SECONDS)


async def test_what_a_node_says_of_its_wait_is_reported() -> None:
    time = Time()
    found = await measure(Client(time, waited=700), time)
    assert found.waited_ms == 700


@pytest.mark.parametrize("told", [1.0, 5.0])
async def test_the_length_of_a_prompt_is_counted_here_or_believed_within_bounds(told: float) -> None:
    time = Time()
    counted = await measure(Client(time, told=told), time, has=True)
    believed = await measure(client := Client(time, told=told), time, has=False)
    last = client.asked[-1]
    fresh = len(last.messages[-1].content) if last.messages else len(last.prompt)
    assert counted.tokens <= fresh // 4 + 40
    assert believed.tokens <= fresh // 2


async def test_who_is_alive_and_gives_no_first_token_for_a_minute_is_as_slow_as_that() -> None:
    time = Time()
    found = await measure(Client(time, silent=True), time)
    assert found.long_ms == 60_000
    assert found.tokens > 900


@pytest.mark.parametrize("changes", [{"lost_at": 1}, {"lost_at": 3}, {"unknown_at": 0}, {"unknown_at": 2}])
async def test_who_is_lost_or_gone_is_not_measured(changes: dict[str, int]) -> None:
    time = Time()
    assert await measure(Client(time, **changes), time) is None


async def test_without_a_client_a_claim_or_a_context_nobody_is_measured() -> None:
    time = Time()
    assert await measure(None, time) is None
    assert await measure(Client(time), time, claimed=0.5) is None
    assert await measure(Client(time), time, context=120) is None
    slow = Client(time, way=25.0)  # its short answers come too late for the moment
    assert await measure(slow, time) is None
