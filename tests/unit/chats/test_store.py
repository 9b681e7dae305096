"""Disks that take nothing: what was said stays in memory, is told, and is written as soon as it can be."""

from __future__ import annotations

import asyncio
import sqlite3

from engine.api import schema
from engine.chats import store as store_module
from engine.chats.database import Database
from engine.chats.rows import ChatRow, MessageRow
from engine.chats.store import ChatStore
from engine.clock import ManualClock
from tests.support.chats import Client, history_at
from tests.support.local_api import PlayedService, until

ROOMY = schema.ChatSettings(model="someone/Model-7B")
"""A model whose context length is not known, so that everything fits."""


def limit_pages(more: int | None):
    """No more than so many further pages: SQLite then says that the disk is full. None: as many as it likes."""

    def limit(database: Database) -> None:
        (pages,) = database._sql.execute("PRAGMA page_count").fetchone()
        wanted = 1_000_000 if more is None else pages + more
        database._sql.execute(f"PRAGMA max_page_count = {wanted}").close()

    return limit


async def test_a_full_disk_loses_nothing_and_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.05)
    service = PlayedService(words=["long words " * 2000])
    async with history_at(tmp_path / "chats.db", service) as history:
        client, other = Client(history), Client(history)
        await client.opened("c", settings=ROOMY)
        await client.ask("c", "One")
        await history.disk.ask(limit_pages(0))
        accepted = await client.do(schema.SendMessage(chat="c", text="Two " * 4000))
        assert isinstance(accepted, schema.Accepted), accepted
        assert not accepted.saved
        assert "disk is full" in accepted.problem
        answer = await client.ended(accepted.answer)
        assert (answer.state, answer.saved) == ("done", False)
        assert other.last(schema.SavingState).waiting > 0
        opened = await other.do(schema.OpenChat(chat="c"))
        assert [one.saved for one in opened.messages] == [True, True, False, False]
        assert opened.messages[3].characters == len("long words " * 2000)
        assert not (await other.do(schema.ListChats())).chats[0].saved
        await client.do(schema.CreateChat(chat="new", title="Made while full"))
        assert [chat.chat for chat in (await client.do(schema.ListChats())).chats] == ["new", "c"]
        late = Client(history)
        assert "disk is full" in late.last(schema.SavingState).problem
        await history.disk.ask(limit_pages(None))
        await until(lambda: other.last(schema.SavingState).waiting == 0)
        assert other.last(schema.SavingState).problem == ""
        opened = await other.do(schema.OpenChat(chat="c"))
        assert all(one.saved for one in opened.messages)
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        assert [text[:4] for text in await client.branch("c")] == ["One", "long", "Two ", "long"]
        assert len((await client.do(schema.ListChats())).chats) == 2


async def test_memory_is_bounded_while_the_disk_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_WAITING", 50_000)
    async with history_at(tmp_path / "chats.db", PlayedService()) as history:
        client = Client(history)
        await client.opened("c", settings=ROOMY)
        await history.disk.ask(limit_pages(0))
        refused = None
        for _ in range(8):
            reply = await client.do(schema.SendMessage(chat="c", text="word " * 3000))
            if isinstance(reply, schema.RequestFailed):
                refused = reply
                break
            await client.ended(reply.answer)
        assert refused is not None
        assert refused.code == "storage_failed"
        assert "nothing can be added" in refused.text
        await history.disk.ask(limit_pages(None))


async def test_another_program_that_holds_the_database_only_delays(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.chats.recovery._BUSY_SECONDS", 0.05)
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.05)
    async with history_at(tmp_path / "chats.db", PlayedService()) as history:
        client = Client(history)
        await client.opened("c")
        other = sqlite3.connect(tmp_path / "chats.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = await client.ask("c", "Hi")
        assert (answer.text, answer.saved) == ("Hello world", False)
        assert "another program" in client.last(schema.SavingState).problem
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: not history.disk.waiting)


async def test_a_row_that_no_database_takes_does_not_keep_others_waiting(tmp_path):
    store = ChatStore(tmp_path / "chats.db", ManualClock(), lambda _: None)
    bad = MessageRow(id="m", chat="c", parent="", place=2**70, role="user")
    assert await store.save(bad, ChatRow(id="c", title="good"))
    assert store.waiting == 0
    assert (await store.chat("c")).title == "good"
    await store.close()


async def test_a_folder_that_cannot_be_used_is_said_and_tried_again(tmp_path):
    path = tmp_path / "chats.db"
    path.mkdir()
    async with history_at(path, PlayedService()) as history:
        client = Client(history)
        refused = await client.do(schema.ListChats())
        assert (refused.code, str(path) in refused.text) == ("storage_failed", True)
        path.rmdir()
        assert isinstance(await client.do(schema.ListChats()), schema.ChatList)


async def test_closing_tries_once_more(tmp_path):
    store = ChatStore(tmp_path / "chats.db", ManualClock(), lambda _: None)
    await store.save(ChatRow(id="a"))
    await store.ask(limit_pages(0))
    assert not await store.save(MessageRow(id="m", chat="a", parent="", place=1, role="user", text="x" * 50_000))
    await store.ask(limit_pages(None))
    await store.close()
    again = ChatStore(tmp_path / "chats.db", ManualClock(), lambda _: None)
    assert (await again.whole_messages(["m"]))["m"].text == "x" * 50_000
    await again.close()


async def test_everything_can_be_deleted_on_a_full_disk(tmp_path):
    async with history_at(tmp_path / "chats.db", PlayedService()) as history:
        client = Client(history)
        await client.opened("c", settings=ROOMY)
        await history.disk.ask(limit_pages(0))
        await client.ask("c", "xylophone " * 5000)
        assert client.last(schema.SavingState).waiting
        assert isinstance(await client.do(schema.DeleteEverything(confirm="delete all my data")), schema.Accepted)
        assert client.last(schema.SavingState).waiting == 0
        assert all(b"xylophone" not in file.read_bytes() for file in tmp_path.iterdir())
        await client.opened("new")
        assert (await client.ask("new", "Hi")).saved


async def test_a_killed_engine_is_started_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.chats.history.HOUSE_SECONDS", 0.05)
    path = tmp_path / "chats.db"
    store = ChatStore(path, ManualClock(), lambda _: None)
    question = MessageRow(id="q", chat="c", parent="", place=1, role="user", text="Hi")
    answer = MessageRow(id="a", chat="c", parent="q", place=2, role="assistant", text="Hel", state="writing")
    await store.save(ChatRow(id="c", activity=1, tip="a"), question, answer)
    await store.close()
    interrupt = Database.interrupt_answers

    def refuse(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Database, "interrupt_answers", refuse)
    async with history_at(path, PlayedService()) as history:
        client = Client(history)
        opened = await client.do(schema.OpenChat(chat="c"))
        assert [(one.text, one.state) for one in opened.messages] == [("Hi", "done"), ("Hel", "interrupted")]
        assert opened.messages[1].problem.code == "interrupted"
        monkeypatch.setattr(Database, "interrupt_answers", interrupt)
        async with asyncio.timeout(5):
            while await history.disk.ask(Database.running_answers):
                await asyncio.sleep(0.02)
