"""What is found in the open chat: the way through it, and how it is marked, in models and in the window."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.models.finding import Finding
from app.models.search_words import marks
from app.views.chat_row import cut
from engine.api import schema
from engine.chats.rows import ChatRow, MessageRow
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_branches import rest
from tests.ui.test_chats import Engine

CHAT = schema.ChatEntry(chat="c", title="Birds")


def found(engine: Engine, *messages: str, more: bool = False) -> schema.ChatsFound:
    hits = tuple(schema.ChatHit(chat=CHAT, message=message) for message in messages)
    return schema.ChatsFound(ref=engine.requests[-1].ref, hits=hits, more=more)


def test_all_places_are_asked_for_and_gone_through_round_and_round() -> None:
    engine = Engine()
    finding = Finding(engine.send)
    finding.begin("c", "b", "owl")
    (request,) = engine.requests
    assert (request.query, request.chat, request.offset) == ("owl", "c", 0)
    assert (finding.number, finding.step(1)) == (0, "")
    finding.receive(found(engine, "a", "b", more=True))
    assert engine.requests[-1].offset == 2
    finding.receive(found(engine, "d"))
    assert (finding.places, finding.number) == (("a", "b", "d"), 2)
    assert [finding.step(1) for _ in range(3)] == ["d", "a", "b"]
    assert [finding.step(-1) for _ in range(3)] == ["a", "d", "b"]
    finding.begin("c", "d", "owl")  # another hit of the same search
    assert len(engine.requests) == 2
    assert finding.number == 3


def test_what_belongs_to_another_search_is_not_taken() -> None:
    engine = Engine()
    finding = Finding(engine.send)
    finding.begin("c", "a", "owl")
    late = found(engine, "a", "x")
    finding.begin("c", "a", "hawk")
    finding.receive(late)
    assert list(finding.places) == []
    finding.receive(found(engine, "b", "a"))
    finding.receive(found(engine, "b", "a"))  # the same page, sent twice
    assert list(finding.places) == ["b", "a"]
    finding.message = "gone"
    assert finding.step(1) == "b"
    finding.message = "gone"
    assert finding.step(-1) == "a"
    finding.connected()
    assert (list(finding.places), engine.requests[-1].query) == ([], "hawk")
    finding.receive(found(engine, "b", "a"))
    finding.receive(schema.MessagesRemoved(chat="c", message="a", removed="r", count=2))
    finding.receive(found(engine, "b"))
    assert list(finding.places) == ["b"]
    finding.receive(schema.MessagesRemoved(chat="another", message="b", removed="r", count=1))
    assert list(finding.places) == ["b"]
    finding.receive(schema.ChatsRemoved(chats=("c",)))
    assert (finding.words, list(finding.places)) == ("", [])


def test_rows_show_what_was_found_however_narrow(qapp: QApplication) -> None:
    metrics = QFontMetrics(qapp.font())
    line = "many words that stand before it and so push it far out of sight: the kingfisher, and more behind it"
    for width in (120, 260, 5_000):
        shown = cut(line, "kingf", metrics, width)
        assert metrics.horizontalAdvance(shown) <= width
        assert [shown[begin:end] for begin, end in marks(shown, "kingf")] == ["kingfisher"]
    assert cut("kingfisher first", "kingf", metrics, 5_000) == "kingfisher first"


def grounds(view) -> list[str]:
    """Behind the marked words of an answer."""
    return [selection.format.background().color().name() for selection in view.answer.extraSelections()]


def stands_at(window, number: int, message: str) -> bool:
    """Whether this hit shows, with more than the common mark."""
    page = window.window.chat_page
    accent = [window.window._theme.accent]
    views = (view for view in page.transcript.turns if view.turn.answer_id == message)
    settled = not (page.transcript.busy or page.transcript.writing or window.chat.loading)
    return (
        settled
        and page.find_bar.place.whole_text == f"{number} of 3"
        and any(grounds(view) == accent for view in views)
    )


def test_hits_are_marked_and_gone_through_in_the_window(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()) as played, open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            rows = [ChatRow(id="c", title="Birds", tip="m59", activity=1)]
            for number in range(60):
                text = "An **owl** by night." if number in (5, 7, 51) else "Nothing of that kind. " * 12
                role = "assistant" if number % 2 else "user"
                above = f"m{number - 1}" if number else ""
                rows.append(MessageRow(id=f"m{number}", chat="c", parent=above, place=number + 1, role=role, text=text))
            await played.chats.disk.save(*rows)
            page, transcript = window.window.chat_page, window.window.transcript
            bar = page.find_bar
            page.chats.search.setText("owl")
            await until(lambda: len(window.chats.hits) == 3 and not window.chats.searching)
            theme = window.window._theme
            picture = page.chats.grab().toImage()
            colours = {QColor(picture.pixel(x, y)).name() for x in range(200) for y in range(picture.height())}
            assert theme.found in colours
            assert bar.isHidden()
            hits = [hit.message for hit in window.chats.hits]
            page.chats.list._choose(page.chats.list.item(hits.index("m5")))
            await until(lambda: bar.place.whole_text == "1 of 3")
            assert bar.words.whole_text == "Found: owl"
            await rest(window)
            views = {view.turn.answer_id: view for view in transcript.turns}
            assert grounds(views["m5"]) == [theme.accent]
            await until(lambda: grounds(views["m7"]) == [theme.found])
            for number, message in ((2, "m7"), (3, "m51"), (1, "m5")):
                QTest.keyClick(window.window, Qt.Key.Key_F3)
                await until(functools.partial(stands_at, window, number, message))
                view = next(view for view in transcript.turns if view.turn.answer_id == message)
                assert 0 <= view.y() + view.answer.y() < transcript.viewport().height()
            QTest.keyClick(window.window, Qt.Key.Key_F3, Qt.KeyboardModifier.ShiftModifier)
            await until(lambda: bar.place.whole_text == "3 of 3")
            bar.close_button.click()
            assert bar.isHidden()
            await rest(window)
            assert all(not grounds(view) for view in transcript.turns)
            page.chats.list._choose(page.chats.list.item(hits.index("m7")))
            await until(bar.isVisible)
            page.chats.new_chat.click()
            assert bar.isHidden()

    drive(scenario())


def test_what_stands_beyond_the_shown_part_of_an_answer_is_gone_to(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()) as played, open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            text = "A line of an answer.\n\n" * 2_500 + "Here an owl."
            await played.chats.disk.save(
                ChatRow(id="c", title="Birds", tip="a", activity=1),
                MessageRow(id="q", chat="c", parent="", place=1, role="user", text="Which?"),
                MessageRow(id="a", chat="c", parent="q", place=2, role="assistant", text=text),
            )
            page, transcript = window.window.chat_page, window.window.transcript
            page.chats.search.setText("owl")
            await until(lambda: window.chats.hits)
            page.chats.list._choose(page.chats.list.item(0))
            async with asyncio.timeout(60):
                await until(lambda: transcript.turns and grounds(transcript.turns[0]), 60)
            await rest(window)
            place = transcript.turns[0].first_mark()
            assert 0 <= transcript.turns[0].y() + place < transcript.viewport().height()

    drive(scenario())
