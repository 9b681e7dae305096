"""How a chat is asked: the view-model, the panel, presets, the meter of the context."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QStyle, QStyleOptionFrame, QWidget

from app import i18n
from app.appearance import wear
from app.models.asking import SETTINGS
from app.models.chat_setup import ChatSetup, meter_of
from app.models.stop_texts import read_stops, written_stops
from app.models.transcript import ChatTranscript
from app.theme import LIGHT
from app.views.context_meter import ContextMeter
from app.views.number_field import NumberField
from app.views.setup_panel import SetupPanel
from engine.api import schema
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_models import HERE, Engine, state

pytestmark = pytest.mark.usefixtures("qapp")
POET = schema.Preset(preset="p", name="Poet", system="Rhyme.", sampling=schema.SamplingChoice(temperature=1.2))


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def chat(engine) -> ChatTranscript:
    return ChatTranscript(engine.send, new_id=iter(f"id-{n}" for n in range(99)).__next__)


@pytest.fixture
def setup(chat, engine) -> ChatSetup:
    setup = ChatSetup(chat, engine.send, new_id=iter(f"preset-{n}" for n in range(99)).__next__)
    setup.receive(schema.PresetsChanged(presets=(POET,)))
    return setup


def of(engine: Engine, kind: type) -> list:
    return [request for request in engine.requests if isinstance(request, kind)]


# ------------------------------------------------------------------------------------------------------ the view-model


def test_what_is_changed_before_the_first_question_goes_with_the_new_chat(chat, setup, engine) -> None:
    setup.change(system="Be short.", overflow="keep_ends")
    assert engine.requests == []
    chat.ask("Hi", HERE)
    (created,) = of(engine, schema.CreateChat)
    assert (created.settings.system, created.settings.overflow, created.settings.model) == (
        "Be short.",
        "keep_ends",
        HERE.model,
    )


def test_later_changes_are_told_at_once_and_their_echo_takes_nothing_back(chat, setup, engine) -> None:
    chat.ask("Hi", HERE)
    chat.receive(schema.Accepted(ref=SETTINGS, request="update_chat", chat=chat.chat))
    setup.change(max_tokens=10)
    setup.change(max_tokens=20)
    first, second = of(engine, schema.UpdateChat)[-2:]
    assert (first.settings.max_tokens, second.settings.max_tokens, second.ref) == (10, 20, SETTINGS)
    entry = schema.ChatEntry(chat=chat.chat, title="Hi")
    chat.receive(schema.ChatChanged(chat=entry, settings=first.settings))  # the echo of the first one
    assert setup.settings.max_tokens == 20
    for _ in range(2):
        chat.receive(schema.Accepted(ref=SETTINGS, request="update_chat", chat=chat.chat))
    chat.receive(schema.ChatChanged(chat=entry, settings=schema.ChatSettings(system="From elsewhere")))
    assert setup.settings.system == "From elsewhere"


def test_refused_settings_are_said_and_sent_again_with_the_next_question(chat, setup, engine) -> None:
    problems: list[str] = []
    chat.problem_arose.connect(problems.append)
    chat.ask("Hi", HERE)
    setup.change(max_tokens=10)
    chat.receive(schema.RequestFailed(request="update_chat", code="storage_failed", text="Full.", ref=SETTINGS))
    assert problems == ["Full."]
    assert setup.settings.max_tokens == 10


def test_sampling_is_the_models_own_until_something_is_chosen(setup) -> None:
    suited = schema.SamplingChoice(temperature=0.7, top_p=0.95)
    model = schema.ModelState(id="m", where="network", sampling=suited)
    setup.receive(state(models=(model,)))
    assert setup.settings.sampling is None
    assert setup.sampling("m") == suited
    setup.change_sampling("m", temperature=0.2)
    assert setup.settings.sampling == schema.SamplingChoice(temperature=0.2, top_p=0.95)


def test_a_preset_is_taken_changed_and_saved(setup, engine) -> None:
    setup.take(POET)
    assert (setup.settings.system, setup.settings.preset, setup.modified) == ("Rhyme.", "p", False)
    setup.change(system="Rhyme well.")
    assert setup.modified
    assert setup.save()
    (saved,) = of(engine, schema.SavePreset)
    assert (saved.preset.preset, saved.preset.name, saved.preset.system) == ("p", "Poet", "Rhyme well.")
    setup.receive(schema.PresetsChanged(presets=(saved.preset,)))
    assert not setup.modified
    setup.take(None)
    assert (setup.settings.system, setup.settings.sampling, setup.preset) == ("", None, None)


def test_names_of_presets_are_checked(setup, engine) -> None:
    assert "name" in setup.name_problem("  ")
    assert "already" in setup.name_problem(" pOET ")
    assert setup.name_problem("poet", "p") == ""
    assert "100" in setup.name_problem("x" * 101)
    assert not setup.save_as("Poet")
    assert of(engine, schema.SavePreset) == []
    setup.change(system="Mine.")
    assert setup.save_as("  My   own ")
    (saved,) = of(engine, schema.SavePreset)
    assert (saved.preset.name, saved.preset.system) == ("My own", "Mine.")
    assert setup.settings.preset == saved.preset.preset


def test_a_deleted_preset_comes_back(setup, engine) -> None:
    told: list[str] = []
    setup.preset_deleted.connect(told.append)
    setup.delete(POET)
    assert told == ["Poet"]
    setup.restore()
    setup.restore()
    assert [request.preset for request in of(engine, schema.SavePreset)] == [POET]


def test_new_chats_begin_with_the_default(chat, setup, engine) -> None:
    setup.change(system="For all.")
    assert setup.save_as_default()
    (saved,) = of(engine, schema.SavePreset)
    assert (saved.preset.preset, saved.preset.name) == (schema.DEFAULT_PRESET, "Default")
    setup.receive(schema.PresetsChanged(presets=(POET, saved.preset)))
    setup.change(system="Only here.")
    chat.new_chat()
    assert (setup.settings.system, setup.settings.preset) == ("For all.", schema.DEFAULT_PRESET)
    setup.receive(schema.PresetsChanged(presets=(POET,)))
    assert setup.settings.system == ""  # nothing was asked or changed in it


@pytest.mark.parametrize(
    ("context", "share", "text", "full"),
    [
        (schema.ContextState(chat="c", model="m", used=1024, limit=4096, left=3072, exact=True, room=256), 0.25,
         "1,024 of 4,096 tokens", False),
        (schema.ContextState(chat="c", model="m", used=3900, limit=4096, left=196, exact=False, room=256), 0.952,
         "about 3,900 of 4,096 tokens", True),
        (schema.ContextState(chat="c", model="m", used=9000, limit=4096, left=0, exact=True, room=256), 1.0,
         "9,000 of 4,096 tokens", True),
    ],
)  # fmt: skip
def test_the_meter(context, share, text, full) -> None:
    meter = meter_of(context, "drop_oldest")
    assert meter is not None
    assert (round(meter.share, 3), meter.text, meter.full) == (share, text, full)
    assert ("tokenizer is not loaded" in meter.about) != context.exact
    assert ("forgets" in meter.about) == full


def test_no_meter_without_a_known_context() -> None:
    assert meter_of(None, "refuse") is None
    assert meter_of(schema.ContextState(chat="c", model="m", used=5, limit=0, left=0, exact=False), "refuse") is None


@pytest.mark.parametrize("stops", [(), ("END",), ("\n\n", "a\\nb", "tab\t", "\\")])
def test_stop_texts_read_as_they_are_written(stops) -> None:
    assert read_stops(written_stops(stops)) == (stops, "")


def test_too_many_or_long_stop_texts_are_refused_with_words() -> None:
    assert "16" in read_stops("\n".join(map(str, range(17))))[1]
    assert "500" in read_stops("x" * 501)[1]


# ----------------------------------------------------------------------------------------------------------- the panel


@pytest.mark.parametrize(
    ("typed", "value"), [("0.4", 0.4), ("7", 2.0), ("", 0.0), ("-3", 0.0), ("warm", 1.0), ("1e400", 1.0), ("nan", 1.0)]
)
def test_numbers_are_typed(typed, value) -> None:
    field = NumberField(0, 2, 2, 0.1, "Off")
    field.show_value(1.0)
    field.setText(typed)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.value == value


def test_numbers_in_german_and_by_arrow_keys() -> None:
    i18n.use("de")
    try:
        field = NumberField(0, 2, 2, 0.1)
        chosen: list[float] = []
        field.chosen.connect(chosen.append)
        field.setText("0,5")
        QTest.keyClick(field, Qt.Key.Key_Return)
        QTest.keyClick(field, Qt.Key.Key_Up)
        assert (chosen, field.text()) == ([0.5, 0.6], "0,60")
    finally:
        i18n.use("en")


def test_the_panel_shows_and_changes_everything(setup, qtbot) -> None:
    panel = SetupPanel(LIGHT, setup)
    qtbot.addWidget(panel)
    panel.show_model("m")
    temperature = panel.rows["temperature"]
    temperature.field.setText("0.3")
    QTest.keyClick(temperature.field, Qt.Key.Key_Return)
    assert setup.sampling("m").temperature == 0.3
    assert temperature.slider.value() == 6
    temperature.slider.setValue(8)
    assert setup.sampling("m").temperature == 0.4
    panel.rows["top_k"].field.setText("40")
    QTest.keyClick(panel.rows["top_k"].field, Qt.Key.Key_Return)
    assert setup.sampling("m").top_k == 40
    panel.seed.setText("17")
    QTest.keyClick(panel.seed, Qt.Key.Key_Return)
    assert setup.sampling("m").seed == 17
    panel.longest.setText("300")
    QTest.keyClick(panel.longest, Qt.Key.Key_Return)
    assert setup.settings.max_tokens == 300
    panel.reset.click()
    assert setup.settings.sampling is None
    panel.pin.click()
    panel.overflow.chosen.emit("drop_oldest")
    assert (setup.settings.local_only, setup.settings.overflow) == (True, "drop_oldest")
    panel.system.setPlainText("Be kind.")
    panel.stops.setPlainText("END\n\\n")
    assert setup.settings.system == ""
    panel.keep()
    assert (setup.settings.system, setup.settings.stop) == ("Be kind.", ("END", "\n"))
    panel.presets.box.chosen.emit("p")
    assert panel.system.toPlainText() == "Rhyme."
    assert temperature.field.text() == "1.20"


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_stands_in_empty_fields_has_room(setup, qtbot, language) -> None:
    i18n.use(language)
    try:
        window = QWidget()
        qtbot.addWidget(window)
        panel = SetupPanel(LIGHT, setup)
        panel.setParent(window)
        wear(window, LIGHT)
        window.show()
        for field in (panel.longest, panel.seed):
            option = QStyleOptionFrame()
            field.initStyleOption(option)
            room = field.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, field).width()
            assert field.fontMetrics().horizontalAdvance(field.placeholderText()) <= room - 4, field.placeholderText()
    finally:
        i18n.use("en")


def test_stop_texts_that_are_wrong_change_nothing_and_say_why(setup, qtbot) -> None:
    panel = SetupPanel(LIGHT, setup)
    qtbot.addWidget(panel)
    panel.stops.setPlainText("x" * 501)
    panel.keep()
    assert setup.settings.stop == ()
    assert "500" in panel._problem.whole_text


def test_presets_are_named_renamed_and_deleted_in_the_panel(setup, engine, qtbot) -> None:
    panel = SetupPanel(LIGHT, setup)
    qtbot.addWidget(panel)
    bar = panel.presets
    assert [action.text() for action in menu_of(bar)] == ["Save as a new preset…", "Begin new chats like this one"]
    bar.ask_name(None)
    bar.name.setText("poet")
    bar.keep.click()
    assert "already" in bar._problem.whole_text
    bar.name.setText("Bard")
    QTest.keyClick(bar.name, Qt.Key.Key_Return)
    saved = of(engine, schema.SavePreset)[-1].preset
    setup.receive(schema.PresetsChanged(presets=(saved, POET)))
    assert bar.box.currentText() == "Bard"
    setup.change(system="Else")
    assert bar.box.currentText() == "Bard (changed)"
    names = [action.text() for action in menu_of(bar)]
    assert names == [
        "Save as a new preset…",
        "Save the changes in “Bard”",
        "Rename “Bard”…",
        "Delete “Bard”",
        "Begin new chats like this one",
    ]
    setup.delete(saved)
    setup.receive(schema.PresetsChanged(presets=(POET,)))
    assert bar.box.currentText() == "No preset"
    bar.undo.click()
    assert of(engine, schema.SavePreset)[-1].preset == saved


def menu_of(bar) -> list:
    menu = bar.menu()
    assert isinstance(menu, QMenu)
    return [action for action in menu.actions() if not action.isSeparator()]


def test_the_meter_is_read_out_and_pressed(qtbot) -> None:
    meter = ContextMeter(LIGHT)
    qtbot.addWidget(meter)
    assert meter.isHidden()
    context = schema.ContextState(chat="c", model="m", used=1024, limit=4096, left=3072, exact=True, room=256)
    meter.show_meter(meter_of(context, "refuse"))
    meter.resize(meter.sizeHint())
    meter.grab()
    assert meter.accessibleName() == "1,024 of 4,096 tokens"
    pressed: list[bool] = []
    meter.clicked.connect(lambda: pressed.append(True))
    QTest.keyClick(meter, Qt.Key.Key_Space)
    QTest.mouseClick(meter, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert len(pressed) == 2


# ---------------------------------------------------------------------------------------------------------- the window


def test_settings_of_a_chat_reach_the_engine_and_come_back(drive: Drive, tmp_path) -> None:
    async def scenario() -> None:
        played = PlayedEngine()
        async with played_engine(tmp_path, played), open_window(tmp_path, NoProcess()) as window:
            await until(lambda: window.status.models)
            page = window.window.chat_page
            page.toggle_setup()
            assert page.setup.isVisible()
            page.setup.system.setPlainText("Be short.")
            page.setup.rows["temperature"].chosen.emit(0.25)  # and the prompt is still being typed
            page.composer.input.setPlainText("Hello")
            page.composer.send.click()
            await until(lambda: window.chat.turns and window.turn.state == "done")
            assert played.requests[0].messages[0].content == "Be short."
            page.setup.pin.click()
            await until(lambda: window.chat.context is not None and window.chat.context.limit == 4096)
            assert page.meter.isVisible()
            page.composer.input.setPlainText("And now?")
            page.composer.send.click()
            await until(lambda: len(played.requests) == 2 and window.turn.state == "done")
            asked = played.requests[-1]
            assert asked.messages[0].content == "Be short."
            assert (asked.sampling.temperature, asked.route) == (0.25, "local")
            chat = window.chat.chat
            page.new_chat()
            assert window.setup.settings == schema.ChatSettings()
            assert page.setup.system.toPlainText() == ""
            page.open_chat(chat)
            await until(lambda: window.setup.settings.local_only)
            assert page.setup.system.toPlainText() == "Be short."

    drive(scenario())


def test_the_panel_makes_room(drive: Drive, tmp_path) -> None:
    async def scenario() -> None:
        async with played_engine(tmp_path, PlayedEngine()), open_window(tmp_path, NoProcess()) as window:
            page = window.window.chat_page
            window.window.resize(1300, 800)
            page.toggle_setup()
            shown = (page.chats.isVisible(), page._column.isVisible(), page.setup.isVisible())
            assert shown == (True, True, True)
            window.window.resize(1000, 800)
            await until(lambda: not page.chats.isVisible())
            assert page.setup.isVisible()
            page.toggle_chats()
            assert (page.chats.isVisible(), page.setup.isVisible()) == (True, False)
            page.toggle_setup()
            window.window.resize(500, 800)
            await until(lambda: not page._column.isVisible())
            assert (page.chats.isVisible(), page.setup.isVisible()) == (False, True)
            page.toggle_chats()
            assert (page.chats.isVisible(), page.setup.isVisible()) == (True, False)
            page.show_chat()
            assert (page.chats.isVisible(), page._column.isVisible(), page.setup.isVisible()) == (False, True, False)

    drive(scenario())
