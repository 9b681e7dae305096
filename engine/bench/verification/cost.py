"""What it takes to score an answer, beside what it takes to make it: processor seconds of real workers.

One worker makes the answers of ordinary conversations, another one reads each of them once, one after the other in the
order of their turns, as a verifier does. Times are of the two processes, not of the clock, so that other work on the
machine changes them little.

Answers are made in two ways, because a step of several takes little more than a step of one: *as they come* to a node
that makes ``SERVED`` in an epoch, begun at random moments, and *at once*, as many as there are places. A node that
makes more than that in an epoch spends more on all of them, so its share for scoring is smaller still.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any, TypeVar

import psutil

from engine.bench.verification.measuring import worker
from engine.bench.verification.questions import Questions
from engine.errors import BenchmarkError
from engine.inference.models.folder import ModelFolder
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import Delta, GenerationRequest
from engine.simulation.verification.run import SERVED

TOKENS = 128
"""Of each answer."""
TURNS = 2
SERVING_SLOTS = 8
EPOCH_SECONDS = 600.0
"""Of networks that do not say otherwise."""
AT_ONCE_SALT, AS_THEY_COME_SALT = b"made all at once" * 2, b"made as they come" + bytes(15)
"""Later turns find the earlier ones in the cache, where they are made as where they are scored."""
LOOK_SECONDS = 0.02
Worker = tuple[InferenceSupervisor, str]
Answer = tuple[GenerationRequest, tuple[int, ...]]
T = TypeVar("T")


async def scoring_cost(model: ModelFolder, conversations: int, places: int = SERVING_SLOTS) -> dict[str, Any]:
    """Milliseconds of one answer: ``scoring_ms``, ``serving_ms`` as they come, ``serving_at_once_ms``; ``ratio`` and
    ``ratio_at_once`` of the first to the others. ``made_together``: how many are being made, as they come, while any
    is."""
    questions = Questions(model.model_id, varied=False)
    async with AsyncExitStack() as stack:
        maker = await stack.enter_async_context(worker(model, places))
        judge = await stack.enter_async_context(worker(model, 1))
        await _score(judge, (await _conversation(questions, maker, -1, AT_ONCE_SALT))[0])  # what comes once counts not
        answers, at_once = await _timed(maker, _at_once(questions, maker, conversations))
        read, scoring = await _timed(judge, _score_all(judge, answers))
        together, serving = await _timed(maker, _as_they_come(questions, maker, conversations))
    if min(serving, at_once, scoring) <= 0:
        raise BenchmarkError("The workers' processor time could not be measured. Take more conversations.")
    return {
        "model": model.model_id,
        "answers": len(answers),
        "tokens_of_an_answer": TOKENS,
        "tokens_read_for_it": read / len(answers),
        "served": SERVED,
        "epoch_seconds": EPOCH_SECONDS,
        "made_together": together,
        "served_at_once": places,
        "serving_ms": 1000 * serving / len(answers),
        "serving_at_once_ms": 1000 * at_once / len(answers),
        "scoring_ms": 1000 * scoring / len(answers),
        "ratio": scoring / serving,
        "ratio_at_once": scoring / at_once,
    }


def scoring_share(honest: Mapping[str, Any], cost: Mapping[str, Any], when: str = "", ratio: str = "ratio") -> float:
    """Processor seconds of all scorers as a share of those of the node that serves: answers to checks as a share of
    200, times the scorers of each, times what scoring one takes of what making one takes. ``honest``: of a report of
    ``gentorrent simulate verification``; ``when``: "", "_new" or "_established"."""
    share: float = honest[f"challenge_share{when}"] * honest["scorers"] * cost[ratio]
    return share


def share_of_processor(honest: Mapping[str, Any], cost: Mapping[str, Any], when: str = "") -> float:
    """Processor seconds of all scorers as a share of a processor's whole epoch: of a node that is never idle."""
    answers = honest[f"challenge_share{when}"] * SERVED
    share: float = answers * honest["scorers"] * cost["scoring_ms"] / 1000 / EPOCH_SECONDS
    return share


def cost_line(found: Mapping[str, Any]) -> str:
    """For people."""
    ways = (
        (f"as {found['served']} come in {found['epoch_seconds']:.0f} s, {found['made_together']:.1f} together", ""),
        (f"{found['served_at_once']} at once", "_at_once"),
    )
    made = ", or ".join(
        f"{found[f'serving{way}_ms']:.1f} ms to make it {words} ({100 * found[f'ratio{way}']:.1f} %)"
        for words, way in ways
    )
    return (
        f"{found['model']}: {found['answers']} answers of {found['tokens_of_an_answer']} tokens; "
        f"processor time of one: {found['scoring_ms']:.1f} ms to score it; {made}"
    )


async def _timed(running: Worker, doing: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """The result, and the worker's processor seconds meanwhile."""
    before = seconds_of(running)
    result = await doing
    return result, seconds_of(running) - before


async def _at_once(questions: Questions, maker: Worker, conversations: int) -> list[Answer]:
    numbers = range(0, conversations * TURNS, TURNS)
    found = await asyncio.gather(*(_conversation(questions, maker, number, AT_ONCE_SALT) for number in numbers))
    return [answer for one in found for answer in one]


async def _score_all(judge: Worker, answers: Sequence[Answer]) -> int:
    """The tokens that were read."""
    return sum([await _score(judge, answer) for answer in answers])


async def _as_they_come(questions: Questions, maker: Worker, conversations: int) -> float:
    """Conversations that begin at random moments, at the rate of ``SERVED`` answers in an epoch; how many answers were
    being made together.

    Time is the worker's own processor time, and goes on only while it makes something: so other programs do not bring
    answers together that are apart on a free machine, and nobody waits. What comes at random knows no waiting.
    """
    dice, gap = Random(1), TURNS * EPOCH_SECONDS / SERVED
    running: set[asyncio.Task[list[Answer]]] = set()
    seen = [1]
    async with asyncio.TaskGroup() as tasks:
        for number in range(conversations):
            task = tasks.create_task(_conversation(questions, maker, number * TURNS, AS_THEY_COME_SALT))
            running.add(task)
            task.add_done_callback(running.discard)
            due = seconds_of(maker) + dice.expovariate(1 / gap)
            while running and (number == conversations - 1 or seconds_of(maker) < due):
                seen.append(len(running))
                await asyncio.sleep(LOOK_SECONDS)
    return sum(seen) / len(seen)


async def _conversation(questions: Questions, maker: Worker, number: int, salt: bytes) -> list[Answer]:
    text = ""
    found: list[Answer] = []
    for turn in range(TURNS):
        asked = questions.ask(number + turn)
        text = f"{text} {asked.prompt}".strip()
        request = GenerationRequest(
            model_id=maker[1],
            messages=(),
            prompt=text,
            sampling=asked.sampling,
            max_tokens=TOKENS,
            min_tokens=TOKENS,
            cache_salt=salt,
        )
        deltas = [event async for event in maker[0].generate(request) if isinstance(event, Delta)]
        found.append((request, tuple(one for delta in deltas for one in delta.ids)))
        text += "".join(delta.text for delta in deltas)
    return found


async def _score(judge: Worker, answer: Answer) -> int:
    """The tokens that were read."""
    scores = await judge[0].score(answer[0], answer[1])
    return len(scores.prompt_ids) + len(answer[1])


def seconds_of(running: Worker) -> float:
    """Of its process, so far."""
    pid = running[0].worker_pid()
    if pid is None:
        raise BenchmarkError("A worker has ended while it was measured.")
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
