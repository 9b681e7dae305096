"""Names that only the engine's memory has: what is given again to the next engine, and what is not."""

from __future__ import annotations

from app.models.chat_setup import ChatSetup
from app.models.chats import ChatsModel
from app.models.status import StatusModel
from app.models.transcript import ChatTranscript
from engine.api import schema
from tests.ui.test_folders import Engine, entry, listed


def accepted(ref: str, saved: bool = True, request: str = "update_chat") -> schema.Accepted:
    return schema.Accepted(ref=ref, request=request, saved=saved, problem="" if saved else "The disk is full.")


def given_again(model: ChatsModel, engine: Engine) -> list[schema.Request]:
    """What the next engine is given beside the question for the list."""
    engine.requests.clear()
    model.connected()
    model.receive(schema.ChatList(ref="list-0", chats=(entry("a", 2), entry("b", 1))))
    return [one for one in engine.requests if not isinstance(one, schema.ListChats)]


def renamed(title: str) -> schema.UpdateChat:
    return schema.UpdateChat(chat="a", title=title, ref="rename-a")


def test_what_was_saved_is_not_given_again() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2), entry("b", 1))
    model.rename("a", "One")
    model.receive(accepted("rename-a"))
    assert given_again(model, engine) == []


def test_what_was_not_answered_or_not_saved_is_given_again_until_it_is() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2), entry("b", 1))
    model.rename("a", "One")
    model.move("a", "w")
    model.receive(accepted("move-a", saved=False))
    both = [renamed("One"), schema.UpdateChat(chat="a", folder="w", ref="move-a")]
    assert given_again(model, engine) == both
    assert given_again(model, engine) == both
    model.receive(accepted("rename-a"))
    model.receive(accepted("move-a"))
    assert given_again(model, engine) == []


def test_of_several_names_the_newest_counts() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2), entry("b", 1))
    model.rename("a", "One")
    model.rename("a", "Two")
    model.receive(accepted("rename-a"))  # the first one
    assert given_again(model, engine) == [renamed("Two")]


def test_a_disk_that_takes_everything_again_ends_it() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2), entry("b", 1))
    model.rename("a", "One")
    model.receive(accepted("rename-a", saved=False))
    model.receive(schema.SavingState())
    assert given_again(model, engine) == []


def test_chats_that_are_gone_need_no_name_and_nobody_is_told() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2), entry("b", 1))
    told: list[str] = []
    model.problem_arose.connect(told.append)
    model.rename("a", "One")
    model.rename("b", "Other")
    model.receive(accepted("rename-a", saved=False))
    model.receive(accepted("rename-b", saved=False))
    model.receive(schema.ChatsRemoved(chats=("b",)))
    assert given_again(model, engine) == [renamed("One")]
    gone = schema.RequestFailed(request="update_chat", code="chat_not_found", text="There is no chat.", ref="rename-a")
    model.receive(gone)
    assert told == []
    assert given_again(model, engine) == []
    model.rename("a", "Two")
    model.receive(gone)
    assert told == ["There is no chat."]
    assert given_again(model, engine) == []


def test_folders_are_made_again() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2), entry("b", 1))
    folder = model.folders.make()
    made = engine.requests[-1]
    model.receive(accepted(f"folder-{folder}", saved=False, request="save_folder"))
    assert given_again(model, engine) == [made]
    model.receive(schema.ChatsRemoved(everything=True))
    assert given_again(model, engine) == []


def test_names_that_an_engine_had_not_saved_are_named_before_quitting() -> None:
    engine = Engine()
    model, status = listed(engine, entry("a", 2), entry("b", 1)), StatusModel(engine.send)
    status.engine_connected()
    model.rename("a", "One")
    model.receive(accepted("rename-a", saved=False))
    assert status.loss(model.names.count) == ""  # the engine has it, and says itself what its disk does not take
    status.engine_away("It ended.")
    assert "1 change of a name, folder or preset" in status.loss(model.names.count)
    status.cannot_keep("The disk is full")
    assert "What you have written is not with the engine yet" in status.loss(model.names.count)
    assert "1 change of a name, folder or preset" in status.loss(model.names.count)
    status.cannot_keep("")
    given_again(model, engine)
    model.receive(accepted("rename-a"))
    assert status.loss(model.names.count) == ""


def test_presets_are_made_again_and_stay_deleted() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2), entry("b", 1))
    numbers = iter("12")
    setup = ChatSetup(ChatTranscript(engine.send), model.names.send, lambda: next(numbers))
    for name in ("One", "Two"):
        assert setup.save_as(name)
        model.receive(accepted(f"preset-{1 if name == 'One' else 2}", saved=False, request="save_preset"))
    one, two = (sent.preset for sent in engine.requests if isinstance(sent, schema.SavePreset))
    setup.delete(one)
    model.receive(accepted("preset-1", saved=False, request="delete_preset"))
    again = given_again(model, engine)
    assert again == [schema.SavePreset(preset=two, ref="preset-2"), schema.DeletePreset(preset="1", ref="preset-1")]
    model.receive(accepted("preset-2", request="save_preset"))
    model.receive(accepted("preset-1", request="delete_preset"))
    assert given_again(model, engine) == []
