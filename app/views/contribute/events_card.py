"""What happened, newest first, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QWidget

from app.i18n import tr
from app.models.contribution_words import when_words
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel

FEW, MANY = 8, 60
"""That show, and that show when more are wanted."""
STEP = 6
"""So many more come in a turn of the loop."""


class EventList(QWidget):
    """Rows of a time and a sentence. Rows are used again, so that a new one moves texts and makes no widgets."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.large)
        self._grid.setVerticalSpacing(theme.small)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[PlainLabel, PlainLabel]] = []
        self._events: Sequence[tuple[float, str]] = ()
        self._shown = FEW
        self._next = QTimer(self)
        self._next.setInterval(0)
        self._next.timeout.connect(self._show_next)
        self.nothing = PlainLabel(tr("Nothing has happened since the engine started."), "quiet")
        self._grid.addWidget(self.nothing, 0, 0, 1, 2)
        self.more = LinkButton(tr("Show more"))
        self.more.clicked.connect(self._next.start)
        self._grid.addWidget(self.more, MANY + 1, 0, 1, 2)
        self.show_events(())

    def show_events(self, events: Sequence[tuple[float, str]]) -> None:
        """(seconds since 1970, words), newest first."""
        self._events = events
        shown = events[: self._shown]
        for place, (at, words) in enumerate(shown):
            if place == len(self._rows):
                self._rows.append(self._make_row(place + 1))
            time, said = self._rows[place]
            time.show_text(when_words(at))
            said.show_text(words)
            said.setAccessibleName(f"{when_words(at)}: {words}")
        for place, row in enumerate(self._rows):
            for label in row:
                label.setVisible(place < len(shown))
        self.nothing.setVisible(not events)
        self.more.setVisible(len(events) > len(shown) and self._shown == FEW)

    @property
    def growing(self) -> bool:
        """Whether more rows are still to come."""
        return self._next.isActive()

    def _make_row(self, place: int) -> tuple[PlainLabel, PlainLabel]:
        row = PlainLabel("", "quiet"), PlainLabel("")
        row[0].setWordWrap(False)
        for column, label in enumerate(row):
            self._grid.addWidget(label, place, column, Qt.AlignmentFlag.AlignTop)
        return row

    def _show_next(self) -> None:
        self._shown = min(self._shown + STEP, MANY)
        self.show_events(self._events)
        if self._shown == MANY:
            self._next.stop()
