"""Chats as a client sees them: made, asked, answered, kept, branched, deleted."""

from __future__ import annotations

import asyncio
import os

import msgspec
import pytest

from engine.api import schema
from engine.chats.database import Database
from engine.chats.history import ChatHistory
from engine.chats.rows import MessageRow
from engine.clock import ManualClock
from engine.errors import ContextLengthError, NetworkNotReadyError
from tests.support.chats import MODEL, Client, history_at
from tests.support.local_api import PlayedService, until


class SetClock(ManualClock):
    """Whose date can be set anywhere."""

    now = 1_750_000_000.0

    def wall(self) -> float:
        return self.now


async def test_a_question_is_answered_and_kept(tmp_path, service):
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        await client.opened("c")
        answer = await client.ask("c", "What is a guard?")
        assert (answer.text, answer.state, answer.model) == ("Hello world", "done", MODEL)
        assert answer.details.badge == "signed"
        assert answer.details.receipt
        deltas = [(delta.at, delta.text) for delta in client.all(schema.AnswerDelta)]
        assert deltas == [(0, "Hello"), (5, " "), (6, "world")]
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        listed = await client.do(schema.ListChats())
        assert [(chat.title, chat.model, chat.answering) for chat in listed.chats] == [("What is a guard?", "", "")]
        opened = await client.do(schema.OpenChat(chat="c"))
        assert [(one.role, one.text) for one in opened.messages] == [
            ("user", "What is a guard?"),
            ("assistant", "Hello world"),
        ]
        receipt = await client.do(schema.GetText(chat="c", message=opened.messages[1].message, part="receipt"))
        assert receipt.text == '{"format":"gentorrent-receipt"}'
    assert (tmp_path / "chats.db").stat().st_mode & 0o777 == 0o600


async def test_the_question_is_on_the_disk_before_it_is_asked(tmp_path, service, history, client):
    import sqlite3

    kept = []

    async def answer(request):
        with sqlite3.connect(tmp_path / "chats.db") as other:
            kept.extend(other.execute("SELECT role, text, state FROM messages ORDER BY place").fetchall())
        async for event in PlayedService().answer(request):
            yield event

    service.answer = answer
    await client.opened("c")
    await client.ask("c", "Hi")
    assert kept == [("user", "Hi", "done"), ("assistant", "", "writing")]


async def test_what_was_said_before_is_asked_with_settings(service, client):
    settings = schema.ChatSettings(
        model=MODEL,
        system="Be short.",
        sampling=schema.SamplingChoice(temperature=0.5, seed=3),
        max_tokens=9,
        stop=("X",),
    )
    await client.opened("c", settings=settings)
    await client.ask("c", "One")
    await client.ask("c", "Two")
    asked = service.requests[-1]
    assert [(one.role, one.content) for one in asked.messages] == [
        ("system", "Be short."),
        ("user", "One"),
        ("assistant", "Hello world"),
        ("user", "Two"),
    ]
    assert (asked.sampling.temperature, asked.sampling.seed, asked.max_tokens, asked.stop) == (0.5, 3, 9, ("X",))
    assert {request.conversation for request in service.requests} == {asked.conversation}
    assert len(asked.conversation) == 64


async def test_two_clients_see_the_same(service, history, client):
    other = Client(history)
    service.pause = 0.01
    await client.opened("c")
    await other.do(schema.OpenChat(chat="c"))
    await client.ask("c", "Hi")
    same = (schema.MessageChanged, schema.AnswerDelta, schema.AnswerStage, schema.DraftChanged)
    assert [one for one in client.events if isinstance(one, same)] == [
        one for one in other.events if isinstance(one, same)
    ]
    await client.do(schema.SaveDraft(chat="c", text="not yet"))
    assert other.last(schema.DraftChanged).draft.text == "not yet"
    assert client.last(schema.DraftChanged).draft.text == ""


async def test_who_opens_in_mid_answer_misses_nothing(service, history, client):
    service.endless, service.pause = True, 0.001
    await client.opened("c")
    accepted = await client.do(schema.SendMessage(chat="c", text="Hi"))
    await until(lambda: len(client.all(schema.AnswerDelta)) > 20)
    late = Client(history)
    opened = await late.do(schema.OpenChat(chat="c"))
    assert opened.chat.answering == accepted.answer
    assert opened.messages[-1].state == "writing"
    await until(lambda: len(late.all(schema.AnswerDelta)) > 20)
    await late.do(schema.StopAnswer(chat="c"))
    text = opened.messages[-1].text
    for delta in late.all(schema.AnswerDelta):
        assert delta.at == len(text)
        text += delta.text
    ended = await late.ended(accepted.answer)
    assert (ended.text, ended.state, ended.problem.code) == (text, "stopped", "cancelled")


