"""The page *Contribute*: what it shows, what it asks of the engine, for the eye and for who does not see it."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit

from app import i18n
from app.models.contribution_words import money_summary, when_words
from app.models.status import StatusModel
from app.theme import DARK, LIGHT, Theme
from app.views.basics import PlainLabel, Switch
from app.views.contribute import live_chart
from app.views.contribute.rule_cards import WhenCard
from app.views.number_field import NumberField
from app.views.pages.contribute_page import ContributePage
from engine.api import schema
from engine.sentences import said_by, say, together
from engine.storage.files import storage_error
from tests.ui.conftest import wait_until_told
from tests.ui.test_models import Engine, state

SECTIONS = ("devices", "when", "money", "traffic", "whom", "relay", "log", "meaning")
HOSTILE = "<b>game</b>&nbsp;\u202egpj.exe"
RULES = schema.Rules()
GPU = schema.Device(device="gpu0", name="<i>Card</i>", memory=8 << 30)
CPU = schema.Device(device="cpu", name="The processor", kind="cpu", memory=16 << 30)
MISSING = (schema.Missing(sensor="battery", reason="This machine has no battery.", rules=("on_battery",)),)


class Shown(ContributePage):
    """The page over a model whose requests are kept."""

    def __init__(self, theme: Theme) -> None:
        self.engine = Engine()
        self.status_model = StatusModel(self.engine.send)
        super().__init__(theme, self.status_model.contribution)
        self.status_model.setParent(self)
        self.status_model.changed.connect(self._again)

    def _again(self) -> None:
        self.show_status(self.status_model)

    @property
    def when(self) -> WhenCard:
        card = self.rules["when"]
        assert isinstance(card, WhenCard)
        return card

    def hear(self, *events: schema.Event) -> None:
        for event in events:
            self.status_model.receive(event)

    @property
    def ruled(self) -> schema.Rules:
        """What the engine was told last."""
        wait_until_told(self.status_model.contribution)
        request = self.engine.requests[-1]
        assert isinstance(request, schema.SetRules)
        return request.rules

    def texts(self) -> list[str]:
        return [label.whole_text for label in self.findChildren(PlainLabel) if label.isVisible()]


@pytest.fixture
def page(qtbot) -> Iterator[Shown]:
    page = Shown(LIGHT)
    qtbot.addWidget(page)
    page.resize(900, 800)
    page.show()
    page.status_model.engine_connected()
    on = schema.ContributingState(on=True, status="on", model="gentorrent-builtin")
    models = (schema.ModelState(id="gentorrent-builtin", where="both"), schema.ModelState(id="other", where="local"))
    rules = schema.Rules(exclusive_programs=(HOSTILE,))
    page.hear(
        state(network=schema.NetworkState(status="ready"), contributing=on, models=models),
        schema.Contribution(rules=rules, devices=(GPU,), missing=MISSING),
    )
    yield page
    i18n.use("en")


def open_all(page: Shown) -> None:
    for name in SECTIONS:
        page.section(name).head.click()


def test_newcomers_see_switch_model_and_totals_alone(page: Shown) -> None:
    assert page.contribute.isChecked()
    assert "On" in page.texts()
    assert "Model for others" in page.texts()
    assert not any(page.section(name).made for name in SECTIONS)


def test_rules_that_are_changed_reach_the_engine(page: Shown) -> None:
    open_all(page)
    fields = {name: field for card in page.rules.values() for name, field in card.fields.fields.items()}
    switch = fields["only_when_idle"].control
    assert isinstance(switch, Switch)
    switch.click()
    field = fields["monthly_kwh"].control
    assert isinstance(field, NumberField)
    field.setText("12")
    field.editingFinished.emit()
    page.when.grid.presets[1].click()
    page.choice.chosen.emit("other")
    ruled = page.ruled
    assert (ruled.only_when_idle, ruled.monthly_kwh, ruled.model) == (True, 12.0, "other")
    assert ruled.schedule[0] != schema.ALL_DAY


def test_what_cannot_be_measured_is_grey_and_says_why(page: Shown) -> None:
    open_all(page)
    battery = page.rules["when"].fields.fields["on_battery"]
    assert not battery.control.isEnabled()
    assert battery.row.about.whole_text == "This machine has no battery."
    assert "no battery" in battery.control.accessibleDescription()
    assert page.rules["when"].fields.fields["contention"].control.isEnabled()


def test_refusals_stand_beside_the_field(page: Shown) -> None:
    open_all(page)
    page.status_model.contribution.change(price=3.0)
    assert page.ruled.price == 3.0
    page.hear(schema.RequestFailed(request="set_rules", code="invalid_request", text="No such price."))
    row = page.rules["money"].fields.fields["price"].row
    assert row.problem.isVisible()
    assert row.problem.whole_text == "No such price."


def test_reasons_and_the_way_back_show(page: Shown) -> None:
    paused = schema.ContributingState(on=True, status="paused", reason="A game runs.", by_owner=True)
    page.hear(
        state(network=schema.NetworkState(status="ready"), contributing=paused),
        schema.Contribution(rules=schema.Rules(), paused=True, reasons=("A game runs.", "You paused it.")),
    )
    assert page.top.status.reason.whole_text == "A game runs. You paused it."
    assert page.top.resume.isVisible()
    assert not page.top.pause_hour.isVisible()
    page.top.resume.click()
    assert isinstance(page.engine.requests[-1], schema.ResumeContributing)


@pytest.mark.parametrize("language", ["en", "de"])
def test_rules_that_could_not_be_kept_are_said_and_tried_again(page: Shown, language: str) -> None:
    i18n.use(language)
    assert not page.problem.isVisible()
    full = storage_error("write", Path("/data/rules.json"), OSError(errno.ENOSPC, "No space left on device"))
    problem = say("governor.rules_not_kept", problem=said_by(full))
    page.hear(schema.Contribution(rules=RULES, problem=problem))
    assert page.problem.isVisible()
    said = page.problem.status.reason.whole_text
    told = {
        "en": "The rules hold now, but cannot be kept for the next start: Could not write /data/rules.json: the disk "
        "is full. Nothing was changed. Free some space.",
        "de": "Die Regeln gelten jetzt, lassen sich aber nicht für den nächsten Start aufheben: /data/rules.json "
        "ließ sich nicht schreiben: Die Platte ist voll. Nichts wurde geändert. Schaff etwas Platz.",
    }
    assert said == told[language]
    page.problem.button.click()
    assert page.engine.requests[-1] == schema.SetRules(rules=RULES, ref="contribution")
    page.hear(schema.Contribution(rules=RULES))
    assert not page.problem.isVisible()


@pytest.mark.parametrize(
    ("language", "heading", "told"),
    [
        ("en", "Your pause is not kept", "The pause holds now, but cannot be kept for the next start: Could not write"),
        ("de", "Deine Pause ist nicht gespeichert", "Die Pause gilt jetzt, lässt sich aber nicht für den nächsten"),
    ],
)
def test_a_pause_that_could_not_be_kept_is_said(page: Shown, language: str, heading: str, told: str) -> None:
    i18n.use(language)
    full = storage_error("write", Path("/data/pause.json"), OSError(errno.ENOSPC, "No space left on device"))
    page.hear(schema.Contribution(rules=RULES, problem=say("governor.pause_not_kept", problem=said_by(full))))
    assert page.problem.status.text.whole_text == heading
    assert page.problem.status.reason.whole_text.startswith(told)


def test_what_was_damaged_is_said_until_that_is_read(page: Shown) -> None:
    damaged = together(say("governor.count_damaged", place="/data/a"), say("governor.log_damaged", place="/data/b"))
    page.hear(schema.Contribution(rules=RULES, problem=damaged))
    assert page.problem.status.text.whole_text == "Something was damaged and begins anew"
    assert "set aside as /data/a. Limits of the month count from nothing" in page.problem.status.reason.whole_text
    assert "/data/b" in page.problem.status.reason.whole_text
    QTest.keyClick(page.problem.button, Qt.Key.Key_Space)
    assert isinstance(page.engine.requests[-1], schema.SetRules)
    page.status_model.engine_away("gone")
    assert not page.problem.isVisible()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "Your rules could not be read",
                "Your rules for contributing are damaged (/data/rules.json). Nothing is done for others",
                "Use these rules",
                "For whom My networks",
            ),
        ),
        (
            "de",
            (
                "Deine Regeln ließen sich nicht lesen",
                "Deine Regeln fürs Beitragen sind beschädigt (/data/rules.json). Für andere geschieht nichts",
                "Diese Regeln nehmen",
                "Für wen Meinen Netzen",
            ),
        ),
    ],
)
def test_rules_that_could_not_be_read_are_shown_until_they_are_used(
    page: Shown, language: str, words: tuple[str, ...]
) -> None:
    i18n.use(language)
    held = schema.Rules(serve="my_networks", devices=(schema.DeviceRules(device="gpu0", on=False),))
    doubt, damaged = say("governor.rules_doubt"), say("governor.rules_damaged", place="/data/rules.json")
    page.hear(schema.Contribution(rules=held, paused=True, reasons=(doubt,), problem=damaged, in_doubt=True))
    card = page.problem
    facts = [f"{name.whole_text} {value.whole_text}" for name, value, _ in card.facts._rows]
    assert card.status.text.whole_text == words[0]
    assert card.status.reason.whole_text.startswith(words[1])
    assert card.button.text() == words[2]
    assert words[3] in facts
    QTest.keyClick(card.button, Qt.Key.Key_Space)
    assert page.engine.requests[-1] == schema.SetRules(rules=held, ref="contribution")
    page.hear(schema.Contribution(rules=held, problem=say("governor.rules_not_kept", problem="Full.")))
    assert not card.facts.isVisible()
    page.hear(schema.Contribution(rules=held))
    assert not card.isVisible()


def test_the_button_of_a_problem_stands_under_its_words_where_it_is_narrow(page: Shown) -> None:
    doubt, damaged = say("governor.rules_doubt"), say("governor.rules_damaged", place="/data/rules.json")
    page.hear(schema.Contribution(rules=RULES, paused=True, reasons=(doubt,), problem=damaged, in_doubt=True))
    card = page.problem
    for width, under in ((1000, False), (480, True), (1000, False)):
        page.resize(width, 800)
        QApplication.processEvents()
        words, button = card.status.geometry(), card.button.geometry()
        assert (button.top() >= words.bottom()) is under
        assert (button.left() >= words.right()) is not under
        if under:
            assert button.left() == words.left() + card.status.text.x()
            assert words.width() > 350


@pytest.mark.parametrize(
    ("language", "alone", "with_others"),
    [
        ("en", "You have paused it until {}.", "You have paused it until {}. A game is running."),
        ("de", "Du hast es bis {} angehalten.", "Du hast es bis {} angehalten. Ein Spiel läuft."),
    ],
)
def test_the_end_of_the_owners_pause_is_said_whatever_else_holds(
    page: Shown, language: str, alone: str, with_others: str
) -> None:
    i18n.use(language)
    own, game, end = say("governor.paused"), say("governor.game"), 1.9e9
    paused = schema.ContributingState(on=True, status="paused", reason=together(own, game), by_owner=True)
    page.hear(state(network=schema.NetworkState(status="ready"), contributing=paused))
    page.hear(schema.Contribution(rules=RULES, paused=True, reasons=(own,), until=end, pause_until=end))
    assert page.top.status.reason.whole_text == alone.format(when_words(end))
    page.hear(schema.Contribution(rules=RULES, paused=True, reasons=(own, game), pause_until=end))
    assert page.top.status.reason.whole_text == with_others.format(when_words(end))


def test_while_answers_are_finished_it_says_so_and_why_it_pauses_then(page: Shown) -> None:
    reason, own = say("governor.finishing"), say("governor.paused_until_start")
    finishing = schema.ContributingState(on=True, status="draining", reason=reason, by_owner=True)
    page.hear(state(network=schema.NetworkState(status="ready"), contributing=finishing))
    page.hear(schema.Contribution(rules=RULES, paused=True, reasons=(own,)))
    assert page.top.status.reason.whole_text == f"{reason} {own}"


def test_a_model_whose_files_are_damaged_is_said_and_a_way_to_another_shown(page: Shown, qtbot) -> None:
    reason = say("load.failed", model="m", problem=say("load.damaged", path="/m.onnx", problem=say("load.no_graph")))
    failed = schema.ContributingState(on=True, status="failed", model="m", reason=reason)
    i18n.use("de")
    page.hear(state(network=schema.NetworkState(status="ready"), contributing=failed))
    assert page.top.status.reason.whole_text == (
        "Das Modell m lässt sich nicht laden. /m.onnx lässt sich nicht laden: sie enthält kein Modell. Die Datei ist "
        "beschädigt: Lade sie noch einmal herunter."
    )
    with qtbot.waitSignal(page.models_requested):
        page.top.models.click()
    page.hear(state(network=schema.NetworkState(status="ready")))
    assert not page.top.models.isVisible()


def test_hostile_names_stay_text(page: Shown) -> None:
    open_all(page)
    chip = page.when.programs.chips[0]
    assert chip.text().startswith("<b>game</b>&&nbsp;[U+202E]")
    assert "<i>Card</i>" in page.texts()
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in page.findChildren(PlainLabel))


def test_programs_are_added_and_removed_by_keys(page: Shown) -> None:
    open_all(page)
    programs = page.when.programs
    programs.input.setText("  blender ")
    QTest.keyClick(programs.input, Qt.Key.Key_Return)
    assert page.ruled.exclusive_programs == (HOSTILE, "blender")
    programs.input.setText("Blender")
    programs.add.click()
    assert programs.programs == (HOSTILE, "blender")
    QTest.keyClick(programs.chips[0], Qt.Key.Key_Space)
    assert page.ruled.exclusive_programs[0] == "blender"


def test_without_a_graphics_card_it_says_what_can_be_done(page: Shown) -> None:
    page.hear(schema.Contribution(rules=schema.Rules(), devices=(CPU,)))
    page.section("devices").head.click()
    assert page.section("devices").summary.whole_text == "Processor"
    assert any("pass on traffic" in text for text in page.texts())


def test_limits_of_the_processor_reach_the_engine(page: Shown) -> None:
    page.hear(schema.Contribution(rules=schema.Rules(), devices=(CPU,)))
    page.section("devices").head.click()
    limits = page.device_rows.groups["cpu"].limits
    for name, typed in (("memory_cap", "99"), ("power_cap", "45"), ("temperature_cap", "300")):
        field = limits[name].control
        assert isinstance(field, NumberField)
        field.setText(typed)
        field.editingFinished.emit()
    (ruled,) = page.ruled.devices
    assert ruled == schema.DeviceRules(device="cpu", memory_cap=16 << 10, power_cap=45.0, temperature_cap=120.0)
    assert limits["memory_cap"].control.accessibleName() == "Memory for it: Processor"


def test_without_a_graphics_card_answering_and_relaying_are_one_click_away(page: Shown, qtbot) -> None:
    page.hear(schema.Contribution(rules=schema.Rules(model="other", relay=False)))
    assert not page.offers.isVisible(), "it answers already"
    off = schema.ContributingState(on=False, status="off")
    page.hear(state(network=schema.NetworkState(status="ready"), contributing=off, relay=schema.RelayState(on=False)))
    assert page.offers.isVisible()
    page.offers.relay.click()
    assert page.ruled.relay
    with qtbot.waitSignal(page.contributing_requested) as asked:
        page.offers.small_model.click()
    assert asked.args == [True]
    assert page.ruled.model == "", "the engine takes one that the processor runs well"
    page.hear(
        state(network=schema.NetworkState(status="ready"), contributing=off, relay=schema.RelayState(on=True)),
        schema.Contribution(rules=schema.Rules()),
    )
    assert not page.offers.relay.isVisible()
    assert "It does that now." in page.texts()
    page.hear(schema.Contribution(rules=schema.Rules(), devices=(GPU,)))
    assert not page.offers.isVisible()


def test_the_engines_choice_says_why_and_what_would_help_more(page: Shown, qtbot) -> None:
    reason = say("automatic.chosen", model="other")
    better = say("automatic.better", model="larger", size=5.2)
    choice = schema.ContributingState(
        on=True, status="on", model="other", model_reason=reason, better="larger", better_reason=better
    )
    page.hear(state(network=schema.NetworkState(status="ready"), contributing=choice), schema.Contribution(rules=RULES))
    assert page.choice.value == ""
    assert page.choice.itemText(0) == "Automatic"
    assert "other is where this machine helps most." in page.texts()
    assert "larger would help more, once it is downloaded (5.2 GB)." in page.texts()
    with qtbot.waitSignal(page.models_requested):
        page.models.click()
    page.hear(schema.Contribution(rules=schema.Rules(model="other")))
    assert "Others are answered with this one." in page.texts()
    assert not page.models.isVisible()


def test_how_much_other_programs_have_to_need_is_a_share(page: Shown) -> None:
    open_all(page)
    field = page.rules["when"].fields.fields["contention_share"].control
    assert isinstance(field, NumberField)
    assert field.value == 50
    field.setText("80")
    field.editingFinished.emit()
    assert page.ruled.contention_share == 0.8


def test_a_price_has_two_digits_or_three_where_the_third_is_set(page: Shown) -> None:
    open_all(page)
    field = page.rules["money"].fields.fields["price"].control
    assert isinstance(field, NumberField)
    for typed, shown in (("0.31", "0.31"), ("0.315", "0.315"), ("0.4", "0.40"), ("0.3104", "0.31")):
        field.setText(typed)
        field.editingFinished.emit()
        assert field.text() == shown
        assert money_summary(page.ruled) == f"{shown} EUR a kWh"


def test_measurements_are_asked_for_only_while_the_page_shows(page: Shown) -> None:
    asked = [request.on for request in page.engine.requests if isinstance(request, schema.WatchContribution)]
    assert asked == [True]
    page.hide()
    asked = [request.on for request in page.engine.requests if isinstance(request, schema.WatchContribution)]
    assert asked == [True, False]


def test_charts_are_drawn_while_they_show_and_read_out(page: Shown, qtbot) -> None:
    for second in range(5):
        sample = schema.DeviceSample(device="gpu0", load=0.5, power=120.0)
        page.hear(schema.ContributionSample(at=float(second), tokens_per_s=31.0, devices=(sample,)))
    charts = page.charts.charts
    qtbot.waitUntil(lambda: all(chart.drawn for chart in charts.values() if chart.isVisible()), timeout=60_000)
    assert [name for name, chart in charts.items() if chart.isVisible()] == ["tokens", "load", "power"]
    assert charts["load"].accessibleName() == "Load: 50 %"
    assert charts["tokens"].now.whole_text == "31"
    page.hide()
    curve = charts["tokens"]._curves[0]
    page.hear(schema.ContributionSample(at=9.0, tokens_per_s=77.0))
    assert len(curve.getData()[0]) == 5


def test_charts_come_one_after_the_other(page: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0]
    monkeypatch.setattr(live_chart, "_turns", live_chart._Turns())
    monkeypatch.setattr(live_chart, "time", SimpleNamespace(monotonic=lambda: at[0]))
    for second in range(5):
        sample = schema.DeviceSample(device="gpu0", load=0.5, power=120.0)
        page.hear(schema.ContributionSample(at=float(second), tokens_per_s=31.0, devices=(sample,)))
    charts = [chart for chart in page.charts.charts.values() if chart.isVisible()]
    until = time.monotonic() + 60
    drawn = 0
    while drawn < len(charts):
        assert time.monotonic() < until
        at[0] += 1
        QTest.qWait(5)
        before, drawn = drawn, sum(chart.drawn for chart in charts)
        assert drawn <= before + 1


def test_opened_parts_stay_open_when_the_page_is_made_anew(page: Shown, qtbot) -> None:
    page.section("when").head.click()
    again = ContributePage(Theme(DARK), page.status_model.contribution)
    qtbot.addWidget(again)
    again.show_status(page.status_model)
    assert again.section("when").opened
    assert not again.section("money").opened


def test_everything_has_a_name_and_is_reached_by_tab(page: Shown) -> None:
    open_all(page)
    page.activateWindow()
    controls = [
        one
        for one in page.findChildren(QAbstractButton) + page.findChildren(QComboBox) + page.findChildren(QLineEdit)
        if one.isVisible() and one.isEnabled() and one.focusPolicy() is not Qt.FocusPolicy.NoFocus
    ]
    assert len(controls) > 30
    assert [one for one in controls if not (one.accessibleName() or getattr(one, "text", str)())] == []
    page.contribute.setFocus()
    reached = set()
    for _ in range(200):
        focused = QApplication.focusWidget()
        if focused is None or focused in reached:
            break
        reached.add(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert [one.accessibleName() for one in controls if one not in reached] == []
    assert page.when.grid.table in reached


def test_folding_is_done_by_keys_and_said(page: Shown) -> None:
    head = page.section("money").head
    assert head.accessibleName() == "Electricity, No price, no limit, closed"
    QTest.keyClick(head, Qt.Key.Key_Right)
    assert head.accessibleName().endswith("opened")
    QTest.keyClick(head, Qt.Key.Key_Left)
    assert not page.section("money").opened


def test_diagnostics_become_one_file(page: Shown, tmp_path: Path) -> None:
    open_all(page)
    page.diagnose.click()
    assert isinstance(page.engine.requests[-1], schema.GetDiagnostics)
    path = tmp_path / "d.json"
    page.exports.write_diagnostics(str(path), "{}")
    assert path.read_text() == "{}\n"
    assert "Read it before" in page._diagnosis.about.whole_text
    page.exports.write_diagnostics(str(tmp_path / "no" / "d.json"), "{}")
    assert "were not saved" in page._diagnosis.about.whole_text
