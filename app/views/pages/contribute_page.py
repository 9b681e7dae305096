"""Contributing: the switch, what happens and why, what has been done, and passing on other people's traffic."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from app.i18n import tr
from app.models.facts import contributing_facts, contributing_figures, relay_words
from app.models.status import StatusModel
from app.theme import Theme
from app.views.basics import PlainLabel, Switch
from app.views.cards import Card, Facts, Figures, Page, StatusRow


class ContributePage(Page):
    """Shows what :class:`StatusModel` says about contributing; emits what the owner wants."""

    contributing_requested = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        about = tr("Your machine answers other people's questions while you can spare it. They answer yours.")
        super().__init__(theme, tr("Contribute"), about)
        self.column.addWidget(self._make_switch(theme))
        self.column.addWidget(self._make_figures(theme))
        self.column.addWidget(self._make_relay(theme))
        self.column.addWidget(self._make_meaning(theme))
        self.column.addStretch(1)

    def show_status(self, model: StatusModel) -> None:
        """Show the newest state."""
        line = model.contribute()
        self.contribute.setEnabled(line.enabled)
        self.contribute.setChecked(line.checked)
        self.contribute.setAccessibleDescription(line.sentence)
        self._status.show_status(line.tone, line.text, model.contribute_words())
        state = model.state
        self._numbers.setVisible(state is not None)
        self._relay_card.setVisible(state is not None)
        if state is not None:
            self._figures.show_figures(contributing_figures(state.contributing))
            facts = contributing_facts(state)
            self._facts.show_facts(facts)
            self._facts.setVisible(bool(facts))
            self._relay.show_status(*relay_words(state.relay))

    def _make_switch(self, theme: Theme) -> Card:
        card = Card(theme)
        row = QHBoxLayout()
        row.setSpacing(theme.large)
        self._status = StatusRow(theme)
        row.addWidget(self._status, 1)
        self.contribute = Switch(theme, tr("Contribute: answer other people's questions on this machine"))
        self.contribute.clicked.connect(self.contributing_requested)
        row.addWidget(self.contribute)
        card.column.addLayout(row)
        return card

    def _make_figures(self, theme: Theme) -> Card:
        self._numbers = Card(theme, tr("What this machine has done"))
        self._figures = Figures(theme)
        self._numbers.column.addWidget(self._figures)
        self._facts = Facts(theme)
        self._numbers.column.addSpacing(theme.tiny)
        self._numbers.column.addWidget(self._facts)
        return self._numbers

    def _make_relay(self, theme: Theme) -> Card:
        self._relay_card = Card(theme, tr("Passing on traffic"))
        self._relay = StatusRow(theme)
        self._relay_card.column.addWidget(self._relay)
        return self._relay_card

    def _make_meaning(self, theme: Theme) -> Card:
        card = Card(theme, tr("What it means"))
        for text in (
            tr("While you contribute, strangers' prompts run on your machine. Who asked is not known here."),
            tr("Whoever asks sees the id of your machine in the network, not your name."),
            tr("Pausing frees the memory within a second; answers under way go on at other machines."),
            tr("A relay carries sealed traffic. It cannot be read here, and uses your connection."),
        ):
            card.column.addWidget(PlainLabel(text, "quiet"))
        return card
