"""A rule with its control: a switch, a number, or one of a few values. Values are those of the engine's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.models.rules import Rule
from app.theme import Theme
from app.views.basics import Switch
from app.views.cards import Card
from app.views.choice_box import ChoiceBox
from app.views.contribute.rule_row import RuleRow
from app.views.number_field import NumberField


class RuleField(QObject):
    """``chosen`` with the name of the field and its new value; showing one tells nobody."""

    chosen = Signal(str, object)

    def __init__(self, theme: Theme, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        self.control = self._make(theme, rule)
        self.control.setObjectName(f"rule-{rule.field}")
        self.row = RuleRow(
            theme,
            tr(rule.name),
            tr(rule.about) if rule.about else "",
            self.control,
            unit=tr(rule.unit) if rule.unit else "" if isinstance(self.control, NumberField) else None,
        )
        self.setParent(self.row)

    def show_value(self, value: object) -> None:
        """Show what is chosen."""
        if isinstance(self.control, Switch):
            self.control.setChecked(bool(value))
        elif isinstance(self.control, ChoiceBox):
            self.control.show_value(value)
        elif isinstance(self.control, NumberField) and not self.control.hasFocus():
            number = value if isinstance(value, int | float) else 0.0
            self.control.show_value(number / self.rule.scale)

    def _make(self, theme: Theme, rule: Rule) -> QWidget:
        if rule.choices:
            box = ChoiceBox([(value, tr(name)) for value, name in rule.choices], rule.choices[0][0])
            box.chosen.connect(self._tell)
            return box
        if not rule.most:
            switch = Switch(theme, tr(rule.name))
            switch.clicked.connect(self._tell)
            return switch
        field = NumberField(rule.least, rule.most, rule.digits, rule.step, tr(rule.nothing) if rule.nothing else "")
        field.chosen.connect(self._tell_number)
        return field

    def _tell(self, value: object) -> None:
        self.chosen.emit(self.rule.field, value)

    def _tell_number(self, value: float) -> None:
        rule = self.rule
        if rule.nothing and value <= rule.least:
            self.chosen.emit(rule.field, rule.without)
        else:
            kept = value * rule.scale
            self.chosen.emit(rule.field, round(kept) if rule.whole else kept)


class RuleFields:
    """Several of them, by field."""

    def __init__(self) -> None:
        self.fields: dict[str, RuleField] = {}

    def add(self, theme: Theme, card: Card, rules: Iterable[Rule], chosen: Callable[[str, object], None]) -> None:
        """A row for each, in ``card``; ``chosen`` is told the field and its new value."""
        for rule in rules:
            if card.column.count():
                card.add_line()
            field = RuleField(theme, rule)
            field.chosen.connect(chosen)
            self.fields[rule.field] = field
            card.column.addWidget(field.row)

    def show_values(
        self, values: Mapping[str, object], without_effect: Mapping[str, str], problems: Mapping[str, str]
    ) -> None:
        """What is chosen, why some do nothing on this machine, and what was refused; all by field."""
        for name, field in self.fields.items():
            field.show_value(values.get(name))
            field.row.show_missing(without_effect.get(name, ""))
            field.row.show_problem(problems.get(name, ""))
