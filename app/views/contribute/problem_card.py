"""What was not kept of contributing, or is damaged: what that means, what to do, and a button that does it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton

from app.i18n import tr
from app.models.contribution_words import Problem
from app.models.facts import Fact
from app.theme import Theme
from app.views.cards import Card, Facts, StatusRow


class ProblemCard(Card):
    """There only while there is a problem."""

    answered = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        row = QHBoxLayout()
        row.setSpacing(theme.large)
        self.status = StatusRow(theme)
        row.addWidget(self.status, 1)
        self.button = QPushButton(tr("Try again"))
        self.button.clicked.connect(self.answered)
        row.addWidget(self.button)
        self.column.addLayout(row)
        self.facts = Facts(theme)
        self.column.addWidget(self.facts)
        self.hide()

    def show_problem(self, problem: Problem | None, facts: list[Fact]) -> None:
        """None: all is well. ``facts``: what the button takes."""
        self.setVisible(problem is not None)
        if problem is not None:
            self.status.show_status("warning", problem.heading, problem.words)
            self.button.setText(problem.answer)
            self.facts.show_facts(facts)
            self.facts.setVisible(bool(facts))
