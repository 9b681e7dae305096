"""The list of models that opens under the one that is chosen: found by typing, chosen by keyboard or mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.models.picking import Entry, Section
from app.models.safe_text import visible
from app.theme import Theme
from app.views.search_field import SearchField

WIDTH, HEIGHT = 480, 460
_ENTRY, _NAME, _DETAILS = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2


class ModelPicker(QFrame):
    """A window of its own that goes when something else is pressed. Emits the entry that was chosen."""

    chosen = Signal(object)
    words_changed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("picker")
        self.setAccessibleName(tr("Models to choose from"))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.small, theme.small, theme.small, theme.small)
        column.setSpacing(theme.small)
        self.search = SearchField(theme, tr("Find a model"))
        self.search.setMaxLength(100)
        self.search.textChanged.connect(self.words_changed)
        self.search.installEventFilter(self)
        column.addWidget(self.search)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Models"))
        self.list.setItemDelegate(_Painter(theme, self.list))
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._choose)
        self.list.installEventFilter(self)
        column.addWidget(self.list, 1)
        self._shown: list[Section] = []

    def open_under(self, widget: QWidget) -> None:
        """Show it, with the focus where one types."""
        self.search.blockSignals(True)
        self.search.clear()
        self.search.blockSignals(False)
        screen = widget.screen().availableGeometry()
        self.resize(min(max(WIDTH, widget.width()), screen.width()), min(HEIGHT, screen.height()))
        place = widget.mapToGlobal(widget.rect().bottomLeft())
        place.setX(max(screen.left(), min(place.x(), screen.right() - self.width())))
        place.setY(max(screen.top(), min(place.y() + 4, screen.bottom() - self.height())))
        self.move(place)
        self.show()
        self.search.setFocus()

    def show_sections(self, sections: list[Section], current: tuple[str, str]) -> None:
        """List ``sections``; ``current`` (model and route) is marked, what the reader is at stays."""
        if sections == self._shown:
            return
        self._shown = sections
        before = self.entry
        self.list.clear()
        for section in sections:
            self._add_head(section.name)
            if not section.entries:
                self._add_note(section.note)
            for entry in section.entries:
                self._add(entry)
        for row in range(self.list.count()):
            entry = self.list.item(row).data(_ENTRY)
            if isinstance(entry, Entry) and _same(entry, before, current):
                self.list.setCurrentRow(row)
                break
        else:
            self._step(1, -1)

    @property
    def entry(self) -> Entry | None:
        """What the reader is at."""
        row = self.list.currentRow()
        entry = self.list.item(row).data(_ENTRY) if row >= 0 else None
        return entry if isinstance(entry, Entry) else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            key = event.key()
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentItem())
                return True
            if key == Qt.Key.Key_Escape:
                self.hide()
                return True
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._step(1 if key == Qt.Key.Key_Down else -1, self.list.currentRow())
                return True
        return super().eventFilter(watched, event)

    def _step(self, by: int, row: int) -> None:
        """To the next line that can be chosen."""
        row += by
        while 0 <= row < self.list.count():
            if self.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled:
                self.list.setCurrentRow(row)
                return
            row += by

    def _choose(self, item: QListWidgetItem | None) -> None:
        entry = item.data(_ENTRY) if item is not None else None
        if isinstance(entry, Entry) and not entry.why_not:
            self.hide()
            self.chosen.emit(entry)

    def _add(self, entry: Entry) -> None:
        details = entry.why_not or entry.details
        item = QListWidgetItem(visible(f"{entry.model}\n{details}"))
        item.setData(_ENTRY, entry)
        item.setData(_NAME, visible(entry.model))
        item.setData(_DETAILS, visible(details))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, visible(f"{entry.model}, {details}"))
        if entry.why_not:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.addItem(item)

    def _add_head(self, name: str) -> None:
        item = QListWidgetItem(name)
        item.setData(_NAME, name)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.addItem(item)

    def _add_note(self, note: str) -> None:
        item = QListWidgetItem(note)
        item.setData(_DETAILS, note)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.addItem(item)


def _same(entry: Entry, before: Entry | None, current: tuple[str, str]) -> bool:
    if before is not None:
        return (entry.model, entry.choice) == (before.model, before.choice)
    return entry.choice is not None and entry.choice.key == current


class _Painter(QStyledItemDelegate):
    """Two lines for a model, one for the head of a section or a note."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        line = option.fontMetrics.lineSpacing()
        return QSize(120, 2 * line + 14 if isinstance(index.data(_ENTRY), Entry) else line + 14)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, entry = self._theme, index.data(_ENTRY)
        name, details = index.data(_NAME), index.data(_DETAILS)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRect(option.rect).adjusted(0, 1, 0, -1)
        chosen, hovered = QStyle.StateFlag.State_Selected, QStyle.StateFlag.State_MouseOver
        if isinstance(entry, Entry) and option.state & (chosen | hovered) and not entry.why_not:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.accent_ground if option.state & chosen else theme.hover))
            painter.drawRoundedRect(place, theme.small_radius, theme.small_radius)
        place = place.adjusted(theme.small, 5, -theme.small, -5)
        if name:
            font = QFont(option.font)
            font.setWeight(QFont.Weight.DemiBold)
            if entry is None:
                font.setPointSizeF(theme.caption)
            painter.setFont(font)
            painter.setPen(QColor(theme.text if isinstance(entry, Entry) and not entry.why_not else theme.quiet))
            line = QRect(place.left(), place.top(), place.width(), painter.fontMetrics().lineSpacing())
            shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown)
            place.setTop(line.bottom() + 1)
        if details:
            font = QFont(option.font)
            font.setPointSizeF(theme.caption)
            painter.setFont(font)
            painter.setPen(QColor(theme.quiet))
            shown = painter.fontMetrics().elidedText(details, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()
