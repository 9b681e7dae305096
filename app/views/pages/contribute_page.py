"""Contributing: the switch with its reason, what happens, what has been done; and, to be opened, all the rules."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QPushButton

from app.i18n import tr
from app.models.contribution import PROCESSOR, ContributionModel
from app.models.contribution_words import (
    model_choices,
    model_words,
    offers,
    paused_words,
    problem_words,
    rules_facts,
    slowed_words,
    total_figures,
)
from app.models.devices import device_lines, devices_summary, without_graphics
from app.models.engine_words import from_engine
from app.models.facts import contributing_facts, contributing_figures
from app.models.status import StatusModel
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card, Facts, Figures, Page
from app.views.choice_box import ChoiceBox
from app.views.contribute.charts_card import ChartsCard
from app.views.contribute.device_rows import DeviceRows
from app.views.contribute.events_card import MANY, EventList
from app.views.contribute.offers_card import OffersCard
from app.views.contribute.problem_card import ProblemCard
from app.views.contribute.rule_cards import RelayCard, rule_cards
from app.views.contribute.rule_row import RuleRow
from app.views.contribute.top_card import TopCard
from app.views.exports import Exports
from app.views.folding_card import FoldingCard


class ContributePage(Page):
    """Shows what :class:`StatusModel` and :class:`ContributionModel` say; measurements only while it shows."""

    contributing_requested = Signal(bool)
    models_requested = Signal()

    def __init__(self, theme: Theme, model: ContributionModel, exports: Exports | None = None) -> None:
        about = tr("Your machine answers other people's questions while you can spare it. They answer yours.")
        super().__init__(theme, tr("Contribute"), about)
        self._model = model
        self._status: StatusModel | None = None
        self.exports = exports or Exports(self)
        self.top = TopCard(theme)
        self.contribute = self.top.contribute
        self.top.contributing_requested.connect(self.contributing_requested)
        self.top.pause_requested.connect(model.pause)
        self.top.resume_requested.connect(model.resume)
        self.top.models_requested.connect(self.models_requested)
        self.problem = ProblemCard(theme)
        self.problem.answered.connect(model.keep_rules)
        self.offers = OffersCard(theme)
        self.offers.small_model_requested.connect(self._answer_with_a_small_model)
        self.offers.relay_requested.connect(lambda: model.change(relay=True))
        self.charts = ChartsCard(theme)
        self.rules = rule_cards(theme, model)
        self.devices = self._folding("devices", tr("Devices"), self._fill_devices)
        self.log = self._folding("log", tr("What happened"), self._fill_log)
        self.meaning = self._folding("meaning", tr("What it means"), self._fill_meaning)
        for card in (
            self.top,
            self.problem,
            self.offers,
            self._make_model(theme),
            self._make_totals(theme),
            self.charts,
            self.devices,
            *(one.card for one in self.rules.values()),
            self.log,
            self.meaning,
        ):
            self.column.addWidget(card)
        self.column.addStretch(1)
        model.changed.connect(self._show_model)
        model.sampled.connect(self._show_sample)
        model.happened.connect(self._show_events)
        model.diagnosed.connect(self.exports.save_diagnostics)
        self._show_model()

    def show_status(self, status: StatusModel) -> None:
        """Show the newest state."""
        self._status = status
        state = status.state
        if state is not None:
            facts = contributing_facts(state)
            self._facts.show_facts(facts)
            self._facts.setVisible(bool(facts))
        self._show_model()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._model.watch(id(self), True)
        self._show_sample()
        self._show_events()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._model.watch(id(self), False)

    def section(self, name: str) -> FoldingCard:
        """A part that opens: "devices", "when", "money", "traffic", "whom", "relay", "log" or "meaning"."""
        own = {"devices": self.devices, "log": self.log, "meaning": self.meaning}
        return own.get(name) or self.rules[name].card

    def open_section(self, name: str) -> None:
        """Open a part and bring it into view."""
        card = self.section(name)
        if not card.opened:
            card.head.click()
        QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(card))

    # What is there.

    def _make_model(self, theme: Theme) -> Card:
        self._model_card = Card(theme)
        self.choice = ChoiceBox([("", tr("Automatic"))], "")
        self.choice.setObjectName("rule-model")
        self.choice.chosen.connect(lambda name: self._model.change(model=name))
        self._model_row = RuleRow(theme, tr("Model for others"), " ", self.choice)
        self._model_card.column.addWidget(self._model_row)
        self.models = QPushButton(tr("Models"))
        self.models.clicked.connect(self.models_requested)
        self._better = Card(theme)
        self._better.setObjectName("cardBody")
        self._better.column.setContentsMargins(0, 0, 0, 0)
        self._better.add_line()
        self._better_row = RuleRow(theme, tr("A model that would help more"), " ", self.models)
        self._better.column.addWidget(self._better_row)
        self._model_card.column.addWidget(self._better)
        return self._model_card

    def _answer_with_a_small_model(self) -> None:
        """The engine takes one that the processor runs well."""
        self._model.change(model="")
        self.contributing_requested.emit(True)

    def _make_totals(self, theme: Theme) -> Card:
        self._totals = Card(theme, tr("What this machine has done"))
        self._figures = Figures(theme)
        self._totals.column.addWidget(self._figures)
        self._facts = Facts(theme)
        self._totals.column.addWidget(self._facts)
        return self._totals

    def _folding(self, name: str, heading: str, fill: Callable[[Card], None]) -> FoldingCard:
        card = FoldingCard(self._theme, heading, fill)
        card.turned.connect(lambda on: self._turned(name, on))
        if name in self._model.opened:
            card.open()
        return card

    def _turned(self, name: str, on: bool) -> None:
        (self._model.opened.add if on else self._model.opened.discard)(name)
        self._show_model()
        self._show_events()

    def _fill_devices(self, card: Card) -> None:
        self._no_devices = PlainLabel("", "quiet")
        self.device_rows = DeviceRows(self._theme)
        self.device_rows.chosen.connect(lambda device, name, value: self._model.change_device(device, **{name: value}))
        card.column.addWidget(self._no_devices)
        card.column.addWidget(self.device_rows)

    def _fill_log(self, card: Card) -> None:
        self.event_list = EventList(self._theme)
        card.column.addWidget(self.event_list)
        card.add_line()
        self.diagnose = QPushButton(tr("Save diagnostics…"))
        self.diagnose.clicked.connect(self._model.diagnose)
        about = tr(
            "One file for who helps you: how the engine is, your rules, and its log. Without keys, tokens, prompts, "
            "answers, addresses, your name and names of your programs."
        )
        self._diagnosis = RuleRow(self._theme, tr("Diagnostics"), about, self.diagnose)
        card.column.addWidget(self._diagnosis)
        self.exports.told.connect(self._diagnosis.show_about)
        self._model.undiagnosed.connect(self._diagnosis.show_problem)

    def _fill_meaning(self, card: Card) -> None:
        for text in (
            tr("While you contribute, strangers' prompts run on your machine. Who asked is not known here."),
            tr("Whoever asks sees the id of your machine in the network, not your name."),
            tr("Pausing frees the memory within a second; answers under way go on at other machines."),
            tr("A relay carries sealed traffic. It cannot be read here, and uses your connection."),
        ):
            card.column.addWidget(PlainLabel(text, "quiet"))

    # What is shown.

    def _show_model(self) -> None:
        now, state = self._model.now, self._status.state if self._status is not None else None
        there = now is not None and state is not None
        self._show_top()
        self._totals.setVisible(state is not None)
        if state is not None and now is None:
            self._figures.show_figures(contributing_figures(state.contributing))
        for card in (self._model_card, self.devices, *(one.card for one in self.rules.values())):
            card.setVisible(there)
        self.log.setVisible(there)
        self.charts.setVisible(there and len(self._model.history) > 0)
        self._show_problem()
        if now is None or state is None:
            self.offers.show_offers(None)
            return
        rules = self._model.rules or now.rules
        self.choice.show_choices(model_choices(state, rules.model))
        self.choice.show_value(rules.model)
        self._model_row.show_about(model_words(state, rules.model))
        self._model_row.show_problem(self._model.problems.get("model", ""))
        self._better.setVisible(bool(state.contributing.better) and not rules.model)
        self._better_row.show_about(from_engine(state.contributing, "better_reason"))
        self.offers.show_offers(offers(state, now, rules))
        self._figures.show_figures(total_figures(now.totals, rules.currency))
        relay = self.rules["relay"]
        assert isinstance(relay, RelayCard)
        relay.show_relay(state.relay)
        for rule_card in self.rules.values():
            rule_card.show_rules()
        self._show_devices()

    def _show_problem(self) -> None:
        now = self._model.now
        in_doubt = self._model.rules if now is not None and now.in_doubt else None
        facts = rules_facts(in_doubt, devices_summary(device_lines(self._model))) if in_doubt is not None else []
        self.problem.show_problem(problem_words(now) if now is not None else None, facts)

    def _show_top(self) -> None:
        status, now = self._status, self._model.now
        if status is None:
            return
        words = status.contribute_words()
        if now is not None and now.paused and status.state is not None and status.state.contributing.on:
            finishing = words if status.state.contributing.status == "draining" else ""
            words = " ".join(filter(None, (finishing, paused_words(now)))) or words
        elif now is not None and status.state is not None and status.state.contributing.on:
            words = " ".join(part for part in (words, slowed_words(now)) if part)
        line = status.contribute()
        wants_model = status.state is not None and status.state.contributing.status == "failed"
        self.top.show_line(
            line, words, can_pause=status.can_pause, can_resume=status.can_resume, wants_model=wants_model
        )

    def _show_sample(self) -> None:
        now = self._model.now
        if not self.isVisible() or not len(self._model.history):
            return
        devices = [(one.device, one.name) for one in now.devices if one.kind == "gpu"] if now is not None else []
        devices = devices or [(PROCESSOR, tr("Processor"))]
        self.charts.setVisible(now is not None)
        self.charts.show_history(self._model.history, devices)
        if self.devices.opened:
            self._show_devices()

    def _show_devices(self) -> None:
        now = self._model.now
        if now is None:
            return
        lines = device_lines(self._model)
        self.devices.show_summary(devices_summary(lines))
        if self.devices.made:
            self._no_devices.show_text(without_graphics(now))
            self._no_devices.setVisible(bool(self._no_devices.whole_text))
            self.device_rows.show_devices(lines)

    def _show_events(self) -> None:
        events = [(one.at, from_engine(one)) for one in self._model.events[:MANY]]
        if events:
            self.log.show_summary(events[0][1])
        if self.log.made and self.log.opened:
            self.event_list.show_events(events)
