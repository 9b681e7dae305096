"""What a machine without a graphics card can do for others, each with one click."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from app.i18n import tr
from app.models.contribution_words import Offers
from app.theme import Theme
from app.views.cards import Card
from app.views.contribute.rule_row import RuleRow


class OffersCard(Card):
    """What is done already has no button, and says so."""

    small_model_requested = Signal()
    relay_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, tr("Without a graphics card"))
        self.small_model = QPushButton(tr("Use the processor"))
        self.small_model.clicked.connect(self.small_model_requested)
        self._answering = RuleRow(theme, tr("Answer with a small model"), " ", self.small_model)
        self.column.addWidget(self._answering)
        self.add_line()
        self.relay = QPushButton(tr("Pass on"))
        self.relay.clicked.connect(self.relay_requested)
        self._relaying = RuleRow(theme, tr("Pass on traffic, nothing else"), " ", self.relay)
        self.column.addWidget(self._relaying)
        width = max(self.small_model.sizeHint().width(), self.relay.sizeHint().width())
        for button in (self.small_model, self.relay):
            button.setMinimumWidth(width)  # so that both stand beside their words, or both under them

    def show_offers(self, offers: Offers | None) -> None:
        """None: there is nothing to offer, or nobody knows yet."""
        self.setVisible(offers is not None)
        if offers is not None:
            self._answering.show_about(offers.answering)
            self._relaying.show_about(offers.relaying)
            self.relay.setVisible(not offers.relays)
