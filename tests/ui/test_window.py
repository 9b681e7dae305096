"""The window over an engine that answers as it is told, through the real control API."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QWidget

from app.views import composer
from app.views.composer import MOST_PASTED
from app.views.text_view import TextView
from app.views.turn_view import PAGE
from engine.api.schema import Privacy, PrivacyChoice
from engine.errors import ServingNodeLostError, WeakerPaths, WeakerPathsNeededError
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until

HOSTILE = (
    "<img src='http://127.0.0.1:9/x.png'><script>alert(1)</script> [x](file:///etc/passwd) \u202egnp.exe \x00\x1b[31m"
)


def type_question(window, text: str) -> None:
    QTest.keyClicks(window.window.composer.input, text)
    QTest.keyClick(window.window.composer.input, Qt.Key.Key_Return)


def test_typed_question_is_answered(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            type_question(window, "What do relays carry?")
            await until(lambda: window.turn.state == "done")
            assert window.answer == "Relays carry sealed data."
            assert window.view.badge.whole_text == "Local"
            assert "This machine · 31 tokens/s · first token after 120 ms" in window.view.facts.whole_text
            assert engine.requests[0].route == "local"
            assert window.window.composer.input.toPlainText() == ""
            assert not window.link.status.owned

    drive(scenario())


def test_second_turn_carries_the_first(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.transcript.welcome.suggestions[0].click()
            await until(lambda: window.turn.state == "done")
            type_question(window, "And then?")
            await until(lambda: len(engine.requests) == 2 and window.turn.state == "done")
            told = [(message.role, message.content) for message in engine.requests[1].messages]
            assert told == [
                ("user", "Who can read my questions?"),
                ("assistant", "Relays carry sealed data."),
                ("user", "And then?"),
            ]
            assert engine.requests[0].conversation == engine.requests[1].conversation != ""
            window.window.header.new_chat.click()
            assert window.chat.turns == []
            assert window.window.transcript.welcome.isVisible()
            type_question(window, "Fresh")
            await until(lambda: len(engine.requests) == 3)
            assert len(engine.requests[2].messages) == 1
            assert engine.requests[2].conversation != engine.requests[0].conversation

    drive(scenario())


def test_network_answer_says_who_could_know_what(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(served_by="k7wq2mzt5pab3c", network="ready")
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.header.models.setCurrentIndex(1)
            type_question(window, "Hello")
            await until(lambda: window.turn.state == "done")
            assert engine.requests[0].route == "network"
            assert window.view.badge.whole_text == "Signed"
            assert not window.view.details.isVisible()
            window.view.who.click()
            assert window.view.details.isVisible()
            texts = " ".join(
                label.whole_text for label in window.view.details.findChildren(QWidget) if hasattr(label, "whole_text")
            )
            assert "guard-on…, guard-tw…" in texts
            assert "does not know who asked" in texts
            assert "k7wq2mzt…" in texts
            assert "4 of 4 paths" in window.window.status_bar.text.whole_text

    drive(scenario())


def test_shift_enter_makes_a_line_and_escape_stops(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(hold=asyncio.Event())
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            entry = window.window.composer.input
            QTest.keyClicks(entry, "one")
            QTest.keyClick(entry, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
            QTest.keyClicks(entry, "two")
            assert entry.toPlainText() == "one\ntwo"
            assert window.chat.turns == []
            QTest.keyClick(entry, Qt.Key.Key_Return)
            await until(lambda: window.turn.state == "writing")
            assert window.window.composer.stop.isVisible()
            assert not window.window.composer.send.isVisible()
            QTest.keyClick(entry, Qt.Key.Key_Escape)
            assert window.turn.state == "stopped"
            await until(lambda: engine.cancelled == 1)
            assert "Stopped" in window.view.facts.whole_text
            assert window.answer.startswith("Relays")
            assert window.window.composer.send.isVisible()

    drive(scenario())


def test_enter_during_an_answer_says_what_to_do(drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: list[str] = []
    monkeypatch.setattr(composer, "announce", lambda widget, text: announced.append(text))

    async def scenario() -> None:
        engine = PlayedEngine(hold=asyncio.Event())
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            entry, notice = window.window.composer.input, window.window.composer.notice
            type_question(window, "one")
            await until(lambda: window.turn.state == "writing")
            QTest.keyClick(entry, Qt.Key.Key_Return)
            assert notice.isHidden(), "there is nothing to send"
            type_question(window, "two")
            wait = "Wait for the answer, or stop it (Esc). What you have written stays here."
            assert notice.whole_text == wait
            assert notice.isVisible()
            assert announced == [wait]
            assert entry.toPlainText() == "two"
            QTest.keyClick(entry, Qt.Key.Key_Escape)
            await until(lambda: not window.chat.running)
            assert notice.isHidden()
            QTest.keyClick(entry, Qt.Key.Key_Return)
            await until(lambda: [turn.question for turn in window.chat.turns] == ["one", "two"])
            engine.hold.set()
            await until(lambda: window.turn.state == "done")

    drive(scenario())


def test_weaker_paths_are_offered_taken_and_shown(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        offered = (WeakerPaths(3, 3, "use 3 paths of 3 relays"), WeakerPaths(1, 0, "go direct"))
        engine = PlayedEngine(failure=WeakerPathsNeededError("3 relays are missing.", choices=offered), pieces=[])
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            type_question(window, "Hello")
            await until(lambda: window.turn.state == "failed")
            assert [button.text() for button in window.view.problems.choices] == [
                "Use 3 paths of 3 relays",
                "Go direct",
                "Wait 60 s, then ask again",
            ]
            assert engine.requests[0].privacy is None
            engine.failure, engine.pieces, engine.served_by = None, ["Yes."], "node"
            engine.privacy = Privacy(
                paths=3, needed=2, hops=3, direct=False, full_paths=4, full_hops=3, weaker=True, text="Weaker."
            )
            window.view.problems.choices[0].click()
            await until(lambda: window.turn.state == "done")
            assert engine.requests[1].privacy == PrivacyChoice(least_paths=3, least_hops=3)
            assert "weaker: 3 × 3 relays instead of 4 × 3" in window.view.facts.whole_text
            assert not window.view.problems.isVisible()
            type_question(window, "And now?")
            await until(lambda: len(engine.requests) == 3 and window.turn.state == "done")
            assert engine.requests[2].privacy == engine.requests[1].privacy  # for this chat,
            window.chat.new_chat()
            type_question(window, "Hello again")
            await until(lambda: len(engine.requests) == 4 and window.turn.state == "done")
            assert engine.requests[3].privacy is None  # and no longer

    drive(scenario())


def test_failure_is_shown_with_a_way_on(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(failure=ServingNodeLostError("The serving node went away. Ask again."))
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            type_question(window, "Hello")
            await until(lambda: window.turn.state == "failed")
            assert window.view.problems.text.whole_text == "The serving node went away. Ask again."
            assert window.answer == "Relays carry sealed data."
            engine.failure = None
            window.view.problems.retry.click()
            await until(lambda: window.turn.state == "done")
            assert window.answer == "Relays carry sealed data."
            assert not window.view.problems.text.isVisible()
            assert len(window.chat.turns) == 1
            assert len(engine.requests[1].messages) == 1

    drive(scenario())


def test_stage_is_shown_while_waiting(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(pause=0.3)
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            type_question(window, "Hello")
            await until(lambda: window.view.stage.whole_text == "Waiting behind others, place 2")
            assert window.view.stage.isVisible()

    drive(scenario())


def test_hostile_text_stays_text(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(pieces=[HOSTILE[:20], HOSTILE[20:]])
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.composer.input.insertPlainText(HOSTILE)
            type_question(window, "")
            await until(lambda: window.turn.state == "done")
            assert "<img src='http://127.0.0.1:9/x.png'><script>" in window.answer
            assert "[U+202E]gnp.exe" in window.answer
            assert "\u202e" not in window.answer
            assert "\ufffd␛[31m" in window.answer  # what no database can hold
            for text in window.window.findChildren(TextView):
                assert "<img" not in text.toHtml()
                assert "&lt;img" in text.toHtml()

    drive(scenario())


def test_megabyte_answer_does_not_hold_the_window_up(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(pieces=["x" * 100_000 for _ in range(10)])
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            type_question(window, "Hello")
            await until(lambda: window.turn.state == "done")
            assert window.turn.length == 1_000_000
            assert window.answer.count("x") == PAGE
            assert f"{1_000_000 - PAGE:,} characters" in window.view.more.text()
            window.view.more.click()
            assert window.answer.count("x") == 2 * PAGE

    drive(scenario())


def test_contribute_switch_and_menu_are_one(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready")
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.tray.contribute.isEnabled())
            window.tray.contribute.trigger()
            await until(lambda: engine.contributing and window.window.header.contribute.isChecked())
            await until(lambda: window.tray.state.text() == "Contributing: On")
            assert window.tray.contribute.isChecked()
            window.window.header.contribute.click()
            await until(lambda: not engine.contributing and not window.tray.contribute.isChecked())

    drive(scenario())


def test_refused_contributing_switches_back_and_says_why(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(refuse_contributing=True)
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.tray.contribute.isEnabled())
            window.window.header.contribute.click()
            await until(lambda: "no network to contribute to" in window.window.status_bar.text.whole_text)
            assert not window.window.header.contribute.isChecked()
            assert not window.tray.contribute.isChecked()
            assert "no network to contribute to" in window.tray.state.text()

    drive(scenario())


def test_question_typed_before_the_engine_is_there_is_sent_later(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        process = NoProcess()
        async with open_window(tmp_path, process) as window:
            type_question(window, "Early")
            await until(lambda: process.starts)
            assert window.turn.state in ("waiting", "failed")
            async with played_engine(tmp_path, PlayedEngine()):
                window.link.try_now()
                await until(lambda: window.link.status.phase == "connected")
                if window.turn.state == "failed":
                    window.view.problems.retry.click()
                await until(lambda: window.turn.state == "done")
                assert window.answer == "Relays carry sealed data."

    drive(scenario())


def test_engine_that_cannot_start_says_why_and_can_be_retried(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        process = NoProcess()
        process.words = "The disk is full. Free some space."
        async with open_window(tmp_path, process) as window:
            await until(lambda: window.link.status.phase == "failed")
            said = window.window.status_bar.text.whole_text
            assert said == "The engine cannot be started: The disk is full. Free some space."
            assert window.window.status_bar.retry.isVisible()
            starts = len(process.starts)
            window.window.status_bar.retry.click()
            await until(lambda: len(process.starts) > starts)

    drive(scenario())


def test_engine_gone_in_mid_answer(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(hold=asyncio.Event())
        async with open_window(tmp_path, NoProcess()) as window:
            async with played_engine(tmp_path, engine) as played:
                window.link.try_now()
                await until(lambda: window.link.status.phase == "connected")
                type_question(window, "Hello")
                await until(lambda: window.turn.state == "writing")
                await played.kill()
                await until(lambda: window.turn.state == "failed")
                assert "ended while it answered" in window.view.problems.text.whole_text
                assert window.answer == "Relays carry sealed data."
                assert not window.window.header.contribute.isEnabled()
            async with played_engine(tmp_path, PlayedEngine()):
                await until(lambda: window.link.status.phase == "connected")
                window.view.problems.retry.click()
                await until(lambda: window.turn.state == "done")

    drive(scenario())


def test_adopted_engine_is_left_running(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine):
            async with open_window(tmp_path, NoProcess(), "--bootstrap", "http://127.0.0.1:1") as window:
                await until(lambda: window.status.state)
                assert "these options have no effect: --bootstrap" in window.window.status_bar.text.whole_text
            assert not engine.stopped

    drive(scenario())


@pytest.mark.parametrize(("size", "fits"), [(MOST_PASTED, True), (10_000_000, False)])
def test_paste(drive: Drive, tmp_path: Path, size: int, fits: bool) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            data = QMimeData()
            data.setText("y" * size)
            data.setHtml("<b>y</b>")
            window.window.composer.input.insertFromMimeData(data)
            assert len(window.window.composer.input.toPlainText()) == (size if fits else 0)
            assert window.window.composer.notice.isVisible() is not fits

    drive(scenario())


def test_every_control_has_a_name_and_the_keyboard_reaches_it(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            type_question(window, "Hello")
            await until(lambda: window.turn.state == "done")
            controls = [
                widget
                for widget in window.window.findChildren(QWidget)
                if isinstance(widget, QAbstractButton | QComboBox | TextView) and widget.objectName() != "qt_scrollarea"
            ]
            assert len(controls) > 8
            for control in controls:
                assert control.accessibleName() or getattr(control, "text", str)(), control
                assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.accessibleName()

    drive(scenario())


def test_close_without_a_tray_ends_the_window(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.state)
            window.window.close()
            await asyncio.wait([window.task], timeout=60)
            assert window.task.done()
            assert not engine.stopped

    drive(scenario())
