"""The database's file is deleted, moved away or replaced while the engine runs: told, and written anew."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from engine.api import schema
from engine.chats import store as store_module
from engine.chats.recovery import kept_aside, open_database, with_companions
from engine.chats.rows import ChatRow, MessageRow
from engine.chats.store import ChatStore
from engine.clock import ManualClock
from tests.support.chats import Client, history_at
from tests.support.local_api import PlayedService, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
Usage = namedtuple("Usage", "total used free")


def delete(path: Path) -> None:
    for file in with_companions(path):
        file.unlink(missing_ok=True)


def after_a_kill(path: Path, tmp_path: Path) -> list[ChatRow]:
    """The chats that another engine would find now: what is on the disk, with nothing closed."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in with_companions(path):
        if file.exists():
            shutil.copyfile(file, copy / file.name)
    database = open_database(copy / path.name, "now").database
    try:
        return database.chats(None, 0, 1000)
    finally:
        database.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chats.db"


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
async def store(path, notices):
    store = ChatStore(path, ManualClock(), notices.append)
    await store.save(ChatRow(id="old", title="Old", activity=1))
    yield store
    await store.close()


@pytest.mark.parametrize("gone", ["all", "file", "folder", "moved"])
async def test_the_next_save_writes_everything_anew(path, tmp_path, store, notices, gone):
    match gone:
        case "all":
            delete(path)
        case "file":
            path.unlink()
        case "folder":
            shutil.rmtree(path.parent)
        case "moved":
            path.rename(tmp_path / "moved.db")
    assert await store.save(ChatRow(id="new", title="New", activity=2))
    assert [row.id for row in after_a_kill(path, tmp_path)] == ["new", "old"]
    assert path.stat().st_mode & 0o77 == 0
    assert await store.save(ChatRow(id="newer", title="Newer", activity=3))
    assert [row.id for row in after_a_kill(path, tmp_path)] == ["newer", "new", "old"]
    (told,) = notices
    assert "chats.db, was deleted or moved away" in told
    assert "nothing is lost" in told
    assert sorted(file.name for file in path.parent.iterdir()) == ["chats.db", "chats.db-shm", "chats.db-wal"]
    if gone == "moved":
        with sqlite3.connect(tmp_path / "moved.db") as moved:
            assert moved.execute("SELECT id FROM chats").fetchall() == [("old",)]


async def test_a_file_that_took_its_place_is_kept_aside(path, tmp_path, store, notices):
    other = ChatStore(tmp_path / "other.db", ManualClock(), notices.append)
    await other.save(ChatRow(id="other", title="Other", activity=1))
    await other.close()
    (tmp_path / "other.db").replace(path)
    await store.flush()
    assert [row.id for row in after_a_kill(path, tmp_path)] == ["old"]
    (aside,) = (file for file in kept_aside(path) if file.suffix == ".db")
    assert [row.id for row in after_a_kill(aside, tmp_path)] == ["other"]
    (told,) = notices
    assert "Another file took the place" in told
    assert aside.name in told


async def test_closing_looks_once_more(path, notices):
    store = ChatStore(path, ManualClock(), notices.append)
    await store.save(ChatRow(id="old", activity=1))
    delete(path)
    await store.close()
    again = ChatStore(path, ManualClock(), notices.append)
    assert await again.chat("old") is not None
    await again.close()
    assert len(notices) == 1


async def test_a_disk_without_room_keeps_all_in_memory_until_it_has_some(path, tmp_path, notices, monkeypatch):
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.05)
    async with history_at(path, PlayedService(), notices=notices) as history:
        client = Client(history)
        await client.opened("c")
        await client.ask("c", "One")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 0))
        delete(path)
        answer = await client.ask("c", "Two")
        assert not answer.saved
        saving = client.last(schema.SavingState)
        assert "is gone" in saving.problem
        assert "disk is full" in saving.problem
        assert saving.waiting >= 3  # what was saved long ago would be lost, too
        assert [one.saved for one in (await client.do(schema.OpenChat(chat="c"))).messages] == [False] * 4
        assert not (await client.do(schema.ListChats())).chats[0].saved
        assert not path.exists()
        monkeypatch.undo()
        await until(lambda: client.last(schema.SavingState).problem == "")
        assert [one.saved for one in (await client.do(schema.OpenChat(chat="c"))).messages] == [True] * 4
        assert [row.id for row in after_a_kill(path, tmp_path)] == ["c"]
    assert len(notices) == 1


async def test_the_housekeeping_sees_it_without_a_save(path, tmp_path, notices, monkeypatch):
    monkeypatch.setattr("engine.chats.history.HOUSE_SECONDS", 0.05)
    async with history_at(path, PlayedService(), notices=notices) as history:
        client = Client(history)
        await client.opened("c")
        delete(path)
        await until(lambda: notices)
        assert [row.id for row in after_a_kill(path, tmp_path)] == ["c"]


async def test_a_kill_while_it_is_written_anew_loses_nothing_that_was_whole(path, tmp_path, store):
    """The next start brings the whole copy to its place, and no log of the old file into it."""
    log = path.with_name("chats.db-wal")
    await store.save(MessageRow(id="m", chat="old", parent="", place=1, role="user", text="x"))
    await store.ask(lambda database: database.copy_to(path.with_name("chats.db.recovered")))
    path.unlink()
    assert log.stat().st_size
    killed = tmp_path / "killed"
    shutil.copytree(path.parent, killed)
    database = open_database(killed / "chats.db", "now").database
    assert database.whole_messages(["m"])["m"].text == "x"
    database.close()
