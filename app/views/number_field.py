"""A field to type a number in the way of the user's language; arrow keys make it greater or less."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit

from app.i18n import number, read_number

WIDTH = 92


class NumberField(QLineEdit):
    """Emits ``chosen`` with what was typed, brought between ``least`` and ``most``; what is no number is forgotten.
    ``nothing``: what stands there for the least value, and what an empty field means."""

    chosen = Signal(float)

    def __init__(self, least: float, most: float, digits: int, step: float, nothing: str = "") -> None:
        super().__init__()
        self._least, self._most, self._digits, self._step = least, most, digits, step
        self._value = least
        self._nothing = bool(nothing)
        self.setPlaceholderText(nothing)
        self.setMaxLength(20)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(WIDTH)
        self.editingFinished.connect(self._typed)
        self.show_value(least)

    @property
    def value(self) -> float:
        """What is chosen."""
        return self._value

    def show_value(self, value: float) -> None:
        """Show ``value``, which tells nobody."""
        self._value = value
        self.setText(
            "" if self._nothing and value <= self._least else number(value, min(self._digits, 2), self._digits)
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        if event.key() in steps:
            self._choose(self._value + self._step * steps[Qt.Key(event.key())])
        elif event.key() == Qt.Key.Key_Escape:
            self.show_value(self._value)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def _typed(self) -> None:
        text = self.text().strip()
        if not text and self._nothing:
            self._choose(self._least)
            return
        value = read_number(text)
        self._choose(self._value if value is None else value)

    def _choose(self, value: float) -> None:
        value = round(min(self._most, max(self._least, value)), self._digits)
        changed = value != self._value
        self.show_value(value)
        if changed:
            self.chosen.emit(value)
