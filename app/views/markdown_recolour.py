"""The same text in other colours, some of it at a time: laying a long answer out anew would hold the window up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextCursor, QTextDocument, QTextTable

from app.theme import Theme
from app.views.markdown_formats import KIND, MarkdownFormats

TOGETHER = 48
"""Lines of one step. Qt takes some milliseconds to lay a long text out, however little of it has changed, and as long
again for so many lines."""
_CELLS = 2
"""Cells of tables that weigh as much as a line. Qt lays a table out in whole, whatever of it has changed."""


class Recolouring:
    """Goes through ``document`` once: first through what ``shows`` (two places in it), then on below and above that in
    turns, so that what is near comes before what is far. A step takes one stretch of the text, as Qt lays out anew all
    that stands between two changes. The text has to stay as it is meanwhile."""

    def __init__(
        self, document: QTextDocument, formats: MarkdownFormats, theme: Theme, shows: tuple[int, int] | None = None
    ) -> None:
        self._document = document
        self._formats = formats
        self._theme = theme
        self._looks: dict[int, QTextCharFormat | None] = {}
        """What letters get, by the number of the look that they have."""
        self._dirty: list[int] = []  # the first and the last place of code whose layout has to be told
        first, last = (document.findBlock(place) for place in shows or (0, 0))
        self._seen = self._walk(first, _behind, last.position())
        self._beyond = deque([self._walk(_behind(last), _behind), self._walk(_before(first), _before)])
        self._showing = shows is not None

    @property
    def showing(self) -> bool:
        """Whether some of what shows still has the colours from before."""
        return self._showing

    def step(self) -> bool:
        """Go on; whether there was something to do."""
        if self._some(self._seen):
            return True
        self._showing = False
        while self._beyond:
            part = self._beyond.popleft()
            if self._some(part):
                self._beyond.append(part)
                return True
        return False

    def _some(self, part: Iterator[int]) -> bool:
        """Do some of this part, which is laid out once together: that takes far longer than to give the colours."""
        self._dirty.clear()
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        done = 0
        for weight in part:
            done += weight
            if done >= TOGETHER:
                break
        if self._dirty:  # for all lines of code, and before the edit ends: Qt lays out each time it is told
            begin, end = min(self._dirty), min(max(self._dirty), self._document.characterCount() - 1)
            self._document.markContentsDirty(begin, end - begin)
        cursor.endEditBlock()
        return done > 0

    def _walk(
        self, block: QTextBlock, on: Callable[[QTextBlock], QTextBlock], until: int | None = None
    ) -> Iterator[int]:
        """Recolour lines and whole tables from ``block`` on; gives the weight of each."""
        cursor = QTextCursor(self._document)
        while block.isValid() and (until is None or block.position() <= until):
            table = _table_of(block)
            if table is None:
                self._line(cursor, block)
                yield 1
            else:
                self._table(cursor, table)
                yield 1 + table.rows() * table.columns() // _CELLS
            block = on(block)

    def _line(self, cursor: QTextCursor, block: QTextBlock) -> None:
        changes: list[tuple[int, int, QTextCharFormat]] = []
        part = block.begin()
        while not part.atEnd():
            fragment = part.fragment()
            look = fragment.charFormatIndex()
            if look not in self._looks:
                self._looks[look] = self._formats.recoloured(fragment.charFormat())
            changed = self._looks[look]
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
            self._dirty += block.position(), block.position() + block.length()

    def _table(self, cursor: QTextCursor, table: QTextTable) -> None:
        look = table.format().toTableFormat()
        look.setBorderBrush(QColor(self._theme.line))
        table.setFormat(look)
        for column in range(table.columns()):
            cell = table.cellAt(0, column)
            ground = cell.format()
            ground.setBackground(QColor(self._theme.sunken))
            cell.setFormat(ground)
        block, end = self._document.findBlock(table.firstPosition()), table.lastPosition()
        while block.isValid() and block.position() <= end:
            self._line(cursor, block)
            block = block.next()


def _table_of(block: QTextBlock) -> QTextTable | None:
    return QTextCursor(block).currentTable()


def _behind(block: QTextBlock) -> QTextBlock:
    """What follows a line, or the table that it stands in."""
    table = _table_of(block)
    return (block if table is None else block.document().findBlock(table.lastPosition())).next()


def _before(block: QTextBlock) -> QTextBlock:
    """What stands before a line, or before the table that it stands in."""
    table = _table_of(block)
    return (block if table is None else block.document().findBlock(table.firstPosition())).previous()
