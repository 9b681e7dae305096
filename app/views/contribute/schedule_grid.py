"""A week of hours to be painted: by dragging with the mouse, or with arrow keys, Shift and Space."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFocusEvent, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.i18n import number, tr
from app.models.week import ALWAYS, DAYS, HOURS, PRESETS, Week, at, day_name, hour_words, rectangle, turned
from app.theme import Theme
from app.views.flow_layout import FlowLayout

ROW = 24
DAY_WIDTH = 44
SCALE_HEIGHT = 18
_Index = QModelIndex | QPersistentModelIndex


class WeekModel(QAbstractTableModel):
    """A row for each day, a column for each hour."""

    def __init__(self) -> None:
        super().__init__()
        self.week: Week = ALWAYS

    def show_week(self, week: Week) -> None:
        """Other hours from now on."""
        if week != self.week:
            self.week = week
            self.dataChanged.emit(self.index(0, 0), self.index(DAYS - 1, HOURS - 1))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else DAYS

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else HOURS

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return hour_words(self.week, hour_of(index))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return day_name(section, short=True) if orientation is Qt.Orientation.Vertical else number(section)
        return None


class WeekTable(QTableView):
    """The cells. ``chosen`` after each change that the owner made; what is shown from outside tells nobody."""

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("schedule")
        self.setAccessibleName(tr("Hours of the week in which this machine contributes"))
        self.setAccessibleDescription(
            tr("Arrow keys move, Shift with them marks several hours, Space turns them on or off.")
        )
        self._model = WeekModel()
        self._start: int | None = None
        self._before: Week = ALWAYS
        self.setModel(self._model)
        self.setItemDelegate(_Cell(self, theme))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.hide()
        across.setMinimumSectionSize(4)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(ROW)
        down.setFixedWidth(DAY_WIDTH)
        down.setHighlightSections(False)
        down.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        down.setAccessibleName(tr("Days"))
        across.setAccessibleName(tr("Hours", "of a day"))
        down.sectionClicked.connect(self._turn_day)
        self.setCornerButtonEnabled(False)
        self.setFixedHeight(DAYS * ROW)
        self.setCurrentIndex(self._model.index(0, 0))
        self.clearSelection()
        theme.changed.connect(self.viewport().update)

    @property
    def week(self) -> Week:
        """What is shown."""
        return self._model.week

    def show_week(self, week: Week) -> None:
        """Show ``week``, unless one is being painted just now."""
        if self._start is None:
            self._model.show_week(week)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            marked = frozenset(hour_of(index) for index in self.selectedIndexes())
            here = hour_of(self.currentIndex())
            self._choose(turned(self.week, marked | {here}, here not in self.week))
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and index.isValid():
            self._start, self._before = hour_of(index), self.week
            self._paint_to(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if self._start is not None and index.isValid():
            self._paint_to(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._start is not None and event.button() is Qt.MouseButton.LeftButton:
            self._start = None
            self.clearSelection()
            if self.week != self._before:
                self.chosen.emit(self.week)

    def _paint_to(self, index: QModelIndex) -> None:
        assert self._start is not None
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        hours = rectangle(self._start, hour_of(index))
        self._model.show_week(turned(self._before, hours, self._start not in self._before))

    def _turn_day(self, day: int) -> None:
        hours = frozenset(at(day, hour) for hour in range(HOURS))
        self.clearSelection()
        self._choose(turned(self.week, hours, not hours <= self.week))

    def _choose(self, week: Week) -> None:
        if week != self.week:
            self._model.show_week(week)
            self.chosen.emit(week)

    def select_hours(self, one: int, other: int) -> None:
        """Mark all hours between two of them, as Shift and arrow keys do."""
        corners = [self._model.index(hour // HOURS, hour % HOURS) for hour in (one, other)]
        self.selectionModel().select(QItemSelection(*corners), QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.selectionModel().setCurrentIndex(corners[1], QItemSelectionModel.SelectionFlag.NoUpdate)


class ScheduleGrid(QWidget):
    """The table with its scale of hours, and buttons for usual weeks."""

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.tiny)
        self.table = WeekTable(theme)
        self.table.chosen.connect(self._told)
        column.addWidget(self.table)
        column.addWidget(_Scale(theme))
        buttons = FlowLayout(space=theme.small)
        self.presets: list[QPushButton] = []
        for name, week in PRESETS:
            button = QPushButton(tr(name))
            button.setObjectName("chip")
            button.setCheckable(True)
            button.setAccessibleName(tr("Contribute at: {hours}", hours=tr(name)))
            button.clicked.connect(lambda _, chosen=week: self._take(chosen))
            self.presets.append(button)
            buttons.addWidget(button)
        column.addSpacing(theme.tiny)
        column.addLayout(buttons)
        self._mark()

    @property
    def week(self) -> Week:
        """What is shown."""
        return self.table.week

    def show_week(self, week: Week) -> None:
        """Show ``week``; that tells nobody."""
        self.table.show_week(week)
        self._mark()

    def _take(self, week: Week) -> None:
        changed = week != self.week
        self.show_week(week)
        if changed:
            self.chosen.emit(week)

    def _told(self, week: Week) -> None:
        self._mark()
        self.chosen.emit(week)

    def _mark(self) -> None:
        for button, (_, week) in zip(self.presets, PRESETS, strict=True):
            button.setChecked(week == self.week)


class _Cell(QStyledItemDelegate):
    """Draws one hour: filled while it contributes; a ring around where the keyboard is, an edge where it is marked."""

    def __init__(self, table: WeekTable, theme: Theme) -> None:
        super().__init__(table)
        self._table, self._theme = table, theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, table = self._theme, self._table
        on, enabled = hour_of(index) in table.week, table.isEnabled()
        area: QRect = option.rect
        box = QRectF(area).adjusted(1, 1, -1, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = (theme.accent if enabled else theme.strong_line) if on else theme.neutral_ground
        painter.setBrush(QColor(ground))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawRoundedRect(box, 3, 3)
        here = table.hasFocus() and index == table.currentIndex()
        if here or index in table.selectedIndexes():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.text if here else theme.focus), 2 if here else 1))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 2, 2)
        painter.restore()


class _Scale(QWidget):
    """The hours below the table: 0, 6, 12, 18, 24."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedHeight(SCALE_HEIGHT)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        font = QFont(self.font())
        font.setPointSizeF(self._theme.caption)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.quiet))
        width = self.width() - DAY_WIDTH
        for hour in range(0, HOURS + 1, 6):
            middle = DAY_WIDTH + round(width * hour / HOURS)
            left = min(max(DAY_WIDTH, middle - 20), self.width() - 40)
            align = {0: Qt.AlignmentFlag.AlignLeft, HOURS: Qt.AlignmentFlag.AlignRight}
            painter.drawText(
                QRect(left, 0, 40, SCALE_HEIGHT), align.get(hour, Qt.AlignmentFlag.AlignHCenter), number(hour)
            )
        painter.end()


def hour_of(index: _Index) -> int:
    """The hour of the week of a cell."""
    return at(index.row(), index.column())
