"""What was not kept of contributing, or is damaged: what that means, what to do, and a button that does it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton

from app.i18n import tr
from app.models.contribution_words import Problem
from app.models.facts import Fact
from app.theme import Theme
from app.views.cards import Card, Facts, StatusRow

NARROW = 560
"""Below this width the button stands under the words."""


class ProblemCard(Card):
    """There only while there is a problem."""

    answered = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.status = StatusRow(theme)
        self._row.addWidget(self.status, 1)
        self.button = QPushButton(tr("Try again"))
        self.button.clicked.connect(self.answered)
        self._side = QHBoxLayout()
        self._side.addWidget(self.button)
        self._row.addLayout(self._side)
        self.column.addLayout(self._row)
        self.facts = Facts(theme)
        self.column.addWidget(self.facts)
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(self._theme.medium if narrow else self._theme.large)
        self._side.setAlignment(Qt.AlignmentFlag.AlignLeft if narrow else Qt.AlignmentFlag.AlignRight)
        self._side.setContentsMargins(self.status.indent if narrow else 0, 0, 0, 0)

    def show_problem(self, problem: Problem | None, facts: list[Fact]) -> None:
        """None: all is well. ``facts``: what the button takes."""
        self.setVisible(problem is not None)
        if problem is not None:
            self.status.show_status("warning", problem.heading, problem.words)
            self.button.setText(problem.answer)
            self.facts.show_facts(facts)
            self.facts.setVisible(bool(facts))
