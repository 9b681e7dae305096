"""The window with the chats that an engine keeps: the list beside the chat, drafts, other chats, coming back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until


def ask(window, text: str) -> None:
    QTest.keyClicks(window.window.composer.input, text)
    QTest.keyClick(window.window.composer.input, Qt.Key.Key_Return)


def rows(window) -> list[str]:
    shown = window.window.chat_page.chats.list
    return [shown.item(row).text() for row in range(shown.count())]


def test_chats_are_listed_opened_and_searched(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.chats.known)
            sidebar = window.window.chat_page.chats
            assert "listed here" in sidebar.empty.whole_text
            ask(window, "What do relays carry?")
            await until(lambda: window.turn.state == "done")
            sidebar.new_chat.click()
            assert window.chat.turns == []
            ask(window, "Bread that rises?")
            await until(lambda: window.chat.turns and window.turn.state == "done")
            await until(lambda: rows(window) == ["Today", "Bread that rises?", "What do relays carry?"])
            assert sidebar.list.currentItem().text() == "Bread that rises?"
            sidebar.list.setFocus()
            QTest.keyClick(sidebar.list, Qt.Key.Key_Down)
            QTest.keyClick(sidebar.list, Qt.Key.Key_Return)
            await until(lambda: window.chat.turns)
            assert window.turn.question == "What do relays carry?"
            assert window.answer == "Relays carry sealed data."
            assert window.view.badge.whole_text == "Local"
            QTest.keyClicks(sidebar.search, "rises")
            await until(lambda: window.chats.hits)
            await until(lambda: [row.split("\n")[0] for row in rows(window)] == ["Bread that rises?"] * 2)
            QTest.keyClick(sidebar.search, Qt.Key.Key_Escape)
            assert len(rows(window)) == 3

    drive(scenario())


def test_no_chat_is_marked_while_a_new_one_is_open(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            shown = window.window.chat_page.chats.list

            def marked() -> list[str]:
                return [item.text() for item in shown.selectedItems()]

            ask(window, "One?")
            await until(lambda: window.turn.state == "done" and marked() == ["One?"])
            shown.setFocus()
            await until(shown.hasFocus)
            QTest.keyClick(window.window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
            await until(lambda: marked() == [])
            window.chats.changed.emit()  # as the engine's news of other chats do
            assert marked() == []
            shown.setFocus()
            await until(lambda: marked() == ["One?"])  # where the keyboard is
            window.chats.changed.emit()
            assert marked() == ["One?"]
            window.window.composer.input.setFocus()
            await until(lambda: marked() == [])
            ask(window, "Two?")
            await until(lambda: marked() == ["Two?"])
            shown.setFocus()
            await until(shown.hasFocus)
            QTest.keyClick(shown, Qt.Key.Key_Delete)
            await until(lambda: rows(window) == ["Today", "One?"])
            await until(lambda: marked() == ["One?"])  # the keyboard goes on from there
            window.window.composer.input.setFocus()
            await until(lambda: marked() == [])

    drive(scenario())


def test_chat_is_renamed_deleted_and_brought_back(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "One?")
            await until(lambda: window.turn.state == "done" and "One?" in rows(window))
            sidebar = window.window.chat_page.chats
            sidebar.list.setCurrentRow(1)
            sidebar.list.setFocus()
            QTest.keyClick(sidebar.list, Qt.Key.Key_F2)
            editor = sidebar.list.findChild(QLineEdit)
            editor.selectAll()
            QTest.keyClicks(editor, "Two!")
            QTest.keyClick(editor, Qt.Key.Key_Return)
            await until(lambda: rows(window) == ["Today", "Two!"])
            actions = {action.text(): action for action in sidebar.list.menu(sidebar.list.item(1)).actions()}
            exports = ["Export as PDF…", "Export as Markdown…", "Export as JSON…"]
            assert list(actions) == ["Open", "Rename", "Move to folder", *exports, "Delete"]
            actions["Delete"].trigger()
            await until(lambda: rows(window) == [])
            assert window.chat.turns == []
            assert sidebar.undo.isVisible()
            sidebar.undo.click()
            await until(lambda: rows(window) == ["Today", "Two!"])
            assert not sidebar.undo.isVisible()

    drive(scenario())


def test_chat_is_exported(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "One?")
            await until(lambda: window.turn.state == "done" and "One?" in rows(window))
            told: list[tuple[str, str]] = []
            window.chats.exported.connect(lambda name, text: told.append((name, text)))
            shown = window.window.chat_page.chats.list
            actions = {action.text(): action for action in shown.menu(shown.item(1)).actions()}
            for action, name in (("Export as Markdown…", "chat.md"), ("Export as JSON…", "chat.json")):
                actions[action].trigger()
                await until(lambda: window.window.findChildren(QFileDialog))
                dialog = window.window.findChild(QFileDialog)
                assert dialog.isVisible()
                dialog.fileSelected.emit(str(tmp_path / name))
                dialog.close()
                assert (tmp_path / name).read_text("utf-8") == told[-1][1]
                await until(lambda: not window.window.findChildren(QFileDialog))
            assert [name.rpartition(".")[2] for name, _ in told] == ["md", "json"]
            assert all("Relays carry sealed data." in text for _, text in told)
            assert "was exported to" in window.window.composer.notice.whole_text
            window.window.chat_page.exports.write_chat(str(tmp_path), told[0][1])
            assert "was not exported" in window.window.composer.notice.whole_text

    drive(scenario())


def test_two_chats_are_answered_at_once_and_marked(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(hold=asyncio.Event())
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "One?")
            await until(lambda: window.turn.state == "writing")
            first = window.chat.chat
            window.window.header.new_chat.click()
            ask(window, "Two?")
            await until(lambda: len(engine.requests) == 2 and window.turn.state == "writing")
            await until(lambda: len([chat for chat in window.chats.chats if chat.answering]) == 2)
            shown = window.window.chat_page.chats.list
            said = [str(shown.item(row).data(int(Qt.ItemDataRole.AccessibleTextRole))) for row in (1, 2)]
            assert said == ["Two?, an answer is being written", "One?, an answer is being written"]
            engine.hold.set()
            await until(lambda: window.turn.state == "done")
            await until(lambda: window.chats.unread == {first})
            header = window.window.header
            window.window.chat_page.toggle_chats()
            assert header.unread.isVisible()
            assert header.chats.accessibleName() == "Show the list of chats, 1 chat with a new answer"
            window.window.chat_page.toggle_chats()
            window.window.open_chat(first)
            await until(lambda: window.chat.turns)
            assert window.answer == "Relays carry sealed data."
            assert window.chats.unread == set()
            assert header.unread.isHidden()
            assert header.chats.accessibleName() == "Show the list of chats"
            assert shown.currentItem().text() == "One?"  # opened by something else than the list

    drive(scenario())


def test_draft_and_chat_are_there_after_a_crash(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                ask(window, "One?")
                await until(lambda: window.turn.state == "done")
                QTest.keyClicks(window.window.composer.input, "And then")
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.chat.turns)
                assert window.answer == "Relays carry sealed data."
                await until(lambda: window.window.composer.input.toPlainText() == "And then")
                ask(window, "?")
                await until(lambda: len(window.chat.turns) == 2 and window.turn.state == "done")

    drive(scenario())


def test_last_words_of_a_draft_leave_before_the_window_does(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = aiohttp.ClientWebSocketResponse.send_str

    async def slowly(*arguments: Any) -> None:
        await asyncio.sleep(0.05)
        await at_once(*arguments)

    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                monkeypatch.setattr(aiohttp.ClientWebSocketResponse, "send_str", slowly)
                QTest.keyClicks(window.window.composer.input, "Not asked yet")
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.window.composer.input.toPlainText() == "Not asked yet")

    drive(scenario())


def test_temporary_chat_is_not_kept(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                window.window.chat_page.chats.temporary.click()
                assert "nothing of it is kept" in window.window.composer.input.placeholderText()
                ask(window, "Secret?")
                await until(lambda: window.turn.state == "done")
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                assert window.chat.turns == []
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or b"Secret?" not in file.read_bytes()

    drive(scenario())


def test_chat_that_was_asked_here_is_not_asked_elsewhere(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            models = window.window.header.models
            ask(window, "One?")
            await until(lambda: window.turn.state == "done")
            first = window.chat.chat
            window.window.header.new_chat.click()
            models.setCurrentIndex(2)
            ask(window, "Two?")
            await until(lambda: len(engine.requests) == 2 and window.turn.state == "done")
            assert [request.route for request in engine.requests] == ["local", "network"]
            second = window.chat.chat
            window.window.open_chat(first)
            await until(lambda: window.chat.turns)
            assert window.window.choice.route == "local"
            window.window.open_chat(second)
            await until(lambda: window.chat.turns)
            assert window.window.choice.key == ("someone/Model-7B", "network")
            window.window.header.wish("gone", "local")
            assert window.window.choice.route == "local"

    drive(scenario())


def test_narrow_window_folds_the_list_away(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            page = window.window.chat_page
            assert page.chats.isVisible()
            assert not page.header.chats.isVisible()
            window.window.resize(520, 700)
            await until(lambda: not page.chats.isVisible())
            assert page.transcript.isVisible()
            page.header.chats.click()
            assert page.chats.isVisible()
            assert not page.transcript.isVisible()
            page.chats.new_chat.click()
            assert page.transcript.isVisible()
            window.window.resize(1100, 700)
            await until(lambda: page.chats.isVisible())
            page.chats.fold.click()
            assert not page.chats.isVisible()

    drive(scenario())


def test_what_was_said_of_one_chat_does_not_stay_in_another(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            page = window.window.chat_page
            ask(window, "Why?")
            await until(lambda: window.turn.state == "done")
            first = window.chat.chat
            page.composer.show_notice("The chat was exported.")
            page.new_chat()
            assert page.composer.notice.isHidden()
            page.composer.show_notice("That is too long.")
            page.open_chat(first)
            assert page.composer.notice.isHidden()

    drive(scenario())
