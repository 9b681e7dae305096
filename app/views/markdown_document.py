"""Blocks of Markdown laid out in a text document. A change of the last blocks changes only what differs, so that a text
that is being written neither flickers nor loses the reader's selection."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextLayout,
    QTextOption,
    QTextTable,
    QTextTableCell,
)

from app.markdown.blocks import Block, Code, Maths, Rule, Run, Style, Table, Text
from app.markdown.highlight import Highlighter, Span
from app.models.safe_text import short_lines
from app.theme import Theme
from app.views.markdown_formats import (
    CODE_BLOCK,
    LINE,
    TAIL,
    MarkdownFormats,
    run_text,
    units,
)
from app.views.markdown_ground import MarkdownGround, Shown
from app.views.markdown_recolour import Recolouring
from app.views.markdown_tables import TableLayout, most_rows, written_rows


class MarkdownDocument:
    """Shows a sequence of blocks in ``document``."""

    def __init__(self, document: QTextDocument, theme: Theme, *, quiet: bool = False) -> None:
        self._document = document
        self._theme = theme
        self.shown: list[Shown] = []
        self.ground = MarkdownGround(document, theme, self.shown)
        self._formats = MarkdownFormats(document, theme, quiet=quiet)
        self._tables = TableLayout(self._formats, theme)
        self._free = True  # the last block of the document is empty and belongs to nobody
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
        self._formats.clear()
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

    def settle(self, begin: int = 0) -> bool:
        """No more comes: show some of the rows of tables from the block ``begin`` on that have waited for that; False
        if there are none."""
        for index, shown in enumerate(self.shown[begin:], begin):
            block, table = shown.block, shown.table
            if isinstance(block, Table) and table is not None and shown.rows < most_rows(block):
                before = self._document.characterCount()
                cursor = QTextCursor(self._document)
                cursor.beginEditBlock()
                shown.rows = self._tables.grow(table, block, shown.rows)
                cursor.endEditBlock()
                moved = self._document.characterCount() - before
                for other in self.shown[index + 1 :]:
                    other.start += moved
                return True
        return False

    def find_places(self) -> None:
        """Lay out what has been shown, which Qt else does for all of it at the first question where something is."""
        self._document.documentLayout().blockBoundingRect(self._document.lastBlock())

    def recolouring(self, shows: tuple[int, int] | None = None) -> Recolouring:
        """What gives the text the colours that the theme has now, first from one place to the other, which show."""
        self._formats.clear()
        return Recolouring(self._document, self._formats, self._theme, shows)

    @property
    def busy(self) -> bool:
        """Whether there is code left to colour."""
        return any(shown.highlighter is not None and shown.highlighter.busy for shown in self.shown)

    @property
    def waiting(self) -> bool:
        """Whether a language is being loaded in which code is to be coloured."""
        return any(shown.highlighter is not None and shown.highlighter.waiting for shown in self.shown)

    def highlight(self) -> bool:
        """Colour some more code; False when there is none left to colour."""
        for shown in reversed(self.shown):
            if shown.highlighter is not None and shown.highlighter.busy:
                self._colour(shown, shown.highlighter.step())
                return True
        return False

    def plain(self, selection: QTextCursor) -> str:
        """The selected text as it reads: lines, and the cells of a table apart by tabs."""
        start, end = selection.selectionStart(), selection.selectionEnd()
        said = ""
        cell: QTextTableCell | None = None
        block = self._document.findBlock(start)
        while block.isValid() and block.position() <= end:
            if not block.text() and block.blockFormat().lineHeightType() == TAIL.value:
                block = block.next()  # what Qt keeps around a table
                continue
            table = selection_table(block)
            here = table.cellAt(block.position()) if table is not None else None
            if said or block.position() > start:
                said += "\t" if here is not None and cell is not None and here.row() == cell.row() else "\n"
            text = block.text()
            said += text[max(0, start - block.position()) : end - block.position()].replace(LINE, "\n")
            cell = here
            block = block.next()
        return said

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
            self._formats.shrink_tail(cursor)
        del self.shown[index:]

    def _append(self, cursor: QTextCursor, block: Block) -> None:
        cursor.movePosition(QTextCursor.MoveOperation.End)
        block_format = self._formats.block(block, first=not self.shown)
        if isinstance(block, Table):
            if self._free:
                self._formats.shrink_tail(cursor)  # stays before the table
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
                cursor.insertText(block.text.replace("\n", LINE), self._formats.letters(Style.MATHS, False, 0))
            case Code():
                shown.lines = 0
                shown.highlighter = Highlighter(block.language)
                cursor.setCharFormat(self._formats.letters(Style.CODE, False, CODE_BLOCK))
                self._add_code(cursor, shown, "", block.text)
            case Table():
                shown.table = self._tables.insert(cursor, block, self.shown[-2].block if len(self.shown) > 1 else None)
                shown.start = shown.table.firstPosition() - 1
                shown.rows = written_rows(block)
                self._free = True
            case Rule():
                cursor.setBlockCharFormat(self._formats.small())

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
            if shown.rows != written_rows(old) or not self._tables.extend(shown.table, old, block):
                return False
            shown.rows = written_rows(block)
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
            kept += units(run_text(old.runs[same]))
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
        self._formats.insert_runs(cursor, rest, new.heading)

    def _add_code(self, cursor: QTextCursor, shown: Shown, old: str, new: str) -> None:
        """Show the rest of ``new``, whose beginning ``old`` is shown. The last line break is not shown."""
        was, now = old.removesuffix("\n"), new.removesuffix("\n")
        added = now[len(was) :] if now.startswith(was) else ""
        cursor.movePosition(QTextCursor.MoveOperation.End)
        char_format = self._formats.letters(Style.CODE, False, CODE_BLOCK)
        first = shown.lines == 0
        pieces = short_lines(added)
        if first:
            shown.lines = 1
        for number, line in enumerate(pieces):
            if number:
                middle = self._formats.code(
                    shown.block.place, first=shown.lines == 1 and len(self.shown) == 1, top=shown.lines == 1
                )
                cursor.setBlockFormat(middle)
                cursor.insertBlock(self._formats.code(shown.block.place, top=False, last=True))
                shown.lines += 1
            cursor.insertText(line, char_format)
        if first and shown.lines == 1:
            cursor.setBlockFormat(
                self._formats.code(shown.block.place, first=len(self.shown) == 1, top=True, last=True)
            )
        assert shown.highlighter is not None
        shown.highlighter.update(new)

    def _colour(self, shown: Shown, found: Sequence[tuple[int, tuple[Span, ...]]]) -> None:
        """Colour the lines that were found and look otherwise. The layout is told once: it would lay out each time,
        also within an edit block."""
        changed = [(line, spans) for line, spans in found if shown.spans.get(line, ()) != spans and line < shown.lines]
        if not changed:
            return
        number = self._document.findBlock(shown.start).blockNumber()
        for line, spans in changed:
            shown.spans[line] = spans
            block = self._document.findBlockByNumber(number + line)
            block.layout().setFormats(self._ranges(block.text(), spans))
        begin = self._document.findBlockByNumber(number + changed[0][0])
        end = self._document.findBlockByNumber(number + changed[-1][0])
        self._document.markContentsDirty(begin.position(), end.position() + end.length() - begin.position())

    def _ranges(self, text: str, spans: Sequence[Span]) -> list[QTextLayout.FormatRange]:
        wide = not text.isascii()
        ranges = []
        for span in spans:
            item = QTextLayout.FormatRange()
            item.start = units(text[: span.start]) if wide else span.start
            item.length = units(text[span.start : span.start + span.length]) if wide else span.length
            item.format = self._formats.kind(span.kind)
            ranges.append(item)
        return ranges

    def _insert_text(self, cursor: QTextCursor, block: Text) -> None:
        if block.place.marker:
            cursor.insertText(f"{block.place.marker}\t", self._formats.letters(Style.PLAIN, False, 0))
        self._formats.insert_runs(cursor, block.runs, block.heading)


def selection_table(block: QTextBlock) -> QTextTable | None:
    """The table that ``block`` stands in."""
    return QTextCursor(block).currentTable()


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
