"""One model of the page *Models*: what it is, whether it fits, how far its download is, and what can be done."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import mark, tr
from app.models.facts import Fact
from app.models.model_words import Badge
from app.models.shelf import Act, Moving, ShelfRow
from app.theme import Theme
from app.views.basics import Dot, Mark, PlainLabel
from app.views.icons import ThemeIcon
from app.views.shelf.details_panel import DetailsPanel
from app.views.steady_column import SteadyColumn

NARROW = 560
"""Below this width the buttons stand under the words."""
STEPS = 1000
ACTS: dict[Act, str] = {
    "chat": mark("Chat"),
    "ask": mark("Ask the network"),
    "contribute": mark("Contribute"),
    "fetch": mark("Download"),
    "update": mark("Update"),
    "licence": mark("Read its licence"),
    "pause": mark("Pause"),
    "resume": mark("Go on"),
    "retry": mark("Try again"),
    "stop": mark("Stop"),
    "discard": mark("Discard"),
}


class ModelRow(QWidget):
    """Shows a :class:`ShelfRow`; ``pressed`` says which of its acts is wanted, ``opened`` that more is to be known,
    which ``panel`` shows."""

    pressed = Signal(str, str)
    opened = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.shown: ShelfRow | None = None
        self.panel: DetailsPanel | None = None
        self._whole = SteadyColumn(self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(theme.small)
        self._outer = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._outer.setSpacing(theme.medium)
        self._outer.addLayout(self._make_words(), 1)
        self._side = QHBoxLayout()
        self._side.setSpacing(theme.small)
        self.more = QToolButton()
        self.more.setObjectName("tool")
        self.more.setCheckable(True)
        self.more.setToolTip(tr("Details"))
        self._more_icon = ThemeIcon(self.more, theme, "chevron-right", "quiet", size=16)
        self.more.toggled.connect(self._turn)
        self._side.addWidget(self.more)
        self._outer.addLayout(self._side)
        self._whole.addLayout(self._outer)
        self.buttons: dict[Act, QPushButton] = {}

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        self._outer.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        self._side.setAlignment(Qt.AlignmentFlag.AlignLeft if narrow else Qt.AlignmentFlag.AlignRight)
        self._side.setContentsMargins(24 + self._theme.medium if narrow else 0, 0, 0, 0)

    def show_row(self, row: ShelfRow) -> None:
        """Show ``row``; buttons for the same acts stay, and the focus with them."""
        if row == self.shown:
            return
        before, self.shown = self.shown, row
        self.setAccessibleName(row.title)
        self.title.show_text(row.title)
        self.facts.show_text(row.facts)
        self.facts.setVisible(bool(row.facts))
        if before is None or before.marks != row.marks:
            self._show_marks(row.marks)
        self._show_fit(row.fit)
        self._show_moving(row.moving)
        self.problem.show_text(row.problem)
        self.problem.setVisible(bool(row.problem))
        self.more.setVisible(row.details)
        self.more.setAccessibleName(tr("Details: {model}", model=row.title))
        if before is None or (before.acts, before.title) != (row.acts, row.title):
            self._show_acts(row)
        said = " ".join(filter(None, (self.fit.whole_text, row.facts)))
        for button in self.buttons.values():
            button.setAccessibleDescription(said)

    def show_details(self, lines: list[Fact], acts: tuple[str, ...]) -> None:
        """Show what was asked for when it was opened."""
        if self.panel is not None and self.shown is not None:
            self.panel.show_facts(lines, acts, self.shown.title)

    def _turn(self, on: bool) -> None:
        self._more_icon.show_as("chevron-down" if on else "chevron-right", "quiet")
        if self.shown is None:
            return
        if on and self.panel is None:
            self.panel = DetailsPanel(self._theme)
            self.panel.pressed.connect(self._press)
            self._whole.addWidget(self.panel)
        if self.panel is not None:
            self.panel.setVisible(on)
        if on:
            self.opened.emit(self.shown.model)

    def _press(self, act: str) -> None:
        if self.shown is not None:
            self.pressed.emit(act, self.shown.model)

    # Its parts.

    def _make_words(self) -> QHBoxLayout:
        theme = self._theme
        row = QHBoxLayout()
        row.setSpacing(theme.medium)
        mark = QLabel()
        mark.setFixedSize(24, 24)
        ThemeIcon(mark, theme, "models", "quiet", size=24)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(3)
        head = QHBoxLayout()
        head.setSpacing(theme.small)
        self.title = PlainLabel("", "rowTitle", elided=True)
        head.addWidget(self.title, 1)
        self._marks = QHBoxLayout()
        self._marks.setSpacing(theme.tiny)
        head.addLayout(self._marks)
        column.addLayout(head)
        self.facts = PlainLabel("", "quiet")
        column.addWidget(self.facts)
        column.addWidget(self._make_fit())
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.how_far = PlainLabel("", "caption")
        self.problem = PlainLabel("", "fieldProblem")
        column.addSpacing(1)
        for widget in (self.progress, self.how_far, self.problem):
            column.addWidget(widget)
        row.addLayout(column, 1)
        return row

    def _make_fit(self) -> QWidget:
        self._fit_line = QWidget()
        line = QHBoxLayout(self._fit_line)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        self._dot = Dot(self._theme.neutral, 8)
        self.fit = PlainLabel("", "caption")
        line.addWidget(self._dot)
        line.addWidget(self.fit, 1)
        self._theme.changed.connect(self._paint)
        return self._fit_line

    def _show_fit(self, fit: Badge | None) -> None:
        self._fit_line.setVisible(fit is not None)
        self.fit.show_text(fit.text if fit is not None else "")
        self._paint()

    def _paint(self) -> None:
        fit = self.shown.fit if self.shown is not None else None
        if fit is not None:
            self._dot.set_colour(self._theme.tone(fit.tone))

    def _show_marks(self, marks: tuple[Badge, ...]) -> None:
        while (item := self._marks.takeAt(0)) is not None:
            _drop(item.widget())
        for badge in marks:
            self._marks.addWidget(Mark(badge.text, badge.tone))

    def _show_moving(self, moving: Moving | None) -> None:
        for widget in (self.progress, self.how_far):
            widget.setVisible(moving is not None)
        if moving is None:
            return
        self.how_far.show_text(moving.text)
        self.progress.setVisible(moving.share is not None or moving.runs)
        self.progress.setRange(0, STEPS if moving.share is not None else 0)
        self.progress.setValue(round(STEPS * (moving.share or 0)))
        self.progress.setAccessibleName(tr("Download of {model}", model=self.title.whole_text))
        self.progress.setAccessibleDescription(moving.text)

    def _show_acts(self, row: ShelfRow) -> None:
        had = next((act for act, button in self.buttons.items() if button.hasFocus()), None)
        for button in self.buttons.values():
            _drop(button)
        self.buttons = {}
        for act in row.acts:
            button = QPushButton(tr(ACTS[act]))
            button.setAccessibleName(tr("{action}: {model}", action=button.text(), model=row.title))
            button.clicked.connect(functools.partial(self.pressed.emit, act, row.model))
            self._side.insertWidget(len(self.buttons), button)
            self.buttons[act] = button
        if had is not None and self.buttons:  # "Pause" became "Go on": keys stay where they were
            self.buttons.get(had, next(iter(self.buttons.values()))).setFocus()


def _drop(widget: QWidget | None) -> None:
    if widget is not None:
        widget.hide()
        widget.deleteLater()