async def test_answers_go_on_when_clients_leave(service, history, client):
    service.pause = 0.02
    await client.opened("c")
    await client.do(schema.SendMessage(chat="c", text="Hi"))
    client.close()
    later = Client(history)
    await until(lambda: service.requests and service.running == 0 and history.live("c") is None)
    opened = await later.do(schema.OpenChat(chat="c"))
    assert (opened.messages[-1].text, opened.messages[-1].state) == ("Hello world", "done")


async def test_failed_answers_say_why_and_can_be_asked_again(service, client):
    service.failure = NetworkNotReadyError("Not yet. Wait.")
    await client.opened("c")
    answer = await client.ask("c", "Hi")
    assert (answer.state, answer.text, answer.problem.code) == ("failed", "Hello world", "network_not_ready")
    service.failure = None
    again = await client.do(schema.Regenerate(chat="c", message=answer.message))
    ended = await client.ended(again.answer)
    assert ended.state == "done"
    assert ended.siblings == (answer.message, ended.message)


async def test_edits_and_answers_are_branches(service, client):
    await client.opened("c")
    first = await client.ask("c", "One")
    await client.ask("c", "Two")
    service.words = ["Else"]
    await client.do(schema.SelectBranch(chat="c", message=first.message))
    edited = await client.ask("c", "Zwei", after=first.message)
    assert await client.branch() == ["One", "Hello world", "Zwei", "Else"]
    question = edited.parent
    assert [one.content for one in service.requests[-1].messages] == ["One", "Hello world", "Zwei"]
    opened = await client.do(schema.OpenChat(chat="c"))
    siblings = next(one.siblings for one in opened.messages if one.message == question)
    assert len(siblings) == 2
    selected = await client.do(schema.SelectBranch(chat="c", message=siblings[0]))
    assert [one.text for one in selected.messages] == ["One", "Hello world", "Two", "Hello world"]
    started_anew = await client.ask("c", "Null", after="")
    assert await client.branch() == ["Null", "Else"]
    assert started_anew.state == "done"


async def test_one_answer_at_a_time_and_sending_twice_is_sending_once(service, client):
    service.endless, service.pause = True, 0.005
    await client.opened("c")
    accepted = await client.do(schema.SendMessage(chat="c", text="Hi", message="mine"))
    again = await client.do(schema.SendMessage(chat="c", text="Hi", message="mine"))
    assert (again.message, again.answer) == (accepted.message, accepted.answer) == ("mine", accepted.answer)
    refused = await client.do(schema.SendMessage(chat="c", text="More"))
    assert refused.code == "chat_busy"
    await client.do(schema.StopAnswer(chat="c"))
    other = schema.Regenerate(chat="c", message="mine", answer="other")
    accepted = await client.do(other)
    again = await client.do(other)
    assert (again.message, again.answer) == (accepted.message, accepted.answer) == ("mine", "other")
    await client.do(schema.StopAnswer(chat="c"))
    assert (await client.do(schema.Regenerate(chat="c", message="mine", answer="mine"))).code == "invalid_request"
    question, answer = (await client.do(schema.OpenChat(chat="c"))).messages
    assert (question.message, question.siblings, len(answer.siblings)) == ("mine", ("mine",), 2)


async def test_several_chats_at_once(service, client):
    service.endless, service.pause = True, 0.01
    for chat in ("a", "b", "d"):
        await client.opened(chat)
    accepted = [await client.do(schema.SendMessage(chat=chat, text=chat)) for chat in ("a", "b", "d")]
    await until(lambda: service.running == 3)
    listed = await client.do(schema.ListChats())
    assert {chat.chat: chat.answering for chat in listed.chats} == {one.chat: one.answer for one in accepted}
    for one in accepted:
        await client.do(schema.StopAnswer(chat=one.chat))
        assert (await client.ended(one.answer)).state == "stopped"


async def test_local_only_is_never_asked_elsewhere(service, client):
    await client.opened("c", settings=schema.ChatSettings(local_only=True, route="network"))
    await client.ask("c", "Hi")
    await client.do(
        schema.Regenerate(chat="c", message=(await client.do(schema.OpenChat(chat="c"))).messages[0].message)
    )
    await until(lambda: len(service.requests) == 2)
    assert [request.route for request in service.requests] == ["local", "local"]


async def test_deletion_can_be_undone_for_a_while(tmp_path, service):
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        for chat in ("a", "b"):
            await client.opened(chat)
            await client.ask(chat, f"About {chat}")
        await client.do(schema.DeleteChats(chats=("a", "b")))
        assert client.last(schema.ChatsRemoved).chats == ("a", "b")
        assert (await client.do(schema.ListChats())).chats == ()
        assert (await client.do(schema.OpenChat(chat="a"))).code == "chat_not_found"
        assert (await client.do(schema.SearchChats(query="about"))).hits == ()
        await client.do(schema.RestoreChats(chats=("a",)))
        assert [chat.chat for chat in (await client.do(schema.ListChats())).chats] == ["a"]
        assert await client.branch("a") == ["About a", "Hello world"]
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        refused = await client.do(schema.RestoreChats(chats=("b",)))
        assert refused.code == "chat_not_found"
        await until(lambda: not history.purging)
    assert b"About b" not in (tmp_path / "chats.db").read_bytes()


