"""The real engine and its worker are killed in mid-answer, do not start, or serve two windows: what the window shows
then, and that nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app import i18n
from app.engine_address import read_address
from engine.api import schema
from tests.support.network import is_running
from tests.ui.conftest import Drive, Window, open_window, until

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("engines_end_with_the_tests")]
OPTIONS = ("--api-port", "0", "--threads", "1", "--log-level", "warning")
QUESTION = "Tell me a story"


async def ask_for_long(window: Window) -> None:
    """Type a question whose answer takes many seconds: at so high a temperature hardly any word is the last."""
    await until(lambda: window.status.models, 60)
    window.chat.change_settings(sampling=schema.SamplingChoice(temperature=5.0, seed=4))
    QTest.keyClicks(window.window.composer.input, QUESTION)
    QTest.keyClick(window.window.composer.input, Qt.Key.Key_Return)
    await until(lambda: window.turn.length > 40, 60)
    assert window.turn.state == "writing"


async def stop(window: Window) -> None:
    """Stop the answer as its reader does."""
    QTest.keyClick(window.window.composer.input, Qt.Key.Key_Escape)
    await until(lambda: window.turn.state == "stopped")


async def worker(window: Window) -> int:
    await until(lambda: window.status.state.worker.pid)  # the state comes beside the answer
    pid: int = window.status.state.worker.pid
    assert is_running(pid)
    return pid


def test_an_answer_goes_on_when_its_worker_is_killed(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            said: set[str] = set()
            window.status.changed.connect(lambda: said.add(window.status.line().text))
            await ask_for_long(window)
            killed, so_far = await worker(window), window.turn.answer
            os.kill(killed, signal.SIGKILL)
            await until(lambda: window.turn.length > len(so_far) + 200, 60)
            assert window.turn.answer.startswith(so_far)
            assert window.turn.state == "writing"
            await until(lambda: window.status.state.worker.pid not in (0, killed))
            assert window.status.state.worker.restarts == 1
            assert any("It starts again, and answers go on" in text for text in said), said
            await stop(window)
        async with open_window(tmp_path, None, *OPTIONS) as window:  # and all of it was kept
            await until(lambda: window.chat.turns and window.turn.length > len(so_far) + 200, 60)
            assert window.turn.answer.startswith(so_far)

    drive(scenario())


def test_half_an_answer_is_kept_and_marked_when_its_engine_is_killed(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            phases: list[str] = []
            window.link.status_changed.connect(lambda status: phases.append(status.phase))
            await ask_for_long(window)
            engine, inference = read_address(tmp_path).pid, await worker(window)
            await asyncio.sleep(1.0)  # so long the disk may be behind
            so_far = window.turn.answer
            os.kill(engine, signal.SIGKILL)
            await until(lambda: window.turn.state == "failed")
            assert "ended while it answered" in window.view.problems.text.whole_text
            assert "is being started again" in window.window.status_bar.text.whole_text
            assert window.answer
            await until(lambda: window.link.status.phase == "connected" and window.status.models, 60)
            assert phases[-2:] == ["restarting", "connected"]
            await until(lambda: not is_running(inference))  # it does not outlive its engine
            shown = window.turn
            assert shown.state == "failed"
            assert shown.answer.startswith(so_far[: len(so_far) // 2])
            await until(window.view.problems.retry.isVisible)
            window.view.problems.retry.click()
            await until(lambda: window.turn.length > 40, 60)
            assert len(window.turn.siblings) == 2, "the half answer stays beside the new one"
            await stop(window)
        async with open_window(tmp_path, None, *OPTIONS) as window:
            await until(lambda: window.chat.turns, 60)
            assert window.turn.question == QUESTION
            half = window.turn.siblings[0]
            window.link.send(schema.SelectBranch(chat=window.chat.chat, message=half))
            await until(lambda: window.turn.answer_id == half)
            assert window.turn.state == "failed"
            assert "ended while it answered" in window.turn.problem
            assert len(window.turn.answer) > 20
            assert so_far.startswith(window.turn.answer[:20])

    drive(scenario())


def test_a_start_that_fails_is_explained_in_the_language_of_the_window(drive: Drive, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("thread = 3\n")

    async def scenario() -> None:
        try:
            async with open_window(tmp_path, None, *OPTIONS) as window:
                i18n.use("de")  # before the engine has had the time to fail
                await until(lambda: window.link.status.phase == "failed", 60)
                said = window.window.status_bar.text.whole_text
                assert said.startswith("Die Engine lässt sich nicht starten: Die Einstellungsdatei ")
                assert said.endswith("hat eine unbekannte Einstellung „thread“. Meintest du „threads“?")
        finally:
            i18n.use("en")

    drive(scenario())


def test_an_engine_that_does_not_start_says_why_and_starts_once_that_is_mended(drive: Drive, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text("threads = many\n")

    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as window:
            QTest.keyClicks(window.window.composer.input, "What is a relay?")
            QTest.keyClick(window.window.composer.input, Qt.Key.Key_Return)
            await until(lambda: window.link.status.phase == "failed", 60)
            bar = window.window.status_bar
            await until(lambda: bar.text.whole_text.startswith("The engine cannot be started: "))
            assert "config.toml is not valid TOML" in bar.text.whole_text
            await until(lambda: window.turn.state == "failed")
            assert "Your question is kept" in window.turn.problem
            await until(bar.retry.isVisible)
            settings.write_text("threads = 1\n")
            bar.retry.click()
            await until(lambda: window.status.models, 60)
            window.view.problems.retry.click()
            await until(lambda: window.turn.state == "done", 60)
            await until(lambda: window.view.badge.whole_text == "Local")

    drive(scenario())


def test_two_windows_show_one_chat_and_the_second_keeps_the_engine_when_the_first_quits(
    drive: Drive, tmp_path: Path
) -> None:
    """As after a crash of the first one's lock, or with a window of another user interface."""

    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS) as first:
            await ask_for_long(first)
            async with open_window(tmp_path, None, *OPTIONS) as second:
                second.window.open_chat(first.chat.chat)
                await until(lambda: second.chat.turns and second.turn.length > first.turn.length - 50, 60)
                both: Callable[[], bool] = lambda: first.turn.answer[:300] == second.turn.answer[:300]  # noqa: E731
                await until(lambda: first.turn.length > 300 and both(), 60)
                await stop(second)
                await until(lambda: first.turn.state == "stopped")
                await until(lambda: first.turn.answer == second.turn.answer)
                engine = read_address(tmp_path).pid
                await ask_for_long(second)
                phases: list[str] = []
                second.link.status_changed.connect(lambda status: phases.append(status.phase))
                length = second.turn.length
                first.desktop.quit()
                await asyncio.wait([first.task])
                await until(lambda: second.turn.length > length + 200, 60)
                assert (second.turn.state, phases) == ("writing", [])
                assert read_address(tmp_path).pid == engine
                await stop(second)
        child = first.link._process._process
        await until(lambda: child.poll() is not None, 20)  # with the last window

    drive(scenario())
