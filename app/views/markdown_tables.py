"""Tables in a text document: laid out, and filled row by row while they are being written."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QColor,
    QTextBlockFormat,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableFormat,
)

from app.i18n import tr
from app.markdown.blocks import Block, Code, Run, Runs, Style, Table
from app.theme import Theme
from app.views.markdown_formats import GAP, PAD, MarkdownFormats, indent

MAX_ROWS, WRITTEN_ROWS = 200, 100
"""Rows of a table that are laid out, and while it is being written: Qt lays the whole table out for each letter."""
MAX_CELLS, WRITTEN_CELLS = 800, 400
"""The same in cells, for wide tables."""
GROWTH = 100
"""Cells that come at a time when a table has been written."""
_RAISED = 4
"""Pixels that a table stands higher than its gaps say, as the text above it has room below its letters already."""
_ALIGNMENTS = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}


def _above(before: Block | None) -> float:
    """The margin above a table that stands behind this block, whose own margin Qt forgets there: the ground of code
    reaches into it."""
    if before is None:
        return 0
    return GAP - _RAISED + (PAD if isinstance(before, Code) else 0)


def written_rows(block: Table) -> int:
    """Rows of a table that are laid out while it is being written."""
    return min(len(block.rows), WRITTEN_ROWS, max(1, WRITTEN_CELLS // len(block.alignments)))


def most_rows(block: Table) -> int:
    """Rows of a table that are laid out."""
    return min(len(block.rows), MAX_ROWS, max(1, MAX_CELLS // len(block.alignments)))


class TableLayout:
    """Lays out the beginnings of tables."""

    def __init__(self, formats: MarkdownFormats, theme: Theme) -> None:
        self._formats = formats
        self._theme = theme

    def insert(self, cursor: QTextCursor, block: Table, before: Block | None) -> QTextTable:
        """Insert a table at the end of the document; ``cursor`` stands behind it then."""
        theme = self._theme
        table_format = QTextTableFormat()
        table_format.setBorder(1)
        table_format.setBorderCollapse(True)
        table_format.setBorderBrush(QColor(theme.line))
        table_format.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        table_format.setCellPadding(7)
        table_format.setCellSpacing(0)
        table_format.setLeftMargin(indent(block.place))
        table_format.setTopMargin(_above(before))
        table_format.setBottomMargin(GAP + _RAISED)
        table_format.setHeaderRowCount(1)
        table_format.setColumnWidthConstraints([QTextLength()] * len(block.alignments))
        rows = written_rows(block)
        table = cursor.insertTable(1 + rows, len(block.alignments), table_format)
        for column, runs in enumerate(block.header):
            self._fill(table, 0, column, runs, block, header=True)
        self._fill_rows(table, block, range(rows))
        self._say_rest(table, block, rows)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._formats.shrink_tail(cursor)
        return table

    def grow(self, table: QTextTable, block: Table, rows: int) -> int:
        """Lay out some of the rows that had to wait until the table was written, behind the ``rows`` that are; how many
        are now."""
        grown = min(most_rows(block), rows + max(1, GROWTH // table.columns()))
        table.insertRows(rows + 1, grown - rows)
        self._fill_rows(table, block, range(rows, grown))
        if len(block.rows) == grown:
            table.removeRows(grown + 1, 1)
        else:
            self._say_rest(table, block, grown)
        return grown

    def _fill_rows(self, table: QTextTable, block: Table, rows: range) -> None:
        for row in rows:
            for column, runs in enumerate(block.rows[row]):
                self._fill(table, row + 1, column, runs, block)

    def _say_rest(self, table: QTextTable, block: Table, rows: int) -> None:
        """A row below the ``rows`` that are laid out that says how many are not, if there are any."""
        beyond = len(block.rows) - rows
        if beyond <= 0:
            return
        if table.rows() < rows + 2:
            table.appendRows(1)
            table.mergeCells(rows + 1, 0, 1, table.columns())
        text = tr("… and %Ln rows more, which a copy of the whole text has", "", beyond)
        self._fill(table, rows + 1, 0, (Run(text, Style.ITALIC),), block)

    def extend(self, table: QTextTable, old: Table, new: Table) -> bool:
        """Add rows and fill the last row anew; False if others differ."""
        same = max(0, len(old.rows) - 1)
        if len(new.rows) < len(old.rows) or old.rows[:same] != new.rows[:same]:
            return False
        wanted = written_rows(new)
        if wanted + 1 > table.rows():
            table.appendRows(wanted + 1 - table.rows())
        for row in range(same, wanted):
            for column, runs in enumerate(new.rows[row]):
                if row >= len(old.rows) or old.rows[row][column] != runs:
                    self._fill(table, row + 1, column, runs, new)
        self._say_rest(table, new, wanted)
        return True

    def _fill(
        self, table: QTextTable, row: int, column: int, runs: Runs, block: Table, *, header: bool = False
    ) -> None:
        cell = table.cellAt(row, column)
        if header:
            cell_format = cell.format()
            cell_format.setBackground(QColor(self._theme.sunken))
            cell.setFormat(cell_format)
        cursor = cell.firstCursorPosition()
        cursor.setPosition(cell.lastPosition(), QTextCursor.MoveMode.KeepAnchor)
        if cursor.hasSelection():
            cursor.removeSelectedText()
        cell_block = QTextBlockFormat()
        cell_block.setAlignment(_ALIGNMENTS[block.alignments[column]])
        cursor.setBlockFormat(cell_block)
        if header:
            runs = tuple(Run(run.text, run.style | Style.BOLD, run.link) for run in runs)
        self._formats.insert_runs(cursor, runs, 0)
