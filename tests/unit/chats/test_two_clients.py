"""Two clients of one chat: what one of them does to the other."""

from __future__ import annotations

import asyncio
import logging

from engine.api import schema
from tests.support.chats import Client
from tests.support.local_api import until


async def test_a_question_leaves_the_draft_of_another_client(history):
    one, other = Client(history), Client(history)
    await one.opened("c")
    await other.opened("c")
    await other.do(schema.SaveDraft(chat="c", text="mine"))
    await one.ask("c", "One?")
    assert other.last(schema.DraftChanged).draft.text == "mine"
    await other.ask("c", "mine, too")
    assert other.last(schema.DraftChanged).draft.text == ""
    await one.do(schema.SaveDraft(chat="c", text="left behind"))
    await one.do(schema.CloseChat(chat="c"))
    await other.ask("c", "Three?")
    assert other.last(schema.DraftChanged).draft.text == "", "nobody writes it any more"


async def test_a_deletion_stops_the_answer_that_another_client_reads(service, history, caplog):
    caplog.set_level(logging.WARNING)
    service.endless, service.pause = True, 0.01
    one, other = Client(history), Client(history)
    await one.opened("c")
    await other.opened("c")
    await other.do(schema.ListChats())
    await one.do(schema.SendMessage(chat="c", text="Hi"))
    await until(lambda: other.all(schema.AnswerDelta))
    assert isinstance(await other.do(schema.DeleteChats(chats=("c",))), schema.Accepted)
    assert one.last(schema.ChatsRemoved).chats == ("c",)
    assert service.running == 0
    told = len(one.events), len(other.all(schema.ChatChanged))
    await asyncio.sleep(0.1)
    assert (len(one.events), len(other.all(schema.ChatChanged))) == told, "of a deleted chat nobody hears"
    for request in (
        schema.SendMessage(chat="c", text="More"),
        schema.SaveDraft(chat="c", text="More"),
        schema.StopAnswer(chat="c"),
        schema.DeleteChats(chats=("c",)),
    ):
        await one.do(request)
    service.endless = False
    await other.do(schema.RestoreChats(chats=("c",)))
    (question, answer) = (await one.opened("c")).messages
    assert (question.text, answer.state) == ("Hi", "stopped")
    assert answer.text.startswith("Hello")
    assert not caplog.records


async def test_no_answer_outlives_a_deletion_however_they_meet(service, history):
    service.pause = 0.001
    one, other = Client(history), Client(history)
    for turn in range(30):
        name = f"c{turn}"
        await one.opened(name)
        async with asyncio.TaskGroup() as group:
            group.create_task(one.do(schema.SendMessage(chat=name, text="Hi")))
            for _ in range(turn % 10):
                await asyncio.sleep(0)
            await other.do(schema.DeleteChats(chats=(name,)))
        live = history.live(name)
        assert live is None or live.running is None
    listed = await one.do(schema.ListChats())
    assert listed.chats == ()