async def test_temporary_chats_are_never_on_the_disk(tmp_path, service, history, client):
    await client.opened("t", temporary=True)
    await client.ask("t", "A secret word: xylophone")
    await client.do(schema.SaveDraft(chat="t", text="xylophone again"))
    listed = await client.do(schema.ListChats())
    assert [(chat.chat, chat.temporary) for chat in listed.chats] == [("t", True)]
    assert (await client.do(schema.SearchChats(query="xylophone"))).hits == ()
    for file in tmp_path.iterdir():
        assert b"xylophone" not in file.read_bytes()
    await client.do(schema.DeleteChats(chats=("t",)))
    assert (await client.do(schema.OpenChat(chat="t"))).code == "chat_not_found"


async def test_everything_is_deleted_for_good(tmp_path, service, history, client):
    (tmp_path / "chats.damaged-20200101-000000.db").write_bytes(b"xylophone")
    service.words = ["xylophone ", "answers"]
    await client.opened("c", title="xylophone title")
    await client.ask("c", "xylophone question")
    await client.do(schema.SaveDraft(chat="c", text="xylophone draft"))
    service.endless, service.pause = True, 0.005
    await client.do(schema.SendMessage(chat="c", text="xylophone two"))
    done = await client.do(schema.DeleteEverything(confirm="delete all my data"))
    assert isinstance(done, schema.Accepted), done
    assert service.running == 0
    assert (await client.do(schema.ListChats())).chats == ()
    for file in tmp_path.iterdir():
        assert b"xylophone" not in file.read_bytes(), file
    assert [file.name for file in tmp_path.glob("*damaged*")] == []


async def test_keys_are_forgotten_only_if_that_is_asked(service, history, client):
    forgotten = []
    request = schema.DeleteEverything(confirm="delete all my data", keys=True)
    assert (await client.do(request)).code == "invalid_request"
    history.forget_keys = lambda: forgotten.append(True)
    await client.do(schema.DeleteEverything(confirm="delete all my data"))
    assert forgotten == []
    assert isinstance(await client.do(request), schema.Accepted)
    assert forgotten == [True]


async def test_folders_presets_and_settings(client):
    await client.opened("c")
    await client.do(schema.SaveFolder(folder=schema.Folder("f", "Work")))
    await client.do(schema.UpdateChat(chat="c", folder="f", title="Named"))
    preset = schema.Preset(preset="p", name="Poet", system="Rhyme.", max_tokens=5)
    await client.do(schema.SavePreset(preset=preset))
    await client.do(schema.UpdateChat(chat="c", preset="p"))
    listed = await client.do(schema.ListChats(folder="f"))
    assert [(chat.title, chat.folder) for chat in listed.chats] == [("Named", "f")]
    assert listed.folders == (schema.Folder("f", "Work"),)
    assert listed.presets == (preset,)
    changed = client.last(schema.ChatChanged)
    assert (changed.settings.system, changed.settings.preset, changed.settings.max_tokens) == ("Rhyme.", "p", 5)
    await client.do(schema.DeleteFolder(folder="f"))
    assert [(chat.chat, chat.folder) for chat in (await client.do(schema.ListChats())).chats] == [("c", "")]
    assert [chat.chat for chat in (await client.do(schema.ListChats(folder=""))).chats] == ["c"]
    assert (await client.do(schema.SaveFolder(folder=schema.Folder("g", " ")))).code == "invalid_request"
    await client.do(schema.SaveFolder(folder=schema.Folder("f", "Work again")))
    assert (await client.do(schema.ListChats(folder=""))).chats == ()
    assert [chat.folder for chat in (await client.do(schema.ListChats())).chats] == ["f"]


async def test_presets_have_names_of_their_own_and_one_is_the_default(client):
    poet = schema.Preset(preset="p", name=" Poet ", system="Rhyme.\x00", sampling=schema.SamplingChoice(top_k=4))
    assert isinstance(await client.do(schema.SavePreset(preset=poet)), schema.Accepted)
    kept = (await client.do(schema.ListChats())).presets
    assert [(one.name, one.system) for one in kept] == [("Poet", "Rhyme.\ufffd")]
    twice = await client.do(schema.SavePreset(preset=schema.Preset(preset="q", name="poet")))
    assert (twice.code, "already" in twice.text) == ("invalid_request", True)
    nameless = await client.do(schema.SavePreset(preset=schema.Preset(preset="q", name=" ")))
    assert (nameless.code, nameless.text) == ("invalid_request", "A preset needs a name.")
    renamed = await client.do(schema.SavePreset(preset=schema.Preset(preset="p", name="POET")))
    assert isinstance(renamed, schema.Accepted)
    default = schema.Preset(preset=schema.DEFAULT_PRESET, name="Default", system="Be short.", max_tokens=7)
    await client.do(schema.SavePreset(preset=default))
    opened = await client.opened("new")
    assert (opened.settings.system, opened.settings.max_tokens, opened.settings.preset) == ("Be short.", 7, "default")
    opened = await client.opened("own", settings=schema.ChatSettings(system="Mine."))
    assert (opened.settings.system, opened.settings.max_tokens, opened.settings.preset) == ("Mine.", None, "")
    await client.do(schema.DeletePreset(preset=schema.DEFAULT_PRESET))
    assert (await client.opened("plain")).settings == schema.ChatSettings()


