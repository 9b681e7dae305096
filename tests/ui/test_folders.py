"""Folders of chats: the view-model, and the window by menu, keys and dragging."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app.models.chats import ChatsModel
from app.preferences import read_state
from app.views.chat_rows import MIME
from engine.api import schema
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_chat_list import ask, rows


class Engine:
    """Takes requests."""

    def __init__(self) -> None:
        self.requests: list[schema.Request] = []

    def send(self, request: schema.Request) -> bool:
        self.requests.append(request)
        return True


def entry(chat: str, activity: int, folder: str = "") -> schema.ChatEntry:
    return schema.ChatEntry(chat=chat, title=chat, activity=activity, updated=1_790_000_000.0, folder=folder)


def listed(engine: Engine, *entries: schema.ChatEntry, before: int = 0) -> ChatsModel:
    model = ChatsModel(engine.send, lambda: 1_790_000_000.0)
    folders = (schema.Folder("w", "Work"), schema.Folder("h", "home"))
    model.receive(schema.ChatList(ref="list-0", chats=entries, folders=folders, before=before))
    return model


def shown(model: ChatsModel) -> list[tuple[str, list[str]]]:
    return [(group.name, [chat.chat for chat in group.chats]) for group in model.groups()]


def test_folders_stand_before_the_days_by_name() -> None:
    model = listed(Engine(), entry("a", 3, "w"), entry("b", 2), entry("c", 1, "gone"))
    assert shown(model) == [("home", []), ("Work", ["a"]), ("Today", ["b", "c"])]
    model.receive(schema.FoldersChanged(folders=(schema.Folder("gone", "Old"),)))
    assert shown(model) == [("Old", ["c"]), ("Today", ["a", "b"])]
    model.receive(schema.ChatsRemoved(everything=True))
    assert shown(model) == []


def test_chats_move_and_what_makes_no_sense_is_not_asked() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 2, "w"), schema.ChatEntry(chat="t", title="t", temporary=True))
    model.folders.fold("h", True)
    model.move("a", "h")
    assert engine.requests.pop() == schema.UpdateChat(chat="a", folder="h", ref="move-a")
    assert not model.folders.is_collapsed("h")
    for chat, folder in (("a", "w"), ("t", "w"), ("unknown", "w")):
        model.move(chat, folder)
    assert engine.requests == []


def test_new_folders_have_names_of_their_own() -> None:
    engine = Engine()
    model = listed(engine)
    made = model.folders.make()
    assert engine.requests[-1].folder == schema.Folder(made, "New folder")
    model.receive(schema.FoldersChanged(folders=(schema.Folder(made, "New folder"),)))
    model.folders.make()
    assert engine.requests[-1].folder.name == "New folder 2"
    before = len(engine.requests)
    model.folders.rename(made, "  ")
    model.folders.rename("unknown", "x")
    assert len(engine.requests) == before
    model.folders.rename(made, " A \n name " + 200 * "x")
    assert engine.requests[-1].folder.name == ("A name " + 200 * "x")[:100]


def test_deleted_folder_comes_back_with_its_chats() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 1, "w"))
    offers: list[str] = []
    model.removal_changed.connect(offers.append)
    model.delete_folder("w")
    assert engine.requests.pop() == schema.DeleteFolder(folder="w", ref="folder-w")
    model.receive(schema.FoldersChanged(folders=()))
    assert shown(model) == [("Today", ["a"])]
    model.undo()
    assert engine.requests.pop() == schema.SaveFolder(folder=schema.Folder("w", "Work"), ref="folder-w")
    model.receive(schema.FoldersChanged(folders=(schema.Folder("w", "Work"),)))
    assert shown(model) == [("Work", ["a"])]
    assert offers == ["Folder deleted, its chats are kept", ""]


def test_older_chats_of_folders_are_asked_for_one_folder_after_the_other() -> None:
    engine = Engine()
    model = listed(engine, entry("a", 9), before=9)
    first = engine.requests[-1]
    assert (first.folder, first.before, first.ref) == ("w", 0, "folder")
    model.receive(schema.ChatList(ref="folder", chats=(entry("b", 5, "w"),), before=5))
    assert (engine.requests[-1].folder, engine.requests[-1].before) == ("w", 5)
    model.receive(schema.ChatList(ref="folder", chats=(entry("c", 2, "w"),)))
    assert (engine.requests[-1].folder, engine.requests[-1].before) == ("h", 0)
    model.receive(schema.ChatList(ref="folder", chats=()))
    assert len(engine.requests) == 3
    assert shown(model)[1] == ("Work", ["b", "c"])


def test_refused_folders_are_told() -> None:
    model = listed(Engine())
    problems: list[str] = []
    model.problem_arose.connect(problems.append)
    model.receive(schema.RequestFailed(request="save_folder", code="overloaded", text="Too many.", ref="folder-n"))
    assert problems == ["Too many."]


def drag(window, chat: str, row: int, kind=QDropEvent) -> bool:
    """Hold or drop a chat over a row; whether that is accepted."""
    shown = window.window.chat_page.chats.list
    data = QMimeData()
    data.setData(MIME, chat.encode())
    at = shown.visualItemRect(shown.item(row)).center()
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    where = QPointF(at) if kind is QDropEvent else at
    event = kind(where, Qt.DropAction.MoveAction, data, buttons, keys)
    (shown.dropEvent if kind is QDropEvent else shown.dragMoveEvent)(event)
    return bool(event.isAccepted())


def test_folder_is_made_named_folded_and_deleted(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "One?")
            await until(lambda: window.turn.state == "done" and "One?" in rows(window))
            sidebar = window.window.chat_page.chats
            sidebar.new_folder.click()
            await until(lambda: sidebar.list.findChild(QLineEdit))
            editor = sidebar.list.findChild(QLineEdit)
            assert editor.text() == "New folder"
            QTest.keyClicks(editor, "Work")
            QTest.keyClick(editor, Qt.Key.Key_Return)
            await until(lambda: rows(window) == ["Work (0)", "Today", "One?"])

            sidebar.list.setCurrentRow(2)
            actions = {one.text(): one for one in sidebar.list.move_menu(window.chat.chat).actions()}
            assert list(actions) == ["Work", "", "New folder…", "Out of the folder"]
            assert not actions["Out of the folder"].isEnabled()
            actions["Work"].trigger()
            await until(lambda: rows(window) == ["Work (1)", "One?"])

            sidebar.list.setFocus()
            sidebar.list.setCurrentRow(1)
            QTest.keyClick(sidebar.list, Qt.Key.Key_Left)
            assert rows(window) == ["Work (1)"]
            heading = sidebar.list.item(0)
            assert heading.data(Qt.ItemDataRole.AccessibleTextRole) == "Folder Work, 1 chat, folded away"
            assert sidebar.list.currentItem() is heading
            QTest.keyClicks(sidebar.search, "One")
            await until(lambda: window.chats.hits)
            await until(lambda: any(row.startswith("One?") for row in rows(window)))
            sidebar.search.clear()
            assert read_state(tmp_path).collapsed == (window.chats.folders.all[0].folder,)
            QTest.keyClick(sidebar.list, Qt.Key.Key_Return)
            assert rows(window) == ["Work (1)", "One?"]

            sidebar.list.setCurrentRow(0)
            QTest.keyClick(sidebar.list, Qt.Key.Key_Delete)
            await until(lambda: rows(window) == ["Today", "One?"])
            assert window.chat.turns
            sidebar.undo.click()
            await until(lambda: rows(window) == ["Work (1)", "One?"])

    drive(scenario())


def test_chats_are_dragged_into_folders_and_out(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            for question in ("One?", "Two?"):
                window.window._new_chat()
                ask(window, question)
                await until(lambda: window.chat.turns and window.turn.state == "done")
            window.window.chat_page.chats.list.make_folder(window.chat.chat)
            editor = window.window.chat_page.chats.list
            await until(lambda: editor.findChild(QLineEdit))
            QTest.keyClick(editor.findChild(QLineEdit), Qt.Key.Key_Escape)
            await until(lambda: rows(window) == ["New folder (1)", "Two?", "Today", "One?"])
            one = next(chat.chat for chat in window.chats.chats if chat.title == "One?")
            assert drag(window, one, 0, QDragMoveEvent)
            assert drag(window, one, 1)
            await until(lambda: rows(window) == ["New folder (2)", "Two?", "One?"])
            assert not drag(window, "unknown", 0)
            two = window.chat.chat
            window.chats.move(one, "")
            await until(lambda: rows(window) == ["New folder (1)", "Two?", "Today", "One?"])
            assert drag(window, two, 2)
            await until(lambda: rows(window) == ["New folder (0)", "Today", "Two?", "One?"])

    drive(scenario())


def test_folded_folders_stay_folded(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()):
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.chats.known)
                folder = window.chats.folders.make()
                await until(lambda: window.chats.folders.all)
                window.chats.folders.fold(folder, True)
            async with open_window(tmp_path, NoProcess()) as window:
                await until(lambda: window.chats.known)
                assert window.chats.folders.collapsed == (folder,)
                assert rows(window) == ["New folder (0)"]

    drive(scenario())
