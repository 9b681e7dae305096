"""A section of the page *Models*: a heading and the models in that place."""

from __future__ import annotations

import itertools
from collections.abc import Callable

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
        self._placed: list[QWidget] = []  # rows, with lines between them

    def show_section(self, section: ShelfSection, over: Callable[[], bool]) -> bool:
        """Show exactly these models, of those without a row yet as many as get one before time is ``over``. Whether all
        are there."""
        self.note.show_text(section.note)
        self.note.setVisible(not section.rows and bool(section.note))
        with self.column.changing():
            before, self.rows = self.rows, {}
            new: list[ModelRow] = []
            rows = {row.model: row for row in section.rows}  # a hub may name one twice
            for model, row in rows.items():
                widget = before.pop(model, None)
                if widget is None:
                    if over():
                        continue
                    new.append(widget := self._row())
                self.rows[model] = widget
                widget.show_row(row)
            for gone in before.values():
                self._drop(gone)
            self._place()
            for made in new:
                made.show()
        return len(self.rows) == len(rows)

    def _place(self) -> None:
        lines = [widget for widget in self._placed if not isinstance(widget, ModelRow)]
        wanted: list[QWidget] = []
        for row in self.rows.values():
            if wanted:
                wanted.append(lines.pop(0) if lines else self.add_line())
            wanted.append(row)
        for line in lines:
            self._drop(line)
        pairs = zip(self._placed, wanted, strict=False)
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] is pair[1], pairs))
        for widget in self._placed[same:]:
            self.column.removeWidget(widget)
        for widget in wanted[same:]:
            self.column.addWidget(widget)
        self._placed = wanted

    def _drop(self, widget: QWidget) -> None:
        # Not takeAt: an item that is still held would keep its widget from telling the next one of its size.
        self.column.removeWidget(widget)
        widget.hide()
        widget.deleteLater()

    def _row(self) -> ModelRow:
        row = ModelRow(self._theme)
        row.hide()  # it shows with all that it says: Qt would lay out the page after each of these
        row.setParent(self)
        row.pressed.connect(self.pressed)
        row.opened.connect(self.opened)
        return row