async def test_search_finds_words_prefixes_and_umlauts(service, client):
    service.words = ["Die Bäume ", "in Köln"]
    await client.opened("c", title="Über Wälder")
    await client.ask("c", "Erzähle von STRASSENBÄUMEN")
    for query, count in [
        ("bäume", 1),
        ("Baum", 1),
        ("kol", 1),
        ("über", 1),
        ("wald", 1),
        ("strassenb", 1),
        ('"in köln"', 1),
        ('"köln in"', 0),
        ("bäume fehlt", 0),
        ("", 0),
    ]:
        found = await client.do(schema.SearchChats(query=query))
        assert len(found.hits) == count, query
    (hit,) = (await client.do(schema.SearchChats(query="baume"))).hits
    assert [hit.snippet[begin:end] for begin, end in hit.marks] == ["Bäume"]


async def test_what_is_found_in_one_chat_stands_in_its_order(client):
    for chat in ("c", "other"):
        await client.opened(chat, title="Guard")
        for question in ("A guard?", "Guard guard guard", "Something else", "Which guard?"):
            await client.ask(chat, question)
    search = schema.SearchChats(query="guard", chat="c", limit=2)
    found = await client.do(search)
    assert [(hit.snippet, hit.chat.chat) for hit in found.hits] == [("A guard?", "c"), ("Guard guard guard", "c")]
    assert found.more
    rest = await client.do(msgspec.structs.replace(search, offset=2))
    assert ([hit.snippet for hit in rest.hits], rest.more) == (["Which guard?"], False)
    assert (await client.do(schema.SearchChats(query="guard", chat="none"))).hits == ()


async def test_drafts_and_files(tmp_path, service):
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        await client.opened("c")
        await client.do(schema.SaveDraft(chat="c", text="Look at"))
        await client.do(schema.AddAttachment(chat="c", attachment="f", name="a.txt", text="one ", more=True))
        lost = await client.do(schema.AddAttachment(chat="c", attachment="f", name="a.txt", text="two", at=3))
        assert lost.code == "invalid_request"
        await client.do(schema.AddAttachment(chat="c", attachment="f", name="a.txt", text="one ", more=True))
        await client.do(schema.AddAttachment(chat="c", attachment="f", name="a.txt", text="two", at=4))
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        opened = await client.do(schema.OpenChat(chat="c"))
        assert opened.draft.text == "Look at"
        assert [(one.name, one.characters) for one in opened.draft.attachments] == [("a.txt", 7)]
        await client.ask("c", "Look at this", attachments=("f",))
        assert service.requests[-1].messages[-1].content == ("File: a.txt\n```\none two\n```\n\nLook at this")
        opened = await client.do(schema.OpenChat(chat="c"))
        assert opened.draft == schema.Draft()
        assert opened.messages[0].attachments[0].name == "a.txt"


async def test_a_question_that_is_not_the_draft_leaves_it(tmp_path, service):
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        await client.opened("c")
        await client.ask("c", "One")
        await client.do(schema.SaveDraft(chat="c", text="And two"))
        await client.ask("c", "Eins", after="", keep_draft=True)
        assert (await client.opened("c")).draft.text == "And two"
        await client.ask("c", "And two")
        assert (await client.opened("c")).draft.text == ""


async def test_too_long_questions_are_refused_with_words(client):
    await client.opened("c")
    piece = "x" * schema.MAX_TEXT
    big = schema.AddAttachment(chat="c", attachment="f", name="big.txt", text=piece, more=True)
    for at in range(0, schema.MAX_QUESTION, schema.MAX_TEXT):
        assert isinstance(await client.do(msgspec.structs.replace(big, at=at)), schema.Accepted)
    reply = await client.do(msgspec.structs.replace(big, text="x", at=schema.MAX_QUESTION))
    assert (reply.code, "2,000,000 characters" in reply.text) == ("invalid_request", True)
    assert (await client.do(schema.OpenChat(chat="c"))).draft == schema.Draft()


