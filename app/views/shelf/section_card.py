"""A section of the page *Models*: a heading and the models in that place."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from app.models.shelf import ShelfSection
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card
from app.views.shelf.model_row import ModelRow


class SectionCard(Card):
    """Shows a :class:`ShelfSection`. A row stays the same widget as long as its model is in this place."""

    pressed = Signal(str, str)

    def __init__(self, theme: Theme, section: ShelfSection) -> None:
        super().__init__(theme, section.heading, section.about)
        self.place = section.place
        self.note = PlainLabel("", "quiet")
        self.column.addWidget(self.note)
        self.rows: dict[str, ModelRow] = {}
        self._first = self.column.count()

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
        while (item := self.column.takeAt(self._first)) is not None:
            widget = item.widget()
            if isinstance(widget, QFrame) and widget.objectName() == "line":
                widget.deleteLater()
        before, self.rows = self.rows, {}
        for name in names:
            if self.rows:
                self.add_line()
            row = before.pop(name, None) or self._row()
            self.rows[name] = row
            self.column.addWidget(row)
        for row in before.values():
            row.hide()
            row.deleteLater()

    def _row(self) -> ModelRow:
        row = ModelRow(self._theme)
        row.pressed.connect(self.pressed)
        return row
