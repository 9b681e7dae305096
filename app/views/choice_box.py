"""A drop-down list of a few values with their names."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QStyledItemDelegate


class ChoiceBox(QComboBox):
    """Emits ``chosen`` with the value that the user took; setting one from outside is silent."""

    chosen = Signal(object)

    def __init__(self, choices: list[tuple[object, str]], value: object) -> None:
        super().__init__()
        self.setItemDelegate(QStyledItemDelegate(self))  # the default one ignores the style sheet
        self._values: list[object] = []
        self.show_choices(choices)
        self.setMinimumWidth(200)
        self.show_value(value)
        self.activated.connect(lambda index: self.chosen.emit(self._values[index]))

    @property
    def value(self) -> object:
        """What is chosen."""
        return self._values[self.currentIndex()]

    def show_choices(self, choices: list[tuple[object, str]]) -> None:
        """Other values to choose from, in place of those before."""
        self._values = [choice for choice, _ in choices]
        self.blockSignals(True)
        self.clear()
        self.addItems([name for _, name in choices])
        self.blockSignals(False)

    def show_value(self, value: object) -> None:
        """Show ``value`` as chosen; one that is not in the list changes nothing."""
        if value in self._values:
            self.setCurrentIndex(self._values.index(value))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls; nobody wants to change a setting by that