async def test_a_full_context_is_told_and_the_oldest_turns_dropped_only_when_chosen(tmp_path):
    service = PlayedService()

    async def count(request):
        return sum(1000 for _ in request.messages)

    async with history_at(tmp_path / "chats.db", service, count=count) as history:
        client = Client(history)
        await client.opened("c")
        await client.ask("c", "One")
        await client.do(schema.SaveDraft(chat="c", text="Two"))
        await client.ask("c", "Two")
        await client.do(schema.SaveDraft(chat="c", text="Three"))
        overflow = await client.do(schema.SendMessage(chat="c", text="Three"))
        assert isinstance(overflow, schema.ContextOverflow), overflow
        assert (overflow.used, overflow.limit, overflow.droppable, overflow.exact) == (5000, 4096, 2, True)
        assert len(await client.branch()) == 4
        assert (await client.do(schema.OpenChat(chat="c"))).draft.text == "Three"
        accepted = await client.do(schema.SendMessage(chat="c", text="Three", overflow="drop_oldest"))
        assert accepted.dropped == 2
        answer = await client.ended(accepted.answer)
        assert answer.details.dropped == 2
        assert [one.content for one in service.requests[-1].messages] == ["Two", "Hello world", "Three"]
        state = await client.do(schema.GetContext(chat="c"))
        assert (state.used, state.limit, state.left, state.exact) == (6000, 4096, 0, False) or state.used > 0


@pytest.mark.parametrize(
    ("overflow", "asked", "dropped"),
    [
        ("drop_oldest", ["Two", "Hello world", "Three"], 2),
        ("keep_ends", ["One", "Hello world", "Three"], 2),
    ],
)
async def test_what_is_left_out_is_chosen_for_the_chat(tmp_path, overflow, asked, dropped):
    service = PlayedService()

    async def count(request):
        return 1200 * len(request.messages)

    async with history_at(tmp_path / "chats.db", service, count=count) as history:
        client = Client(history)
        await client.opened("c", settings=schema.ChatSettings(overflow=overflow))
        await client.ask("c", "One")
        await client.ask("c", "Two")
        answer = await client.ask("c", "Three")
        assert (answer.details.dropped, answer.details.overflow) == (dropped, overflow)
        assert [one.content for one in service.requests[-1].messages] == asked
        refused = await client.do(schema.SendMessage(chat="c", text="Four", overflow="refuse"))
        assert isinstance(refused, schema.ContextOverflow)


async def test_a_first_turn_that_is_too_long_itself_is_left_out_at_last(tmp_path):
    service = PlayedService()

    async def count(request):
        return sum(3000 if one.content == "Long" else 500 for one in request.messages)

    async with history_at(tmp_path / "chats.db", service, count=count) as history:
        client = Client(history)
        await client.opened("c", settings=schema.ChatSettings(overflow="keep_ends"))
        await client.ask("c", "Long")
        answer = await client.ask("c", "Two")
        assert (answer.details.dropped, answer.details.overflow) == (2, "drop_oldest")
        assert [one.content for one in service.requests[-1].messages] == ["Two"]


async def test_the_context_is_told_with_the_draft_whenever_it_changes(tmp_path):
    async def count(request):
        return sum(len(one.content) for one in request.messages)

    async with history_at(tmp_path / "chats.db", PlayedService(), count=count) as history:
        client = Client(history)
        await client.opened("c", settings=schema.ChatSettings(system="Be short."))
        await until(lambda: client.all(schema.ContextState))
        await client.do(schema.SaveDraft(chat="c", text="x" * 100))
        await until(lambda: client.last(schema.ContextState).used == 109)
        file = schema.AddAttachment(chat="c", attachment="f", name="n", text="y" * 50)
        await client.do(file)
        await until(lambda: client.last(schema.ContextState).used > 159)
        state = client.last(schema.ContextState)
        assert (state.limit, state.exact, state.room) == (4096, True, 256)
        await client.do(schema.RemoveAttachment(chat="c", attachment="f"))
        await client.do(schema.SaveDraft(chat="c", text=""))
        await until(lambda: client.last(schema.ContextState).used == 9)


async def test_nothing_is_begun_while_the_history_ends(tmp_path):
    """An answer may take its time to end; what clients still say meanwhile is kept, and counted by nobody."""
    ending, counted = asyncio.Event(), []

    class Slow(PlayedService):
        async def answer(self, request):
            try:
                async for event in super().answer(request):
                    yield event
            finally:
                await ending.wait()

    async def count(request):
        counted.append(request)
        return 1

    history = ChatHistory(tmp_path / "chats.db", Slow(endless=True), count, ManualClock(), os.urandom, print)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(history.run())
        client = Client(history)
        await client.opened("other")
        await client.opened("c")
        await client.do(schema.SendMessage(chat="c", text="Hi"))
        await until(lambda: client.all(schema.AnswerDelta))
        running.cancel()
        await asyncio.sleep(0)
        before = len(counted)
        await client.do(schema.SaveDraft(chat="c", text="And"))
        refused = await client.do(schema.SendMessage(chat="other", text="And?"))
        assert refused.code == "overloaded"
        ending.set()
    assert len(counted) == before


