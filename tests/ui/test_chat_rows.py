"""The rows of the list of chats: those that stay the same stay, and many come one part after the other."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.models.chats import ChatsModel
from app.theme import LIGHT, Theme
from app.views.chat_row import FOLDER, MESSAGE, NAME, WORDS, key_of
from app.views.chat_rows import AT_ONCE, ChatRows
from engine.api import schema

FOLDERS = (schema.Folder("work", "Work"), schema.Folder("house", "House"))
NOW = 1_790_000_000.0


def entry(number: int, **fields: object) -> schema.ChatEntry:
    values: dict[str, object] = {
        "chat": f"chat-{number}",
        "title": f"Question {number}",
        "updated": NOW - 7_000.0 * number,
        "activity": 10_000 - number,
    }
    return schema.ChatEntry(**(values | fields))


def some_chats(count: int) -> ChatsModel:
    model = ChatsModel(lambda request: True, lambda: NOW)
    model.receive(schema.ChatList(ref="list-0", chats=tuple(map(entry, range(count))), folders=FOLDERS))
    return model


def shown(rows: ChatRows) -> list[tuple[object, ...]]:
    items = [rows.item(row) for row in range(rows.count())]
    texts = (MESSAGE, FOLDER, NAME, WORDS, int(Qt.ItemDataRole.AccessibleTextRole))
    return [
        (
            item.text(),
            key_of(item),
            item.font().weight(),
            item.icon().isNull(),
            item.flags(),
            item.sizeHint().height(),
            *(item.data(role) or "" for role in texts),
        )
        for item in items
    ]


def shows(rows: ChatRows, right: list[tuple[object, ...]]) -> bool:
    return rows.count() == len(right) and shown(rows) == right


def comes(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        QApplication.processEvents()
    return condition()


def changes(model: ChatsModel, source: random.Random) -> list[Callable[[], object]]:
    """What may happen, with chats and folders drawn at random."""
    number = source.randrange(45)
    known = model.entry(f"chat-{number}") or entry(number)
    newest = max((chat.activity for chat in model.chats), default=0) + 1
    changed = [
        replace(known, title=source.choice(("Bread", "A relay", "Größe", "面包"))),
        replace(known, activity=newest, updated=NOW),
        replace(known, folder=source.choice(("", "work", "house"))),
        replace(known, answering=source.choice(("", "an answer"))),
    ]
    hits = tuple(schema.ChatHit(chat=chat, message="m", snippet="… relay …") for chat in model.chats[:number])
    return [
        *(lambda one=one: model.receive(schema.ChatChanged(chat=one)) for one in changed),
        lambda: model.receive(schema.ChatsRemoved(chats=(known.chat,))),
        lambda: model.folders.fold("work", source.random() < 0.5),
        lambda: model.show_current(known.chat),
        lambda: model.search(source.choice(("", "relay"))),
        lambda: model.receive(schema.ChatsFound(ref=model.search_ref, hits=hits)),
    ]


def test_whatever_changes_the_rows_are_those_of_a_new_list(qapp: QApplication) -> None:
    source = random.Random(1)
    model, theme = some_chats(40), Theme(LIGHT)
    rows = ChatRows(theme, model)
    for _ in range(300):
        source.choice(changes(model, source))()
        rows.fill()
        anew = ChatRows(theme, model)
        anew.fill()
        assert shown(rows) == shown(anew)
        anew.deleteLater()
    rows.deleteLater()


def test_pieces_that_something_comes_between_end_as_a_new_list(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = random.Random(2)
    model, theme = some_chats(40), Theme(LIGHT)
    rows = ChatRows(theme, model)
    for _ in range(100):
        monkeypatch.setattr("app.views.chat_rows.AT_ONCE", source.choice((1, 3, 10)))
        for _ in range(source.randrange(1, 4)):
            source.choice(changes(model, source))()
            rows.fill()
            if source.random() < 0.5:
                QApplication.processEvents()
        monkeypatch.setattr("app.views.chat_rows.AT_ONCE", 1_000)
        anew = ChatRows(theme, model)
        anew.fill()
        right = shown(anew)
        assert comes(functools.partial(shows, rows, right))
        anew.deleteLater()
    rows.deleteLater()


def test_many_rows_come_one_part_after_the_other_and_places_stay(qapp: QApplication) -> None:
    model = some_chats(1_000)
    rows = ChatRows(Theme(LIGHT), model)
    rows.resize(260, 500)
    rows.show()
    model.show_current("chat-900")
    rows.fill()
    assert rows.count() == AT_ONCE
    lines = 1_000 + sum(1 for _ in model.groups())
    assert comes(lambda: rows.count() == lines)
    assert key_of(rows.currentItem()) == ("chat-900", "")
    assert rows.verticalScrollBar().value() == 0
    first = rows.item(1)
    rows.verticalScrollBar().setValue(5_000)
    model.receive(schema.ChatChanged(chat=entry(500, title="Another name")))
    rows.fill()
    assert rows.count() == lines
    assert rows.row(first) == 1
    assert rows.verticalScrollBar().value() == 5_000
    model.search("relay")
    rows.fill()
    assert rows.count() == 0
    model.search("")
    rows.fill()
    assert comes(lambda: rows.count() == lines)
    assert key_of(rows.currentItem()) == ("chat-900", "")
    rows.close()
    rows.deleteLater()


@pytest.fixture
def long_list(qapp: QApplication) -> Iterator[ChatRows]:
    """A thousand chats, the newest of them open, scrolled far down."""
    model = some_chats(1_000)
    model.show_current("chat-0")
    rows = ChatRows(Theme(LIGHT), model)
    rows.resize(260, 500)
    rows.show()
    rows.fill()
    assert comes(lambda: rows.count() == 1_000 + len(model.groups()))
    rows.executeDelayedItemsLayout()
    rows.verticalScrollBar().setValue(9_000)
    assert rows.verticalScrollBar().value() == 9_000
    yield rows
    rows.close()
    rows.deleteLater()


def row_of(rows: ChatRows, chat: str) -> int:
    return next(row for row in range(rows.count()) if key_of(rows.item(row)) == (chat, ""))


def test_a_chat_far_down_is_opened_and_the_list_stays_where_it_is(long_list: ChatRows) -> None:
    rows, model = long_list, long_list._chats
    count, kept = rows.count(), rows.item(row_of(rows, "chat-500"))
    rows.setCurrentRow(row_of(rows, "chat-700"))
    rows.verticalScrollBar().setValue(9_000)
    model.show_current("chat-700")
    rows.fill()
    assert rows.count() == count, "nothing else was made anew"
    assert rows.row(kept) == row_of(rows, "chat-500")
    assert rows.verticalScrollBar().value() == 9_000
    assert key_of(rows.currentItem()) == ("chat-700", "")


@pytest.mark.parametrize("title", ["Question 900", "Another name"])
def test_a_chat_from_far_down_becomes_the_newest_and_the_others_stay(long_list: ChatRows, title: str) -> None:
    rows, model = long_list, long_list._chats
    count, kept = rows.count(), rows.item(row_of(rows, "chat-500"))
    model.receive(schema.ChatChanged(chat=entry(900, activity=20_000, updated=NOW, title=title)))
    rows.fill()
    assert rows.count() == count
    assert row_of(rows, "chat-900") < row_of(rows, "chat-0")
    assert rows.row(kept) == row_of(rows, "chat-500")
    assert rows.verticalScrollBar().value() == 9_000


def test_another_order_is_made_in_pieces_and_the_list_stays_where_it_is(long_list: ChatRows) -> None:
    rows, model = long_list, long_list._chats
    count = rows.count()
    turned = tuple(entry(number, activity=number, updated=NOW) for number in range(1_000))
    model.receive(schema.ChatList(ref="list-0", chats=turned, folders=FOLDERS))
    rows.fill()
    assert rows.count() < count
    assert comes(lambda: rows.count() == 1_000 + len(model.groups()))
    assert rows.verticalScrollBar().value() == 9_000


def test_larger_letters_while_a_name_is_typed_end_that_and_show_all(long_list: ChatRows) -> None:
    rows, model = long_list, long_list._chats
    heard: list[None] = []
    rows.edited.connect(lambda: heard.append(None))
    rows.setCurrentRow(row_of(rows, "chat-690"))
    rows.rename(rows.currentItem())
    font = rows.font()
    font.setPointSizeF(2 * font.pointSizeF())
    rows.setFont(font)
    assert (rows.editing, heard) == (False, [None])
    assert comes(lambda: rows.count() == 1_000 + len(model.groups()))
    assert key_of(rows.currentItem()) == ("chat-690", "")
    model.receive(schema.ChatsRemoved(chats=("chat-1",)))
    rows.fill()
    assert comes(lambda: rows.count() == 999 + len(model.groups()))
