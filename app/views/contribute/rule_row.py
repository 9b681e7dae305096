"""A rule of the owner: what it is called and means, its control, and why it was refused or cannot be had here."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.views.basics import PlainLabel

UNIT = 54
"""Width of a unit, so that fields stand below each other."""
NARROW = 380
"""Below this width the controls stand under the words."""


class RuleRow(QWidget):
    """``controls`` stand beside each other, with ``unit`` behind them ("": its place stays empty);
    ``below``: under the words, as wide as they."""

    def __init__(
        self, theme: Theme, name: str, about: str, *controls: QWidget, unit: str | None = None, below: bool = False
    ) -> None:
        super().__init__()
        self._about_text = about
        self._below = below
        self.controls = controls
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.medium)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.name = PlainLabel(name, "rowTitle")
        self.about = PlainLabel(about, "quiet")
        self.problem = PlainLabel("", "fieldProblem")
        for label in (self.name, self.about, self.problem):
            words.addWidget(label)
        self._row.addLayout(words, 1)
        self.about.setVisible(bool(about))  # not before it has a parent: that would open a window
        self.problem.hide()
        beside = QHBoxLayout()
        beside.setSpacing(theme.small)
        for control in controls:
            if below:
                beside.addWidget(control, 1)
            else:
                beside.addWidget(control, 0, Qt.AlignmentFlag.AlignVCenter)
            if not control.accessibleName():
                control.setAccessibleName(name)
            control.setAccessibleDescription(about)
        if unit is not None:
            label = PlainLabel(unit, "quiet")
            label.setWordWrap(False)
            label.setMinimumWidth(UNIT)
            beside.addWidget(label)
        self._beside = beside
        self._row.addLayout(beside)
        if below:
            self._row.setDirection(QBoxLayout.Direction.TopToBottom)
            self._row.setSpacing(theme.small)
        if controls:
            self.name.setBuddy(controls[0])

    def show_about(self, text: str) -> None:
        """Other words about it."""
        if text != self._about_text:
            self._about_text = text
            self.about.show_text(text)
            self.about.setVisible(bool(text))
            self._describe()

    def show_problem(self, text: str) -> None:
        """Why the engine refused what was chosen; empty: it did not."""
        self.problem.show_text(text)
        self.problem.setVisible(bool(text))
        self._describe()

    def show_missing(self, reason: str) -> None:
        """Why this machine cannot do it, in place of what it means; empty: it can."""
        for control in self.controls:
            control.setEnabled(not reason)
        self.name.setEnabled(not reason)
        self.about.show_text(reason or self._about_text)
        self.about.setVisible(bool(reason or self._about_text))
        self._describe()

    def _describe(self) -> None:
        text = " ".join(filter(None, (self.problem.whole_text, self.about.whole_text)))
        for control in self.controls:
            control.setAccessibleDescription(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._below:
            return
        needed = sum(map(_width, self.controls)) + 180
        narrow = self.width() < max(NARROW, needed) and any(_width(control) > 120 for control in self.controls)
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if direction is not self._row.direction():
            self._row.setDirection(direction)
            self._beside.setAlignment(Qt.AlignmentFlag.AlignLeft if narrow else Qt.AlignmentFlag.AlignRight)


def _width(control: QWidget) -> int:
    return max(control.sizeHint().width(), control.minimumWidth())
