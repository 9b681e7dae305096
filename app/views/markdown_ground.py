"""What lies behind the text of laid out Markdown: grounds of code, bars of quotes, rules."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTextDocument, QTextTable

from app.markdown.blocks import Block, Code, Rule
from app.markdown.highlight import Highlighter, Span
from app.theme import Theme
from app.views.markdown_formats import HEADER_HEIGHT, ITEM, PAD, QUOTE, indent


@dataclass(slots=True, eq=False)
class Shown:
    """A block as it stands in the document, from character ``start``."""

    block: Block
    start: int
    lines: int = 1  # blocks of the document, of code
    table: QTextTable | None = None
    rows: int = 0  # that are laid out, of a table
    highlighter: Highlighter | None = None
    spans: dict[int, tuple[Span, ...]] = field(default_factory=dict)


class MarkdownGround:
    """Of the blocks ``shown`` in ``document``, which come and go."""

    def __init__(self, document: QTextDocument, theme: Theme, shown: Sequence[Shown]) -> None:
        self._document = document
        self._theme = theme
        self._shown = shown

    def code_rect(self, shown: Shown) -> QRectF:
        """The ground of a block of code, with its header, in the document."""
        first = self._document.findBlock(shown.start)
        last = self._document.findBlockByNumber(first.blockNumber() + shown.lines - 1)
        layout = self._document.documentLayout()
        top = layout.blockBoundingRect(first).top() - HEADER_HEIGHT - PAD / 2
        left = 1 + indent(shown.block.place)
        return QRectF(
            left, top, self._document.textWidth() - 1 - left, layout.blockBoundingRect(last).bottom() + PAD - top
        )

    def paint(self, painter: QPainter, exposed: QRectF) -> None:
        """Draw what lies behind the text in ``exposed``: grounds of code, bars of quotes, rules."""
        theme = self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in self._within(exposed):
            shown = self._shown[index]
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
                left = 1 + indent(block.place)
                middle = round(rect.center().y()) + 0.5
                painter.drawLine(QPointF(left, middle), QPointF(self._document.textWidth() - 1, middle))
            self._paint_bars(painter, index, rect)

    def _paint_bars(self, painter: QPainter, index: int, rect: QRectF) -> None:
        """Draw the bars of the quotes that a block is in, up to the block before if that is in them, too."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.strong_line))
        containers = self._shown[index].block.place.containers
        before = self._shown[index - 1] if index else None
        x = 1.0
        for depth, container in enumerate(containers):
            if container == "quote":
                top = rect.top()
                if before is not None and before.block.place.containers[: depth + 1] == containers[: depth + 1]:
                    top = min(top, self._rect(before).bottom())
                painter.drawRect(QRectF(x + 2, top - 2, 3, rect.bottom() - top + 4))
            x += QUOTE if container == "quote" else ITEM

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

        first = bisect.bisect_right(self._shown, exposed.top(), key=top)
        end = bisect.bisect_right(self._shown, exposed.bottom() + HEADER_HEIGHT + PAD, key=top)
        return range(max(0, first - 1), end)
