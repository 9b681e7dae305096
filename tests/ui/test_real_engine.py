"""The window with the engine that people run: a child process, the built-in model, a data directory of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.engine_address import read_address
from app.models.model_offer import best_of
from app.models.status import STARTS_ANEW
from app.models.turns import RUNNING
from app.views.shelf.licence_dialog import LicenceDialog
from engine.library.catalogue import find
from engine.library.known import known_models
from tests.support.hub import HubRepository, LoopbackHub, loopback_hub
from tests.support.hub_layouts import LAYOUTS, make_layout
from tests.support.lifeline import lifeline
from tests.support.network import is_running
from tests.ui.conftest import Drive, Window, open_window, until

UNLIMITED = ("--api-port", "0", "--log-level", "warning")
OPTIONS = (*UNLIMITED, "--threads", "1")


pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("engines_end_with_the_tests"),
]


async def ask(window: Window, question: str) -> None:
    entry = window.window.composer.input
    QTest.keyClicks(entry, question)
    QTest.keyClick(entry, Qt.Key.Key_Return)
    await until(lambda: window.turn.state not in RUNNING, 60)


def test_typed_question_is_answered_and_the_engine_ends_with_the_window(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            await ask(window, "What is a receipt?")
            assert window.turn.state == "done", window.turn.problem
            assert len(window.answer) > 10
            await until(lambda: window.view.badge.whole_text == "Local")
            assert window.link.status.owned
            await until(lambda: "No network" in window.window.status_bar.text.whole_text)
            await until(lambda: window.window.status_bar.more.text() == "How to join")
            address = read_address(tmp_path)
            assert address is not None
            pid = address.pid
        assert not is_running(pid)

    drive(scenario())


def test_engine_killed_in_mid_answer_is_started_again(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            await until(lambda: window.status.models, 60)
            address = read_address(tmp_path)
            assert address is not None
            entry = window.window.composer.input
            QTest.keyClicks(entry, "Who can read my questions?")
            QTest.keyClick(entry, Qt.Key.Key_Return)
            await until(lambda: window.turn.begun and window.turn.stage)
            phases = ["connected"]
            window.link.status_changed.connect(lambda status: phases.append(status.phase))
            os.kill(address.pid, signal.SIGKILL)
            await until(lambda: window.turn.state == "failed")
            await until(lambda: phases[1:])
            assert phases[1] != "connected"
            await until(lambda: "ended while it answered" in window.view.problems.text.whole_text)
            await until(lambda: window.link.status.phase == "connected" and window.status.models, 60)
            assert read_address(tmp_path).pid != address.pid
            window.view.problems.retry.click()
            await until(lambda: window.turn.state not in RUNNING, 60)
            assert window.turn.state == "done", window.turn.problem

    drive(scenario())


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop
from app import engine_process
from tests.ui.conftest import open_window, until
from tests.ui.test_real_engine import OPTIONS

engine_process.ENGINE_INPUT = None

async def scenario():
    async with open_window(Path(sys.argv[1]), None, *OPTIONS) as window:
        await until(lambda: window.status.models, 60)
        entry = window.window.composer.input
        QTest.keyClicks(entry, "Who can read my questions?")
        QTest.keyClick(entry, Qt.Key.Key_Return)
        await until(lambda: window.turn.begun, 60)
        QTest.keyClicks(entry, "And then")
        window.window.keep_draft()
        await until(lambda: window.chat._told_draft == "And then" and not window.chat._underway._count)
        os.kill(os.getpid(), signal.SIGKILL)

QEventLoop(QApplication(sys.argv)).run_until_complete(scenario())
"""


