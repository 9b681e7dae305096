"""Versions of questions and answers in the open chat, with an engine of requests and events alone."""

from __future__ import annotations

import pytest

from app.models.transcript import ChatTranscript
from engine.api import schema
from tests.ui.test_chats import HERE, Engine, answer, begin, end, entry, last, new_chat, opened, question, write

pytestmark = pytest.mark.usefixtures("qapp")


def versions(of: schema.StoredMessage, *names: str) -> schema.StoredMessage:
    """A message that has these versions."""
    return schema.StoredMessage(**{name: getattr(of, name) for name in of.__struct_fields__} | {"siblings": names})


BRANCH = (
    versions(question("q1", "One?"), "q1"),
    versions(answer("a1", "q1", "One."), "a1"),
    versions(question("q2", "Two?", "a1"), "q2", "q2b"),
    versions(answer("a2", "q2", "Two."), "a2", "a2b"),
    versions(question("q3", "Three?", "a2"), "q3"),
    versions(answer("a3", "q3", "Three."), "a3"),
)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def chat(engine: Engine) -> ChatTranscript:
    made = new_chat(engine)
    made.open_chat("old")
    made.receive(opened(made, *BRANCH))
    return made


def texts(chat: ChatTranscript) -> list[tuple[str, str]]:
    return [(turn.question, turn.answer) for turn in chat.turns]


def selected(message: str, *messages: schema.StoredMessage, **more) -> schema.BranchSelected:
    values = {"chat": "old", "message": message, "messages": messages, "earlier": False}
    return schema.BranchSelected(**(values | more))


def test_edited_question_follows_what_the_old_one_followed(engine: Engine, chat: ChatTranscript) -> None:
    changed: list[int] = []
    chat.branch_changed.connect(changed.append)
    assert chat.edit(chat.turns[1], " Zwei? ", HERE)
    request = last(engine)
    assert isinstance(request, schema.SendMessage)
    assert (request.text, request.after) == ("Zwei?", "a1")
    assert texts(chat) == [("One?", "One."), ("Zwei?", "")]
    assert chat.turns[1].question_siblings == ("q2", "q2b", request.message)
    assert changed == [1]
    begin(chat, "a4")
    write(chat, "Zwei.", name="a4")
    end(chat, "Zwei.", name="a4")
    assert texts(chat)[1] == ("Zwei?", "Zwei.")
    assert chat.ask("And?", HERE)
    assert last(engine).after == "a4"


def test_first_question_can_be_edited(engine: Engine, chat: ChatTranscript) -> None:
    assert chat.edit(chat.turns[0], "Null?", HERE)
    assert last(engine).after == ""
    assert texts(chat) == [("Null?", "")]
    chat.receive(schema.RequestFailed(request="send_message", code="overloaded", text="Full.", ref=chat.turns[0].ref))
    assert chat.turns[0].state == "failed"
    assert chat.retry()
    assert last(engine).after == ""


@pytest.mark.parametrize("text", ["", "  ", "x" * 100_001])
def test_edits_that_cannot_be_asked(engine: Engine, chat: ChatTranscript, text: str) -> None:
    before = len(engine.requests)
    assert not chat.edit(chat.turns[1], text, HERE)
    assert len(engine.requests) == before
    assert len(chat.turns) == 3


def test_any_answer_can_be_made_again(engine: Engine, chat: ChatTranscript) -> None:
    assert chat.retry(chat.turns[1], HERE)
    request = last(engine)
    assert isinstance(request, schema.Regenerate)
    assert request.message == "q2"
    assert texts(chat) == [("One?", "One."), ("Two?", "")]
    assert chat.turns[1].siblings == ("a2", "a2b", request.answer)
    begin(chat, request.answer)
    end(chat, "Zwei.", name=request.answer)
    assert texts(chat)[1] == ("Two?", "Zwei.")


def test_another_version_leaves_what_stands_before_it(engine: Engine, chat: ChatTranscript) -> None:
    changed: list[int] = []
    chat.branch_changed.connect(changed.append)
    first = chat.turns[0]
    chat.select("q2b")
    assert last(engine) == schema.SelectBranch(chat="old", message="q2b", limit=50, ref="branch")
    chat.load_earlier()
    assert isinstance(last(engine), schema.SelectBranch)  # no page of a branch that goes
    other = versions(question("q2b", "Zwei?", "a1"), "q2", "q2b")
    chat.receive(selected("q2b", *BRANCH[:2], other, answer("a9", "q2b", "Zwei."), later=True))
    assert texts(chat) == [("One?", "One."), ("Zwei?", "Zwei.")]
    assert chat.turns[0] is first
    assert changed == [1]
    chat.load_later()
    assert last(engine) == schema.GetMessages(chat="old", after="a9", limit=50, ref="later")
    page = schema.MessagePage(
        ref="later", chat="old", messages=(question("q8", "Acht?", "a9"), answer("a8", "q8", "Acht.")), earlier=True
    )
    chat.receive(page)
    assert texts(chat)[2:] == [("Acht?", "Acht.")]
    assert not chat.later


def test_another_version_of_an_answer_keeps_its_question(chat: ChatTranscript) -> None:
    chat.select("a2b")
    # The question did not fit into the event any more.
    chat.receive(selected("a2b", versions(answer("a2b", "q2", "Zwei."), "a2", "a2b"), earlier=True))
    assert texts(chat) == [("One?", "One."), ("Two?", "Zwei.")]
    assert chat.turns[1].question_siblings == ("q2", "q2b")
    assert not chat.earlier


