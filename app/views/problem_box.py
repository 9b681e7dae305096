"""Why there is no answer, or no whole one, and what can be done instead."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from app.i18n import tr
from app.models import words
from app.models.alternatives import Alternative
from app.models.turns import Turn
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel
from app.views.icons import icon


class ProblemBox(QFrame):
    """Shows the problem of a :class:`Turn`, with a button for everything that can be chosen."""

    retry_requested = Signal()
    drop_requested = Signal()
    privacy_chosen = Signal(object)
    alternative_chosen = Signal(object)

    def __init__(self, theme: Theme, alternatives: Callable[[Turn], Sequence[Alternative]]) -> None:
        super().__init__()
        self._theme = theme
        self._alternatives = alternatives
        self.setObjectName("problem")
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.medium, theme.small, theme.small, theme.small)
        row = QHBoxLayout()
        row.setSpacing(theme.medium)
        column.addLayout(row)
        self._column = QVBoxLayout()
        column.addLayout(self._column)
        self.choices: list[LinkButton] = []
        self.text = PlainLabel()
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self.text, 1)
        self.retry = QPushButton(tr(" Retry"))
        self.retry.setAccessibleName(tr("Retry: ask this question again"))
        self.retry.clicked.connect(self.retry_requested)
        row.addWidget(self.retry, alignment=Qt.AlignmentFlag.AlignTop)
        self.dress()

    def show_turn(self, turn: Turn) -> None:
        """Show what is wrong with ``turn``, which has failed."""
        self.text.show_text(turn.problem)
        for button in self.choices:
            self._column.removeWidget(button)
            button.deleteLater()
        self.choices = []
        for choice in turn.choices:
            text = words.choice_words(choice)
            about = tr("{choice}, for this chat while relays are missing", choice=text)
            self._offer(text, functools.partial(self.privacy_chosen.emit, choice.privacy), about)
        if turn.droppable:
            text = tr("Ask without the %Ln oldest message(s)", "", turn.droppable)
            self._offer(text, self.drop_requested.emit)
        for alternative in self._alternatives(turn):
            self._offer(alternative.text, functools.partial(self.alternative_chosen.emit, alternative))
        self.show()

    def dress(self) -> None:
        """Take the colours that the theme has now."""
        self.retry.setIcon(icon("retry", self._theme.text))

    def _offer(self, text: str, action: Callable[[], None], about: str = "") -> None:
        button = LinkButton(text, about)
        button.clicked.connect(lambda _=False: action())
        self._column.addWidget(button)
        self.choices.append(button)
