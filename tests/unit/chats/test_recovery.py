"""Databases that are damaged, foreign or of a newer program: kept aside, read as far as can be, told."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from engine.api import schema
from engine.chats import recovery
from engine.chats.database import Database
from engine.chats.recovery import kept_aside, open_database
from engine.chats.rows import AttachmentRow, ChatRow, DraftRow, FolderRow, MessageRow, PresetRow, Row, key_of
from engine.chats.tables import VERSION
from engine.chats.tree import MessageTree
from engine.errors import StorageError
from tests.support.chats import Client, history_at
from tests.support.local_api import PlayedService

CHATS = 20
MESSAGES = 30
"""Of each chat."""


def filled(path: Path) -> None:
    """A database of several hundred pages."""
    database = open_database(path, "now").database
    rows: list[Row] = []
    for chat in range(CHATS):
        rows.append(ChatRow(id=f"c{chat}", title=f"Chat {chat}", activity=chat + 1))
        for place in range(MESSAGES):
            number = chat * MESSAGES + place
            parent = f"m{number - 1}" if place else ""
            role = "assistant" if place % 2 else "user"
            text = f"text {number} " + "lorem ipsum " * 40
            rows.append(
                MessageRow(id=f"m{number}", chat=f"c{chat}", parent=parent, place=number + 1, role=role, text=text)
            )
    rows += [
        AttachmentRow(id="a", chat="c0", message="m0", place=1, name="a.txt", text="attached"),
        DraftRow(id="c1", text="draft"),
        FolderRow(id="f", name="Folder"),
        PresetRow(id="p", preset=schema.Preset(preset="p", name="Preset")),
    ]
    database.write([(key_of(row), row) for row in rows])
    database.truncate_log()
    database.close()


def contents(database: Database) -> tuple[int, int]:
    """Chats and messages; every message can be reached."""
    chats = database.chats(None, 0, 1000)
    messages = 0
    for chat in chats:
        nodes = database.nodes(chat.id)
        tree = MessageTree(nodes)
        messages += len(tree)
        assert all(tree.branch(node.id)[-1] == node.id for node in nodes)
        assert len(database.messages([node.id for node in nodes])) == len(nodes)
    database.find_texts('"lorem"*', 5, 0)
    return len(chats), messages


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "chats.db"
    filled(path)
    return path.read_bytes()


def opened_after(tmp_path: Path, data: bytes) -> tuple[Database, str]:
    path = tmp_path / "chats.db"
    path.write_bytes(data)
    opened = open_database(path, "now")
    return opened.database, opened.notice


def test_a_sound_one_is_opened_without_a_word(tmp_path, whole):
    database, notice = opened_after(tmp_path, whole)
    assert notice == ""
    assert contents(database) == (CHATS, CHATS * MESSAGES)
    assert kept_aside(tmp_path / "chats.db") == []


def test_a_large_one_is_checked_after_an_end_that_was_not_clean(tmp_path, whole, monkeypatch):
    monkeypatch.setattr(recovery, "CHECKED_ALWAYS", 1000)
    data = bytearray(whole)
    data[len(data) // 2 : len(data) // 2 + 4096] = b"\xff" * 4096
    database, notice = opened_after(tmp_path, bytes(data))
    assert notice == ""
    database.close()
    (tmp_path / "chats.db").write_bytes(data)
    (tmp_path / "chats.db-wal").write_bytes(b"left behind")
    assert "damaged" in open_database(tmp_path / "chats.db", "now").notice


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_truncated(tmp_path, whole, share):
    database, notice = opened_after(tmp_path, whole[: int(len(whole) * share) // 4096 * 4096 + 100])
    chats, messages = contents(database)
    assert "damaged" in notice
    assert f"messages: {messages}" in notice
    assert messages > CHATS * MESSAGES * share * 0.4
    assert (tmp_path / "chats.damaged-now.db").exists()
    assert chats


@pytest.mark.parametrize("seed", range(6))
def test_overwritten_pages_cost_their_own_rows(tmp_path, whole, seed):
    chance = random.Random(seed)
    pages = len(whole) // 4096
    data = bytearray(whole)
    for page in chance.sample(range(pages // 4, pages), 3):
        data[page * 4096 : (page + 1) * 4096] = chance.randbytes(4096)
    database, notice = opened_after(tmp_path, bytes(data))
    _, messages = contents(database)
    if notice:
        assert "could be read" in notice
    assert messages >= CHATS * MESSAGES * 0.7


@pytest.mark.parametrize("length", [16, 100, 4096])
def test_a_lost_beginning_costs_nothing(tmp_path, whole, length):
    database, notice = opened_after(tmp_path, random.Random(length).randbytes(length) + whole[length:])
    assert contents(database) == (CHATS, CHATS * MESSAGES)
    assert f"messages: {CHATS * MESSAGES}" in notice
    assert sorted(file.name for file in tmp_path.iterdir() if "-wal" not in file.name and "-shm" not in file.name) == [
        "chats.damaged-now.db",
        "chats.db",
    ]


@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes_never_stop_the_engine(tmp_path, whole, seed):
    chance = random.Random(seed)
    data = bytearray(whole)
    for _ in range(60):
        data[chance.randrange(4096, len(data))] ^= chance.randrange(1, 256)
    database, _ = opened_after(tmp_path, bytes(data))
    _, messages = contents(database)
    assert messages >= CHATS * MESSAGES * 0.3


@pytest.mark.parametrize(
    "data", [b"\x00" * 9000, random.Random(1).randbytes(20_000), b"x", b"SQLite format 3\x00" * 400]
)
def test_what_is_no_database_is_kept_aside(tmp_path, data):
    database, notice = opened_after(tmp_path, data)
    assert contents(database) == (0, 0)
    if notice:
        (aside,) = kept_aside(tmp_path / "chats.db")
        assert aside.read_bytes() == data
        assert aside.name in notice


def test_anothers_database_is_kept_as_it_is(tmp_path):
    path = tmp_path / "chats.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE chats (id INTEGER, name TEXT)")
        other.execute("INSERT INTO chats VALUES (1, 'not ours')")
    other.close()
    before = path.read_bytes()
    opened = open_database(path, "now")
    assert "not of this program" in opened.notice
    assert (tmp_path / "chats.foreign-now.db").read_bytes() == before
    assert open_database(tmp_path / "chats.db", "later").notice == ""


def test_of_a_newer_one_is_read_what_this_version_knows(tmp_path, whole):
    path = tmp_path / "chats.db"
    path.write_bytes(whole)
    with sqlite3.connect(path) as newer:
        newer.execute("ALTER TABLE messages ADD COLUMN mood TEXT NOT NULL DEFAULT 'fine'")
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    opened = open_database(path, "now")
    assert "newer version" in opened.notice
    assert contents(opened.database) == (CHATS, CHATS * MESSAGES)
    assert (opened.database.draft("c1"), opened.database.folders()[0].name) == ("draft", "Folder")
    assert opened.database.whole_attachments("c0", ["m0"])[0].text == "attached"


def test_two_damages_at_one_time_keep_two_files(tmp_path):
    for number in range(2):
        opened_after(tmp_path, b"garbage" * 1000)[0].close()
        assert len(kept_aside(tmp_path / "chats.db")) == number + 1


async def test_damage_that_shows_later_is_mended_while_the_engine_runs(tmp_path):
    notices: list[str] = []
    async with history_at(tmp_path / "chats.db", PlayedService(), notices=notices) as history:
        client = Client(history)
        await client.opened("c", settings=schema.ChatSettings(model="someone/Model-7B"))
        for number in range(8):
            await client.ask("c", f"Question {number} " + "word " * 3000)
        await history.disk.ask(Database.truncate_log)
        data = bytearray((tmp_path / "chats.db").read_bytes())
        for page in range(12, len(data) // 4096):
            data[page * 4096 : (page + 1) * 4096] = b"\xff" * 4096
        with (tmp_path / "chats.db").open("r+b") as file:
            file.write(data)
        await history.disk.ask(lambda database: database._sql.execute("PRAGMA shrink_memory").close())
        found = await client.do(schema.SearchChats(query="word"))
        assert isinstance(found, schema.ChatsFound)
        assert any("damaged" in notice for notice in notices)
        answer = await client.ask("c", "And now?")
        assert (answer.state, answer.saved) == ("done", True)
    async with history_at(tmp_path / "chats.db", PlayedService()) as history:
        assert (await Client(history).branch("c"))[-2:] == ["And now?", "Hello world"]


@pytest.mark.parametrize("moment", ["rows", "done", "renamed"])
def test_a_recovery_that_is_ended_in_the_middle_is_done_again(tmp_path, whole, monkeypatch, moment):
    path = tmp_path / "chats.db"
    path.write_bytes(whole[: len(whole) * 9 // 10])
    writes = 0

    def full(database, changes):
        nonlocal writes
        writes += 1
        if writes == 3:
            raise sqlite3.OperationalError("database or disk is full")
        write(database, changes)

    def refuse(*_):
        raise OSError(28, "No space left on device")

    write, replace = Database.write, Path.replace
    with monkeypatch.context() as patched:
        if moment == "rows":
            patched.setattr(Database, "write", full)
        elif moment == "done":
            patched.setattr(recovery, "keep_aside", refuse)
        else:
            patched.setattr(Path, "replace", lambda old, new: refuse() if new == path else replace(old, new))
        with pytest.raises((sqlite3.Error, StorageError)):
            open_database(path, "now")
    opened = open_database(path, "later")
    chats, messages = contents(opened.database)
    assert (chats, messages > CHATS * MESSAGES * 0.4) == (CHATS, True)
    assert len([file for file in kept_aside(path) if file.suffix == ".db"]) == 1
