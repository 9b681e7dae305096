"""Versions, edits and what was found, in a window over the engine's own chats (played answers, real control API)."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.views.marks import first_mark
from engine.chats.rows import ChatRow, MessageRow, Row
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until


async def ask(window, engine: PlayedEngine, question: str, answer: str) -> None:
    engine.pieces = [answer]
    count = len(engine.requests)
    window.window.ask(question)
    await until(lambda: len(engine.requests) > count and window.turn.state == "done")
    await rest(window)


async def rest(window) -> None:
    """Until nothing is left to lay out."""
    transcript = window.window.transcript
    for _ in range(3):
        await asyncio.sleep(0.05)
        await until(lambda: not transcript.busy and not transcript.writing)


def shown(window) -> list[tuple[str, str]]:
    return [(turn.question, turn.answer) for turn in window.chat.turns]


def key(name: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget(), name, modifier)


def test_question_is_edited_by_keyboard_and_both_versions_stay(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            await ask(window, engine, "One?", "One.")
            await ask(window, engine, "Two?", "Two.")
            window.window.composer.input.setPlainText("And then")
            window.window.activateWindow()
            await until(lambda: QApplication.focusWidget() is window.window.composer.input)
            key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
            editor = window.view.asked.editor
            await until(lambda: QApplication.focusWidget() is editor.input)
            assert editor.input.toPlainText() == "Two?"
            key(Qt.Key.Key_Escape)
            assert not editor.isVisible()
            assert window.turn.edit is None
            window.view.asked.edit.click()
            editor.input.setPlainText("Zwei?")
            engine.pieces = ["Zwei."]
            key(Qt.Key.Key_Return)
            await until(lambda: shown(window) == [("One?", "One."), ("Zwei?", "Zwei.")])
            await until(lambda: window.turn.state == "done")
            assert window.window.composer.input.toPlainText() == "And then"
            told = [message.content for message in engine.requests[-1].messages]
            assert told == ["One?", "One.", "Zwei?"]
            versions = window.view.asked.versions
            assert versions.parts[1].whole_text == "2 / 2"
            assert versions.parts[1].accessibleName() == "Version 2 of 2"
            window.view.question.setFocus()
            key(Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
            await until(lambda: shown(window)[1] == ("Two?", "Two."))
            key(Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
            await until(lambda: shown(window)[1] == ("Zwei?", "Zwei."))

    drive(scenario())


def test_answer_is_made_again_and_one_that_streams_goes_on_unseen(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            await ask(window, engine, "One?", "One.")
            await ask(window, engine, "Two?", "Two.")
            engine.hold, engine.pieces = asyncio.Event(), ["Other ", "words."]
            window.window.transcript.turns[0].foot.again.click()
            await until(lambda: shown(window) == [("One?", "Other words.")])
            back = window.view.foot.versions.parts[0]
            assert back.isVisible()  # also while it is being written
            back.click()
            await until(lambda: shown(window) == [("One?", "One."), ("Two?", "Two.")])
            assert not window.chat.running
            engine.hold.set()
            await until(lambda: not window.chats.entry(window.chat.chat).answering)
            await rest(window)
            assert shown(window) == [("One?", "One."), ("Two?", "Two.")]
            window.window.transcript.turns[0].foot.versions.step(1)
            await until(lambda: shown(window) == [("One?", "Other words.")])
            assert window.turn.state == "done"

    drive(scenario())


async def long_chat(window, engine: PlayedEngine, turns: int) -> None:
    """A chat that is longer than what is read of it at a time."""
    for number in range(turns):
        await ask(window, engine, f"Question {number}?", f"Answer {number} says something. " * 4)


def test_place_stays_when_another_version_is_shown(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            await long_chat(window, engine, 12)
            transcript = window.window.transcript
            first = window.chat.turns[5]
            assert window.chat.edit(first, "Another question?", window.window.choice)
            await until(lambda: len(window.chat.turns) == 6 and window.turn.state == "done")
            await rest(window)
            view = window.view
            place = view.mapTo(transcript.viewport(), QPoint(0, 0)).y()
            view.asked.versions.parts[0].click()
            await until(lambda: len(window.chat.turns) == 12)
            await rest(window)
            view = next(one for one in transcript.turns if one.turn is window.chat.turns[5])
            assert view.turn.question == "Question 5?"
            assert abs(view.mapTo(transcript.viewport(), QPoint(0, 0)).y() - place) <= 1
            view.asked.versions.parts[2].click()
            await until(lambda: len(window.chat.turns) == 6)
            await rest(window)
            view = window.view
            assert abs(view.mapTo(transcript.viewport(), QPoint(0, 0)).y() - place) <= 1

    drive(scenario())


def test_hit_opens_the_chat_where_it_stands_with_its_words_marked(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            await ask(window, engine, "Begin?", "It begins.")
            await ask(window, engine, "Which bird?", "word " * 300 + "a **kingfisher** and more. " + "word " * 300)
            await long_chat(window, engine, 30)
            chat = window.chat.chat
            page = window.window.chat_page
            page.chats.new_chat.click()
            page.chats.search.setText("kingf")
            await until(lambda: window.chats.hits and not window.chats.searching)
            page.chats.list._choose(page.chats.list.item(0))
            await until(lambda: window.chat.chat == chat and not window.chat.loading)
            await rest(window)
            transcript = window.window.transcript
            view = next(one for one in transcript.turns if one.turn.question == "Which bird?")
            marked = [selection.cursor.selectedText() for selection in view.answer.extraSelections()]
            assert marked == ["kingfisher"]
            place = view.answer.mapTo(transcript.viewport(), QPoint(0, first_mark(view.answer))).y()
            assert 0 <= place < transcript.viewport().height()
            assert transcript.newest.isVisible()
            assert window.chat.later
            page.chats.search.clear()
            await rest(window)
            assert view.answer.extraSelections() == []
            for _ in range(200):  # down to the end, page by page
                bar = transcript.verticalScrollBar()
                bar.setValue(bar.maximum())
                await rest(window)
                if not window.chat.later and bar.value() == bar.maximum():
                    break
            assert [turn.question for turn in window.chat.turns][-1] == "Question 29?"
            assert len({turn.question_id for turn in window.chat.turns}) == 32
            page.chats.search.setText("which")
            await until(lambda: window.chats.hits and not window.chats.searching)
            page.chats.list._choose(page.chats.list.item(page.chats.list.count() - 1))
            await rest(window)
            view = next(one for one in transcript.turns if one.turn.question == "Which bird?")
            assert [one.cursor.selectedText() for one in view.question.extraSelections()] == ["Which"]

    drive(scenario())


def shows(window, question: str) -> bool:
    """Whether the sixth question is this version."""
    return window.chat.turns[5].question_id == question


def thousand(chat: str) -> list[Row]:
    """A chat of 1,000 messages, whose sixth question has another version with 900 messages behind it."""
    rows: list[Row] = []
    parent, fork = "", ""
    for number in range(1000):
        role = "assistant" if number % 2 else "user"
        if number == 100:  # the other branch goes on from where the first one left
            parent = fork
        if number == 10:
            fork = parent
        text = f"Message {number} says something that is a little longer than a line of the window has room for. " * 2
        rows.append(MessageRow(id=f"m{number}", chat=chat, parent=parent, place=number + 1, role=role, text=text))
        parent = f"m{number}"
    return [ChatRow(id=chat, title="Thousand", tip="m99", activity=1), *rows]


def test_versions_in_a_chat_of_1000_messages(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine) as played, open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            await played.chats.disk.save(*thousand("long"))
            transcript = window.window.transcript
            window.window.chat_page.open_chat("long", "m10")
            await until(lambda: window.chat.turns)
            await rest(window)
            for wanted in (1, -1):
                view = next(one for one in transcript.turns if len(one.turn.question_siblings) == 2)
                place = view.mapTo(transcript.viewport(), QPoint(0, 0)).y()
                before = window.chat.turns[:5]
                view.asked.versions.step(wanted)
                name = ("m10", "m100")[wanted > 0]
                await until(functools.partial(shows, window, name))
                await rest(window)
                assert window.chat.turns[:5] == before
                assert len(window.chat.turns) <= 45
                assert window.chat.later
                view = next(one for one in transcript.turns if one.turn.question_id == name)
                assert abs(view.mapTo(transcript.viewport(), QPoint(0, 0)).y() - place) <= 1
            window.window.transcript.newest.click()
            await until(lambda: not window.chat.later)
            assert window.chat.turns[-1].answer_id == "m99"

    drive(scenario())


def test_question_asked_where_something_was_found_is_shown_at_the_end(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            await long_chat(window, engine, 30)
            chat, message = window.chat.chat, window.chat.turns[0].question_id
            window.window.chat_page.new_chat()
            window.window.chat_page.open_chat(chat, message)
            await until(lambda: window.chat.later)
            await ask(window, engine, "Last?", "Last.")
            assert shown(window)[-1] == ("Last?", "Last.")
            assert shown(window)[-2][0] == "Question 29?"
            assert len(engine.requests[-1].messages) == 61

    drive(scenario())


def test_wording_that_was_being_written_is_there_after_a_crash(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine) as played:
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                await ask(window, engine, "One?", "One.")
                window.view.asked.begin_edit()
                window.view.asked.editor.input.setPlainText("Eins?")
                chats, chat, question = played.chats, window.chat.chat, window.turn.question_id
                async with asyncio.timeout(60):
                    while await chats.disk.edits(chat) != {question: "Eins?"}:
                        await asyncio.sleep(0.05)
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.chat.turns and window.window.transcript.turns)
                editor = window.view.asked.editor
                assert editor.isVisible()
                assert editor.input.toPlainText() == "Eins?"
                engine.pieces = ["Eins."]
                editor.ask.click()
                await until(lambda: shown(window) == [("Eins?", "Eins.")])
                async with asyncio.timeout(60):
                    while await chats.disk.edits(chat):
                        await asyncio.sleep(0.05)

    drive(scenario())


def test_questions_and_answers_are_copied(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            await ask(window, engine, "One?", "**One.**")
            window.view.asked.copy.click()
            assert QGuiApplication.clipboard().text() == "One?"
            window.view.foot.copy.click()
            assert QGuiApplication.clipboard().text() == "**One.**"

    drive(scenario())


def test_two_windows_show_the_branch_that_one_of_them_chooses(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with (
            played_engine(tmp_path, engine),
            open_window(tmp_path, NoProcess()) as window,
            open_window(tmp_path, NoProcess()) as other,
        ):
            await until(lambda: window.status.models and other.status.models)
            await ask(window, engine, "One?", "One.")
            other.window.open_chat(window.chat.chat)
            await until(lambda: shown(other) == shown(window))
            engine.pieces = ["Eins."]
            assert other.chat.edit(other.chat.turns[0], "Eins?", other.window.choice)
            await until(lambda: shown(window) == [("Eins?", "Eins.")] == shown(other))
            window.chat.select(window.turn.question_siblings[0])
            await until(lambda: shown(window) == [("One?", "One.")] == shown(other))

    drive(scenario())