def test_answer_of_a_killed_window_is_complete_when_it_is_opened_again(drive: Drive, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    killed = subprocess.run(command, stdin=lifeline(), capture_output=True, timeout=300, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            await until(lambda: window.chat.turns and window.turn.state not in RUNNING, 60)
            assert window.turn.question == "Who can read my questions?"
            assert window.turn.state == "done", window.turn.problem
            assert len(window.answer) > 10
            await until(lambda: window.view.badge.whole_text == "Local")
            await until(lambda: window.window.composer.input.toPlainText() == "And then")

    drive(scenario())


def test_real_answers_have_versions(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            await until(lambda: window.status.models, 60)
            window.window.ask("Who can read my questions?")
            await until(lambda: window.chat.turns and window.turn.state == "done", 60)
            first = window.turn.answer
            window.view.foot.again.click()
            await until(lambda: window.turn.state == "done" and len(window.turn.siblings) == 2, 60)
            assert window.turn.answer
            assert window.chat.edit(window.turn, "What is a relay?", window.window.choice)
            await until(lambda: window.turn.state == "done" and window.turn.question == "What is a relay?", 60)
            window.view.asked.versions.step(-1)
            await until(lambda: window.turn.question == "Who can read my questions?")
            window.view.foot.versions.step(-1)
            await until(lambda: window.turn.answer_id == window.turn.siblings[0])
            await until(lambda: window.turn.answer == first)

    drive(scenario())


def test_engine_of_a_crashed_window_is_adopted_and_still_stopped_on_quit(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            await until(lambda: window.status.models, 60)
            pid = read_address(tmp_path).pid
            window.desktop._leave(stop_engine=False)  # as a crash leaves it
            await asyncio.wait([window.task])
        assert is_running(pid)
        child = window.link._process._process
        async with open_window(tmp_path, None, *OPTIONS) as second:
            await until(lambda: second.status.models)
            assert second.link.status.adopted
            assert second.link.status.owned
            assert read_address(tmp_path).pid == pid
        await until(lambda: child.poll() is not None)

    drive(scenario())


def test_foreign_engine_is_left_running(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        with (tmp_path / "output").open("wb") as output:
            engine = await asyncio.to_thread(_start_engine, tmp_path / "data", output)
        try:
            await until(lambda: (address := read_address(tmp_path / "data")) is not None and address.port, 60)
            async with open_window(tmp_path / "data") as window:
                await until(lambda: window.status.models)
                assert not window.link.status.owned
            assert engine.poll() is None
        finally:
            engine.terminate()
            assert engine.wait(60) is not None

    drive(scenario())


def _start_engine(data: Path, output):
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cli", "node", "--data", str(data), *OPTIONS],
        stdin=lifeline(),
        stdout=output,
        stderr=output,
    )


def test_busy_port_is_no_reason_not_to_start(drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            monkeypatch.setenv("GENTORRENT_API_PORT", str(other.getsockname()[1]))
            async with open_window(tmp_path, None, "--threads", "1") as window:
                await until(lambda: window.status.models, 60)
                assert read_address(tmp_path).port != other.getsockname()[1]

    drive(scenario())


def test_wrong_settings_are_said_in_words(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS, "--bootstrap", "nonsense") as window:
            await until(lambda: window.link.status.phase == "failed", 60)
            said = window.window.status_bar.text
            await until(lambda: "--bootstrap has the value 'nonsense'" in said.whole_text)

    drive(scenario())


def test_contributing_without_a_network_is_refused_in_words(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            await until(lambda: window.tray.contribute.isEnabled(), 60)
            window.tray.contribute.trigger()
            await until(lambda: window.status.contribute().details)

    drive(scenario())


def test_tray_switch_contributes_for_real(drive: Drive, tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS, "--bootstrap", network) as window:
            await until(lambda: window.tray.contribute.isEnabled(), 60)
            window.tray.contribute.trigger()
            await until(lambda: window.status.state.contributing.status == "on", 60)
            await until(lambda: window.tray.state.text() == "Contributing: On")
            await until(window.window.header.contribute.isChecked)
            await until(lambda: window.status.state.worker.pid)
            worker = window.status.state.worker.pid
            assert is_running(worker)
            window.tray.contribute.trigger()
            await until(lambda: window.status.state.contributing.status == "off")
            await until(lambda: not is_running(worker))
            await until(lambda: not window.window.header.contribute.isChecked())

    drive(scenario())


def test_closing_without_a_tray_leaves_a_contributing_engine_running(
    drive: Drive, tmp_path: Path, network: str
) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS, "--bootstrap", network) as window:
            await until(lambda: window.tray.contribute.isEnabled(), 60)
            window.tray.contribute.trigger()
            await until(lambda: window.status.state.contributing.status == "on", 60)
            window.window.close()
            await asyncio.wait([window.task])
        child = window.link._process._process
        assert child.poll() is None
        async with open_window(tmp_path / "node", None, *OPTIONS, "--bootstrap", network) as second:
            await until(lambda: second.status.state is not None)
            assert second.status.state.contributing.on
            assert not second.link.status.other_options
        await until(lambda: child.poll() is not None)

    drive(scenario())


def test_what_is_chosen_is_in_effect_when_the_answer_is_written(drive: Drive, tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *UNLIMITED, "--bootstrap", network) as window:
            await until(lambda: window.status.models and window.status.state.relay.on, 60)
            pid = read_address(tmp_path / "node").pid
            said: set[str] = set()
            window.status.changed.connect(lambda: said.add(window.status.line().text))
            QTest.keyClicks(window.window.composer.input, "Who can read my questions?")
            QTest.keyClick(window.window.composer.input, Qt.Key.Key_Return)
            await until(lambda: window.turn.begun)
            window.preferences.change(threads=1)
            await until(lambda: window.turn.state not in RUNNING, 60)
            assert window.turn.state == "done", window.turn.problem
            await until(lambda: window.status.state and read_address(tmp_path / "node").pid != pid, 60)
            assert STARTS_ANEW in said
            assert "The engine starts anew with what you have chosen." in said
            assert window.turn.state == "done"

    drive(scenario())


def test_network_is_joined_and_left_in_the_window_for_good(drive: Drive, tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS) as window:
            await until(lambda: window.status.state, 60)
            window.window.open_page("network")
            form = window.window.page_widget("network").form
            QTest.keyClicks(form.entry, "nowhere")
            QTest.keyClick(form.entry, Qt.Key.Key_Return)
            await until(lambda: "neither an invitation" in form.said.whole_text)
            form.entry.setText(f"gentorrent app --bootstrap {network}")
            form.join.click()
            await until(lambda: window.status.state and window.status.state.network.bootstrap_connected, 60)
            await until(lambda: form.entry.text() == "")
        async with open_window(tmp_path / "node", None, *OPTIONS) as window:
            await until(lambda: window.status.state and window.status.state.network.bootstrap_connected, 60)
            window.window.open_page("network")
            window.window.page_widget("network").leave.click()
            await until(lambda: window.status.state and window.status.state.network.status == "none", 60)

    drive(scenario())


def test_first_start_offers_the_best_model_and_fetches_it_once_its_licence_is_accepted(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(hub: LoopbackHub) -> None:
        async with open_window(tmp_path / "node", None, *OPTIONS, first=True) as window:
            page = window.window.first_run
            await until(lambda: page.offer.button.isVisible(), 60)
            best = best_of(window.library.models)
            assert page.offer.name.whole_text == best.model
            assert "at 50 Mbit/s" in page.offer.text.whole_text
            await until(lambda: page.network.text.whole_text == "In no network")
            repository = find(known_models(tmp_path), best.model).repository.value
            hub.repositories[repository] = HubRepository(make_layout(LAYOUTS[0], tmp_path / "hub"))
            QTest.keyClick(page.offer.button, Qt.Key.Key_Space)
            (dialog,) = page.findChildren(LicenceDialog)
            await until(dialog.accept_button.isEnabled, 60)
            QTest.keyClick(dialog.accept_button, Qt.Key.Key_Space)
            await until(lambda: "It is on this machine" in page.offer.text.whole_text, 60)
            page.begin.click()
            await until(lambda: any(choice.model == best.model for choice in window.status.models))

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with loopback_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        drive(scenario(hub))
