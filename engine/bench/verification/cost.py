"""What it takes to score an answer, beside what it takes to make it: processor seconds of real workers.

One worker makes the answers of ordinary conversations, eight at a time, as a model node does; another one reads each of
them once, one after the other in the order of their turns, as a verifier does. Times are of the two processes, not of
the clock, so that other work on the machine changes them little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import psutil

from engine.bench.verification.measuring import worker
from engine.bench.verification.questions import Questions
from engine.errors import BenchmarkError
from engine.inference.models.folder import ModelFolder
from engine.inference.supervisor.supervisor import InferenceSupervisor
from engine.inference.types import Delta, GenerationRequest

TOKENS = 128
"""Of each answer."""
TURNS = 2
SERVING_SLOTS = 8
SALT = b"a conversation's" * 2
"""Later turns find the earlier ones in the cache, where they are made as where they are scored."""
Worker = tuple[InferenceSupervisor, str]
Answer = tuple[GenerationRequest, tuple[int, ...]]


async def scoring_cost(model: ModelFolder, conversations: int, served_at_once: int = SERVING_SLOTS) -> dict[str, Any]:
    """``serving_ms`` and ``scoring_ms`` of one answer, and the ``ratio`` of the second to the first."""
    questions = Questions(model.model_id, varied=False)
    async with AsyncExitStack() as stack:
        maker = await stack.enter_async_context(worker(model, served_at_once))
        judge = await stack.enter_async_context(worker(model, 1))
        await _score(judge, (await _conversation(questions, maker, -1))[0])  # what comes once is not counted
        begun = seconds_of(maker), seconds_of(judge)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(_conversation(questions, maker, number * TURNS)) for number in range(conversations)
            ]
        answers = [answer for one in running for answer in one.result()]
        read = [await _score(judge, answer) for answer in answers]
        serving, scoring = seconds_of(maker) - begun[0], seconds_of(judge) - begun[1]
    if not serving > 0 or not scoring > 0:
        raise BenchmarkError("The workers' processor time could not be measured. Take more conversations.")
    return {
        "model": model.model_id,
        "answers": len(answers),
        "tokens_of_an_answer": TOKENS,
        "tokens_read_for_it": sum(read) / len(answers),
        "served_at_once": served_at_once,
        "serving_ms": 1000 * serving / len(answers),
        "scoring_ms": 1000 * scoring / len(answers),
        "ratio": scoring / serving,
    }


def scoring_share(honest: Mapping[str, Any], cost: Mapping[str, Any], when: str = "") -> float:
    """Processor seconds of all scorers as a share of those of the node that serves: answers to checks as a share of
    200, times the scorers of each, times what scoring one takes of what making one takes. ``honest``: of a report of
    ``gentorrent simulate verification``; ``when``: "", "_new" or "_established"."""
    share: float = honest[f"challenge_share{when}"] * honest["scorers"] * cost["ratio"]
    return share


def cost_line(found: Mapping[str, Any]) -> str:
    """For people."""
    return (
        f"{found['model']}: {found['answers']} answers of {found['tokens_of_an_answer']} tokens, "
        f"{found['served_at_once']} at once: {found['serving_ms']:.1f} ms of a processor to make one, "
        f"{found['scoring_ms']:.1f} ms to score it ({100 * found['ratio']:.1f} %)"
    )


async def _conversation(questions: Questions, maker: Worker, number: int) -> list[Answer]:
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
            cache_salt=SALT,
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
