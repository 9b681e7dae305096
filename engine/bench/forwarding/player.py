"""Plays requests at their times, whatever becomes of those before (an open loop)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from engine.bench.forwarding.asking import CODE_OF_CLIENT, Record
from engine.bench.forwarding.workload import Question

Ask = Callable[[Question, float], Awaitable[Record]]
"""(question, when the run began by ``time.monotonic``) -> what happened."""


async def play(questions: Sequence[Question], ask: Ask, *, drain: float, lead: float = 0.2) -> list[Record]:
    """Ask each question at its time; the records in the order of ``questions``. The first ones begin ``lead`` seconds
    from now. What is not answered ``drain`` seconds after the last arrival is cancelled, and its record says so."""
    begin = time.monotonic() + lead
    records: list[Record | None] = [None] * len(questions)

    async def one(place: int) -> None:
        records[place] = await ask(questions[place], begin)

    last = max((question.t for question in questions), default=0.0)
    try:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + lead + last + drain):
            async with asyncio.TaskGroup() as tasks:
                for place in sorted(range(len(questions)), key=lambda place: questions[place].t):
                    await asyncio.sleep(max(0.0, begin + questions[place].t - time.monotonic()))
                    tasks.create_task(one(place))
    except TimeoutError:
        pass
    return [record or _unfinished(question, drain) for question, record in zip(questions, records, strict=True)]


def _unfinished(question: Question, drain: float) -> Record:
    told = f"no answer {drain:.0f} s after the last question"
    return Record(question.t, question.t, error=CODE_OF_CLIENT, message=told)
