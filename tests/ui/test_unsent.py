"""What is written while the engine is away, in a chat that is deleted, or beside another window: nothing is lost, and
nothing lands in another chat."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.models.asking import MAX_QUESTION
from app.models.catalogue import BUILTIN, ModelChoice
from app.models.transcript import ChatTranscript
from app.models.unsent import Owed, Unsent, merged
from engine.api import schema
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, Window, open_window, played_engine, until
from tests.ui.test_chat_list import ask, rows
from tests.ui.test_chats import Engine, new_chat, opened

HERE = ModelChoice(BUILTIN, "local", BUILTIN)


def written(window: Window) -> str:
    text: str = window.window.composer.input.toPlainText()
    return text


def test_owed_requests_stay_until_they_are_done() -> None:
    engine = Engine()
    owed = Owed(engine.send)
    owed.add([schema.CreateChat(chat="a"), schema.SaveDraft(chat="a", text="x")])
    owed.pay()
    owed.pay()
    first, second = engine.requests
    assert owed.receive(schema.Accepted(ref=first.ref, request="create_chat"))
    full = schema.RequestFailed(request="save_draft", code="storage_failed", text="Full.", ref=second.ref)
    assert owed.receive(full)
    assert [one.chat for one in owed.requests] == ["a"]
    owed.connected()
    assert engine.requests[2:] == [second]
    gone = schema.RequestFailed(request="save_draft", code="chat_not_found", text="Gone.", ref=second.ref)
    assert owed.receive(gone)
    assert owed.requests == ()
    assert not owed.receive(gone)


def drafts_of(unsent: Unsent) -> list[str]:
    return [one.text for one in unsent.requests if isinstance(one, schema.SaveDraft)]


def test_draft_that_the_engine_has_not_confirmed_is_owed_when_the_connection_ends() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.write_draft("Half a question")
    (first,) = engine.sent(schema.SaveDraft)
    assert not drafts_of(chat.unsent())
    chat.connection_lost()
    assert drafts_of(chat.unsent()) == ["Half a question"]
    chat.connected()
    (_, again) = engine.sent(schema.SaveDraft)
    assert again == first
    chat.receive(schema.Accepted(request="save_draft", chat=chat.chat, ref=again.ref))
    chat.connection_lost()
    assert not drafts_of(chat.unsent())


def test_draft_of_a_chat_that_was_left_is_owed_until_the_newest_is_confirmed() -> None:
    engine = Engine()
    chat = new_chat(engine)
    left = chat.chat
    chat.write_draft("Half")
    chat.write_draft("Half a question")
    chat.new_chat()
    ref = engine.sent(schema.SaveDraft)[-1].ref
    taken = schema.Accepted(request="save_draft", chat=left, ref=ref)
    chat.receive(taken)
    chat.connection_lost()
    assert drafts_of(chat.unsent()) == ["Half a question"]

    chat = new_chat(engine)
    chat.write_draft("Half")
    chat.write_draft("Half a question")
    chat.new_chat()
    chat.receive(taken)
    chat.receive(taken)
    chat.connection_lost()
    assert not drafts_of(chat.unsent())


def test_draft_in_the_memory_of_an_engine_alone_is_owed_when_that_ends() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.write_draft("Half a question")
    ref = engine.sent(schema.SaveDraft)[-1].ref
    chat.receive(schema.Accepted(request="save_draft", chat=chat.chat, ref=ref, saved=False, problem="Full."))
    chat.connection_lost()
    assert drafts_of(chat.unsent()) == ["Half a question"]


def test_draft_in_memory_alone_of_a_chat_that_was_left_is_owed_until_the_disk_has_it() -> None:
    for end in ("lost", "saved", "read again"):
        engine = Engine()
        chat = new_chat(engine)
        left = chat.chat
        chat.write_draft("Half a question")
        full = schema.Accepted(
            request="save_draft", chat=left, ref=engine.sent(schema.SaveDraft)[-1].ref, saved=False, problem="Full."
        )
        chat.receive(full)
        chat.new_chat()
        chat.receive(full)  # of another window
        if end == "saved":
            chat.receive(schema.SavingState())
        if end == "read again":
            chat.open_chat(left)
            chat.receive(opened(chat, draft=schema.Draft(text="Half a question")))
            chat.new_chat()
        chat.connection_lost()
        assert drafts_of(chat.unsent()) == ([] if end == "saved" else ["Half a question"])


def test_what_is_kept_is_bounded_by_whole_chats() -> None:
    drafts = tuple(schema.SaveDraft(chat=name, text="x" * 10) for name in "abc")
    unsent = Unsent(drafts, {"d": "y" * 10})
    assert unsent.within(40) == unsent
    assert [one.chat for one in unsent.within(25).requests] == ["c"]
    assert unsent.within(25).typed == {"d": "y" * 10}
    assert unsent.within(5) == Unsent()


def test_what_was_typed_and_what_was_kept_is_one_text() -> None:
    assert merged("Hello", "Hel") == merged("Hel", "Hello") == "Hello"
    assert merged("Other", "Hello") == "OtherHello"
    assert merged("", "Hello") == merged("Hello", "") == "Hello"


def test_temporary_chats_leave_nothing_for_the_disk() -> None:
    engine = Engine(there=False)
    chat = new_chat(engine)
    chat.new_chat(temporary=True)
    chat.ask("Secret?", HERE)
    assert chat.unsent() == Unsent()
    chat.new_chat()
    assert chat.unsent() == Unsent()


def test_question_asked_while_the_engine_is_away_outlasts_the_window(drive: Drive, tmp_path: Path) -> None:
    file = tmp_path / schema.UNSENT_NAME

    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            ask(window, "Will this be lost?")
            QTest.keyClicks(window.window.composer.input, "And this")
            window.window.chat_page.keep_draft()
            await until(file.exists)  # before the window leaves: it may be killed
            assert file.stat().st_mode & 0o777 == 0o600
            chat = window.chat.chat
        assert "Will this be lost?" in file.read_text()
        async with open_window(tmp_path, NoProcess()) as window:  # the engine is still away
            assert window.chat.chat == chat
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: written(window) == "Will this be lost?\n\nAnd this")
            await until(lambda: not file.exists())
            QTest.keyClick(window.window.composer.input, Qt.Key.Key_Return)
            await until(lambda: window.turn.state == "done")
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.chat.turns and window.turn.state == "done")
            assert window.turn.question == "Will this be lost?\n\nAnd this"
            assert written(window) == ""

    drive(scenario())


def test_drafts_that_a_hanging_engine_does_not_take_outlast_the_window(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*arguments: object) -> None:
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.status.models)
                with monkeypatch.context() as hangs:
                    hangs.setattr(aiohttp.ClientWebSocketResponse, "send_str", never)
                    QTest.keyClicks(window.window.composer.input, "Left behind")
                    left = window.chat.chat
                    window.window.chat_page.new_chat()
                    QTest.keyClicks(window.window.composer.input, "Open")
                    window.desktop.quit()
                    await asyncio.wait([window.task])
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: written(window) == "Open")
                await until(lambda: window.chats.entry(left) is not None)
                window.window.open_chat(left)
                await until(lambda: written(window) == "Left behind")

    drive(scenario())


def test_what_is_typed_before_a_kept_chat_is_there_outlasts_the_window(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "First?")
            await until(lambda: window.turn.state == "done")
            QTest.keyClicks(window.window.composer.input, "kept.")
        async with open_window(tmp_path, NoProcess()) as window:
            ask(window, "Typed, ")
            assert "not here yet" in window.window.composer.notice.whole_text
            assert window.chat.turns == []
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            assert written(window) == "Typed, "
            await until(lambda: written(window) == "Typed, kept.")
            await until(lambda: not (tmp_path / schema.UNSENT_NAME).exists())

    drive(scenario())


def test_deleted_data_take_along_what_was_not_sent(drive: Drive, tmp_path: Path) -> None:
    file = tmp_path / schema.UNSENT_NAME

    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            ask(window, "Xylophone?")
        assert file.exists()
        async with played_engine(tmp_path, PlayedEngine()) as engine:
            await engine.chats.erase()
        assert not file.exists()

    drive(scenario())


def test_composer_text_stays_with_the_chat_that_is_deleted(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "One?")
            await until(lambda: window.turn.state == "done" and "One?" in rows(window))
            chat = window.chat.chat
            QTest.keyClicks(window.window.composer.input, "And what")
            window.window.chat_page.chats.list.deletion_requested.emit(chat)
            await until(lambda: window.chat.chat != chat)
            assert written(window) == ""
            window.window.chat_page.chats.undo.click()
            await until(lambda: window.chat.chat == chat and window.chat.turns)
            await until(lambda: written(window) == "And what")

    drive(scenario())


def test_another_window_deletes_the_open_chat(drive: Drive, tmp_path: Path) -> None:
    """The answer under way is kept as it is; what is typed is there again when the chat is."""

    async def scenario() -> None:
        engine = PlayedEngine(pause=0.05, pieces=["word "] * 2000)
        async with (
            played_engine(tmp_path, engine),
            open_window(tmp_path, NoProcess()) as first,
            open_window(tmp_path, NoProcess()) as second,
        ):
            await until(lambda: first.status.models and second.status.models)
            ask(first, "One?")
            await until(lambda: first.turn.length > 5 and "One?" in rows(second))
            chat = first.chat.chat
            second.window.open_chat(chat)
            await until(lambda: second.chat.turns)
            QTest.keyClicks(first.window.composer.input, "typed here")
            second.window.chat_page.chats.list.deletion_requested.emit(chat)
            await until(lambda: first.chat.chat != chat and second.chat.chat != chat)
            await until(lambda: engine.cancelled == 1)
            assert written(first) == ""
            assert "One?" not in rows(first)
            second.window.chat_page.chats.undo.click()
            await until(lambda: "One?" in rows(first))
            first.window.open_chat(chat)
            await until(lambda: first.chat.turns and first.turn.state == "stopped")
            assert first.turn.length > 5
            await until(lambda: written(first) == "typed here")

    drive(scenario())


def test_question_of_one_window_leaves_the_draft_of_the_other(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            played_engine(tmp_path, PlayedEngine()) as engine,
            open_window(tmp_path, NoProcess()) as first,
            open_window(tmp_path, NoProcess()) as second,
        ):
            await until(lambda: first.status.models and second.status.models)
            ask(first, "One?")
            await until(lambda: first.turn.state == "done" and "One?" in rows(second))
            chat = first.chat.chat
            second.window.open_chat(chat)
            await until(lambda: second.chat.turns)
            QTest.keyClicks(second.window.composer.input, "mine")
            second.window.keep_draft()
            await until(lambda: second.chat._told_draft == "mine")
            ask(first, "Two?")
            await until(lambda: len(second.chat.turns) == 2 and second.turn.state == "done")
            assert written(second) == "mine"
            assert await engine.chats.disk.draft(chat) == "mine"

    drive(scenario())


def test_files_of_a_refused_question_show_at_once() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.write_draft("Look")
    chat.receive(opened(chat))
    one = schema.Attachment(attachment="f1", name="notes.txt", characters=5)
    chat.files.show([one])
    chat.ask("Look", HERE)
    assert chat.files.files == []
    too_long = schema.ContextOverflow(
        ref=chat.turns[-1].ref, chat=chat.chat, used=9, limit=5, droppable=0, exact=True, text="Too long."
    )
    chat.receive(too_long)
    assert [file.attachment for file in chat.files.files] == [one]
    chat.retry()
    assert chat.files.files == []
    assert engine.sent(schema.SendMessage)[-1].attachments == ("f1",)


def another_engine(engine: Engine, chat: ChatTranscript, *, saves: bool) -> list[str]:
    """The engine ends and another one takes its place, which does what it is asked; the files that it is given."""
    engine.requests.clear()
    chat.connection_lost()
    chat.connected()
    for request in [one for one in engine.requests if one.ref.startswith("owed-")]:
        tag = str(type(request).__struct_config__.tag)
        chat.receive(schema.Accepted(ref=request.ref, request=tag, chat=request.chat, saved=saves))
    return [one.text for one in engine.sent(schema.AddAttachment)]


@pytest.mark.parametrize("left", ["before it is taken", "afterwards"])
def test_files_are_given_to_each_engine_until_one_has_saved_them(qapp: QApplication, left: str) -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.connected()
    chat.files.add_text("a file")
    first = chat.chat
    sent = engine.sent(schema.AddAttachment)[-1]
    if left == "before it is taken":
        chat.new_chat()
    chat.receive(schema.Accepted(ref=sent.ref, request="add_attachment", chat=first, saved=False))
    if left == "afterwards":
        chat.new_chat()
    assert another_engine(engine, chat, saves=False) == ["a file"]
    assert engine.sent(schema.CreateChat)[0].chat == first
    assert another_engine(engine, chat, saves=False) == ["a file"]
    assert another_engine(engine, chat, saves=True) == ["a file"]
    assert another_engine(engine, chat, saves=True) == []


def test_files_and_draft_of_an_earlier_window_outlast_a_second_loss(qapp: QApplication) -> None:
    """What a window gives an engine for the one before it is as safe as what was attached here."""
    engine = Engine()
    chat = new_chat(engine)
    pieces = [
        schema.AddAttachment(chat="c", attachment="f", name="f.txt", text="first ", more=True),
        schema.AddAttachment(chat="c", attachment="f", name="f.txt", text="second", at=6),
    ]
    chat.owe(Unsent((schema.CreateChat(chat="c"), schema.SaveDraft(chat="c", text="Why?"), *pieces)))
    assert another_engine(engine, chat, saves=False) == ["first ", "second"]
    assert [one.text for one in engine.sent(schema.SaveDraft)] == ["Why?"]
    assert another_engine(engine, chat, saves=False) == ["first second"]
    assert [one.text for one in engine.sent(schema.SaveDraft)] == ["Why?"]
    chat.open_chat("c")
    kept = schema.Attachment(attachment="f", name="f.txt", characters=12)
    chat.receive(opened(chat, draft=schema.Draft(text="Why?", attachments=(kept,))))
    assert chat.files.ready
    assert another_engine(engine, chat, saves=False) == []  # of an open chat it is seen first what the engine has
    chat.receive(opened(chat, draft=schema.Draft(text="Why?")))
    assert [(one.name, one.text) for one in engine.sent(schema.AddAttachment)] == [("f.txt", "first second")]


def test_answer_on_another_branch_can_be_shown_and_stopped(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "One?")
            await until(lambda: window.turn.state == "done")
            bar = window.window.chat_page.elsewhere
            engine.pause, engine.pieces = 0.05, ["more "] * 2000
            window.chat.retry()
            await until(lambda: window.turn.length > 5)
            assert bar.isHidden()
            first, second = window.turn.siblings
            window.chat.select(first)
            await until(lambda: window.turn.answer_id == first)
            await until(bar.isVisible)
            assert window.window.composer.send.isVisible()
            bar.go.click()
            await until(lambda: window.turn.answer_id == second and bar.isHidden())
            window.chat.select(first)
            await until(bar.isVisible)
            bar.stop.click()
            await until(bar.isHidden)
            await until(lambda: engine.cancelled == 2)  # the first one has ended by itself
            assert window.turn.answer_id == first

    drive(scenario())


def test_question_that_is_too_long_is_not_sent_and_that_is_said(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            composer = window.window.composer
            ask(window, "Short?")
            await until(lambda: window.turn.state == "done")
            composer.input.setPlainText("x" * MAX_QUESTION)
            QTest.keyClicks(composer.input, "yy")
            QTest.keyClick(composer.input, Qt.Key.Key_Return)
            assert "was not sent: it has 100,002 characters" in composer.notice.whole_text
            assert composer.notice.isVisible()
            assert len(written(window)) == MAX_QUESTION + 2
            QTest.keyClick(composer.input, Qt.Key.Key_Backspace)
            assert not composer.notice.isVisible()
            editing = window.view.asked  # another wording of a question that was asked
            editing.begin_edit()
            editing.editor.input.setPlainText("z" * (MAX_QUESTION + 1))
            QTest.keyClick(editing.editor.input, Qt.Key.Key_Return)
            assert "was not sent: it has 100,001 characters" in composer.notice.whole_text
            assert [turn.question for turn in window.chat.turns] == ["Short?"]

    drive(scenario())
