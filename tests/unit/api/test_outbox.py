from __future__ import annotations

import asyncio

import pytest

from engine.api.outbox import MAX_EVENTS, MAX_JOINED_TEXT, MAX_TEXT, Outbox, OutboxFullError
from engine.api.schema import AnswerDelta, ChatDelta, ChatStage, ExportPiece
from tests.support.local_api import PlayedService


def stage(number: int) -> ChatStage:
    return ChatStage(id="a", stage=str(number))


async def test_events_keep_their_order():
    outbox = Outbox()
    for number in range(5):
        outbox.put(stage(number))
    assert [await outbox.take() for _ in range(5)] == [stage(number) for number in range(5)]


async def test_only_the_newest_state_is_kept():
    outbox = Outbox()
    service = PlayedService()
    outbox.put(service.state())
    await service.set_contributing(True)
    outbox.put(service.state())
    outbox.put(stage(1))
    assert await outbox.take() == service.state()
    assert await outbox.take() == stage(1)


async def test_pieces_of_one_answer_grow_together():
    outbox = Outbox()
    for chat, text in [("a", "1"), ("a", "2"), ("b", "3"), ("a", "4")]:
        outbox.put(ChatDelta(id=chat, text=text, tokens=1))
    taken = [await outbox.take() for _ in range(3)]
    expected = [("a", "12", 2), ("b", "3", 1), ("a", "4", 1)]
    assert taken == [ChatDelta(id=chat, text=text, tokens=tokens) for chat, text, tokens in expected]


async def test_reasoning_grows_and_is_counted_like_text():
    outbox = Outbox()
    for thought, text in (("a", ""), ("b", "c")):
        outbox.put(ChatDelta(id="a", text=text, tokens=1, reasoning=thought))
    assert await outbox.take() == ChatDelta(id="a", text="c", tokens=2, reasoning="ab")
    with pytest.raises(OutboxFullError):
        for _ in range(MAX_TEXT // 1000 + 1):
            outbox.put(ChatDelta(id="a", text="", tokens=1, reasoning="x" * 1000))


async def test_joined_pieces_stay_bounded():
    outbox = Outbox()
    for _ in range(4):
        outbox.put(ChatDelta(id="a", text="x" * MAX_JOINED_TEXT, tokens=1))
    taken = await outbox.take()
    assert isinstance(taken, ChatDelta)
    assert len(taken.text) <= 2 * MAX_JOINED_TEXT


async def test_too_many_events():
    outbox = Outbox()
    with pytest.raises(OutboxFullError):
        for number in range(MAX_EVENTS + 1):
            outbox.put(stage(number))


async def test_too_much_text():
    outbox = Outbox()
    piece = "x" * 100_000
    with pytest.raises(OutboxFullError):
        for _ in range(MAX_TEXT // len(piece) + 1):
            outbox.put(ChatDelta(id="a", text=piece, tokens=1))


async def test_text_that_was_taken_counts_no_more():
    outbox = Outbox()
    piece = "x" * 100_000
    for _ in range(3 * MAX_TEXT // len(piece)):
        outbox.put(ChatDelta(id="a", text=piece, tokens=1))
        await outbox.take()


async def test_taking_waits():
    outbox = Outbox()
    async with asyncio.TaskGroup() as group:
        taking = group.create_task(outbox.take())
        await asyncio.sleep(0)
        assert not taking.done()
        outbox.put(stage(1))
    assert taking.result() == stage(1)


async def test_pieces_of_a_kept_answer_grow_together_from_where_the_first_began():
    outbox = Outbox()
    for message, at, text in [("a", 5, "1"), ("a", 6, "2"), ("b", 0, "3")]:
        outbox.push(AnswerDelta(chat="c", message=message, text=text, tokens=1, at=at, reasoning="r", reasoning_at=at))
    first, second = [await outbox.take() for _ in range(2)]
    assert isinstance(first, AnswerDelta)
    assert isinstance(second, AnswerDelta)
    assert (first.text, first.at, first.reasoning, first.reasoning_at, first.tokens) == ("12", 5, "rr", 5, 2)
    assert (second.message, second.text) == ("b", "3")


async def test_who_pushes_is_not_hurt_and_who_sends_is_told():
    outbox = Outbox()
    for number in range(MAX_EVENTS + 20):
        outbox.push(stage(number))
    with pytest.raises(OutboxFullError):
        await outbox.overflow()


async def test_room_is_waited_for():
    outbox = Outbox()
    for _ in range(10):
        outbox.push(ExportPiece(ref="r", text="x" * 100_000, last=False))
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(outbox.room())
        for _ in range(5):
            assert not waiting.done()
            await outbox.take()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert waiting.done()
