"""Blocks of Markdown laid out in a text document. A change of the last blocks changes only what differs, so that a text
that is being written neither flickers nor loses the reader's selection."""

from __future__ import annotations

import bisect
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QPainter,
    QPen,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFrameFormat,
    QTextLayout,
    QTextLength,
    QTextOption,
    QTextTable,
    QTextTableCell,
    QTextTableFormat,
)

from app.i18n import tr
from app.markdown.blocks import Block, Code, Maths, Place, Rule, Run, Runs, Style, Table, Text
from app.markdown.highlight import Highlighter, Span
from app.theme import Theme

MAX_ROWS, WRITTEN_ROWS = 200, 100
"""Rows of a table that are laid out, and while it is being written: Qt lays the whole table out for each letter."""
MAX_CODE_LINE = 2_000
"""Characters of a line of code that are laid out as one."""
TOO_SLOW = 0.025
"""Seconds of one step of colouring after which a block of code stays as it is: some lexers can be made to take long."""
HEADER_HEIGHT = 32
"""Pixels above a block of code for its language and its button."""
_ITEM, _QUOTE, _HANG = 26, 18, 22
_PAD = 12
_GAP = 10
_HEADINGS = {1: 1.5, 2: 1.3, 3: 1.14, 4: 1.05, 5: 1.0, 6: 1.0}
_ALIGNMENTS = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}
_LINE = "\u2028"
_TAIL = QTextBlockFormat.LineHeightTypes.FixedHeight


@dataclass(slots=True, eq=False)
class Shown:
    """A block as it stands in the document, from character ``start``."""

    block: Block
    start: int
    lines: int = 1  # blocks of the document, of code
    table: QTextTable | None = None
    highlighter: Highlighter | None = None
    spans: dict[int, tuple[Span, ...]] = field(default_factory=dict)


