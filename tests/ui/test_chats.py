"""View-models of kept chats: the open one and the list, with an engine of requests and events alone."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from app.models.asking import MAX_QUESTION
from app.models.catalogue import BUILTIN, ModelChoice
from app.models.chats import ChatsModel, groups, title_of
from app.models.transcript import ChatTranscript
from app.models.turns import MAX_ANSWER
from engine.api import schema

pytestmark = pytest.mark.usefixtures("qapp")
HERE = ModelChoice(BUILTIN, "local", BUILTIN)


class Engine:
    """Takes requests when it is there."""

    def __init__(self, there: bool = True) -> None:
        self.there = there
        self.requests: list[schema.Request] = []

    def send(self, request: schema.Request) -> bool:
        if self.there:
            self.requests.append(request)
        return self.there

    def sent(self, kind: type) -> list:
        return [request for request in self.requests if isinstance(request, kind)]


def new_chat(engine: Engine) -> ChatTranscript:
    numbers = itertools.count()
    return ChatTranscript(engine.send, lambda: f"id-{next(numbers)}")


def entry(chat: str, **fields) -> schema.ChatEntry:
    return schema.ChatEntry(**({"chat": chat, "title": chat} | fields))


def question(name: str, text: str = "Why?", parent: str = "") -> schema.StoredMessage:
    return schema.StoredMessage(message=name, parent=parent, role="user", text=text, characters=len(text))


def answer(name: str, parent: str, text: str = "", **fields) -> schema.StoredMessage:
    values = {"message": name, "parent": parent, "role": "assistant", "text": text, "characters": len(text)}
    return schema.StoredMessage(**(values | fields))


def state(chat: ChatTranscript) -> str:
    return chat.turns[0].state


def last(engine: Engine) -> schema.Request:
    return engine.requests[-1]


def begin(chat: ChatTranscript, name: str = "answer") -> None:
    """The engine has the last question and begins its answer."""
    turn = chat.turns[-1]
    chat.receive(schema.MessageChanged(chat=chat.chat, message=question(turn.question_id, turn.question), added=True))
    message = answer(name, turn.question_id, state="writing")
    chat.receive(schema.MessageChanged(chat=chat.chat, message=message, added=True))
    accepted = schema.Accepted(
        ref=turn.ref, request="send_message", chat=chat.chat, message=turn.question_id, answer=name
    )
    chat.receive(accepted)


def write(chat: ChatTranscript, text: str, at: int | None = None, name: str = "answer") -> None:
    at = chat.turns[-1].length if at is None else at
    chat.receive(schema.AnswerDelta(chat=chat.chat, message=name, text=text, tokens=1, at=at))


def end(chat: ChatTranscript, text: str, name: str = "answer", **fields) -> None:
    message = answer(name, chat.turns[-1].question_id, text, **fields)
    chat.receive(schema.MessageChanged(chat=chat.chat, message=message))


def opened(chat: ChatTranscript, /, *messages: schema.StoredMessage, **fields) -> schema.ChatOpened:
    values = {
        "ref": chat.chat,
        "chat": entry(chat.chat),
        "settings": schema.ChatSettings(model=BUILTIN, route="local"),
        "messages": messages,
        "earlier": False,
        "draft": schema.Draft(),
    }
    return schema.ChatOpened(**(values | fields))


# ------------------------------------------------------------------------------------------------------ the open chat


def test_question_makes_the_chat_and_is_answered() -> None:
    engine = Engine()
    chat = new_chat(engine)
    assert chat.ask("  one  ", HERE)
    assert not chat.ask("two", HERE)
    kinds = [type(request) for request in engine.requests]
    assert kinds == [schema.CreateChat, schema.OpenChat, schema.UpdateChat, schema.SendMessage]
    assert engine.requests[-1].text == "one"
    assert engine.requests[-2].settings.route == "local"
    chat.receive(opened(chat))
    assert len(chat.turns) == 1
    begin(chat)
    write(chat, "Be")
    write(chat, "cause.")
    details = schema.AnswerDetails(finish_reason="stop", badge="local", served_by="local")
    end(chat, "Because.", details=details)
    assert (chat.turns[0].answer, chat.turns[0].state) == ("Because.", "done")
    assert chat.turns[0].done is not None
    assert chat.turns[0].done.badge == "local"


@pytest.mark.parametrize("text", ["", " \n ", "x" * (MAX_QUESTION + 1)])
def test_question_that_cannot_be_asked(text: str) -> None:
    engine = Engine()
    assert not new_chat(engine).ask(text, HERE)
    assert engine.requests == []


def test_pieces_that_come_twice_or_leave_a_gap() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.ask("one", HERE)
    begin(chat)
    write(chat, "abc")
    write(chat, "bcd", at=1)
    assert chat.turns[0].answer == "abcd"
    write(chat, "gh", at=6)
    assert chat.turns[0].answer == "abcd"
    request = engine.requests[-1]
    assert isinstance(request, schema.GetText)
    assert request.at == 4
    piece = schema.TextPiece(ref="rest", chat=chat.chat, message="answer", at=4, text="efgh", characters=8)
    chat.receive(piece)
    write(chat, "ghi", at=6)
    assert chat.turns[0].answer == "abcdefghi"


def test_what_other_chats_say_is_ignored() -> None:
    chat = new_chat(Engine())
    chat.ask("one", HERE)
    begin(chat)
    chat.receive(schema.AnswerDelta(chat="other", message="answer", text="late", tokens=1))
    chat.receive(schema.AnswerDelta(chat=chat.chat, message="other", text="late", tokens=1))
    assert chat.turns[0].answer == ""


def test_question_waits_for_the_engine_and_for_the_end_of_a_stopped_answer() -> None:
    engine = Engine(there=False)
    chat = new_chat(engine)
    chat.ask("one", HERE)
    assert state(chat) == "waiting"
    chat.connection_lost()
    engine.there = True
    chat.connected()
    assert len(engine.sent(schema.SendMessage)) == 1
    begin(chat)
    chat.stop()
    assert state(chat) == "stopped"
    assert engine.sent(schema.StopAnswer)
    chat.ask("two", HERE)
    assert len(engine.sent(schema.SendMessage)) == 1
    end(chat, "par", state="stopped")
    assert len(engine.sent(schema.SendMessage)) == 2
    assert chat.turns[0].answer == "par"


def test_question_the_engine_may_not_have_got_is_sent_again_with_its_name() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.ask("one", HERE)
    chat.connection_lost()
    assert state(chat) == "waiting"
    chat.connected()
    first, second = engine.sent(schema.SendMessage)
    assert first.message == second.message


def test_answer_cut_by_the_engines_end_is_incomplete_until_it_is_asked_again() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.ask("one", HERE)
    begin(chat)
    write(chat, "abc")
    chat.connection_lost()
    assert state(chat) == "failed"
    assert "ended while it answered" in chat.turns[0].problem
    chat.connected()
    name = chat.turns[0].question_id
    chat.receive(opened(chat, question(name, "one"), answer("answer", name, "abcd", state="interrupted")))
    assert chat.turns[0].answer == "abcd"
    assert state(chat) == "failed"
    assert chat.retry()
    again = engine.requests[-1]
    assert isinstance(again, schema.Regenerate)
    assert again.message == name
    end(chat, "whole", name=again.answer)
    assert [turn.answer for turn in chat.turns] == ["whole"]


@pytest.mark.parametrize(
    ("temporary", "problem", "kept"), [(False, "", True), (False, "The disk is full.", False), (True, "", False)]
)
def test_words_say_what_is_kept_of_an_answer_whose_engine_ended(temporary: bool, problem: str, kept: bool) -> None:
    chat = new_chat(Engine())
    chat.new_chat(temporary)
    chat.ask("one", HERE)
    begin(chat)
    chat.receive(schema.SavingState(problem="The disk is full.", waiting=1))
    chat.receive(schema.SavingState(problem=problem))
    write(chat, "abc")
    chat.connection_lost()
    assert ("kept, but perhaps not its last second" in chat.turns[0].problem) == kept


def test_refused_question_says_why() -> None:
    chat = new_chat(Engine())
    chat.ask("one", HERE)
    chat.receive(schema.RequestFailed(request="send_message", code="overloaded", text="Full.", ref=chat.turns[0].ref))
    assert (state(chat), chat.turns[0].problem) == ("failed", "Full.")


def test_question_that_does_not_fit_can_be_asked_without_the_oldest() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.ask("one", HERE)
    refused = schema.ContextOverflow(
        ref=chat.turns[0].ref, chat=chat.chat, used=9, limit=8, droppable=2, exact=True, text="Too long."
    )
    chat.receive(refused)
    assert (chat.turns[0].problem, chat.turns[0].droppable) == ("Too long.", 2)
    chat.retry(drop_oldest=True)
    assert engine.requests[-1].overflow == "drop_oldest"


def test_stored_chat_shows_its_messages_draft_and_model() -> None:
    engine = Engine()
    chat = new_chat(engine)
    drafts: list[str] = []
    models: list[tuple[str, str]] = []
    chat.draft_arrived.connect(drafts.append)
    chat.choice_arrived.connect(lambda model, route: models.append((model, route)))
    chat.open_chat("old")
    assert chat.loading
    messages = [question("q1", "One?", "a0"), answer("a1", "q1", "One."), question("q2", "Two?", "a1")]
    messages.append(answer("a2", "q2", "Tw", state="writing"))
    chat.receive(opened(chat, *messages, draft=schema.Draft(text="And", characters=3), earlier=True))
    assert [(turn.question, turn.answer, turn.state) for turn in chat.turns] == [
        ("One?", "One.", "done"),
        ("Two?", "Tw", "writing"),
    ]
    assert [chat.running] == [True]
    assert drafts == ["And"]
    assert models == [(BUILTIN, "local")]
    write(chat, "o.", at=2, name="a2")
    assert chat.turns[1].answer == "Two."
    chat.load_earlier()
    assert last(engine) == schema.GetMessages(chat="old", before="q1", limit=50, ref="earlier")
    page = [question("q0", "Zero?"), answer("a0", "q0", "Zero.")]
    chat.receive(schema.MessagePage(ref="earlier", chat="old", messages=tuple(page), earlier=False))
    assert [turn.question for turn in chat.turns] == ["Zero?", "One?", "Two?"]
    chat.new_chat()
    assert (chat.turns, chat.running) == ([], False)
    assert not engine.sent(schema.StopAnswer)  # it goes on
    assert not engine.sent(schema.DeleteChats)


def test_page_that_begins_with_an_answer_gets_its_question() -> None:
    chat = new_chat(Engine())
    chat.open_chat("old")
    chat.receive(opened(chat, answer("a1", "q1", "One."), earlier=True))
    assert (chat.turns[0].question, chat.turns[0].answer) == ("", "One.")
    chat.load_earlier()
    page = schema.MessagePage(ref="earlier", chat="old", messages=(question("q1", "One?"),), earlier=False)
    chat.receive(page)
    assert [(turn.question, turn.answer) for turn in chat.turns] == [("One?", "One.")]


def test_draft_is_kept_and_an_empty_chat_is_not() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.write_draft("")
    assert engine.requests == []
    chat.write_draft("What")
    chat.write_draft("What")
    assert [request.text for request in engine.sent(schema.SaveDraft)] == ["What"]
    chat.write_draft("")
    made = chat.chat
    chat.new_chat()
    assert engine.sent(schema.DeleteChats)[0].chats == (made,)


def test_another_wording_or_a_retry_leaves_the_draft_of_the_next_question() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.write_draft("One?")
    chat.ask("One?", HERE)
    begin(chat)
    end(chat, "One.")
    chat.write_draft("And two?")
    chat.edit(chat.turns[0], "Eins?", HERE)
    chat.receive(schema.RequestFailed(ref=chat.turns[-1].ref, request="send_message", code="no_model", text="None."))
    chat.retry()
    asked = [(request.text, request.keep_draft) for request in engine.sent(schema.SendMessage)]
    assert asked == [("One?", False), ("Eins?", True), ("Eins?", True)]


def test_what_the_engine_never_got_of_a_chat_that_was_left_becomes_its_draft() -> None:
    engine = Engine(there=False)
    chat = new_chat(engine)
    chat.ask("One?", HERE)
    chat.write_draft("And two?")
    left = chat.chat
    chat.new_chat()
    chat.write_draft("Three?")
    second = chat.chat
    chat.new_chat()
    chat.new_chat()  # nothing was written in that one
    engine.there = True
    chat.connected()
    assert [one.chat for one in engine.sent(schema.CreateChat)] == [left, second]
    saved = [(one.chat, one.text) for one in engine.sent(schema.SaveDraft)]
    assert saved == [(left, "One?\n\nAnd two?"), (second, "Three?")]
    assert engine.sent(schema.SendMessage) == []
    chat.connected()
    assert len(engine.sent(schema.SaveDraft)) == 4, "the engine before has confirmed nothing"
    for request in engine.sent(schema.CreateChat) + engine.sent(schema.SaveDraft):
        chat.receive(schema.Accepted(ref=request.ref, request="any", chat=request.chat))
    chat.connected()
    assert len(engine.sent(schema.SaveDraft)) == 4


def test_refused_question_of_a_chat_that_was_left_is_its_draft() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.ask("One?", HERE)
    chat.receive(schema.RequestFailed(ref=chat.turns[-1].ref, request="send_message", code="no_model", text="None."))
    chat.new_chat()
    assert [one.text for one in engine.sent(schema.SaveDraft)] == ["One?"]
    chat.ask("Two?", HERE)
    begin(chat)
    chat.open_chat("other")
    chat.write_draft("typed while it is opened")
    chat.new_chat()
    assert len(engine.sent(schema.SaveDraft)) == 1


def test_temporary_chat_outlives_its_engine_on_the_screen() -> None:
    engine = Engine()
    chat = new_chat(engine)
    problems: list[str] = []
    chat.problem_arose.connect(problems.append)
    chat.new_chat(temporary=True)
    chat.ask("one", HERE)
    assert engine.sent(schema.CreateChat)[0].temporary
    assert chat.kept_chat == ""
    begin(chat)
    end(chat, "One.")
    chat.connection_lost()
    chat.connected()
    chat.receive(opened(chat, chat=entry(chat.chat, temporary=True)))
    assert chat.turns[0].answer == "One."
    assert "does not know what was said" in problems[0]


def test_endless_answer_is_stopped() -> None:
    engine = Engine()
    chat = new_chat(engine)
    chat.ask("one", HERE)
    begin(chat)
    for _ in range(5):
        write(chat, "z" * 1_000_000)
    assert chat.turns[0].length == MAX_ANSWER
    assert state(chat) == "failed"
    assert isinstance(engine.requests[-1], schema.StopAnswer)


def test_running_is_told_at_each_change() -> None:
    chat = new_chat(Engine())
    told: list[bool] = []
    chat.running_changed.connect(told.append)
    chat.ask("one", HERE)
    begin(chat)
    end(chat, "One.")
    chat.ask("two", HERE)
    chat.new_chat()
    assert told == [True, False, True, False]


def test_question_that_waits_is_told_that_the_engine_cannot_start() -> None:
    chat = new_chat(Engine(there=False))
    chat.ask("one", HERE)
    chat.engine_failed("The disk is full.")
    assert chat.turns[0].problem.startswith("The disk is full. Your question is kept")


def test_chat_that_is_gone_makes_room_for_a_new_one() -> None:
    chat = new_chat(Engine())
    problems: list[str] = []
    chat.problem_arose.connect(problems.append)
    chat.open_chat("gone")
    chat.receive(schema.RequestFailed(request="open_chat", code="chat_not_found", text="There is none.", ref="gone"))
    assert chat.chat != "gone"
    assert problems == ["There is none."]
    deleted = chat.chat
    chat.receive(schema.ChatsRemoved(chats=(deleted,)))
    assert chat.chat != deleted


# ----------------------------------------------------------------------------------------------------------- the list

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()


def days_ago(days: float) -> float:
    return NOON - timedelta(days=days).total_seconds()


def test_chats_stand_by_day_in_their_order_whatever_the_clock_said() -> None:
    chats = [
        entry("future", updated=NOON + 1e12),
        entry("now", updated=NOON),
        entry("yesterday", updated=days_ago(1)),
        entry("wrong", updated=NOON),
        entry("week", updated=days_ago(5)),
        entry("old", updated=days_ago(500)),
    ]
    found = [(group.name, [chat.chat for chat in group.chats]) for group in groups(chats, NOON)]
    assert found == [
        ("Today", ["future", "now"]),
        ("Yesterday", ["yesterday", "wrong"]),
        ("Previous 7 days", ["week"]),
        ("Earlier", ["old"]),
    ]
    assert title_of(entry("x", title="")) == "New chat"


def listed(engine: Engine, *chats: schema.ChatEntry, before: int = 0) -> ChatsModel:
    model = ChatsModel(engine.send, lambda: NOON)
    model.connected()
    model.receive(schema.ChatList(ref="list-0", chats=chats, before=before))
    return model


def test_list_is_read_in_pages_and_follows_what_happens() -> None:
    engine = Engine()
    model = listed(engine, entry("b", activity=9), entry("a", activity=8), before=8)
    model.load_more()
    model.load_more()
    assert [request.before for request in engine.sent(schema.ListChats)] == [0, 8]
    model.receive(schema.ChatList(ref="list-8", chats=(entry("z", activity=1),)))
    model.receive(schema.ChatChanged(chat=entry("a", activity=10, title="Anew")))
    assert [chat.chat for chat in model.chats] == ["a", "b", "z"]
    model.receive(schema.ChatsRemoved(chats=("b",)))
    assert [chat.chat for chat in model.chats] == ["a", "z"]
    model.receive(schema.ChatList(ref="list-0", chats=()))  # another connection
    assert model.chats == []


def test_answer_that_ends_elsewhere_is_marked_until_it_is_read() -> None:
    model = listed(Engine(), entry("a", answering="x"), entry("b", answering="y"))
    ended: list[str] = []
    model.answered.connect(ended.append)
    model.show_current("b")
    model.receive(schema.ChatChanged(chat=entry("a")))
    model.receive(schema.ChatChanged(chat=entry("b")))
    assert model.unread == {"a"}
    assert ended == ["a", "b"]
    model.show_current("a")
    assert model.unread == set()


def test_answer_whose_end_was_seen_is_not_marked_when_its_chat_is_left_at_that_moment() -> None:
    model = listed(Engine(), entry("a", answering="x"), entry("b"))
    ended: list[str] = []
    model.answered.connect(ended.append)
    model.show_current("a")
    model.receive(schema.MessageChanged(chat="a", message=answer("x", "q", "Wri", state="writing")))
    assert ended == []
    model.receive(schema.MessageChanged(chat="a", message=answer("x", "q", "Written.")))
    model.show_current("b")  # before the list hears of it
    model.receive(schema.ChatChanged(chat=entry("a")))
    assert model.unread == set()
    assert ended == ["a"]


def test_deletion_can_be_undone_until_the_offer_is_over() -> None:
    engine = Engine()
    model = listed(engine, entry("a"), entry("t", temporary=True))
    offers: list[str] = []
    model.removal_changed.connect(offers.append)
    model.delete(["a"])
    assert last(engine) == schema.DeleteChats(chats=("a",), ref="delete")
    model.undo()
    assert last(engine) == schema.RestoreChats(chats=("a",), ref="restore")
    model.undo()
    assert offers == ["1 chat deleted", ""]
    model.delete(["t"])  # which is gone at once
    assert offers == ["1 chat deleted", "", ""]


def test_the_open_chat_that_is_deleted_elsewhere_is_told_and_can_be_brought_back() -> None:
    engine = Engine()
    model = listed(engine, entry("a", title="Relays"), entry("b"), entry("t", temporary=True))
    told: list[tuple[str, bool]] = []
    model.removal_changed.connect(lambda text: told.append((text, model.can_undo)))
    model.show_current("a")
    model.receive(schema.ChatsRemoved(chats=("b",)))
    assert told == [], "the list shows that"
    model.receive(schema.ChatsRemoved(chats=("a",)))
    model.show_current("new")
    gone = "The chat “Relays” was deleted elsewhere."
    assert told == [(gone, True)]
    assert model.removed_here
    model._offer_is_over()
    assert told[-1] == (gone, False)
    model.receive(schema.ChatChanged(chat=entry("new")))
    assert told[-1] == ("", False)
    model.receive(schema.ChatChanged(chat=entry("a")))
    model.show_current("a")
    model.receive(schema.ChatsRemoved(chats=("a",)))
    model.undo()
    assert last(engine) == schema.RestoreChats(chats=("a",), ref="restore")
    model.show_current("t")
    model.receive(schema.ChatsRemoved(chats=("t",)))
    assert told[-1] == ("The chat “t” was deleted elsewhere.", False)
    model.show_current("new")
    model.show_current("a")
    assert told[-1] == ("", False), "it is of another chat"
    model.receive(schema.ChatsRemoved(everything=True))
    assert told[-1] == ("All chats were deleted.", False)


def test_the_open_chat_that_is_deleted_here_is_not_told_as_deleted_elsewhere() -> None:
    model = listed(Engine(), entry("a"))
    told: list[str] = []
    model.removal_changed.connect(told.append)
    model.show_current("a")
    model.delete(["a"])
    model.receive(schema.ChatsRemoved(chats=("a",)))
    assert told == ["1 chat deleted"]
    assert not model.removed_here


def test_chats_that_are_deleted_one_after_the_other_come_back_together() -> None:
    engine = Engine()
    model = listed(engine, *(entry(name) for name in "abc"))
    offers: list[str] = []
    model.removal_changed.connect(offers.append)
    for name in "abc":  # the Delete key was held
        model.delete([name])
        model.receive(schema.ChatsRemoved(chats=(name,)))
    assert offers == ["1 chat deleted", "2 chats deleted", "3 chats deleted"]
    model.undo()
    assert last(engine) == schema.RestoreChats(chats=("a", "b", "c"), ref="restore")
    model.receive(schema.ChatChanged(chat=entry("d")))
    model.delete(["d"])  # nothing of before is brought back twice
    assert offers[-1] == "1 chat deleted"


def test_what_is_found_has_the_name_that_the_chat_has_now_and_comes_back_with_it() -> None:
    engine = Engine()
    model = listed(engine, entry("a", title="Relays"))
    model.search("relay")
    model._search()
    found = schema.ChatsFound(ref=engine.requests[-1].ref, hits=(schema.ChatHit(chat=entry("a", title="Relays")),))
    model.receive(found)
    model.receive(schema.ChatChanged(chat=entry("a", title="About relays")))
    assert [hit.chat.title for hit in model.hits] == ["About relays"]
    model.delete(["a"])
    model.receive(schema.ChatsRemoved(chats=("a",)))
    assert not model.hits
    model.undo()
    model.receive(schema.Accepted(ref="restore", request="restore_chats"))
    assert last(engine) == schema.SearchChats(query="relay", limit=50, ref=found.ref)


def test_search_shows_what_was_found_for_the_last_words_alone() -> None:
    engine = Engine()
    model = listed(engine, entry("a"))
    model.search("guard")
    model._search()
    first = engine.requests[-1]
    model.search("relay")
    model._search()
    second = engine.requests[-1]
    model.receive(schema.ChatsFound(ref=first.ref, hits=(schema.ChatHit(chat=entry("a")),)))
    assert not model.hits
    assert model.searching
    model.receive(schema.ChatsFound(ref=second.ref, hits=(schema.ChatHit(chat=entry("a"), message="m"),)))
    assert [hit.message for hit in model.hits] == ["m"]
    model.search("")
    assert not model.hits
    assert not model.searching


def test_rename_needs_a_name_that_is_new() -> None:
    engine = Engine()
    model = listed(engine, entry("a"))
    before = len(engine.requests)
    model.rename("a", " ")
    model.rename("a", "a")
    model.rename("unknown", "x")
    assert len(engine.requests) == before
    model.rename("a", " A  new\nname ")
    assert engine.requests[-1].title == "A new name"


def test_refusals_are_told() -> None:
    model = listed(Engine(), entry("a"))
    problems: list[str] = []
    model.problem_arose.connect(problems.append)
    model.receive(schema.RequestFailed(request="restore_chats", code="chat_not_found", text="Too late.", ref="restore"))
    assert problems == ["Too late."]
