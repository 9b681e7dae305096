"""Files of a question: the view-model, and the window by choosing, dropping and pasting."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from app.models import draft_files
from app.models.draft_files import PIECE, DraftFiles
from app.models.text_reader import TextReader
from app.views.file_dialog import FileDialog
from app.views.file_drop import FileDrop
from engine.api import schema
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, Window, open_window, played_engine, until
from tests.ui.test_folders import Engine


def files_of(engine: Engine, made: bool = True) -> DraftFiles:
    names = iter(f"f{number}" for number in range(100))
    files = DraftFiles(engine.send, lambda: made, lambda: next(names), lambda work: work())
    files.follow("c")
    return files


def accept(files: DraftFiles, ref: str) -> None:
    files.receive(schema.Accepted(ref=ref, request="add_attachment", chat="c"))


def test_long_texts_go_to_the_engine_piece_by_piece(qapp: QApplication) -> None:
    engine = Engine()
    files = files_of(engine)
    text = "".join(chr(97 + place % 26) for place in range(2 * PIECE + 5))
    assert files.add_text(text)
    ready = []
    for _ in range(3):
        ready.append(files.ready)
        accept(files, "f0")
        qapp.processEvents()
    assert [*ready, files.ready] == [False, False, False, True]
    sent = [request for request in engine.requests if isinstance(request, schema.AddAttachment)]
    assert [(one.at, one.more) for one in sent] == [(0, True), (PIECE, True), (2 * PIECE, False)]
    assert "".join(one.text for one in sent) == text
    assert files.take() == (schema.Attachment(attachment="f0", name="Pasted text 1.txt", characters=len(text)),)
    assert files.files == []


def test_what_the_engine_did_not_get_is_given_to_the_next_one(qapp: QApplication) -> None:
    engine = Engine()
    files = files_of(engine)
    files.add_text("a" * (PIECE + 1))
    accept(files, "f0")
    qapp.processEvents()
    files.add_text("second")
    files.connected()
    assert engine.requests[-1].at == 0
    for ref in ("f0", "f0", "f1"):
        accept(files, ref)
        qapp.processEvents()
    assert [one.state for one in files.files] == ["kept", "kept"]


def accept_unsaved(files: DraftFiles, ref: str) -> None:
    files.receive(schema.Accepted(ref=ref, request="add_attachment", chat="c", saved=False))


def test_what_an_engine_had_in_its_memory_alone_is_held_until_it_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_files, "MOST_HELD", 20)
    engine = Engine()
    files = files_of(engine)
    told: list[str] = []
    files.refused.connect(told.append)
    for text in ("x" * 12, "second", "third"):
        files.add_text(text)
        accept_unsaved(files, engine.requests[-1].ref)
    assert [one.text for one in files.at_risk("c")] == ["second", "third"], "the newest of them"
    asked = files.take()
    files.bring_back(asked)
    assert [one.name for one in files.files] == ["Pasted text 2.txt", "Pasted text 3.txt"]
    assert {one.state for one in files.files} == {"sending"}
    assert told == ["Lost with the question to which they were attached: Pasted text 1.txt. Attach them again."]
    accept(files, "f1")
    accept_unsaved(files, "f2")
    assert files.ready
    assert [one.attachment for one in files.missing(kept={"f1"})] == ["f2"]
    files.all_saved()
    assert files.at_risk("c") == []
    assert files.missing(kept={"f1"}) == [], "somebody else has asked it"


def test_files_stay_with_the_chat_in_which_they_were_attached() -> None:
    engine = Engine()
    files = files_of(engine)
    files.add_text("of c")
    files.follow("d")
    assert files.files == []
    accept(files, "f0")
    assert engine.requests[-1].chat == "c"
    files.show([schema.Attachment(attachment="x", name="x.md", characters=3)])
    assert [one.name for one in files.files] == ["x.md"]
    files.receive(schema.DraftChanged(chat="c", draft=schema.Draft()))
    files.receive(schema.DraftChanged(chat="d", draft=schema.Draft()))
    assert files.files == []


def test_refusals_and_bounds_are_told(tmp_path: Path) -> None:
    engine = Engine()
    files = files_of(engine)
    told: list[str] = []
    files.refused.connect(told.append)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    files.add_files([str(tmp_path / "a.pdf"), str(tmp_path)])
    assert ["a.pdf is a PDF" in told[0], "is a folder" in told[1]] == [True, True]
    files.add_text("x" * 1_900_000)
    files.add_text("y" * 200_000)
    assert "too long" in told[2]
    assert not files.add_text("z" * 10_000_000)
    assert "too long" in told[3]
    accept(files, "f2")
    files.receive(schema.RequestFailed(request="add_attachment", code="x", text="No room.", ref="f2"))
    assert told[-1] == "No room."
    assert files.files == []
    for _ in range(21):
        files.add_text("short")
    assert len(files.files) == 20
    assert "20 files are attached already" in told[-1]
    files.receive(schema.ChatsRemoved(everything=True))
    assert files.files == []


def test_removed_file_is_taken_out_of_the_draft() -> None:
    engine = Engine()
    files = files_of(engine)
    files.add_text("one")
    files.add_text("two")
    files.remove("f0")
    assert isinstance(engine.requests[-2], schema.RemoveAttachment)
    assert engine.requests[-1].attachment == "f1"
    files.remove("gone")


def test_reader_asks_for_pieces_in_order() -> None:
    engine = Engine()
    reader = TextReader(engine.send, schema.GetText(chat="c", message="m", part="attachment", attachment="f"))
    arrived: list[str] = []
    reader.arrived.connect(arrived.append)
    reader.more()
    reader.more()
    assert len(engine.requests) == 1
    piece = schema.TextPiece(ref="read-f", chat="c", message="m", at=0, text="abcd", characters=7)
    reader.receive(piece)
    reader.receive(piece)
    reader.more()
    assert engine.requests[-1].at == 4
    reader.receive(schema.TextPiece(ref="read-f", chat="c", message="m", at=4, text="efg", characters=7))
    reader.more()
    assert (arrived, reader.whole, len(engine.requests)) == (["abcd", "efg"], True, 2)


def drop(window: Window, *paths: Path) -> None:
    """Drop files on the conversation."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), action, data, button, keys, QEvent.Type.Drop)
    column = window.window.chat_page._column
    assert column.findChild(FileDrop).eventFilter(column, event)  # Qt itself drops only what was dragged before
    assert event.isAccepted()


