"""The same text in other colours, some of it at a time: laying a long answer out anew would hold the window up."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextCursor, QTextDocument, QTextTable

from app.theme import Theme
from app.views.markdown_formats import KIND, MarkdownFormats

TOGETHER = 48
"""Tables and lines of one step. Qt takes 20 ms to lay a long text with tables out, however little of it has changed,
and another 10 for so many lines."""


class Recolouring:
    """Goes through ``document`` once, first through what ``shows`` (two places in it). All of that :meth:`seen` does at
    once, as it is no more than a screen. Text that is added meanwhile has the new colours already."""

    def __init__(
        self,
        document: QTextDocument,
        tables: Sequence[QTextTable],
        formats: MarkdownFormats,
        theme: Theme,
        shows: tuple[int, int] = (0, 0),
    ) -> None:
        self._document = document
        self._formats = formats
        self._theme = theme
        first, last = shows
        showing = [table for table in tables if table.lastPosition() >= first and table.firstPosition() <= last]
        self._seen = self._work(showing, [shows])
        # The heads of tables before other text: they could not be read on the old ground.
        rest = [table for table in tables if table not in showing]
        self._steps = itertools.chain(self._seen, self._work(rest, [(last, self._end), (0, first)]))
        self._dirty: list[int] = []  # the first and the last place of code whose layout has to be told

    @property
    def _end(self) -> int:
        return self._document.characterCount() - 1

    def seen(self) -> None:
        """Recolour what shows, unless that is done."""
        self._some(self._seen)

    def step(self) -> bool:
        """Go on; whether there is more to do."""
        return self._some(itertools.islice(self._steps, TOGETHER))

    def _some(self, steps: Iterator[None]) -> bool:
        """Do these steps, which are laid out once together: that takes far longer than to give the colours."""
        self._dirty.clear()
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        done = sum(1 for _ in steps)
        if self._dirty:  # for all lines of code, and before the edit ends: Qt lays out each time it is told
            begin, end = min(self._dirty), min(max(self._dirty), self._end)
            self._document.markContentsDirty(begin, end - begin)
        cursor.endEditBlock()
        return done > 0

    def _work(self, tables: Sequence[QTextTable], parts: Sequence[tuple[int, int]]) -> Iterator[None]:
        for table in tables:
            self._table(table)
            yield
        cursor = QTextCursor(self._document)
        for first, last in parts:
            block = self._document.findBlock(first)
            while block.isValid() and block.position() <= last:
                if self._block(cursor, block):
                    self._dirty += block.position(), block.position() + block.length()
                block = block.next()
                yield

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
