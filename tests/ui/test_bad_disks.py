"""The window over a full disk and a damaged database: it says what happened, and loses no message."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import unsent_file
from app.models.status import StatusModel
from app.models.unsent import Unsent
from app.views.basics import PlainLabel
from app.views.confirm_dialog import ConfirmDialog
from engine.api import schema
from engine.chats import store as store_module
from engine.storage.data_directory import DataDirectory
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_chat_list import ask, rows
from tests.ui.test_folders import Engine


def test_full_disk_is_said_until_it_is_not() -> None:
    model = StatusModel(Engine().send)
    model.engine_connected()
    model.receive(PlayedEngine().state())
    full = "Chats cannot be saved: the disk is full. Free some space."
    model.receive(schema.SavingState(problem=full, waiting=1))
    line = model.line()
    assert (line.tone, line.text) == ("error", f"{full} 1 change waits for it.")
    model.receive(schema.SavingState())
    assert model.line().tone != "error"
    model.receive(schema.SavingState(problem=full, waiting=1))
    model.engine_away("gone")
    model.engine_connected()
    model.receive(PlayedEngine().state())
    assert model.line().tone != "error"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = sys.platform == "linux" and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mount")
    if (
        not mounted
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False).returncode
    ):
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_real_full_disk_costs_no_message(drive: Drive, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.1)
    chats = DataDirectory(small_disk)

    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(small_disk, engine), open_window(small_disk, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "Before?")
            await until(lambda: window.turn.state == "done")
            fill(small_disk)
            engine.pieces = ["A long answer. " * 2000]
            ask(window, "While it is full?")
            await until(lambda: len(window.chat.turns) == 2 and window.turn.state == "done")
            await until(lambda: window.status.line().tone == "error")
            assert "the disk is full" in window.window.status_bar.text.whole_text
            (small_disk / "others").unlink()
            await until(lambda: window.status.line().tone != "error")
        async with played_engine(small_disk, PlayedEngine()), open_window(small_disk, NoProcess()) as window:
            await until(lambda: len(window.chat.turns) == 2 and window.turn.length == len("A long answer. " * 2000))
            assert [turn.question for turn in window.chat.turns] == ["Before?", "While it is full?"]

    drive(scenario())
    assert chats.chats.exists()


def test_damaged_database_is_kept_aside_and_said(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "Kept?")
            await until(lambda: window.turn.state == "done" and "Kept?" in rows(window))
        database = DataDirectory(tmp_path).chats
        with database.open("r+b") as file:
            file.write(b"\x00" * 2048)  # its beginning is lost
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.notes())
            (note,) = window.status.notes()
            assert "(chats: 1, messages: 2)" in note
            await until(lambda: "Kept?" in rows(window))
            await until(lambda: window.chat.turns and window.answer == "Relays carry sealed data.")
            assert window.window.status_bar.notes.isVisible()
        assert len(list(tmp_path.glob("chats.damaged-*.db"))) == 1

    drive(scenario())


def test_all_data_leave_nothing_of_a_chat_on_the_disk(drive: Drive, tmp_path: Path) -> None:
    secret = b"xylophone"

    def found() -> list[str]:
        return [file.name for file in tmp_path.rglob("*") if file.is_file() and secret in file.read_bytes()]

    async def scenario() -> None:
        engine = PlayedEngine(pieces=["An answer about a xylophone."])
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            ask(window, "What is a xylophone?")
            await until(lambda: window.turn.state == "done")
            window.chat.files.add_text("xylophone notes")
            await until(lambda: window.chat.files.ready)
            folder = window.chats.folders.make()
            await until(lambda: window.chats.folders.all)
            window.chats.folders.rename(folder, "xylophone folder")
            window.chats.folders.fold(folder, True)
            await until(lambda: window.chats.folders.all[0].name == "xylophone folder")
            window.window.composer.input.setPlainText("a draft of a xylophone")
            window.window.keep_draft()
            await until(lambda: found())
            window.window.open_page("settings")
            window.window.settings.deletion_requested.emit(False)
            await until(lambda: not window.chats.chats)
            await until(lambda: not found())
            assert window.window.composer.input.toPlainText() == ""
            assert window.chat.files.files == []
            window._keep_state()
        assert found() == []
        assert folder.encode() not in (tmp_path / "window-state.json").read_bytes()

    drive(scenario())


def fill(disk: Path) -> None:
    with (disk / "others").open("wb", buffering=0) as others:
        try:
            while others.write(b"x" * 4096):
                pass
        except OSError:
            pass  # full now


@pytest.mark.parametrize("left", [False, True])
def test_questions_lost_with_an_engine_over_a_full_disk_are_drafts_again(
    drive: Drive, small_disk: Path, left: bool
) -> None:
    async def scenario() -> None:
        async with open_window(small_disk, NoProcess()) as window:
            async with played_engine(small_disk, PlayedEngine()) as played:
                await until(lambda: window.status.models)
                ask(window, "Before?")
                await until(lambda: window.turn.state == "done" and "Before?" in rows(window))
                chat = window.chat.chat
                fill(small_disk)
                ask(window, "While it is full?")
                await until(lambda: len(window.chat.turns) == 2 and window.turn.state == "done")
                ask(window, "And this?")
                await until(lambda: len(window.chat.turns) == 3 and window.turn.state == "done")
                await until(lambda: window.status.line().tone == "error")
                assert [turn.saved for turn in window.chat.turns] == [True, False, False]
                if left:
                    window.window.chat_page.new_chat()
                await played.kill()
                await until(lambda: window.link.status.phase != "connected")
                (small_disk / "others").unlink()
            drafts = [one for one in window.chat.unsent().requests if isinstance(one, schema.SaveDraft)]
            assert [(one.chat, one.text) for one in drafts] == [(chat, "While it is full?\n\nAnd this?")]
            async with played_engine(small_disk, PlayedEngine()):
                await until(lambda: window.status.models)
                if left:
                    await until(lambda: window.chat.unsent() == Unsent())
                    window.window.open_chat(chat)
                written = window.window.composer.input
                await until(lambda: written.toPlainText() == "While it is full?\n\nAnd this?")
                await until(lambda: [turn.question for turn in window.chat.turns] == ["Before?"])
                QTest.keyClick(written, Qt.Key.Key_Return)
                await until(lambda: len(window.chat.turns) == 2 and window.turn.state == "done")
                assert window.turn.saved

    drive(scenario())


@pytest.mark.parametrize("left", [False, True])
def test_files_of_lost_questions_are_of_the_draft_again(drive: Drive, small_disk: Path, left: bool) -> None:
    async def scenario() -> None:
        async with open_window(small_disk, NoProcess()) as window:
            files = window.chat.files
            async with played_engine(small_disk, PlayedEngine()) as played:
                await until(lambda: window.status.models)
                ask(window, "Before?")
                await until(lambda: window.turn.state == "done" and "Before?" in rows(window))
                chat = window.chat.chat
                fill(small_disk)
                files.add_text("a file that goes with the question")
                await until(lambda: files.files and files.ready)
                ask(window, "What is in it?")
                await until(lambda: len(window.chat.turns) == 2 and window.turn.state == "done")
                files.add_text("a file of the draft")
                await until(lambda: files.files and files.ready)
                await until(lambda: window.status.line().tone == "error")
                if left:
                    window.window.chat_page.new_chat()
                await played.kill()
                await until(lambda: window.link.status.phase != "connected")
                (small_disk / "others").unlink()
            engine = PlayedEngine()
            async with played_engine(small_disk, engine):
                await until(lambda: window.status.models)
                if left:
                    await until(lambda: window.chat.unsent() == Unsent())
                    window.window.open_chat(chat)
                await until(lambda: window.window.composer.input.toPlainText() == "What is in it?")
                await until(lambda: len(files.files) == 2 and files.ready)
                assert [one.name for one in files.files] == ["Pasted text 1.txt", "Pasted text 2.txt"]
                assert [turn.question for turn in window.chat.turns] == ["Before?"]
                await until(lambda: window.window.composer.send.isEnabled())
                window.window.composer.send.click()
                await until(lambda: len(window.chat.turns) == 2 and window.turn.state == "done")
                asked = engine.requests[-1].messages[-1].content
                assert "a file that goes with the question" in asked
                assert "a file of the draft" in asked

    drive(scenario())


def test_what_was_written_cannot_be_kept_without_an_engine_either(
    drive: Drive, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsent_file, "RETRY_MILLISECONDS", 50)
    file = small_disk / schema.UNSENT_NAME

    async def scenario() -> None:
        async with open_window(small_disk, NoProcess()) as window:
            fill(small_disk)
            ask(window, "Will this be lost?")
            await until(lambda: "No space left on device" in window.window.status_bar.text.whole_text)
            assert window.status.line().tone == "error"
            assert not file.exists()
            window.window.quit_requested.emit()
            (dialog,) = window.window.findChildren(ConfirmDialog)
            said = " ".join(label.whole_text for label in dialog.findChildren(PlainLabel))
            assert "it is lost if you quit now" in said
            dialog.reject()
            (small_disk / "others").unlink()
            await until(file.exists)
            await until(lambda: "No space left" not in window.window.status_bar.text.whole_text)
            assert window.status.not_kept == ""
        assert "Will this be lost?" in file.read_text()

    drive(scenario())


def test_what_waited_for_the_disk_and_was_saved_is_no_draft_again(
    drive: Drive, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.1)

    async def scenario() -> None:
        async with open_window(small_disk, NoProcess()) as window:
            async with played_engine(small_disk, PlayedEngine()) as played:
                await until(lambda: window.status.models)
                ask(window, "Before?")
                await until(lambda: window.turn.state == "done")
                fill(small_disk)
                ask(window, "While it is full?")
                await until(lambda: len(window.chat.turns) == 2 and window.turn.state == "done")
                await until(lambda: window.status.line().tone == "error")
                (small_disk / "others").unlink()
                await until(lambda: all(turn.saved for turn in window.chat.turns))
                await played.kill()
                await until(lambda: window.link.status.phase != "connected")
            async with played_engine(small_disk, PlayedEngine()):
                await until(lambda: window.status.models and not window.chat._doubtful)
                assert [turn.question for turn in window.chat.turns] == ["Before?", "While it is full?"]
                assert window.window.composer.input.toPlainText() == ""

    drive(scenario())


def test_names_lost_with_an_engine_over_a_full_disk_are_given_again(drive: Drive, small_disk: Path) -> None:
    async def scenario() -> None:
        async with open_window(small_disk, NoProcess()) as window:
            chats = window.chats
            async with played_engine(small_disk, PlayedEngine()) as played:
                await until(lambda: window.status.models)
                ask(window, "Before?")
                await until(lambda: window.turn.state == "done" and "Before?" in rows(window))
                chat = window.chat.chat
                saved = chats.folders.make()
                await until(lambda: chats.folders.get(saved))
                fill(small_disk)
                ask(window, "While it is full?")
                await until(lambda: window.status.line().tone == "error")
                chats.rename(chat, "Another name")
                folder = chats.folders.make()
                assert window.setup.save_as("Brief")
                chats.folders.rename(saved, "Renamed")
                chats.move(chat, folder)
                await until(lambda: chats.entry(chat).folder == folder and chats.folders.get(saved).name == "Renamed")
                await played.kill()
                await until(lambda: window.link.status.phase != "connected")
                window.window.quit_requested.emit()
                (dialog,) = window.window.findChildren(ConfirmDialog)
                said = " ".join(label.whole_text for label in dialog.findChildren(PlainLabel))
                assert "5 changes of names, folders and presets, not saved when the engine ended" in said
                dialog.reject()
                (small_disk / "others").unlink()
            async with played_engine(small_disk, PlayedEngine()):
                await until(lambda: chats.entry(chat).title == "Another name" and chats.entry(chat).folder == folder)
                await until(lambda: {one.name for one in chats.folders.all} == {"New folder 2", "Renamed"})
                await until(lambda: [one.name for one in window.setup.presets] == ["Brief"])
                await until(lambda: not chats.names.count)
            async with played_engine(small_disk, PlayedEngine()):
                await until(lambda: window.link.status.phase == "connected" and chats.entry(chat).saved)
                assert (chats.entry(chat).title, chats.entry(chat).folder) == ("Another name", folder)

    drive(scenario())


@pytest.mark.parametrize("by", ["key", "tray", "close"])
def test_quitting_asks_first_while_something_is_not_saved(drive: Drive, tmp_path: Path, by: str) -> None:
    full = schema.SavingState(problem="Chats cannot be saved: the disk is full.", waiting=3)

    async def scenario() -> None:
        async with (
            played_engine(tmp_path, PlayedEngine()) as played,
            open_window(tmp_path, NoProcess(), on_close="quit") as window,
        ):
            await until(lambda: window.status.models)
            window.link._status = dataclasses.replace(window.link.status, owned=True)
            window.status.receive(full)
            leave = {
                "key": window.window.quit_requested.emit,
                "tray": window.tray.quit.trigger,
                "close": window.window.close,
            }[by]
            leave()
            (dialog,) = window.window.findChildren(ConfirmDialog)
            said = " ".join(label.whole_text for label in dialog.findChildren(PlainLabel))
            assert "the disk is full. 3 changes to your chats would be lost" in said
            leave()  # asks only once
            assert window.window.findChildren(ConfirmDialog) == [dialog]
            dialog.reject()  # as Escape does
            await until(lambda: not window.window.findChildren(ConfirmDialog))
            assert window.window.isVisible()
            assert not window.task.done()
            leave()
            (dialog,) = window.window.findChildren(ConfirmDialog)
            dialog.accept()
            await until(window.task.done)
            assert played.engine.stopped

    drive(scenario())


def test_quitting_does_not_ask_where_nothing_is_lost(drive: Drive, tmp_path: Path) -> None:
    full = schema.SavingState(problem="Chats cannot be saved: the disk is full.", waiting=3)

    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()) as played, open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.status.receive(full)
            window.window.quit_requested.emit()  # the engine is somebody else's, and goes on
            await until(window.task.done)
            assert not played.engine.stopped

    drive(scenario())
