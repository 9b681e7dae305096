"""The player keeps to the times of the trace whatever becomes of its questions, and leaves none behind."""

import asyncio
import time

import pytest

from engine.bench.forwarding.asking import CODE_OF_CLIENT, Record
from engine.bench.forwarding.player import play
from engine.bench.forwarding.workload import Question


def question(t, name="s"):
    return Question(t, name, "system", "user", 4)


async def test_slow_answers_do_not_keep_later_questions_waiting():
    questions = [question(0.02 * place, f"s{place}") for place in range(6)]
    free = asyncio.Event()
    asked = []

    async def ask(one, begin):
        asked.append(one.session)
        if len(asked) == len(questions):
            free.set()
        await free.wait()  # nobody is answered before the last one was asked
        return Record(one.t, time.monotonic() - begin, served_by=one.session)

    records = await play(questions, ask, drain=20.0, lead=0.01)
    assert asked == [one.session for one in questions]
    assert [one.served_by for one in records] == asked
    assert all(one.sent >= one.intended for one in records)


async def test_records_keep_the_order_of_the_questions():
    async def ask(one, begin):
        return Record(one.t, served_by=one.session)

    questions = [question(0.03, "later"), question(0.0, "first")]
    records = await play(questions, ask, drain=20.0, lead=0.0)
    assert [one.served_by for one in records] == ["later", "first"]
    assert await play([], ask, drain=1.0, lead=0.0) == []


async def test_what_is_not_answered_in_time_is_cancelled_and_named():
    cancelled = []

    async def ask(one, begin):
        if one.session == "quick":
            return Record(one.t, served_by="node")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(one.session)
            raise

    records = await play([question(0.0, "quick"), question(0.0, "never")], ask, drain=0.05, lead=0.0)
    assert cancelled == ["never"]
    assert [one.error for one in records] == ["", CODE_OF_CLIENT]
    assert "no answer" in records[1].message


async def test_cancelling_the_run_cancels_every_question():
    running = set()
    begun = asyncio.Event()

    async def ask(one, begin):
        running.add(one.session)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            running.discard(one.session)

    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(play([question(0.0, "a"), question(30.0, "b")], ask, drain=60.0, lead=0.0))
        await begun.wait()
        run.cancel()
    assert run.cancelled()
    assert not running


async def test_a_mistake_in_asking_is_not_hidden():
    async def ask(one, begin):
        raise KeyError("a mistake")

    with pytest.raises(ExceptionGroup) as found:
        await play([question(0.0)], ask, drain=1.0, lead=0.0)
    assert found.group_contains(KeyError)
