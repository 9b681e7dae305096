"""The same text in other colours, some of it at a time: laying a long answer out anew would hold the window up."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextCursor, QTextDocument, QTextTable

from app.theme import Theme
from app.views.markdown_formats import KIND, MarkdownFormats

STEP = 0.004
"""Seconds of one step."""


class Recolouring:
    """Goes through ``document`` once. Text that is added meanwhile has the new colours already."""

    def __init__(
        self, document: QTextDocument, tables: Sequence[QTextTable], formats: MarkdownFormats, theme: Theme
    ) -> None:
        self._document = document
        self._tables = list(tables)
        self._formats = formats
        self._theme = theme
        self._at = 0

    def step(self) -> bool:
        """Go on; whether there is more to do."""
        until = time.perf_counter() + STEP
        begin, coloured = self._at, False
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        while self._tables and time.perf_counter() < until:  # first: their heads could not be read on the old ground
            self._table(self._tables.pop(0))
        block = self._document.findBlock(self._at)
        while block.isValid() and time.perf_counter() < until:
            coloured = self._block(cursor, block) or coloured
            block = block.next()
        cursor.endEditBlock()
        self._at = block.position() if block.isValid() else self._document.characterCount()
        if coloured:  # once for all lines of code: Qt lays out for each time, also within an edit block
            self._document.markContentsDirty(begin, min(self._at, self._document.characterCount() - 1) - begin)
        return block.isValid() or bool(self._tables)

    def _block(self, cursor: QTextCursor, block: QTextBlock) -> bool:
        """Recolour ``block``; whether it is code whose layout has to be told."""
        changes: list[tuple[int, int, QTextCharFormat]] = []
        part = block.begin()
        while not part.atEnd():
            fragment = part.fragment()
            changed = self._formats.recoloured(fragment.charFormat())
            if changed is not None:
                changes.append((fragment.position(), fragment.length(), changed))
            part += 1
        for at, length, changed in changes:
            cursor.setPosition(at)
            cursor.setPosition(at + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(changed)
        ranges = block.layout().formats()
        if ranges:
            for one in ranges:
                one.format = self._formats.kind(str(one.format.property(KIND)))
            block.layout().setFormats(ranges)
        return bool(ranges)

    def _table(self, table: QTextTable) -> None:
        look = table.format().toTableFormat()
        look.setBorderBrush(QColor(self._theme.line))
        table.setFormat(look)
        for column in range(table.columns()):
            cell = table.cellAt(0, column)
            ground = cell.format()
            ground.setBackground(QColor(self._theme.sunken))
            cell.setFormat(ground)
