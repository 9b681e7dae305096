"""The rules of the owner in cards that open: when, money, traffic, whom, passing on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.i18n import tr
from app.models import rules
from app.models.contribution import ContributionModel
from app.models.contribution_words import money_summary, relay_summary, traffic_summary, when_summary, whom_summary
from app.models.engine_words import from_engine
from app.models.facts import relay_words
from app.theme import Theme
from app.views.cards import Card, StatusRow
from app.views.contribute.program_list import ProgramList
from app.views.contribute.rule_field import RuleFields
from app.views.contribute.rule_row import RuleRow
from app.views.contribute.schedule_grid import ScheduleGrid
from app.views.folding_card import FoldingCard
from engine.api import schema

Summary = Callable[[schema.Rules], str]


class RuleCard(QObject):
    """A card that opens, with a row for each of ``listed``; what else belongs in it is added by ``more``."""

    def __init__(
        self,
        theme: Theme,
        model: ContributionModel,
        name: str,
        heading: str,
        listed: tuple[rules.Rule, ...],
        words: Summary,
    ) -> None:
        super().__init__()
        self._theme, self._model, self._listed, self._words = theme, model, listed, words
        self.fields = RuleFields()
        self.card = FoldingCard(theme, heading, self._fill)
        self.setParent(self.card)
        self._name = name
        self.card.turned.connect(self._turned)
        if name in model.opened:
            self.card.open()

    def show_rules(self) -> None:
        """Show the newest rules."""
        ruled = self._model.rules
        if ruled is None:
            return
        self.card.show_summary(self._words(ruled))
        if self.card.made:
            values = {name: getattr(ruled, name) for name in ruled.__struct_fields__}
            self.fields.show_values(values, self._model.without_effect, self._model.problems)
            self.show_more(ruled)

    def show_more(self, ruled: schema.Rules) -> None:
        """Show what is no row of a rule."""

    def fill_more(self, card: Card) -> None:
        """Add what is no row of a rule."""

    def _fill(self, card: Card) -> None:
        self.fill_more(card)
        self.fields.add(self._theme, card, self._listed, self._choose)

    def _turned(self, on: bool) -> None:
        (self._model.opened.add if on else self._model.opened.discard)(self._name)
        self.show_rules()

    def _choose(self, field: str, value: object) -> None:
        self._model.change(**{field: value})


class WhenCard(RuleCard):
    """The schedule, what makes it pause, and the programs that have the machine to themselves."""

    def __init__(self, theme: Theme, model: ContributionModel) -> None:
        super().__init__(theme, model, "when", tr("When"), rules.WHEN, when_summary)

    def fill_more(self, card: Card) -> None:
        self.grid = ScheduleGrid(self._theme)
        self.grid.chosen.connect(lambda week: self._model.change(schedule=rules.written_week(week)))
        about = tr("Drag over the hours, or click a day. Outside of them this machine does nothing for others.")
        self.schedule = RuleRow(self._theme, tr("Hours"), about, self.grid, below=True)
        card.column.addWidget(self.schedule)
        self.programs = ProgramList(self._theme, schema.MOST_PROGRAMS)
        self.programs.chosen.connect(lambda names: self._model.change(exclusive_programs=names))
        about = tr("While one of them runs, this machine does nothing for others.")
        self.exclusive = RuleRow(
            self._theme, tr("Programs that have the machine to themselves"), about, self.programs, below=True
        )
        card.add_line()
        card.column.addWidget(self.exclusive)

    def show_more(self, ruled: schema.Rules) -> None:
        self.grid.show_week(rules.read_week(ruled.schedule))
        self.schedule.show_problem(self._model.problems.get("schedule", ""))
        self.programs.show_programs(ruled.exclusive_programs)
        self.exclusive.show_missing(self._model.without_effect.get("exclusive_programs", ""))
        self.exclusive.show_problem(self._model.problems.get("exclusive_programs", ""))


class RelayCard(RuleCard):
    """Its own switch and limits, under how it is now."""

    def __init__(self, theme: Theme, model: ContributionModel) -> None:
        super().__init__(theme, model, "relay", tr("Passing on traffic"), rules.RELAY, relay_summary)
        self._relay: schema.RelayState | None = None

    def show_relay(self, relay: schema.RelayState) -> None:
        """How it is now."""
        self._relay = relay
        if self.card.made:
            reason = self._model.now.relay_reason if self._model.now is not None else ""
            tone, text, words = relay_words(relay)
            if reason and self._model.now is not None:
                tone, text, words = "neutral", tr("Paused"), from_engine(self._model.now, "relay_reason")
            self.status.show_status(tone, text, words)

    def fill_more(self, card: Card) -> None:
        self.status = StatusRow(self._theme)
        card.column.addWidget(self.status)

    def show_more(self, ruled: schema.Rules) -> None:
        if self._relay is not None:
            self.show_relay(self._relay)


def rule_cards(theme: Theme, model: ContributionModel) -> dict[str, RuleCard]:
    """All of them, in the order of the page."""
    return {
        "when": WhenCard(theme, model),
        "money": RuleCard(theme, model, "money", tr("Electricity"), rules.MONEY, money_summary),
        "traffic": RuleCard(theme, model, "traffic", tr("Traffic and disk"), rules.TRAFFIC, traffic_summary),
        "whom": RuleCard(theme, model, "whom", tr("For whom"), rules.WHOM, whom_summary),
        "relay": RelayCard(theme, model),
    }