async def test_what_suits_the_model_is_used_where_nothing_is_chosen(service, client):
    await client.opened("c")
    await client.ask("c", "Hi")
    assert service.requests[-1].sampling.temperature == 0  # the built-in model
    await client.do(schema.UpdateChat(chat="c", settings=schema.ChatSettings(model="someone/Model")))
    await client.ask("c", "Hi")
    assert (service.requests[-1].sampling.temperature, service.requests[-1].sampling.top_p) == (0.7, 0.95)


async def test_pages(service, client):
    await client.opened("c")
    for number in range(6):
        await client.ask("c", f"Question {number}")
    opened = await client.do(schema.OpenChat(chat="c", limit=4))
    assert ([one.text for one in opened.messages], opened.earlier) == (
        ["Question 4", "Hello world", "Question 5", "Hello world"],
        True,
    )
    page = await client.do(schema.GetMessages(chat="c", before=opened.messages[0].message, limit=200))
    assert (len(page.messages), page.earlier, page.later) == (8, False, True)
    page = await client.do(schema.GetMessages(chat="c", after=page.messages[0].message, limit=3))
    assert [one.text for one in page.messages] == ["Hello world", "Question 1", "Hello world"]
    assert (page.earlier, page.later) == (True, True)


async def test_chat_opens_at_a_message_also_on_another_branch(service, client, history):
    await client.opened("c")
    first = await client.ask("c", "One")
    two = await client.ask("c", "Two")
    for number in range(4):
        await client.ask("c", f"More {number}")
    opened = await client.do(schema.OpenChat(chat="c", limit=4, message=two.parent))
    assert [one.text for one in opened.messages] == ["One", "Hello world", "Two", "Hello world"]
    assert (opened.earlier, opened.later) == (False, True)
    edited = await client.ask("c", "Zwei", after=first.message)
    other = Client(history)
    await other.opened("c")
    opened = await client.do(schema.OpenChat(chat="c", message=two.message))
    assert [one.text for one in opened.messages][2:5] == ["Two", "Hello world", "More 0"]
    told = other.last(schema.BranchSelected)
    assert (told.message, len(told.messages), told.ref) == (two.message, 12, "")
    assert (await other.branch())[-2] == "More 3"
    again = await client.do(schema.SelectBranch(chat="c", message=first.message))
    assert len(again.messages) == 12  # it lies on the branch that is shown
    assert other.last(schema.BranchSelected) is told
    unknown = await client.do(schema.OpenChat(chat="c", message="gone"))
    assert unknown.messages[-2].text == "More 3"
    await client.do(schema.SelectBranch(chat="c", message=edited.message))
    assert (await other.branch())[-2] == "Zwei"
    other.close()


async def test_other_wordings_of_questions_are_kept_until_they_are_asked(tmp_path, service, monkeypatch):
    monkeypatch.setattr("engine.chats.conversation.MAX_EDITS", 1)
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        await client.opened("c")
        one, two = await client.ask("c", "One"), await client.ask("c", "Two")
        await client.do(schema.SaveDraft(chat="c", text="And"))
        saved = await client.do(schema.SaveDraft(chat="c", text="Eins", message=one.parent))
        assert saved.saved
        refused = await client.do(schema.SaveDraft(chat="c", text="Zwei", message=two.parent))
        assert refused.code == "invalid_request"
        assert (await client.do(schema.SaveDraft(chat="c", text="x", message="gone"))).code == "chat_not_found"
        long = schema.SaveDraft(chat="c", text="x" * 70_000, message=one.parent)
        assert (await client.do(long)).code == "invalid_request"
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        draft = (await client.opened("c")).draft
        assert (draft.text, draft.edits) == ("And", (schema.Edit(one.parent, "Eins"),))
        await client.do(schema.SaveDraft(chat="c", text="", message=one.parent))
        assert not (await client.opened("c")).draft.edits
        await client.do(schema.SaveDraft(chat="c", text="Eins", message=one.parent))
        await client.do(schema.DeleteChats(chats=("c",)))
        while await history.disk.ask(Database.purge, "c"):
            pass
        assert await history.disk.edits("c") == {}


async def test_export(service, client):
    service.words = ["Use ```", "code``` here"]
    await client.opened("c", title="My / title: x?", settings=schema.ChatSettings(system="Be kind."))
    await client.do(schema.AddAttachment(chat="c", attachment="f", name="n.txt", text="a ``` b"))
    await client.ask("c", "Why?", attachments=("f",))

    async def exported(form: str) -> tuple[str, str]:
        await client.do(schema.ExportChat(chat="c", format=form))
        pieces = client.all(schema.ExportPiece)
        assert pieces[-1].last
        text = "".join(piece.text for piece in pieces)
        client.events.clear()
        return pieces[-1].name, text

    name, text = await exported("markdown")
    assert name == "My title x.md"
    assert text.startswith("# My / title: x?\n\n> **System prompt**\n>\n> Be kind.\n\n## Question, ")
    assert "Attached: n.txt\n\n````\na ``` b\n````\n" in text
    name, text = await exported("json")
    chat = msgspec.json.decode(text)
    assert (chat["format"], chat["settings"]["system"], len(chat["messages"])) == ("gentorrent-chat-1", "Be kind.", 2)
    assert chat["messages"][0]["attachments"] == [{"name": "n.txt", "text": "a ``` b"}]
    assert chat["messages"][1]["receipt"] == '{"format":"gentorrent-receipt"}'


