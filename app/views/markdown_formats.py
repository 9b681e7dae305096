"""How the parts of Markdown look in a text document: formats of letters and of blocks, made of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
)

from app.i18n import tr
from app.markdown.blocks import Block, Code, Maths, Place, Rule, Run, Style, Text
from app.theme import Theme

HEADER_HEIGHT = 32
"""Pixels above a block of code for its language and its button."""
ITEM, QUOTE, HANG = 26, 18, 22
"""Pixels by which a list item and a quote are indented, and by which the mark of an item stands out."""
PAD, GAP = 12, 10
"""Pixels inside a block of code, and between blocks."""
LINE = "\u2028"
"""A line break inside a paragraph, for Qt."""
TAIL = QTextBlockFormat.LineHeightTypes.FixedHeight
KIND = QTextFormat.Property.UserProperty.value
"""The property of letters of code that says what kind they are of."""
CODE_BLOCK = -1
"""In place of the level of a heading: letters in a block of code."""
_HEADINGS = {1: 1.5, 2: 1.3, 3: 1.14, 4: 1.05, 5: 1.0, 6: 1.0}


class MarkdownFormats:
    """The formats for one document."""

    def __init__(self, document: QTextDocument, theme: Theme, *, quiet: bool) -> None:
        self._document = document
        self._theme = theme
        self._quiet = quiet
        self._letters: dict[tuple[Style, bool, int], QTextCharFormat] = {}
        self._kinds: dict[str, QTextCharFormat] = {}

    def clear(self) -> None:
        """Take the colours from the theme anew."""
        self._letters.clear()
        self._kinds.clear()

    def letters(self, style: Style, link: bool, heading: int) -> QTextCharFormat:
        """The look of a run; ``heading`` may be CODE_BLOCK."""
        key = (style, link, heading)
        if key not in self._letters:
            self._letters[key] = self._make_letters(style, link, heading)
        return self._letters[key]

    def _make_letters(self, style: Style, link: bool, heading: int) -> QTextCharFormat:
        theme = self._theme
        made = QTextCharFormat()
        size = theme.body * _HEADINGS.get(heading, 1.0) * (0.95 if self._quiet else 1.0)
        made.setFontPointSize(size)
        if self._quiet:  # else it is the widget's colour, which follows the theme by itself
            made.setForeground(QColor(theme.quiet))
        if style & Style.BOLD or heading > 0:
            made.setFontWeight(QFont.Weight.DemiBold)
        made.setFontItalic(bool(style & (Style.ITALIC | Style.MATHS)))
        made.setFontStrikeOut(bool(style & Style.STRIKE))
        if style & Style.CODE:
            made.setFontFamilies([code_family()])
            made.setFontPointSize(size * 0.92)
            if heading != CODE_BLOCK:
                made.setBackground(QColor(theme.neutral_ground))
        if link:
            made.setForeground(QColor(theme.accent))
            made.setFontUnderline(True)
        return made

    def recoloured(self, letters: QTextCharFormat) -> QTextCharFormat | None:
        """The same look in the theme's colours; None where it has none of its own."""
        grounded = letters.background().style() is not Qt.BrushStyle.NoBrush
        if not (self._quiet or grounded or letters.isAnchor()):
            return None
        changed = QTextCharFormat(letters)
        if letters.isAnchor():
            changed.setForeground(QColor(self._theme.accent))
        elif self._quiet:
            changed.setForeground(QColor(self._theme.quiet))
        if grounded:
            changed.setBackground(QColor(self._theme.neutral_ground))
        return changed

    def kind(self, kind: str) -> QTextCharFormat:
        """The colour of a part of code."""
        if kind not in self._kinds:
            made = QTextCharFormat()
            made.setForeground(QColor(self._theme.syntax(kind)))
            made.setFontItalic(kind == "comment")
            made.setProperty(KIND, kind)
            self._kinds[kind] = made
        return self._kinds[kind]

    def block(self, block: Block, *, first: bool) -> QTextBlockFormat:
        """The format of a block, the first of its document or not."""
        if isinstance(block, Code):
            return self.code(block.place, first=first, top=True, last=True)
        made = QTextBlockFormat()
        place = block.place
        left = indent(place)
        made.setLeftMargin(left)
        made.setLineHeight(self._theme.line_height, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        made.setTopMargin(0 if first else GAP)
        if isinstance(block, Text) and block.heading:
            made.setTopMargin(0 if first else 20 if block.heading <= 2 else 16)
            made.setHeadingLevel(block.heading)  # screen readers say it
            made.setLineHeight(120, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        elif isinstance(block, Text) and "item" in place.containers:
            made.setTopMargin(0 if first else 5)
        elif isinstance(block, Maths):
            made.setLeftMargin(left + ITEM)
        elif isinstance(block, Rule):
            made.setTopMargin(GAP)
            made.setLineHeight(9, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        if place.marker and isinstance(block, Text):
            wide = QFontMetricsF(self._document.defaultFont()).horizontalAdvance(place.marker) + 7
            hang = min(left, max(HANG, wide))
            made.setTextIndent(-hang)
            made.setTabPositions([QTextOption.Tab(hang, QTextOption.TabType.LeftTab)])
        return made

    def code(self, place: Place, *, first: bool = False, top: bool = False, last: bool = False) -> QTextBlockFormat:
        """The format of a line of code; the first has room above for the header, the last below."""
        made = QTextBlockFormat()
        made.setLeftMargin(indent(place) + PAD)
        made.setRightMargin(PAD)
        made.setLineHeight(125, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        made.setTopMargin((HEADER_HEIGHT + PAD / 2 + (0 if first else GAP)) if top else 0)
        made.setBottomMargin(PAD + GAP + 2 if last else 0)
        return made

    def small(self) -> QTextCharFormat:
        """Letters that take no room."""
        small = QTextCharFormat()
        small.setFontPointSize(1)
        return small

    def shrink_tail(self, cursor: QTextCursor) -> None:
        """The block that Qt keeps behind a table takes no room."""
        tail = QTextBlockFormat()
        tail.setLineHeight(1, TAIL.value)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.setBlockFormat(tail)
        cursor.setBlockCharFormat(self.small())

    def insert_runs(self, cursor: QTextCursor, runs: Sequence[Run], heading: int) -> None:
        """Insert text at ``cursor``."""
        for run in runs:
            char_format = self.letters(run.style, bool(run.link), heading)
            if run.link:
                char_format = QTextCharFormat(char_format)
                char_format.setAnchor(True)
                char_format.setAnchorHref(run.link)
            cursor.insertText(run_text(run).replace("\n", LINE), char_format)


def code_family() -> str:
    """The system's font for code."""
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()


def units(text: str) -> int:
    """How many characters ``text`` has for Qt (UTF-16)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "replace")) // 2


def run_text(run: Run) -> str:
    """What a run says; an image says that it is one."""
    return tr("Image: {words}", words=run.text) if run.style & Style.IMAGE else run.text


def indent(place: Place) -> int:
    """Pixels that the containers of a place take at the left."""
    return sum(QUOTE if container == "quote" else ITEM for container in place.containers)
