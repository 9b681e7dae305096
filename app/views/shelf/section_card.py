"""A section of the page *Models*: a heading and the models in that place."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.models.shelf import ShelfSection
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card
from app.views.shelf.model_row import ModelRow


class SectionCard(Card):
    """Shows a :class:`ShelfSection`. A row stays the same widget as long as its model is in this place."""

    pressed = Signal(str, str)
    opened = Signal(str)

    def __init__(self, theme: Theme, section: ShelfSection) -> None:
        super().__init__(theme, section.heading, section.about)
        self.place = section.place
        self.note = PlainLabel("", "quiet")
        self.column.addWidget(self.note)
        self.rows: dict[str, ModelRow] = {}
        self._lines: list[QWidget] = []

    def show_section(self, section: ShelfSection) -> None:
        """Show exactly these models."""
        self.note.show_text(section.note)
        self.note.setVisible(not section.rows and bool(section.note))
        names = [row.model for row in section.rows]
        if names != list(self.rows):
            self._place(names)
        for row in section.rows:
            self.rows[row.model].show_row(row)

    def _place(self, names: list[str]) -> None:
        # Not takeAt: an item that is still held would keep its widget from telling the next one of its size.
        for line in self._lines:
            self.column.removeWidget(line)
            line.hide()
            line.deleteLater()
        for row in self.rows.values():
            self.column.removeWidget(row)
        self._lines = []
        before, self.rows = self.rows, {}
        for name in names:
            if self.rows:
                self._lines.append(self.add_line())
            row = before.pop(name) if name in before else self._row()
            self.rows[name] = row
            self.column.addWidget(row)
        for row in before.values():
            row.hide()
            row.deleteLater()

    def _row(self) -> ModelRow:
        row = ModelRow(self._theme)
        row.pressed.connect(self.pressed)
        row.opened.connect(self.opened)
        return row
