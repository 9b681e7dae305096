"""What happened, newest first, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from app.i18n import tr
from app.models.contribution_words import when_words
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel

FEW, MANY = 8, 60
"""That show, and that show when more are wanted."""


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
        self._all = False
        self.nothing = PlainLabel(tr("Nothing has happened since the engine started."), "quiet")
        self._grid.addWidget(self.nothing, 0, 0, 1, 2)
        self.more = LinkButton(tr("Show more"))
        self.more.clicked.connect(self._show_all)
        self._grid.addWidget(self.more, MANY + 1, 0, 1, 2)
        self.show_events(())

    def show_events(self, events: Sequence[tuple[float, str]]) -> None:
        """(seconds since 1970, words), newest first."""
        self._events = events
        shown = events[: MANY if self._all else FEW]
        while len(self._rows) < len(shown):
            row = (PlainLabel("", "quiet"), PlainLabel(""))
            row[0].setWordWrap(False)
            place = len(self._rows) + 1
            for column, label in enumerate(row):
                self._grid.addWidget(label, place, column, Qt.AlignmentFlag.AlignTop)
            self._rows.append(row)
        for row, (at, words) in zip(self._rows, shown, strict=False):
            row[0].show_text(when_words(at))
            row[1].show_text(words)
            row[1].setAccessibleName(f"{when_words(at)}: {words}")
        for place, row in enumerate(self._rows):
            for label in row:
                label.setVisible(place < len(shown))
        self.nothing.setVisible(not events)
        self.more.setVisible(len(events) > len(shown))

    def _show_all(self) -> None:
        self._all = True
        self.show_events(self._events)