def test_answer_goes_on_while_another_branch_is_shown(engine: Engine, chat: ChatTranscript) -> None:
    chat.retry(chat.turns[1], HERE)
    name = last(engine).answer
    begin(chat, name)
    write(chat, "Zw", name=name)
    chat.select("a2")
    chat.receive(selected("a2", *BRANCH))
    assert len(chat.turns) == 3
    assert not chat.running
    chat.receive(schema.AnswerDelta(chat="old", message=name, text="ei", tokens=1, at=2))
    assert texts(chat)[1] == ("Two?", "Two.")
    chat.ask("Four?", HERE)
    assert not engine.sent(schema.SendMessage)
    assert chat.turns[-1].stage == "Waiting for the end of another answer in this chat"
    chat.receive(schema.MessageChanged(chat="old", message=answer(name, "q2", "Zwei.")))
    assert texts(chat)[1] == ("Two?", "Two.")
    assert engine.sent(schema.SendMessage)[0].after == "a3"


def test_stream_is_joined_again(chat: ChatTranscript) -> None:
    chat.select("a2b")
    chat.receive(selected("a2b", *BRANCH[:3], versions(answer("a2b", "q2", "Zw", state="writing"), "a2", "a2b")))
    assert chat.running
    write(chat, "ei.", name="a2b")
    assert texts(chat)[1] == ("Two?", "Zwei.")


def test_question_that_was_not_asked_comes_back_when_its_branch_goes(engine: Engine, chat: ChatTranscript) -> None:
    drafts: list[str] = []
    chat.draft_arrived.connect(drafts.append)
    engine.there = False
    chat.ask("Four?", HERE)
    engine.there = True
    chat.select("q2b")
    chat.receive(selected("q2b", *BRANCH[:2], versions(question("q2b", "Zwei?", "a1"), "q2", "q2b")))
    assert texts(chat) == [("One?", "One."), ("Zwei?", "")]
    assert drafts == ["Four?"]


def test_chat_opens_at_what_was_found_and_reads_on_to_both_sides(engine: Engine) -> None:
    chat = new_chat(engine)
    places: list[int] = []
    chat.place_wanted.connect(places.append)
    chat.open_chat("old", "a2", "two")
    assert engine.sent(schema.OpenChat)[0].message == "a2"
    chat.receive(opened(chat, *BRANCH[2:4], earlier=True, later=True))
    assert places == [0]
    assert (chat.wanted, chat.wanted_words) == ("a2", "two")
    chat.receive(schema.MessageChanged(chat="old", message=question("q9", "Nine?", "a8"), added=True))
    assert len(chat.turns) == 1  # it stands behind what is here
    chat.load_end()
    assert last(engine).message == ""
    chat.receive(opened(chat, *BRANCH, earlier=False))
    assert len(chat.turns) == 3
    assert places == [0]
    chat.open_chat("old", "q3")
    assert places == [0, 2]


def test_question_asked_in_the_middle_stands_at_the_end(engine: Engine) -> None:
    chat = new_chat(engine)
    chat.open_chat("old", "a1")
    chat.receive(opened(chat, *BRANCH[:2], later=True))
    assert chat.ask("Four?", HERE)
    assert texts(chat) == [("Four?", "")]
    assert [type(one) for one in engine.requests[-2:]] == [schema.OpenChat, schema.SendMessage]
    chat.receive(opened(chat, *BRANCH))
    assert texts(chat) == [("One?", "One."), ("Two?", "Two."), ("Three?", "Three."), ("Four?", "")]
    begin(chat)
    end(chat, "Four.")
    assert texts(chat)[3] == ("Four?", "Four.")


def test_answer_behind_what_is_here_can_be_stopped(engine: Engine) -> None:
    chat = new_chat(engine)
    chat.open_chat("old", "a1")
    chat.receive(opened(chat, *BRANCH[:2], chat=entry("old", answering="a9"), later=True))
    assert chat.running
    assert not chat.ask("Four?", HERE)
    chat.stop()
    assert last(engine) == schema.StopAnswer(chat="old")
    chat.receive(schema.MessageChanged(chat="old", message=answer("a9", "q9", "", state="stopped")))
    assert not chat.running


def test_another_window_that_leaves_the_branch_is_followed(engine: Engine, chat: ChatTranscript) -> None:
    before = len(engine.sent(schema.OpenChat))
    chat.receive(schema.MessageChanged(chat="old", message=question("q7", "Zwei?", "a1"), added=True))
    assert len(engine.sent(schema.OpenChat)) == before + 1
    other = (*BRANCH[:2], question("q7", "Zwei?", "a1"), answer("a7", "q7", "Z", state="writing"))
    chat.receive(opened(chat, *other, chat=entry("old", answering="a7")))
    assert texts(chat) == [("One?", "One."), ("Zwei?", "Z")]


def edits(chat: ChatTranscript) -> list[str | None]:
    return [turn.edit for turn in chat.turns]


def test_wording_that_is_being_written_outlasts_other_branches(chat: ChatTranscript) -> None:
    chat.turns[1].edit = "Zwo?"
    chat.keep_edit(chat.turns[1])
    chat.receive(selected("q2b", *BRANCH[:2], versions(question("q2b", "Zwei?", "a1"), "q2", "q2b")))
    assert edits(chat) == [None, None]
    chat.receive(selected("q2", *BRANCH))
    assert edits(chat) == [None, "Zwo?", None]
    chat.edit(chat.turns[1], "Zwo?", HERE)
    assert edits(chat) == [None, None]
