"""Single messages are deleted and brought back in the window."""

from __future__ import annotations

from pathlib import Path

from engine.api import schema
from tests.support.chats import Client
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_branches import rest, shown
from tests.ui.test_chat_list import ask
from tests.ui.test_chats import HERE, Engine, new_chat


def test_messages_are_deleted_and_brought_back(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            page, transcript = window.window.chat_page, window.window.transcript
            for text in ("One?", "Two?", "Three?"):
                ask(window, text)
                await until(lambda: not window.chat.running)
            await rest(window)
            next(view for view in transcript.turns if view.turn.question == "Two?").asked.remove.click()
            await until(lambda: len(window.chat.turns) == 1)
            await until(page.undo_bar.isVisible)
            assert page.undo_bar.text.whole_text == "4 messages deleted"
            page.undo_bar.undo.click()
            await until(lambda: [turn.question for turn in window.chat.turns] == ["One?", "Two?", "Three?"])
            assert page.undo_bar.isHidden()
            window.chat.retry()
            await until(lambda: len(window.turn.siblings) == 2 and window.turn.state == "done")
            await rest(window)
            assert transcript.turns[-1].foot.versions.several
            transcript.turns[-1].foot.remove.click()
            await until(lambda: len(window.turn.siblings) == 1)
            await rest(window)
            assert not transcript.turns[-1].foot.versions.several
            assert [question for question, _ in shown(window)][-1] == "Three?"
            transcript.turns[-1].foot.remove.click()
            await until(lambda: window.turn.question == "Three?" and not window.turn.answer_id)
            await rest(window)
            transcript.turns[-1].foot.again.click()
            await until(lambda: window.turn.state == "done" and window.turn.answer_id)
            page._remove(window.chat.turns[0], window.chat.turns[0].question_id)
            await until(lambda: window.chat.turns == [])
            assert transcript.welcome.isVisible()
            page.undo_bar.undo.click()
            await until(lambda: len(window.chat.turns) == 3)

    drive(scenario())


def test_a_chat_that_another_client_deletes_is_brought_back(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()) as played, open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            page = window.window.chat_page
            ask(window, "One?")
            await until(lambda: not window.chat.running and window.turn.kept)
            await rest(window)
            chat = window.chat.chat
            page.composer.input.setPlainText("what I was writing")
            await Client(played.chats).do(schema.DeleteChats(chats=(chat,)))
            await until(page.undo_bar.isVisible)
            assert page.undo_bar.text.whole_text == "The chat “One?” was deleted elsewhere."
            assert page.undo_bar.undo.isVisible()
            assert not page.chats.undo.isVisible(), "it is said once"
            assert page.composer.input.toPlainText() == ""
            page.undo_bar.undo.click()
            await until(lambda: window.chat.chat == chat and len(window.chat.turns) == 1)
            await until(lambda: page.composer.input.toPlainText() == "what I was writing")
            assert page.undo_bar.isHidden()

    drive(scenario())


def test_question_that_the_engine_refused_goes_at_once() -> None:
    engine = Engine()
    chat = new_chat(engine)
    drafts: list[str] = []
    chat.draft_arrived.connect(drafts.append)
    chat.ask("One?", HERE)
    chat.discard(chat.turns[0])
    assert len(chat.turns) == 1, "it is on its way"
    chat.receive(schema.RequestFailed(ref=chat.turns[-1].ref, request="send_message", code="no_model", text="None."))
    chat.discard(chat.turns[0])
    assert chat.turns == []
    assert drafts == []