class MarkdownDocument:
    """Shows a sequence of blocks in ``document``."""

    def __init__(self, document: QTextDocument, theme: Theme, *, quiet: bool = False) -> None:
        self._document = document
        self._theme = theme
        self._quiet = quiet
        self.shown: list[Shown] = []
        self._rows = WRITTEN_ROWS
        self._free = True  # the last block of the document is empty and belongs to nobody
        self._formats: dict[tuple[Style, bool, int], QTextCharFormat] = {}
        self._colours: dict[str, QTextCharFormat] = {}
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        document.setDefaultTextOption(option)
        document.setUndoRedoEnabled(False)
        document.setDocumentMargin(1)

    def clear(self) -> None:
        """Show nothing; colours are taken from the theme anew."""
        self._document.clear()
        self.shown.clear()
        self._rows = WRITTEN_ROWS
        self._formats.clear()
        self._colours.clear()
        self._free = True

    def show(self, blocks: Sequence[Block], begin: int) -> None:
        """Show ``blocks`` from index ``begin`` on, where those before are shown already and have not changed."""
        at = begin
        while at < len(self.shown) and at - begin < len(blocks) and self.shown[at].block == blocks[at - begin]:
            at += 1
        if at == len(self.shown) and at - begin == len(blocks):
            return
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        if at < len(self.shown) and at - begin < len(blocks):
            self._remove(cursor, at + 1)
            if self._extend(cursor, self.shown[at], blocks[at - begin]):
                at += 1
        self._remove(cursor, at)
        for block in blocks[at - begin :]:
            self._append(cursor, block)
        cursor.endEditBlock()

    def settle(self) -> None:
        """No more comes: show the rows of tables that have waited for that."""
        if self._rows == MAX_ROWS:
            return
        self._rows = MAX_ROWS
        tables = (number for number, shown in enumerate(self.shown) if _rows(shown.block) > WRITTEN_ROWS)
        first = next(tables, None)
        if first is not None:
            blocks = [shown.block for shown in self.shown[first:]]
            cursor = QTextCursor(self._document)
            cursor.beginEditBlock()
            self._remove(cursor, first)
            for block in blocks:
                self._append(cursor, block)
            cursor.endEditBlock()

    @property
    def busy(self) -> bool:
        """Whether there is code left to colour."""
        return any(shown.highlighter is not None and shown.highlighter.busy for shown in self.shown)

    def highlight(self) -> bool:
        """Colour some more code; False when there is none left to colour."""
        for shown in reversed(self.shown):
            if shown.highlighter is not None and shown.highlighter.busy:
                cursor = QTextCursor(self._document)
                cursor.beginEditBlock()  # all of it is laid out once
                loaded = shown.highlighter.loaded
                began = time.thread_time()
                lines = shown.highlighter.step()
                if loaded and time.thread_time() - began > TOO_SLOW:
                    shown.highlighter.give_up()
                for line, spans in lines:
                    if shown.spans.get(line, ()) != spans:
                        shown.spans[line] = spans
                        self._colour(shown, line, spans)
                cursor.endEditBlock()
                return True
        return False

    def plain(self, selection: QTextCursor) -> str:
        """The selected text as it reads: lines, and the cells of a table apart by tabs."""
        start, end = selection.selectionStart(), selection.selectionEnd()
        said = ""
        cell: QTextTableCell | None = None
        block = self._document.findBlock(start)
        while block.isValid() and block.position() <= end:
            if not block.text() and block.blockFormat().lineHeightType() == _TAIL.value:
                block = block.next()  # what Qt keeps around a table
                continue
            table = selection_table(block)
            here = table.cellAt(block.position()) if table is not None else None
            if said or block.position() > start:
                said += "\t" if here is not None and cell is not None and here.row() == cell.row() else "\n"
            text = block.text()
            said += text[max(0, start - block.position()) : end - block.position()].replace(_LINE, "\n")
            cell = here
            block = block.next()
        return said

    def code_rect(self, shown: Shown) -> QRectF:
        """The ground of a block of code, with its header, in the document."""
        first = self._document.findBlock(shown.start)
        last = self._document.findBlockByNumber(first.blockNumber() + shown.lines - 1)
        layout = self._document.documentLayout()
        top = layout.blockBoundingRect(first).top() - HEADER_HEIGHT - _PAD / 2
        left = 1 + _indent(shown.block.place)
        return QRectF(
            left, top, self._document.textWidth() - 1 - left, layout.blockBoundingRect(last).bottom() + _PAD - top
        )

    def paint_ground(self, painter: QPainter, exposed: QRectF) -> None:
        """Draw what lies behind the text in ``exposed``: grounds of code, bars of quotes, rules."""
        theme = self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in self._within(exposed):
            shown = self.shown[index]
            block = shown.block
            rect = self._rect(shown)
            if isinstance(block, Code):
                painter.setPen(QPen(QColor(theme.line), 1))
                painter.setBrush(QColor(theme.sunken))
                painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), theme.small_radius, theme.small_radius)
                rect.setHeight(HEADER_HEIGHT)
                painter.drawLine(rect.bottomLeft(), rect.bottomRight())
                rect = self._rect(shown)
            elif isinstance(block, Rule):
                painter.setPen(QPen(QColor(theme.line), 1))
                left = 1 + _indent(block.place)
                middle = round(rect.center().y()) + 0.5
                painter.drawLine(QPointF(left, middle), QPointF(self._document.textWidth() - 1, middle))
            self._paint_bars(painter, index, rect)

    def _paint_bars(self, painter: QPainter, index: int, rect: QRectF) -> None:
        """Draw the bars of the quotes that a block is in, up to the block before if that is in them, too."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.strong_line))
        containers = self.shown[index].block.place.containers
        before = self.shown[index - 1] if index else None
        x = 1.0
        for depth, container in enumerate(containers):
            if container == "quote":
                top = rect.top()
                if before is not None and before.block.place.containers[: depth + 1] == containers[: depth + 1]:
                    top = min(top, self._rect(before).bottom())
                painter.drawRect(QRectF(x + 2, top - 2, 3, rect.bottom() - top + 4))
            x += _QUOTE if container == "quote" else _ITEM

    def _rect(self, shown: Shown) -> QRectF:
        """Where a block stands in the document."""
        if isinstance(shown.block, Code):
            return self.code_rect(shown)
        layout = self._document.documentLayout()
        if shown.table is not None:
            return layout.frameBoundingRect(shown.table)
        return layout.blockBoundingRect(self._document.findBlock(shown.start))

    def _within(self, exposed: QRectF) -> range:
        """The indices of the blocks that touch ``exposed``."""
        layout = self._document.documentLayout()

        def top(shown: Shown) -> float:
            return layout.blockBoundingRect(self._document.findBlock(shown.start)).top()

        first = bisect.bisect_right(self.shown, exposed.top(), key=top)
        end = bisect.bisect_right(self.shown, exposed.bottom() + HEADER_HEIGHT + _PAD, key=top)
        return range(max(0, first - 1), end)

    def _remove(self, cursor: QTextCursor, index: int) -> None:
        """Take the blocks from ``index`` on away."""
        if index >= len(self.shown):
            return
        start = self.shown[index].start
        if index == 0:
            self._document.clear()
            self.shown.clear()
            self._free = True
            cursor.setPosition(0)
            return
        after_table = self.shown[index - 1].table is not None
        cursor.setPosition(start if after_table else start - 1)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self._free = after_table
        if after_table:
            self._shrink_tail(cursor)
        del self.shown[index:]

    def _append(self, cursor: QTextCursor, block: Block) -> None:
        cursor.movePosition(QTextCursor.MoveOperation.End)
        block_format = self._block_format(block, first=not self.shown)
        if isinstance(block, Table):
            if self._free:
                self._shrink_tail(cursor)  # stays before the table
        elif self._free:
            cursor.setBlockFormat(block_format)
        else:
            cursor.insertBlock(block_format)
        self._free = False
        shown = Shown(block, cursor.position())
        self.shown.append(shown)
        match block:
            case Text():
                self._insert_text(cursor, block)
            case Maths():
                cursor.insertText(block.text.replace("\n", _LINE), self._format(Style.MATHS, False, 0))
            case Code():
                shown.lines = 0
                shown.highlighter = Highlighter(block.language)
                cursor.setCharFormat(self._format(Style.CODE, False, -1))
                self._add_code(cursor, shown, "", block.text)
            case Table():
                self._insert_table(cursor, shown, block)
            case Rule():
                cursor.setBlockCharFormat(self._small())

    def _extend(self, cursor: QTextCursor, shown: Shown, block: Block) -> bool:
        """Turn the last shown block into ``block`` where only its end differs; False where that is not so."""
        old = shown.block
        if type(old) is not type(block) or old.place != block.place:
            return False
        if isinstance(old, Code) and isinstance(block, Code):
            if old.language != block.language or not block.text.startswith(old.text):
                return False
            self._add_code(cursor, shown, old.text, block.text)
        elif isinstance(old, Table) and isinstance(block, Table):
            if shown.table is None or old.header != block.header or old.alignments != block.alignments:
                return False
            if not self._extend_table(shown.table, old, block):
                return False
        elif isinstance(old, Text) and isinstance(block, Text) and old.heading == block.heading:
            self._extend_text(cursor, shown, old, block)
        else:
            return False
        shown.block = block
        return True

    def _extend_text(self, cursor: QTextCursor, shown: Shown, old: Text, new: Text) -> None:
        same = 0
        kept = 0
        while same < min(len(old.runs), len(new.runs)) and old.runs[same] == new.runs[same]:
            kept += units(_run_text(old.runs[same]))
            same += 1
        rest = list(new.runs[same:])
        if same < min(len(old.runs), len(new.runs)):
            one, other = old.runs[same], new.runs[same]
            if (one.style, one.link) == (other.style, other.link) and not one.style & Style.IMAGE:
                common = _common(one.text, other.text)
                kept += units(other.text[:common])
                rest[0] = Run(other.text[common:], other.style, other.link)
        marker = f"{new.place.marker}\t" if new.place.marker else ""
        cursor.setPosition(shown.start + units(marker) + kept)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        if cursor.hasSelection():
            cursor.removeSelectedText()
        self._insert_runs(cursor, rest, new.heading)

    def _add_code(self, cursor: QTextCursor, shown: Shown, old: str, new: str) -> None:
        """Show the rest of ``new``, whose beginning ``old`` is shown. The last line break is not shown."""
        was, now = old.removesuffix("\n"), new.removesuffix("\n")
        added = now[len(was) :] if now.startswith(was) else ""
        cursor.movePosition(QTextCursor.MoveOperation.End)
        char_format = self._format(Style.CODE, False, -1)
        first = shown.lines == 0
        pieces = _code_lines(added)
        if first:
            shown.lines = 1
        for number, line in enumerate(pieces):
            if number:
                middle = self._code_format(
                    shown.block.place, first=shown.lines == 1 and len(self.shown) == 1, top=shown.lines == 1
                )
                cursor.setBlockFormat(middle)
                cursor.insertBlock(self._code_format(shown.block.place, top=False, last=True))
                shown.lines += 1
            cursor.insertText(line, char_format)
        if first and shown.lines == 1:
            cursor.setBlockFormat(self._code_format(shown.block.place, first=len(self.shown) == 1, top=True, last=True))
        assert shown.highlighter is not None
        shown.highlighter.update(new)

    def _colour(self, shown: Shown, line: int, spans: tuple[Span, ...]) -> None:
        block = self._document.findBlockByNumber(self._document.findBlock(shown.start).blockNumber() + line)
        if line >= shown.lines or not block.isValid():
            return
        text = block.text()
        ranges = []
        for span in spans:
            item = QTextLayout.FormatRange()
            wide = not text.isascii()
            item.start = units(text[: span.start]) if wide else span.start
            item.length = units(text[span.start : span.start + span.length]) if wide else span.length
            item.format = self._syntax(span.kind)
            ranges.append(item)
        block.layout().setFormats(ranges)
        self._document.markContentsDirty(block.position(), block.length())

    def _insert_text(self, cursor: QTextCursor, block: Text) -> None:
        if block.place.marker:
            cursor.insertText(f"{block.place.marker}\t", self._format(Style.PLAIN, False, 0))
        self._insert_runs(cursor, block.runs, block.heading)

    def _insert_runs(self, cursor: QTextCursor, runs: Sequence[Run], heading: int) -> None:
        for run in runs:
            char_format = self._format(run.style, bool(run.link), heading)
            if run.link:
                char_format = QTextCharFormat(char_format)
                char_format.setAnchor(True)
                char_format.setAnchorHref(run.link)
            cursor.insertText(_run_text(run).replace("\n", _LINE), char_format)

    def _insert_table(self, cursor: QTextCursor, shown: Shown, block: Table) -> None:
        theme = self._theme
        table_format = QTextTableFormat()
        table_format.setBorder(1)
        table_format.setBorderCollapse(True)
        table_format.setBorderBrush(QColor(theme.line))
        table_format.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        table_format.setCellPadding(7)
        table_format.setCellSpacing(0)
        table_format.setLeftMargin(_indent(block.place))
        table_format.setTopMargin(_GAP)
        table_format.setBottomMargin(_GAP)
        table_format.setHeaderRowCount(1)
        table_format.setColumnWidthConstraints([QTextLength()] * len(block.alignments))
        table = cursor.insertTable(1 + min(len(block.rows), self._rows), len(block.alignments), table_format)
        shown.table = table
        shown.start = table.firstPosition() - 1
        for column, runs in enumerate(block.header):
            self._fill(table, 0, column, runs, block, header=True)
        for row, cells in enumerate(block.rows[: self._rows]):
            for column, runs in enumerate(cells):
                self._fill(table, row + 1, column, runs, block)
        self._say_rest(table, block)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._shrink_tail(cursor)
        self._free = True

    def _say_rest(self, table: QTextTable, block: Table) -> None:
        """A last row that says how many rows are not laid out, if there are any."""
        beyond = len(block.rows) - self._rows
        if beyond <= 0:
            return
        if table.rows() < self._rows + 2:
            table.appendRows(1)
            table.mergeCells(self._rows + 1, 0, 1, table.columns())
        text = tr("… and %Ln rows more, which a copy of the whole text has", "", beyond)
        self._fill(table, self._rows + 1, 0, (Run(text, Style.ITALIC),), block)

    def _extend_table(self, table: QTextTable, old: Table, new: Table) -> bool:
        """Add rows and fill the last row anew; False if others differ."""
        same = max(0, len(old.rows) - 1)
        if len(new.rows) < len(old.rows) or old.rows[:same] != new.rows[:same]:
            return False
        wanted = min(len(new.rows), self._rows) + 1
        if wanted > table.rows():
            table.appendRows(wanted - table.rows())
        for row in range(same, wanted - 1):
            for column, runs in enumerate(new.rows[row]):
                if row >= len(old.rows) or old.rows[row][column] != runs:
                    self._fill(table, row + 1, column, runs, new)
        self._say_rest(table, new)
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
        self._insert_runs(cursor, runs, 0)

    def _shrink_tail(self, cursor: QTextCursor) -> None:
        """The block that Qt keeps behind a table takes no room."""
        tail = QTextBlockFormat()
        tail.setLineHeight(1, _TAIL.value)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.setBlockFormat(tail)
        cursor.setBlockCharFormat(self._small())

    def _small(self) -> QTextCharFormat:
        small = QTextCharFormat()
        small.setFontPointSize(1)
        return small

    def _block_format(self, block: Block, *, first: bool) -> QTextBlockFormat:
        if isinstance(block, Code):
            return self._code_format(block.place, first=first, top=True, last=True)
        made = QTextBlockFormat()
        place = block.place
        left = _indent(place)
        made.setLeftMargin(left)
        made.setLineHeight(self._theme.line_height, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        made.setTopMargin(0 if first else _GAP)
        if isinstance(block, Text) and block.heading:
            made.setTopMargin(0 if first else 20 if block.heading <= 2 else 16)
            made.setHeadingLevel(block.heading)  # screen readers say it
            made.setLineHeight(120, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        elif isinstance(block, Text) and "item" in place.containers:
            made.setTopMargin(0 if first else 5)
        elif isinstance(block, Maths):
            made.setLeftMargin(left + _ITEM)
        elif isinstance(block, Rule):
            made.setTopMargin(_GAP)
            made.setLineHeight(9, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        if place.marker and isinstance(block, Text):
            wide = QFontMetricsF(self._document.defaultFont()).horizontalAdvance(place.marker) + 7
            hang = min(left, max(_HANG, wide))
            made.setTextIndent(-hang)
            made.setTabPositions([QTextOption.Tab(hang, QTextOption.TabType.LeftTab)])
        return made

    def _code_format(
        self, place: Place, *, first: bool = False, top: bool = False, last: bool = False
    ) -> QTextBlockFormat:
        made = QTextBlockFormat()
        made.setLeftMargin(_indent(place) + _PAD)
        made.setRightMargin(_PAD)
        made.setLineHeight(125, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        made.setTopMargin((HEADER_HEIGHT + _PAD / 2 + (0 if first else _GAP)) if top else 0)
        made.setBottomMargin(_PAD + _GAP + 2 if last else 0)
        return made

    def _format(self, style: Style, link: bool, heading: int) -> QTextCharFormat:
        """The look of a run; ``heading`` -1 is a block of code."""
        key = (style, link, heading)
        if key not in self._formats:
            self._formats[key] = self._make_format(style, link, heading)
        return self._formats[key]

    def _make_format(self, style: Style, link: bool, heading: int) -> QTextCharFormat:
        theme = self._theme
        made = QTextCharFormat()
        size = theme.body * _HEADINGS.get(heading, 1.0) * (0.95 if self._quiet else 1.0)
        made.setFontPointSize(size)
        made.setForeground(QColor(theme.quiet if self._quiet else theme.text))
        if style & Style.BOLD or heading > 0:
            made.setFontWeight(QFont.Weight.DemiBold)
        made.setFontItalic(bool(style & (Style.ITALIC | Style.MATHS)))
        made.setFontStrikeOut(bool(style & Style.STRIKE))
        if style & Style.CODE:
            made.setFontFamilies([code_family()])
            made.setFontPointSize(size * 0.92)
            if heading != -1:
                made.setBackground(QColor(theme.neutral_ground))
        if link:
            made.setForeground(QColor(theme.accent))
            made.setFontUnderline(True)
        return made

    def _syntax(self, kind: str) -> QTextCharFormat:
        if kind not in self._colours:
            made = QTextCharFormat()
            made.setForeground(QColor(self._theme.syntax(kind)))
            made.setFontItalic(kind == "comment")
            self._colours[kind] = made
        return self._colours[kind]


def code_family() -> str:
    """The system's font for code."""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()


def units(text: str) -> int:
    """How many characters ``text`` has for Qt (UTF-16)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "replace")) // 2


def _rows(block: Block) -> int:
    return len(block.rows) if isinstance(block, Table) else 0


def selection_table(block: QTextBlock) -> QTextTable | None:
    """The table that ``block`` stands in."""
    return QTextCursor(block).currentTable()


def _run_text(run: Run) -> str:
    return tr("Image: {words}", words=run.text) if run.style & Style.IMAGE else run.text


def _indent(place: Place) -> int:
    return sum(_QUOTE if container == "quote" else _ITEM for container in place.containers)


def _common(one: str, other: str) -> int:
    """How many of the first characters are the same."""
    if other.startswith(one):
        return len(one)
    same = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        same += 1
    return same


def _code_lines(text: str) -> list[str]:
    lines = []
    for line in text.split("\n"):
        lines += [line[at : at + MAX_CODE_LINE] for at in range(0, max(1, len(line)), MAX_CODE_LINE)]
    return lines
