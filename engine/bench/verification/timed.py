"""What the answers to timed questions tell of who has read them, and what scoring one takes: real workers.

A node that wants to seem fast can say words at once, read a part of the prompt, or read it with a smaller model; the
answer to each is scored as verifiers score it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.bench.verification.conditions import FEWER_LAYERS, HALF, Condition
from engine.bench.verification.cost import seconds_of
from engine.bench.verification.measuring import Say, Study, model_of, worker
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import Delta, GenerationRequest, PromptMessage, Started
from engine.node.asking_speed import SHORT_ONES
from engine.node.timed_talk import TimedTalk
from engine.verification.challenges.pool import Pool
from engine.verification.reputation.rule import FAIL, PASS
from engine.verification.scoring.calibration import Calibration
from engine.verification.scoring.score import score_answer
from engine.wire.challenges import Score

CHARACTERS_PER_TOKEN = 4
Worker = tuple[InferenceSupervisor, str]


@dataclass(frozen=True, slots=True)
class Maker:
    """``kept``: the last characters of the prompt that are read; 0: all of it."""

    name: str
    condition: Condition
    kept: int = 0


READER = Condition("one at a time", "honest", slots=1)
MAKERS = (
    Maker("honest", READER),
    Maker("half precision", Condition("half precision", "honest", model=HALF)),
    Maker("the second half read", READER, 2),
    Maker("the last quarter read", READER, 4),
    Maker("the last 400 characters read", READER, -400),
    Maker("the last 100 characters read", READER, -100),
    Maker("fewer layers", Condition("fewer layers", "cheat", model=FEWER_LAYERS)),
)


class Timed(msgspec.Struct, frozen=True):
    """All answers of one maker to long questions of ``prompt`` tokens on average."""

    maker: str
    answers: int
    prompt: float
    tokens: float
    passed: int
    failed: int
    said: float


async def ask_timed(
    study: Study, pool: Pool, calibration: Calibration, count: int, prompt_tokens: int, say: Say
) -> tuple[list[Timed], dict[str, Any]]:
    """``count`` timed conversations with every maker, and what making and scoring the honest long answers takes."""
    found, cost = [], dict[str, Any]()
    async with worker(study.reference, 1) as judge:
        for maker in MAKERS:
            model = await asyncio.to_thread(model_of, study, maker.condition, say)
            async with AsyncExitStack() as stack:
                making = await stack.enter_async_context(worker(model, 1))
                results, took = await _talks(maker, making, judge, pool, calibration, count, prompt_tokens)
            found.append(_gathered(maker.name, results))
            cost = cost or took
            say(f"{maker.name}: {len(results)} answers")
    return found, cost


async def _talks(
    maker: Maker,
    making: Worker,
    judge: Worker,
    pool: Pool,
    calibration: Calibration,
    count: int,
    prompt_tokens: int,
) -> tuple[list[tuple[int, Score]], dict[str, Any]]:
    results, made, scored = list[tuple[int, Score]](), 0.0, 0.0
    for number in range(count):
        said = TimedTalk(pool, random.Random(f"timed/{number}").randbytes, SHORT_ONES, calibration.texts_percent)
        for text in said.short:
            answer, _, _ = await _generate(making, _request(said, text))
            said.answered(answer)
        asked = _request(said, said.document(prompt_tokens * CHARACTERS_PER_TOKEN))
        begun = seconds_of(making), seconds_of(judge)
        _, ids, length = await _generate(making, _shortened(asked, maker.kept))
        made += seconds_of(making) - begun[0]
        scores = await judge[0].score(msgspec.structs.replace(asked, model_id=judge[1]), ids)
        scored += seconds_of(judge) - begun[1]
        results.append((length, score_answer(scores.margins, scores.logprobs, calibration, scores.impossible)))
    return results, {"making_ms": 1000 * made / count, "scoring_ms": 1000 * scored / count}


def _request(said: TimedTalk, text: str) -> GenerationRequest:
    asked = said.ask("m", text)
    return GenerationRequest(
        model_id="",
        messages=tuple(PromptMessage(one.role, one.content) for one in asked.messages),
        prompt=asked.prompt or None,
        sampling=asked.sampling,
        max_tokens=asked.max_tokens,
        min_tokens=asked.min_tokens,
        cache_salt=b"a verifier's own" * 2,
    )


def _shortened(asked: GenerationRequest, kept: int) -> GenerationRequest:
    """What of a prompt is read: one part in ``kept``, or so many characters."""
    if not kept:
        return asked
    text = asked.prompt if asked.prompt is not None else asked.messages[-1].content
    text = text[-(len(text) // kept) if kept > 0 else kept :]
    if asked.prompt is not None:
        return msgspec.structs.replace(asked, prompt=text)
    last = msgspec.structs.replace(asked.messages[-1], content=text)
    return msgspec.structs.replace(asked, messages=(last,))


async def _generate(making: Worker, asked: GenerationRequest) -> tuple[str, tuple[int, ...], int]:
    text, ids, length = "", list[int](), 0
    async for event in making[0].generate(msgspec.structs.replace(asked, model_id=making[1])):
        if isinstance(event, Started):
            length = len(event.prompt_ids)
        elif isinstance(event, Delta):
            text += event.text
            ids += event.ids
    return text, tuple(ids), length


def _gathered(maker: str, results: Sequence[tuple[int, Score]]) -> Timed:
    scores = [score for _, score in results]
    return Timed(
        maker=maker,
        answers=len(scores),
        prompt=sum(length for length, _ in results) / max(1, len(results)),
        tokens=sum(one.tokens for one in scores) / max(1, len(scores)),
        passed=sum(one.verdict == PASS for one in scores),
        failed=sum(one.verdict == FAIL for one in scores),
        said=sum(one.likelihood for one in scores) / max(1, len(scores)) / 1000,
    )


def timed_table(found: Sequence[Timed]) -> list[str]:
    """Markdown, a line for each maker."""
    lines = ["| answers by | prompt, tokens | answers | pass | fail | mean likelihood |", "|---|---|---|---|---|---|"]
    for one in found:
        shares = f"{100 * one.passed / one.answers:.0f} % | {100 * one.failed / one.answers:.0f} %"
        lines.append(
            f"| {one.maker} | {one.prompt:.0f}, {one.tokens:.0f} | {one.answers} | {shares} | {one.said:+.1f} |"
        )
    return lines