async def test_a_stopped_engine_marks_answers_as_interrupted(tmp_path, service):
    service.endless, service.pause = True, 0.001
    async with history_at(tmp_path / "chats.db", service) as history:
        client = Client(history)
        await client.opened("c")
        await client.do(schema.SendMessage(chat="c", text="Hi"))
        await until(lambda: len(client.all(schema.AnswerDelta)) > 10)
    text = "".join(delta.text for delta in client.all(schema.AnswerDelta))
    async with history_at(tmp_path / "chats.db", service) as history:
        opened = await Client(history).do(schema.OpenChat(chat="c"))
        answer = opened.messages[-1]
        assert (answer.state, answer.problem.code, answer.text) == ("interrupted", "interrupted", text)


async def test_answers_are_saved_while_they_are_written(tmp_path, service, history, client):
    import sqlite3

    service.endless, service.pause = True, 0.01
    await client.opened("c")
    await client.do(schema.SendMessage(chat="c", text="Hi"))
    with sqlite3.connect(tmp_path / "chats.db") as other:
        query = "SELECT text FROM messages WHERE state = 'writing'"
        async with asyncio.timeout(5):
            while not other.execute(query).fetchone()[0]:
                await asyncio.sleep(0.05)


async def test_an_answer_that_has_not_begun_can_be_stopped(service, history, client):
    await client.opened("c")
    start = history.start
    async with asyncio.TaskGroup() as tasks:

        def stop_first(live, *others):
            tasks.create_task(history.stop(live))
            start(live, *others)

        history.start = stop_first
        answer = await client.ended((await client.do(schema.SendMessage(chat="c", text="Hi"))).answer)
    history.start = start
    assert answer.state == "stopped"
    assert (await client.ask("c", "Again")).state == "done"


async def test_a_long_chat_is_opened_by_its_end_and_read_in_pages(tmp_path, service, history, client):
    await client.opened("c")
    rows = []
    for place in range(1000):
        role = "assistant" if place % 2 else "user"
        parent = f"m{place - 1}" if place else ""
        one = MessageRow(id=f"m{place}", chat="c", parent=parent, place=place + 1, role=role)
        rows.append(msgspec.structs.replace(one, text=f"{place} " + "ä" * (200_000 if place == 990 else 5_000)))
    await history.disk.save(*rows)
    await client.do(schema.CloseChat(chat="c"))
    other = Client(history)
    opened = await other.do(schema.OpenChat(chat="c", limit=200))
    assert len(schema.encode(opened).encode()) < schema.MAX_CONTROL_MESSAGE
    assert opened.earlier
    seen = list(opened.messages)
    while True:
        page = await other.do(schema.GetMessages(chat="c", before=seen[0].message, limit=200))
        assert len(schema.encode(page).encode()) < schema.MAX_CONTROL_MESSAGE
        seen[:0] = page.messages
        if not page.earlier:
            break
    assert [one.message for one in seen] == [f"m{place}" for place in range(1000)]
    long = seen[990]
    assert (len(long.text), long.characters) == (schema.MAX_PIECE, 200_004)
    text = long.text
    while len(text) < long.characters:
        text += (await other.do(schema.GetText(chat="c", message="m990", at=len(text)))).text
    assert text == rows[990].text


async def test_only_the_newest_turns_of_a_long_chat_are_read_for_a_question(history, client, service):
    await client.opened("c")
    rows = [
        MessageRow(
            id=f"m{place}",
            chat="c",
            parent=f"m{place - 1}" if place else "",
            place=history.next_place(),
            role="assistant" if place % 2 else "user",
            text="word " * 4000,
        )
        for place in range(400)
    ]
    await client.do(schema.CloseChat(chat="c"))
    await history.disk.save(*rows)
    await client.do(schema.OpenChat(chat="c"))
    overflow = await client.do(schema.SendMessage(chat="c", text="Hi"))
    assert isinstance(overflow, schema.ContextOverflow)
    assert (overflow.droppable, overflow.exact) == (400, False)
    answer = await client.ask("c", "Hi", overflow="drop_oldest")
    assert answer.state == "done"
    assert [one.content for one in service.requests[-1].messages] == ["Hi"]


