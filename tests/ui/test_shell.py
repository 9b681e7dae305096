"""The frame of the window: pages, keys, looks, languages, settings, the first start, notifications, where it stood."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app import i18n
from app.models.engine_words import from_engine
from app.models.facts import contributing_facts, machine_facts, network_facts, relay_words
from app.preferences import PreferenceStore, WindowState, read_state, write_state
from app.theme import DARK, LIGHT
from app.views.main_window import MainWindow
from app.views.navigation import PAGES
from app.views.pages.contribute_page import ContributePage
from app.views.pages.models_page import ModelsPage
from app.views.pages.network_page import NetworkPage
from engine.api import schema
from engine.sentences import say
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_models import Engine, state
from tests.ui.test_window import type_question


@pytest.fixture(autouse=True)
def _english_again():
    yield
    i18n.use("en")


def press(window, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.ControlModifier) -> None:
    QTest.keyClick(window.window, key, modifier)


def texts(widget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def test_every_page_opens_by_key_and_click(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine(network="ready")), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            frame = window.window
            for position, name in enumerate(PAGES):
                press(window, Qt.Key(Qt.Key.Key_1.value + position))
                assert frame.page == name
                assert frame.page_widget(name).isVisible()
                assert frame.navigation.buttons[name].isChecked()
                frame.navigation.buttons["chat"].click()
                assert frame.page == "chat"
                assert frame.composer.input.hasFocus()
            press(window, Qt.Key.Key_Comma)
            assert frame.page == "settings"
            press(window, Qt.Key.Key_L)
            assert frame.page == "chat"
            press(window, Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier)
            dialog = QApplication.activeModalWidget()
            assert dialog is not None
            assert "Ctrl+N" in texts(dialog)
            dialog.close()

    drive(scenario())


def test_pages_say_what_the_engine_says(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready", contributing=True)
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            frame = window.window
            frame.open_page("contribute")
            window.status.receive(schema.Contribution(rules=schema.Rules()))
            page = frame.page_widget("contribute")
            assert isinstance(page, ContributePage)
            assert page.contribute.isChecked()
            assert "Passing on traffic" in texts(page)
            assert "up to 20 Mbit/s" in texts(page)
            page.contribute.click()
            await until(lambda: not engine.contributing and not frame.header.contribute.isChecked())
            frame.open_page("network")
            network = frame.page_widget("network")
            assert isinstance(network, NetworkPage)
            assert network.status.text.whole_text == "Connected"
            assert "4 of 4" in texts(network)
            assert not network.join.isVisible()
            frame.open_page("models")
            models = frame.page_widget("models")
            assert isinstance(models, ModelsPage)
            assert "gentorrent-builtin" in models.cards["here"].rows
            await until(lambda: "moving" in models.cards)
            assert "on the network, too: 3 nodes" in models.cards["here"].rows["gentorrent-builtin"].facts.whole_text
            models.cards["network"].rows["someone/Model-7B"].buttons["ask"].click()
            assert frame.page == "chat"
            assert frame.choice.key == ("someone/Model-7B", "network")

    drive(scenario())


def test_pages_without_a_network_and_without_an_engine(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            frame = window.window
            models, network = frame.page_widget("models"), frame.page_widget("network")
            frame.open_page("models")
            assert models.empty.isVisible()
            async with played_engine(tmp_path, PlayedEngine()):
                window.link.try_now()
                await until(lambda: window.status.models)
                assert models.cards["here"].rows
                assert not models.empty.isVisible()
                frame.open_page("network")
                assert network.status.text.whole_text == "In no network"
                assert "paste the invitation or the address" in texts(network.join)

    drive(scenario())


def test_facts_about_the_network_are_all_there() -> None:
    network = schema.NetworkState(
        status="ready",
        bootstrap="https://one",
        bootstrap_others=("https://two",),
        network_id="ab" * 32,
        hops_wanted=3,
        nat="endpoint-dependent",
        udp_blocked=True,
        turn_server="turn:x",
        links_relayed=1,
        relayed_only=True,
    )
    facts = {fact.name: fact for fact in network_facts(state(network=network))}
    assert facts["Network id"].copy == "ab" * 32
    assert facts["Bootstrap server"].value == "https://one · not connected"
    assert facts["Further servers"].value == "https://two"
    elsewhere = msgspec.structs.replace(network, bootstrap_connected=True, bootstrap_used="https://two")
    facts = {fact.name: fact for fact in network_facts(state(network=elsewhere))}
    assert (facts["Bootstrap server"].value, facts["Bootstrap server"].copy) == (
        "https://two · connected",
        "https://two",
    )
    assert facts["Further servers"].value == "https://one"
    assert facts["Your questions"].value == "3 relays on each path"
    assert facts["TURN server"].value == "turn:x · 1 link through it"
    assert {"Router", "UDP", "Your address"} <= set(facts)
    assert network_facts(state()) == []
    direct = schema.NetworkState(status="weak", direct=True)
    assert (
        "without relays" in {fact.name: fact.value for fact in network_facts(state(network=direct))}["Your questions"]
    )
    assert [fact.name for fact in machine_facts(state(node_id="x" * 20, key_storage="keyring"))][:2] == [
        "Node id",
        "Keys",
    ]


def test_relaying_and_receipts_in_words() -> None:
    assert relay_words(schema.RelayState(on=False))[:2] == ("neutral", "Off")
    assert relay_words(schema.RelayState(on=True, circuits=1))[2].startswith("1 circuit of")
    assert relay_words(schema.RelayState(on=True, reason="wait"))[0] == "busy"
    assert relay_words(schema.RelayState(on=True, reason="no", refused=True))[0] == "warning"
    now = schema.ContributingState(on=True, status="on", model="a", receipts_waiting=2, receipts_problem="Full.")
    model = schema.ModelState(id="a", where="local", provider="CPUExecutionProvider")
    values = [fact.value for fact in contributing_facts(state(contributing=now, models=(model,)))]
    assert values == ["a", "the processor", "2 epochs wait for the server", "Full."]


def test_why_it_is_computed_there_is_said_in_the_language_of_the_window() -> None:
    now = schema.ContributingState(on=True, status="on", model="a")
    reason = say("worker.and_unused", reason=say("worker.agrees", off=0.0021), unused=say("governor.device_off"))
    model = schema.ModelState(id="a", where="local", provider="CUDAExecutionProvider", provider_reason=reason)
    here = state(contributing=now, models=(model,))
    assert "agree with the processor's (logits differ by 0.0021 standard" in contributing_facts(here)[1].value
    i18n.use("de")
    try:
        value = contributing_facts(here)[1].value
    finally:
        i18n.use("en")
    assert value.endswith("(Logits weichen um 0,0021 Standardabweichungen ab). Das Beitragen ist hier abgeschaltet.")


# ---------------------------------------------------------------------------------------------------- look and language


def test_look_changes_while_it_is_shown(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess(), look="light") as window:
            frame, theme = window.window, window.appearance.theme
            assert theme.ground == LIGHT.ground
            before = frame.grab().toImage().pixelColor(700, 90).name()
            frame.open_page("settings")
            frame.settings._boxes["look"].chosen.emit("dark")
            assert theme.ground == DARK.ground
            frame.open_page("chat")
            await until(lambda: not frame.dressing.busy)
            after = frame.grab().toImage().pixelColor(700, 90).name()
            assert (before, after) == (LIGHT.ground, DARK.ground)
            assert PreferenceStore(tmp_path).now.look == "dark"
            window.preferences.change(look="light")
            assert theme.ground == LIGHT.ground

    drive(scenario())


def test_language_changes_while_it_is_shown_and_nothing_is_lost(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(hold=asyncio.Event())
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            window.window.header.models.setCurrentIndex(1)
            chosen = window.window.choice
            type_question(window, "Hello")
            await until(lambda: window.turn.state == "writing")
            window.window.composer.input.setPlainText("half a question")
            window.window.open_page("settings")
            box = window.window.settings._boxes["language"]
            box.setFocus()
            old = window.window
            box.chosen.emit("de")
            assert old.isVisible()  # until the other one is whole
            old.composer.input.setPlainText("half a question, and more")
            await until(lambda: window.window is not old)
            frame = window.window
            assert frame.page == "settings"
            assert frame.settings.title.whole_text == "Optionen"
            assert frame.focusWidget().objectName() == "setting-language"
            assert window.tray.quit.text() == "Beenden"
            assert frame.choice.key == chosen.key
            assert frame.composer.input.toPlainText() == "half a question, and more"
            assert not frame.composer.stop.isHidden()
            frame.open_page("chat")
            await until(lambda: len(frame.transcript.turns) == 1)
            engine.hold.set()
            await until(lambda: window.turn.state == "done")
            assert window.answer == "Relays carry sealed data."
            assert len([top for top in QApplication.topLevelWidgets() if top.isVisible()]) == 1

    drive(scenario())


def _windows() -> list[MainWindow]:
    return [top for top in QApplication.topLevelWidgets() if isinstance(top, MainWindow)]


def test_a_language_that_changes_again_before_the_window_is_there_is_the_last_one(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            old = window.window
            old.open_page("settings")
            for language in ("de", "en", "de"):
                window.preferences.change(language=language)
                await asyncio.sleep(0)
            await until(lambda: window.window is not old)
            await until(lambda: window.window.settings.title.whole_text == "Optionen")
            await until(lambda: len(_windows()) == 1)
            assert window.window.isVisible()

    drive(scenario())


def test_what_the_engine_says_while_the_language_changes_meets_no_page_that_is_gone(
    drive: Drive, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            old = window.window
            for page in PAGES:
                old.open_page(page)
            window.preferences.change(language="de")
            turns = 0
            while len(_windows()) > 1 or window.window is old:
                now = schema.ContributingState(on=True, status=("on", "paused")[turns % 2])
                window.status.receive(state(contributing=now))
                window.appearance.choose(("light", "dark")[turns % 2])
                await asyncio.sleep(0)
                turns += 1
                assert turns < 100_000
            assert window.window.page == PAGES[-1]

    drive(scenario())


# ---------------------------------------------------------------------------------------------------------- first start


def test_first_start_asks_once_and_what_is_chosen_holds(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready")
        async with played_engine(tmp_path, engine):
            async with open_window(tmp_path, NoProcess(), first=True) as window:
                await until(lambda: window.status.models)
                page = window.window.first_run
                assert "Strangers' prompts run on this machine" in texts(page)
                assert "Strangers' sealed traffic runs through your connection" in texts(page)
                await until(lambda: "GB of memory" in texts(page))
                press(window, Qt.Key.Key_2)
                assert window.window.page == "chat"  # the page stays until it is left
                page.contribute.click()
                page.relay.click()
                page.autostart.click()
                page.begin.click()
                await until(lambda: engine.contributing)
                await until(lambda: not engine.rules.relay)
                assert window.window.first_run is None
                assert window.window.navigation.isVisible()
                assert window.autostart.command[-1] == "--autostarted"
                assert window.window.composer.input.hasFocus()
            kept = PreferenceStore(tmp_path).now
            assert (kept.welcomed, kept.contribute) == (True, True)
            async with open_window(tmp_path, NoProcess()) as window:
                assert window.window.first_run is None

    drive(scenario())


def test_first_start_is_left_with_one_key(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready")
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess(), first=True) as window:
            await until(lambda: window.status.models)
            QTest.keyClick(window.window.first_run.begin, Qt.Key.Key_Space)
            type_question(window, "Hello")
            await until(lambda: window.turn.state == "done")
            assert not engine.contributing
            assert engine.rules == schema.Rules()

    drive(scenario())


def test_switch_is_on_again_with_the_next_engine(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess(), contribute=True) as window:
            status = window.link.status
            window.desktop._engine_changed(type(status)("connected", "", owned=True))
            engine = Engine()
            window.status._send = engine.send
            window.desktop._receive(state())  # it joins no network: nothing to contribute to
            assert engine.requests == []
            window.desktop._receive(state(network=schema.NetworkState(status="joining")))
            window.desktop._receive(state(network=schema.NetworkState(status="ready")))
            assert engine.requests == [schema.SetContributing(on=True, by_owner=False)]  # a pause goes on

    drive(scenario())


def test_engine_that_was_there_keeps_its_switch(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready")
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess(), contribute=True) as window:
            await until(lambda: window.status.models)
            await asyncio.sleep(0.1)
            assert not engine.contributing
            window.window.header.contribute.click()
            await until(lambda: window.status.state.contributing.on)
            window.window.header.contribute.click()
            await until(lambda: not engine.contributing)
            assert not PreferenceStore(tmp_path).now.contribute

    drive(scenario())


# ------------------------------------------------------------------------------------------------------------- settings


def test_settings_show_what_is_ruled_of_traffic_and_lead_there(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready", rules=schema.Rules(relay_rate=7))
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.contribution.rules)
            window.window.open_page("settings")
            await until(lambda: "up to 7 Mbit/s" in texts(window.window.settings))
            window.window.settings.rules.click()
            assert window.window.page == "contribute"
            page = window.window.page_widget("contribute")
            assert page.section("relay").opened
            page.rules["relay"].fields.fields["relay"].control.click()
            await until(lambda: not engine.rules.relay)
            window.window.open_page("settings")
            await until(lambda: "Off" in texts(window.window.settings))

    drive(scenario())


def test_settings_are_kept_and_reach_the_engine(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            window.window.open_page("settings")
            page = window.window.settings
            page._switches["tell_answers"].click()
            page._boxes["threads"].chosen.emit(1)
            page.autostart.click()
            assert page.autostart.isChecked()
            assert page._switches["start_hidden"].isEnabled()
            assert window.autostart.command[-3:-1] == ["--data", str(tmp_path)]
            page.autostart.click()
            assert window.autostart.command == []
            assert not page._boxes["on_close"].isEnabled()  # no tray here
            assert "no tray icons" in texts(page)
        kept = PreferenceStore(tmp_path).now
        assert (kept.tell_answers, kept.threads) == (False, 1)
        async with open_window(tmp_path, NoProcess()) as window:
            assert window.link._process._command[-2:] == ["--threads", "1"]

    drive(scenario())


def test_what_cannot_be_kept_or_done_is_said(drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:

            def refuse(command) -> None:
                raise PermissionError(13, "Permission denied")

            monkeypatch.setattr(window.autostart, "enable", refuse)
            monkeypatch.setattr("app.preferences.write_kept", lambda file, value: "No space left on device")
            window.window.open_page("settings")
            page = window.window.settings
            page.autostart.click()
            assert not page.autostart.isChecked()
            assert "The system refused: Permission denied" in texts(page)
            page._boxes["look"].chosen.emit("dark")
            assert "cannot be kept: No space left on device" in texts(page)

    drive(scenario())


def test_all_data_is_deleted_only_after_a_question(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            window.window.open_page("settings")
            page = window.window.settings
            assert not page.delete.isEnabled()  # no engine to do it
            engine = Engine()
            window.status._send = engine.send
            window.status.receive(state())
            window.window.ask("a secret")
            page.delete.click()
            dialog = QApplication.activeModalWidget()
            QTest.keyClick(dialog, Qt.Key.Key_Return)  # the safe answer
            assert window.chat.turns
            assert engine.requests == []
            page.delete.click()
            dialog = QApplication.activeModalWidget()
            assert "cannot be undone" in texts(dialog)
            (button,) = [one for one in dialog.findChildren(QPushButton) if one.objectName() == "danger"]
            button.click()
            (request,) = engine.requests
            assert request == schema.DeleteEverything(ref=request.ref, confirm="delete all my data")
            assert window.chat.turns == []
            failure = schema.RequestFailed(request="delete_everything", code="storage", text="The disk is gone.")
            window.status.receive(failure)
            assert "The disk is gone." in texts(page)
            window.status.receive(schema.Accepted(ref=request.ref, request="delete_everything"))
            assert "All stored chats are deleted." in texts(page)
            page.delete.click()
            dialog = QApplication.activeModalWidget()
            dialog.option.click()
            (button,) = [one for one in dialog.findChildren(QPushButton) if one.objectName() == "danger"]
            button.click()
            assert engine.requests[-1].keys

    drive(scenario())


# ------------------------------------------------------------------------------------------------- where the window was


def test_window_opens_where_and_how_it_was_left(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            window.window.setGeometry(40, 60, 700, 500)
            window.window.open_page("models")
        async with open_window(tmp_path, NoProcess()) as window:
            assert window.window.page == "models"
            assert window.window.geometry() == QRect(40, 60, 700, 500)

    drive(scenario())


def test_window_of_a_screen_that_is_gone_comes_to_one_that_is_there(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            window.window.setGeometry(9000, 7000, 700, 500)
        async with open_window(tmp_path, NoProcess()) as window:
            screen = window.window.screen().availableGeometry()
            assert screen.intersects(window.window.frameGeometry())
            window.window.move(9000, 7000)
            QApplication.instance().screenRemoved.emit(window.window.screen())
            await until(lambda: screen.intersects(window.window.frameGeometry()))

    drive(scenario())


@pytest.mark.parametrize("geometry", ["", "AAAA", "not base 64 ü", "/" * 4000])
def test_damaged_geometry_opens_an_ordinary_window(drive: Drive, tmp_path: Path, geometry: str) -> None:
    async def scenario() -> None:
        write_state(tmp_path, WindowState(geometry=geometry))
        async with open_window(tmp_path, NoProcess()) as window:
            assert window.window.isVisible()
            assert window.window.width() >= 480
        assert read_state(tmp_path).geometry != geometry

    drive(scenario())


def test_start_by_the_system_without_a_tray_is_minimised(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        monkeypatch.setattr("app.desktop.TRAY_MILLISECONDS", 300)
        async with open_window(tmp_path, NoProcess(), autostarted=True, start_hidden=True) as window:
            assert not window.window.isVisible()
            await until(lambda: window.window.isMinimized())
            window.desktop.open()
            assert window.window.isVisible()
            assert not window.window.isMinimized()

    drive(scenario())


# -------------------------------------------------------------------------------------------------------- notifications


def test_answer_that_comes_while_the_window_is_away_is_told(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(hold=asyncio.Event())
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            told: list[str] = []
            window.notifier.told.connect(lambda title, text: told.append(title))
            await until(lambda: window.status.models)
            type_question(window, "secret question")
            await until(lambda: window.turn.state == "writing")
            window.window.hide()
            engine.hold.set()
            await until(lambda: told == ["Your answer is ready"])
            window.preferences.change(tell_answers=False)
            window.window.ask("again")
            await until(lambda: window.turn.state == "done")
            assert len(told) == 1

    drive(scenario())


def test_answer_in_a_chat_that_is_not_open_is_told_marked_and_opened_by_a_click(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(hold=asyncio.Event())
        async with played_engine(tmp_path, engine), open_window(tmp_path, NoProcess()) as window:
            told: list[str] = []
            window.notifier.told.connect(lambda title, text: told.append(title))
            await until(lambda: window.status.models)
            for held in (True, False):
                engine.hold.clear()
                type_question(window, "secret question")
                await until(lambda: window.turn.state == "writing")
                asked = window.chat.chat
                window.window.chat_page.new_chat()
                window.window.hide()
                engine.hold.set()
                await until(functools.partial(window.chats.unread.__contains__, asked))
                assert told == ["The answer in another chat has come to its end"]
                if held:
                    window.tray.icon.messageClicked.emit()
                    assert window.chat.chat == asked
                    assert window.window.isVisible()
                    await until(lambda: window.chat.turns)
                    assert asked not in window.chats.unread
                    window.preferences.change(tell_answers=False)

    drive(scenario())


def test_contributing_that_stops_by_itself_is_told_once(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            told: list[tuple[str, str]] = []
            window.notifier.told.connect(lambda *words: told.append(words))
            window.window.hide()
            window.status.engine_connected()
            for status in ("paused", "on", "paused", "paused", "failed", "on", "off"):
                now = schema.ContributingState(on=status != "off", status=status, reason="A game runs.")
                window.status.receive(state(contributing=now))
            assert told == [("Contributing is paused", "A game runs.")]
            i18n.use("de")
            for status in ("on", "paused"):
                now = schema.ContributingState(on=True, status=status, reason=say("governor.battery"))
                window.status.receive(state(contributing=now))
            assert told[1][1] == from_engine(now, "reason") != now.reason
            i18n.use("en")
            del told[1]
            window.preferences.change(tell_contributing=False)
            for status in ("on", "failed"):
                now = schema.ContributingState(on=True, status=status, reason="No network.")
                window.status.receive(state(contributing=now))
            assert len(told) == 1

    drive(scenario())


def test_menu_of_the_tray_says_what_has_been_done(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            window.status.engine_connected()
            assert not window.tray.done.isVisible()
            now = schema.ContributingState(on=True, status="on", answered=3, tokens=1234, tokens_today=1234)
            window.status.receive(state(contributing=now))
            assert window.tray.done.text() == "1,234 tokens for others today"
            assert window.tray.state.text() == "Contributing: On: 3 answered, 1,234 tokens"
            window.window.hide()
            window.tray.open.trigger()
            assert window.window.isVisible()

    drive(scenario())


def test_tray_pauses_and_resumes_by_the_engine_and_keeps_the_wish(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess(), contribute=True) as window:
            engine = Engine()
            window.status.contribution._send = engine.send
            network = schema.NetworkState(status="ready")
            on = schema.ContributingState(on=True, status="on")
            window.status.receive(state(network=network, contributing=on))
            window.status.receive(schema.Contribution(rules=schema.Rules()))
            tray = window.tray
            assert tray.pause_hour.isVisible()
            assert not tray.resume.isVisible()
            tray.pause_hour.trigger()
            tray.pause_start.trigger()
            assert [request.seconds for request in engine.requests] == [3600, None]
            reason = "You paused it."
            paused = schema.ContributingState(on=True, status="paused", reason=reason, by_owner=True)
            window.status.receive(state(network=network, contributing=paused))
            assert tray.state.text() == "Contributing: Paused: You paused it."
            assert tray.resume.isVisible()
            assert not tray.pause_hour.isVisible()
            tray.resume.trigger()
            assert isinstance(engine.requests[-1], schema.ResumeContributing)
            window.status.receive(state(network=network, contributing=on))  # however it ended: nobody watches the rules
            assert not tray.resume.isVisible()
            assert tray.pause_hour.isVisible()
            assert PreferenceStore(tmp_path).now.contribute

    drive(scenario())


def test_wish_without_a_network_is_told(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess(), contribute=True) as window:
            window.status.receive(state())
            assert "as soon as this machine is in a network" in window.status.contribute_words()
            window.preferences.change(contribute=False)
            assert window.status.contribute_words().startswith("Turn it on")

    drive(scenario())


def test_new_options_start_an_own_engine_anew_and_leave_others(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            sent: list[schema.Request] = []
            link = window.link
            link.send = sent.append
            status = type(link.status)
            for owned, wanted in ((False, []), (True, [schema.Shutdown(when_idle=True)])):
                link._status = status("connected", "", owned=owned)
                link.use_options(("--threads", "1" if owned else "2"))
                assert sent == wanted
            link.use_options(("--threads", "1"))  # it has them already
            assert len(sent) == 1
            assert link._process._command[-2:] == ["--threads", "1"]

    drive(scenario())


def test_closing_quits_where_the_owner_wants_that(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, NoProcess()) as window:
            monkeypatch.setattr(type(window.tray), "usable", property(lambda tray: True))
            window.window.close()
            assert not window.window.isVisible()
            assert not window.task.done()
            window.desktop.open()
            window.preferences.change(on_close="quit")
            window.window.close()
            await asyncio.wait([window.task], timeout=60)
            assert window.task.done()

    drive(scenario())
