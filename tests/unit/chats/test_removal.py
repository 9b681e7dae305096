"""Messages are deleted with what follows them, and brought back."""

from __future__ import annotations

import itertools
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import schema
from engine.chats import history as history_module
from engine.chats.rows import Node
from engine.chats.tree import ROOT, MessageTree
from engine.clock import ManualClock
from tests.support.chats import Client, history_at
from tests.support.local_api import until


@given(st.lists(st.integers(0, 10), max_size=40), st.data())
def test_below_and_beside_of_any_tree(parents, data):
    names = [f"m{number}" for number in range(len(parents))]
    above = [names[parent % place] if place and parent else ROOT for place, parent in enumerate(parents)]
    tree = MessageTree(
        Node(name, parent, place, "user") for place, (name, parent) in enumerate(zip(names, above, strict=True))
    )
    if not names:
        return
    message = data.draw(st.sampled_from(names))
    gone = tree.below(message)
    assert sorted(gone) == sorted(name for name in names if message in tree.branch(name))
    left = tree.without(gone)
    assert left.in_order() == [name for name in names if name not in gone]
    beside = tree.beside(message)
    assert beside not in gone
    assert beside == ROOT or beside in left
    assert tree.parent(message) in ("", *tree.branch(beside))


async def test_a_question_goes_with_what_follows_and_comes_back(history, client):
    other = Client(history)
    await client.opened("c")
    await other.opened("c")
    for text in ("One", "Two", "Three"):
        await client.ask("c", text)
    before = (await client.do(schema.GetMessages(chat="c"))).messages
    two = before[2].message
    await client.do(schema.SaveDraft(chat="c", text="Zwei", message=two))
    removed = await client.do(schema.DeleteMessage(chat="c", message=two))
    assert (removed.message, removed.count) == (two, 4)
    assert other.last(schema.MessagesRemoved).ref == ""
    assert await client.branch() == ["One", "Hello world"]
    assert (await client.do(schema.SearchChats(query="Three"))).hits == ()
    assert (await client.opened("c")).draft.edits == ()
    restored = await client.do(schema.RestoreMessages(chat="c", removed=removed.removed))
    assert isinstance(restored, schema.Accepted)
    assert other.last(schema.MessagesRestored).message == two
    assert (await client.do(schema.GetMessages(chat="c"))).messages == before
    assert [edit.text for edit in (await client.opened("c")).draft.edits] == ["Zwei"]
    again = await client.do(schema.RestoreMessages(chat="c", removed=removed.removed))
    assert again.code == "chat_not_found"
    assert [chat.chat for chat in (await client.do(schema.ListChats())).chats] == ["c"]


async def test_the_version_beside_a_deleted_answer_shows(client):
    await client.opened("c")
    first = await client.ask("c", "One")
    accepted = await client.do(schema.Regenerate(chat="c", message=first.message))
    second = await client.ended(accepted.answer)
    await client.ask("c", "Two")
    await client.do(schema.DeleteMessage(chat="c", message=second.message))
    (_, answer) = (await client.do(schema.GetMessages(chat="c"))).messages
    assert (answer.message, answer.siblings) == (first.message, (first.message,))
    await client.do(schema.DeleteMessage(chat="c", message=first.message))
    (question,) = (await client.do(schema.GetMessages(chat="c"))).messages
    accepted = await client.do(schema.Regenerate(chat="c", message=question.message))
    assert (await client.ended(accepted.answer)).text == "Hello world"
    await client.do(schema.DeleteMessage(chat="c", message=question.message))
    assert await client.branch() == []
    await client.ask("c", "Anew")
    assert await client.branch() == ["Anew", "Hello world"]


async def test_files_go_and_come_with_their_question(history, client):
    await client.opened("c")
    await client.do(schema.AddAttachment(chat="c", attachment="f", name="notes.txt", text="Some notes"))
    await client.ask("c", "What?", attachments=("f",))
    question = (await client.opened("c")).messages[0]
    removed = await client.do(schema.DeleteMessage(chat="c", message=question.message))
    gone = await client.do(schema.GetText(chat="c", message=question.message, part="attachment", attachment="f"))
    assert isinstance(gone, schema.RequestFailed)
    await client.do(schema.RestoreMessages(chat="c", removed=removed.removed))
    text = await client.do(schema.GetText(chat="c", message=question.message, part="attachment", attachment="f"))
    assert text.text == "Some notes"


async def test_an_answer_that_is_being_written_there_is_stopped_and_one_elsewhere_goes_on(service, client):
    await client.opened("c")
    first = await client.ask("c", "One")
    service.endless, service.pause = True, 0.01
    running = await client.do(schema.Regenerate(chat="c", message=first.message))
    await client.do(schema.DeleteMessage(chat="c", message=first.message))
    assert service.running == 1
    removed = await client.do(schema.DeleteMessage(chat="c", message=running.answer))
    assert service.running == 0
    await client.do(schema.RestoreMessages(chat="c", removed=removed.removed))
    answer = (await client.do(schema.GetMessages(chat="c"))).messages[-1]
    assert (answer.message, answer.state) == (running.answer, "stopped")


@pytest.mark.parametrize("temporary", [False, True])
async def test_what_is_not_brought_back_is_purged(tmp_path, service, monkeypatch, temporary):
    monkeypatch.setattr(history_module, "HOUSE_SECONDS", 0.01)
    clock = ManualClock()
    async with history_at(tmp_path / "chats.db", service, clock=clock) as history:
        client = Client(history)
        await client.opened("c", temporary=temporary)
        await client.ask("c", "Xylophone")
        question = (await client.do(schema.GetMessages(chat="c"))).messages[0]
        removed = await client.do(schema.DeleteMessage(chat="c", message=question.message))
        store = history.memory if temporary else history.disk
        assert await store.whole_messages([question.message])
        clock.advance(history_module.UNDO_SECONDS + 1)
        await until(lambda: not history.removals and not history.purging)
        assert not await store.whole_messages([question.message])
        refused = await client.do(schema.RestoreMessages(chat="c", removed=removed.removed))
        assert refused.code == "chat_not_found"


async def test_an_engine_that_ends_forgets_what_was_deleted(tmp_path, service):
    path = tmp_path / "chats.db"
    async with history_at(path, service) as history:
        client = Client(history)
        await client.opened("c")
        await client.ask("c", "Xylophone")
        question = (await client.do(schema.GetMessages(chat="c"))).messages[0]
        await client.do(schema.DeleteMessage(chat="c", message=question.message))

    def rows() -> int:
        with sqlite3.connect(path) as other:
            return int(other.execute("SELECT count(*) FROM messages").fetchone()[0])

    assert rows() == 2
    async with history_at(path, service) as history:
        client = Client(history)
        assert [chat.chat for chat in (await client.do(schema.ListChats())).chats] == ["c"]
        await until(lambda: not history.purging and rows() == 0)


async def test_what_cannot_be_deleted(client):
    await client.opened("c")
    refused = await client.do(schema.DeleteMessage(chat="c", message="nothing"))
    assert refused.code == "chat_not_found"
    for chat, removed in itertools.product(("c", "d"), ("x", "c")):
        refused = await client.do(schema.RestoreMessages(chat=chat, removed=removed))
        assert refused.code == "chat_not_found"
