"""Below a model of the page *Models*: everything that is known of it, and what is done seldom."""

from __future__ import annotations

import functools

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from app.i18n import mark, tr
from app.models.facts import Fact
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Facts

ACTS = {"page": mark("Where it comes from"), "remove": mark("Delete…")}


class DetailsPanel(QFrame):
    """``pressed``: "page" or "remove"."""

    pressed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("details")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.large, theme.medium, theme.large, theme.medium)
        column.setSpacing(theme.small)
        self.waits = PlainLabel(tr("The engine is asked for the details"), "quiet")
        column.addWidget(self.waits)
        self.facts = Facts(theme)
        column.addWidget(self.facts)
        self._row = QHBoxLayout()
        self._row.setSpacing(theme.small)
        column.addLayout(self._row)
        self.buttons: dict[str, QPushButton] = {}
        for act, text in ACTS.items():
            button = self.buttons[act] = QPushButton(tr(text))
            button.clicked.connect(functools.partial(self.pressed.emit, act))
            self._row.addWidget(button)
            button.hide()
        self.buttons["remove"].setObjectName("danger")
        self._row.addStretch(1)

    def show_facts(self, lines: list[Fact], acts: tuple[str, ...], title: str) -> None:
        """Show exactly these."""
        self.waits.hide()
        self.facts.show_facts(lines)
        for act, button in self.buttons.items():
            button.setVisible(act in acts)
            button.setAccessibleName(tr("{action}: {model}", action=button.text(), model=title))