def test_dropped_files_go_with_the_question_and_are_read(drive: Drive, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes\n```\nfence\n```\n<b>bold</b>\n", "utf-8")
    (tmp_path / "west.csv").write_bytes("Stadt;Größe\nKöln;1\n".encode("cp1252"))
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00")

    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            composer = window.window.composer
            drop(window, tmp_path / "notes.md", tmp_path / "west.csv", tmp_path / "photo.png")
            await until(lambda: window.chat.files.ready and len(window.chat.files.files) == 2)
            assert "photo.png is a picture" in composer.notice.whole_text
            assert [card.open.accessibleName() for card in composer.cards.cards] == [
                "Attached file notes.md, 34 characters",
                "Attached file west.csv, 19 characters",
            ]
            composer.cards.cards[0].open.click()
            dialog = window.window.findChild(FileDialog)
            await until(lambda: "<b>bold</b>" in dialog.text.toPlainText())
            dialog.reject()
            QTest.keyClicks(composer.input, "What is this?")
            QTest.keyClick(composer.input, Qt.Key.Key_Return)
            await until(lambda: window.chat.turns and window.turn.state == "done")
            assert composer.cards.cards == []
            asked = engine.requests[-1].messages[-1].content
            assert asked == (
                "File: notes.md\n````\n# Notes\n```\nfence\n```\n<b>bold</b>\n````\n\n"
                "File: west.csv\n```\nStadt;Größe\nKöln;1\n```\n\nWhat is this?"
            )
            assert [card.file.name for card in window.view.asked.files.cards] == ["notes.md", "west.csv"]
            window.view.asked.files.cards[1].open.click()
            await until(lambda: window.window.findChild(FileDialog))
            dialog = window.window.findChildren(FileDialog)[-1]
            await until(lambda: "Köln" in dialog.text.toPlainText())
            dialog.reject()
            assert window.chat.edit(window.turn, "Say it in a word.", window.window.choice)
            await until(lambda: len(engine.requests) == 2 and window.turn.state == "done")
            assert engine.requests[-1].messages[-1].content == asked.replace("What is this?", "Say it in a word.")
            await until(lambda: [one.name for one in window.turn.files] == ["notes.md", "west.csv"])

    drive(scenario())


def test_files_are_there_again_after_a_crash_and_can_be_asked_alone(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                window.chat.files.add_text("first line\nsecond")
                window.window.composer.cards.cards[0].open.setFocus()
                window.chat.files.add_text("another")
                await until(lambda: window.chat.files.ready)
                chat = window.chat.chat
                window._chat_changed()
                window.window.composer.cards.cards[1].remove.click()
                window.chat.files.add_text("third")  # after the removal: requests are done in order
                await until(lambda: window.chat.files.ready)
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.chat.files.files)
                assert window.chat.chat == chat
                names = [card.file.name for card in window.window.composer.cards.cards]
                assert names == ["Pasted text 1.txt", "Pasted text 3.txt"]
                await until(lambda: window.window.composer.send.isEnabled())
                window.window.composer.send.click()
                await until(lambda: window.chat.turns and window.turn.state == "done")
                assert engine.requests[-1].messages[-1].content == (
                    "File: Pasted text 1.txt\n```\nfirst line\nsecond\n```\n\nFile: Pasted text 3.txt\n```\nthird\n```"
                )
                assert not window.view.asked._bubble.isVisible()

    drive(scenario())


def test_long_pastes_are_files_and_hold_nothing_up(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            composer = window.window.composer
            longest = 0.0

            async def watch() -> None:
                """How much processor time this thread takes without giving the loop a turn."""
                nonlocal longest
                while True:
                    begin = time.thread_time()
                    await asyncio.sleep(0)
                    longest = max(longest, time.thread_time() - begin)

            pasted = []
            for size in (10_000_000, 1_900_000):
                pasted.append(QMimeData())
                pasted[-1].setText("word " * (size // 5))
            watcher = asyncio.get_running_loop().create_task(watch())
            await asyncio.sleep(0.05)
            longest = 0.0
            for data in pasted:
                composer.input.insertFromMimeData(data)
                await asyncio.sleep(0.01)
            assert "too long" in composer.notice.whole_text
            await until(lambda: window.chat.files.ready and window.chat.files.files)
            watcher.cancel()
            assert composer.input.toPlainText() == ""
            assert [one.characters for one in window.chat.files.files] == [1_900_000]
            assert longest < 0.05

    drive(scenario())


def test_files_are_chosen_by_key(drive: Drive, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("chosen")

    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window._in_chat(window.window.composer.choose_files)
            dialog = window.window.composer.findChild(QFileDialog)
            dialog.filesSelected.emit([str(tmp_path / "a.txt")])
            dialog.reject()
            await until(lambda: window.chat.files.ready and window.chat.files.files)
            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.txt"))])
            assert window.window.composer.input.canInsertFromMimeData(data)
            window.window.composer.input.insertFromMimeData(data)
            await until(lambda: window.chat.files.ready and len(window.chat.files.files) == 2)

    drive(scenario())
