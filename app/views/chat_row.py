"""One row of the list of chats: what is kept with it, how it is drawn and renamed."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import (
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.models.search_words import marks
from app.theme import Theme
from app.views.markdown_formats import LINE, units

INDENT = 18
"""Pixels before the chats of a folder."""
CHAT = int(Qt.ItemDataRole.UserRole)
MESSAGE, FOLDER, NAME, WORDS = CHAT + 1, CHAT + 2, CHAT + 3, CHAT + 4
"""``WORDS``: what was looked for, in a row that was found."""
_BEFORE = 12
"""Characters that show before the first word that was found, where the line is too long."""
_Index = QModelIndex | QPersistentModelIndex


class RowDelegate(QStyledItemDelegate):
    """Chats of a folder stand further in, what was looked for is marked; ``target`` is the row over which something is
    dragged. ``named``: a row got another name, which shows as soon as the engine has taken it."""

    named = Signal(int, str)

    def __init__(self, rows: QListWidget, theme: Theme) -> None:
        super().__init__(rows)
        self._theme = theme
        self.target = -1

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        if index.data(CHAT):  # the mark of a chat stands behind its title, so that all titles begin in one line
            option.decorationPosition = QStyleOptionViewItem.Position.Right

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        shown = QStyleOptionViewItem(option)
        shown.rect.setLeft(shown.rect.left() + _indent(index))
        if index.row() == self.target:
            shown.state |= QStyle.StateFlag.State_Selected
        words = str(index.data(WORDS) or "")
        if words:
            self._paint_found(painter, shown, index, words)
        else:
            super().paint(painter, shown, index)

    def _paint_found(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index, words: str) -> None:
        """The title and, in quiet letters, the place that was found, with the words marked in both."""
        self.initStyleOption(option, index)
        text, option.text = option.text, ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        option.text = text
        area = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, option, option.widget).adjusted(3, 0, -3, 0)
        metrics = QFontMetrics(option.font)
        painter.save()
        painter.setClipRect(area)
        for number, line in enumerate(text.split(LINE)):
            place = QRect(area.left(), area.top() + number * metrics.lineSpacing(), area.width(), metrics.lineSpacing())
            self._paint_line(painter, option, place, cut(line, words, metrics, area.width()), words, quiet=number > 0)
        painter.restore()

    def _paint_line(
        self, painter: QPainter, option: QStyleOptionViewItem, place: QRect, line: str, words: str, *, quiet: bool
    ) -> None:
        layout = QTextLayout(line, option.font)
        ranges = []
        for begin, end in marks(line, words):
            one = QTextLayout.FormatRange()
            one.start, one.length = units(line[:begin]), units(line[begin:end])
            found = QTextCharFormat()
            found.setBackground(QColor(self._theme.found))
            found.setForeground(QColor(self._theme.text))
            one.format = found
            ranges.append(one)
        layout.setFormats(ranges)
        layout.beginLayout()
        layout.createLine().setLineWidth(float(10 * place.width()))
        layout.endLayout()
        painter.setPen(QColor(self._theme.quiet if quiet else self._theme.text))
        layout.draw(painter, QPointF(place.topLeft()))

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        assert isinstance(editor, QLineEdit)
        editor.setText(str(index.data(NAME) or ""))
        editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:
        assert isinstance(editor, QLineEdit)
        self.named.emit(index.row(), editor.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        super().updateEditorGeometry(editor, option, index)
        editor.setGeometry(editor.geometry().adjusted(_indent(index), 0, 0, 0))


def cut(line: str, words: str, metrics: QFontMetrics, width: int) -> str:
    """``line`` in ``width`` pixels: at its end, and at its beginning if what was found would not show otherwise."""
    begin, end = next(iter(marks(line, words)), (0, 0))
    for before in (_BEFORE, 0):
        if end and metrics.horizontalAdvance(line[:end] + "…") > width:
            start = max(0, begin - before)
            line, begin, end = f"…{line[start:]}", begin - start + 1, end - start + 1
    return metrics.elidedText(line, Qt.TextElideMode.ElideRight, width)


def _indent(index: _Index) -> int:
    return INDENT if index.data(CHAT) and index.data(FOLDER) else 0


def key_of(item: QListWidgetItem | None) -> tuple[str, str]:
    """The chat of a row, or the folder that it is the heading of; one of them is empty, for a day both are."""
    if item is None:
        return "", ""
    chat = str(item.data(CHAT) or "")
    return chat, "" if chat else folder_of(item)


def message_of(item: QListWidgetItem | None) -> str:
    """The message that was found, of a row that shows one."""
    return str(item.data(MESSAGE) or "") if item is not None else ""


def folder_of(item: QListWidgetItem | None) -> str:
    """The folder that a row is the heading of, or lies in."""
    return str(item.data(FOLDER) or "") if item is not None else ""
