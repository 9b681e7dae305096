"""A slow reader holds nobody up and loses nothing."""

import asyncio

import pytest

from engine.errors import WorkerDiedError
from engine.inference.supervisor.mailbox import Mailbox
from engine.inference.types import Delta, Done, Queued, Started, TokenLogprob


async def test_waiting_deltas_grow_together_and_old_places_are_dropped():
    mailbox = Mailbox()
    for place in range(40, 0, -1):
        mailbox.put(Queued(place, 1.0))
    mailbox.put(Started((1, 2)))
    for token in range(1000):
        mailbox.put(Delta((token,), "ab"))
    mailbox.put(Done("length", 2, 1000))
    events = [await mailbox.next() for _ in range(4)]
    assert events == [
        Queued(1, 1.0),
        Started((1, 2)),
        Delta(tuple(range(1000)), "ab" * 1000),
        Done("length", 2, 1000),
    ]
    assert mailbox.complete


async def test_an_error_comes_after_what_has_arrived():
    mailbox = Mailbox()
    mailbox.put(Delta((1,), "a"))
    mailbox.fail(WorkerDiedError("first"))
    mailbox.fail(WorkerDiedError("second"))
    assert await mailbox.next() == Delta((1,), "a")
    for _ in range(2):
        with pytest.raises(WorkerDiedError, match="first"):
            await mailbox.next()


async def test_a_waiting_reader_is_woken():
    mailbox = Mailbox()
    async with asyncio.TaskGroup() as group:
        reader = group.create_task(mailbox.next())
        await asyncio.sleep(0)
        mailbox.put(Started(()))
    assert reader.result() == Started(())


async def test_joined_deltas_keep_their_log_probabilities():
    mailbox = Mailbox()
    for token in range(3):
        mailbox.put(Delta((token,), "x", (TokenLogprob(token, b"x", -1.0),)))
    delta = await mailbox.next()
    assert [one.token for one in delta.logprobs] == [0, 1, 2]


async def test_nothing_follows_the_end():
    mailbox = Mailbox()
    mailbox.put(Done("stop", 1, 1))
    mailbox.put(Delta((9,), "late"))
    mailbox.fail(WorkerDiedError("late"))
    assert await mailbox.next() == Done("stop", 1, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await mailbox.next()