async def test_a_machine_that_holds_less_than_was_thought_is_asked_with_less_only_if_that_was_chosen(service, client):
    await client.opened("c")
    for text in ("One", "Two", "Three"):
        await client.ask("c", text)
    answer = service.answer

    async def small(request):
        if len(request.messages) > 3:
            raise ContextLengthError("The conversation has too many tokens. Shorten it.")
        async for event in answer(request):
            yield event

    service.answer = small
    refused = await client.ask("c", "Four")
    assert (refused.state, refused.problem.code) == ("failed", "context_length_exceeded")
    again = await client.do(schema.Regenerate(chat="c", message=refused.message, overflow="drop_oldest"))
    ended = await client.ended(again.answer)
    assert (ended.state, ended.details.dropped) == ("done", 4)
    assert [one.content for one in service.requests[-1].messages] == ["Three", "Hello world", "Four"]


async def test_lists_keep_their_order_when_the_clock_is_set_back(tmp_path, service):
    clock = SetClock()
    async with history_at(tmp_path / "chats.db", service, clock=clock) as history:
        client = Client(history)
        await client.opened("old")
        clock.now = 1000.0
        await client.opened("new")
        await client.ask("new", "Hi")
        listed = await client.do(schema.ListChats())
        assert [chat.chat for chat in listed.chats] == ["new", "old"]
        assert await client.branch("new") == ["Hi", "Hello world"]
        answers = [message.created for message in (await client.do(schema.OpenChat(chat="new"))).messages]
        assert answers == [1000.0, 1000.0]


async def test_deleted_and_temporary_chats_are_forgotten_in_time(tmp_path, service, monkeypatch):
    monkeypatch.setattr("engine.chats.history.HOUSE_SECONDS", 0.02)
    clock = ManualClock()
    async with history_at(tmp_path / "chats.db", service, clock=clock) as history:
        client = Client(history)
        await client.opened("c", title="xylophone")
        await client.opened("t", temporary=True)
        await client.opened("open", temporary=True)
        await client.do(schema.CloseChat(chat="t"))
        await client.do(schema.DeleteChats(chats=("c",)))
        clock.advance(299)
        await asyncio.sleep(0.1)
        assert isinstance(await client.do(schema.RestoreChats(chats=("c",))), schema.Accepted)
        await client.do(schema.DeleteChats(chats=("c",)))
        clock.advance(301)
        async with asyncio.timeout(5.0):
            while await history.disk.chat("c") is not None or history.purging:
                await asyncio.sleep(0.01)
        assert all(b"xylophone" not in file.read_bytes() for file in tmp_path.iterdir())
        assert (await client.do(schema.RestoreChats(chats=("c",)))).code == "chat_not_found"
        clock.advance(301)
        await until(lambda: client.last(schema.ChatsRemoved).chats == ("t",))
        listed = await client.do(schema.ListChats())
        assert [chat.chat for chat in listed.chats] == ["open"]


async def test_ids_of_other_chats_are_refused(client):
    await client.opened("a")
    await client.opened("b")
    await client.ask("a", "Mine", message="m")
    await client.do(schema.AddAttachment(chat="a", attachment="f", name="f.txt", text="mine"))
    taken = await client.do(schema.SendMessage(chat="b", text="Theirs", message="m"))
    assert taken.code == "invalid_request"
    taken = await client.do(schema.AddAttachment(chat="b", attachment="f", name="f.txt", text="theirs"))
    assert taken.code == "invalid_request"
    assert await client.branch("a") == ["Mine", "Hello world"]
    piece = await client.do(schema.GetText(chat="a", part="attachment", attachment="f"))
    assert piece.text == "mine"


async def test_what_is_not_there_is_said(client):
    await client.opened("c")
    for request, code in [
        (schema.OpenChat(chat="x"), "chat_not_found"),
        (schema.Regenerate(chat="c", message="x"), "chat_not_found"),
        (schema.SelectBranch(chat="c", message="x"), "chat_not_found"),
        (schema.GetText(chat="c", message="x"), "chat_not_found"),
        (schema.SendMessage(chat="c", text=" \n"), "invalid_request"),
        (schema.SendMessage(chat="c", text="Hi", after="x"), "chat_not_found"),
        (schema.SendMessage(chat="c", text="Hi", attachments=("x",)), "chat_not_found"),
        (schema.UpdateChat(chat="c", preset="x"), "chat_not_found"),
    ]:
        refused = await client.do(request)
        assert isinstance(refused, schema.RequestFailed), request
        assert refused.code == code, request
    assert (await client.do(schema.OpenChat(chat="c"))).messages == ()


async def test_what_no_database_can_hold_is_kept_without_it(tmp_path, service, client):
    service.words = ["a\x00b", "\ud800c"]
    await client.opened("c", title="t\x00itle")
    answer = await client.ask("c", "que\x00stion")
    assert (answer.text, answer.saved) == ("a\ufffdb?c", True)
    assert (await client.branch())[0] == "que\ufffdstion"
