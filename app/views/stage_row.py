"""What a question waits for, and, once that takes long, what can be asked instead."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.i18n import number, tr
from app.models.alternatives import Alternative
from app.models.turns import Turn
from app.theme import Theme
from app.views.basics import Dot, LinkButton, PlainLabel

SHOW_SECONDS_AFTER = 2.0
OFFER_SECONDS_AFTER = 6.0
"""Of waiting in a queue or for a path; before that it is not worth reading what else could be done."""
MOST = 2


class StageRow(QWidget):
    """Shows the stage of a :class:`Turn` while it waits."""

    alternative_chosen = Signal(object)
    height_changed = Signal()

    def __init__(self, theme: Theme, alternatives: Callable[[Turn], Sequence[Alternative]]) -> None:
        super().__init__()
        self._theme = theme
        self._alternatives = alternatives
        self._turn: Turn | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 0, 0)
        column.setSpacing(theme.tiny)
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        self._dot = Dot(theme.busy)
        row.addWidget(self._dot)
        self.text = PlainLabel("", "quiet")
        row.addWidget(self.text, 1)
        column.addLayout(row)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(self._dot.width() + theme.small - theme.tiny - 2, 0, 0, 0)  # below the words
        column.addLayout(self._column)
        self.choices: list[LinkButton] = []
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._tell)

    def show_turn(self, turn: Turn) -> None:
        """Show what ``turn`` waits for, if it waits."""
        self._turn = turn
        waiting = turn.state == "waiting"
        self._clock.start() if waiting else self._clock.stop()
        self.setVisible(waiting)
        self._dot.pulse(waiting)
        self._tell()

    def dress(self) -> None:
        """Take the colours that the theme has now."""
        self._dot.set_colour(self._theme.busy)

    def _tell(self) -> None:
        turn = self._turn
        if turn is None:
            return
        seconds = time.monotonic() - turn.began if turn.began else 0.0
        waited = tr(" · {seconds} s", seconds=number(seconds)) if seconds >= SHOW_SECONDS_AFTER else ""
        self.text.show_text(f"{turn.stage}{waited}")
        long = turn.state == "waiting" and turn.begun and seconds >= OFFER_SECONDS_AFTER
        self._offer(self._alternatives(turn)[:MOST] if long else ())

    def _offer(self, offered: Sequence[Alternative]) -> None:
        if [one.text for one in offered] == [button.text() for button in self.choices]:
            return
        for button in self.choices:
            self._column.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.choices = []
        for one in offered:
            button = LinkButton(one.text)
            button.clicked.connect(functools.partial(self._choose, one))
            self._column.addWidget(button)
            self.choices.append(button)
        self.height_changed.emit()

    def _choose(self, alternative: Alternative, _checked: bool = False) -> None:
        self.alternative_chosen.emit(alternative)
