"""What pages are made of: a page of cards, rows with a control, numbers, facts, an empty state."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.facts import Fact, Figure
from app.theme import Theme
from app.views.basics import Dot, PlainLabel
from app.views.contribute.rule_row import RuleRow
from app.views.icons import ThemeIcon
from app.views.steady_column import PageColumn, SteadyColumn

COPY_SIZE = 28
_LINE = 5
"""Above and below a line of text beside a button of that size."""


class Page(QScrollArea):
    """A title, what it is about, and cards below each other in one column that can be read."""

    def __init__(self, theme: Theme, title: str, about: str) -> None:
        super().__init__()
        self._theme = theme
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # for arrow keys and page keys, and read out when it opens
        self.setAccessibleName(title)
        self.setAccessibleDescription(about)
        content = QWidget()
        content.setObjectName("page")
        content.setMinimumWidth(1)  # never wider than what shows of it: what is on it finds room when it has to
        self.column = PageColumn(content)
        self.column.setSpacing(theme.medium + theme.tiny)
        self.title = PlainLabel(title, "display")
        self.column.addWidget(self.title)
        self.column.addWidget(PlainLabel(about, "quiet"))
        self.column.addSpacing(theme.small)
        self.setWidget(content)

    def resizeEvent(self, event: QResizeEvent) -> None:
        side = max(self._theme.large, (self.width() - self._theme.page) // 2)
        bar = self.width() - self.viewport().width()
        self.column.setContentsMargins(side, self._theme.huge, side - bar, self._theme.huge)
        self.column.wide = self.viewport().width()
        super().resizeEvent(event)


class Card(QFrame):
    """A group of things that belong together, with a heading."""

    def __init__(self, theme: Theme, heading: str = "", about: str = "") -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self.column = SteadyColumn(self)
        self.column.setContentsMargins(theme.large, theme.medium + 4, theme.large, theme.medium + 4)
        self.column.setSpacing(theme.medium)
        if heading:
            self.setAccessibleName(heading)
            self.column.addWidget(PlainLabel(heading, "cardTitle"))
        if about:
            self.column.addWidget(PlainLabel(about, "quiet"))

    def add_row(self, name: str, about: str, control: QWidget) -> PlainLabel:
        """A line with its control at the right, or below where it is narrow. Returns the label with ``about``."""
        if self.column.count():
            self.add_line()
        row = RuleRow(self._theme, name, about, control)
        self.column.addWidget(row)
        return row.about

    def add_line(self) -> QWidget:
        """A line between two rows."""
        line = QFrame()
        line.setObjectName("line")
        line.setFixedHeight(1)
        self.column.addWidget(line)
        return line


class Figures(QWidget):
    """A few numbers beside each other, each with what it counts; they wrap where the window is narrow."""

    WIDTH = 150

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.large)
        self._grid.setVerticalSpacing(theme.medium)
        self._cells: list[tuple[QWidget, PlainLabel, PlainLabel]] = []
        self._columns = 0

    def show_figures(self, figures: list[Figure]) -> None:
        """Show exactly these."""
        while len(self._cells) < len(figures):
            self._cells.append(self._cell())
            self._columns = 0
        for (cell, value, name), figure in zip(self._cells, figures, strict=False):
            value.show_text(figure.value)
            name.show_text(figure.name)
            cell.setAccessibleName(f"{figure.name}: {figure.value}")
            cell.setAccessibleDescription(figure.hint)
            cell.setToolTip(f"<qt>{escape(figure.hint)}</qt>" if figure.hint else "")
            cell.show()
        for cell, _, _ in self._cells[len(figures) :]:
            cell.hide()
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _cell(self) -> tuple[QWidget, PlainLabel, PlainLabel]:
        cell = QWidget(self)
        column = QVBoxLayout(cell)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        value, name = PlainLabel("", "figure"), PlainLabel("", "caption")
        column.addWidget(value)
        column.addWidget(name)
        return cell, value, name

    def _place(self) -> None:
        columns = max(1, min(len(self._cells), self.width() // self.WIDTH))
        if columns == self._columns:
            return
        self._columns = columns
        for index, (cell, _, _) in enumerate(self._cells):
            self._grid.addWidget(cell, index // columns, index % columns, Qt.AlignmentFlag.AlignTop)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)


class Facts(QWidget):
    """Names and values, one below the other; what one may want elsewhere has a button that copies it. Where the window
    is narrow, values stand below their names."""

    NARROW = 420

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.large)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._shown: list[Fact] = []
        self._rows: list[tuple[PlainLabel, PlainLabel, QPushButton | None]] = []
        self._narrow = False

    def show_facts(self, facts: list[Fact]) -> None:
        """Show exactly these. What is the same as before keeps its widgets, and the focus with them."""
        if [(fact.name, fact.copy) for fact in facts] != [(fact.name, fact.copy) for fact in self._shown]:
            self._build(facts)
        for (_, value, _), fact in zip(self._rows, facts, strict=True):
            value.show_text(fact.value)
        self._shown = list(facts)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < self.NARROW
        if narrow != self._narrow:
            self._narrow = narrow
            self._place()

    def _build(self, facts: list[Fact]) -> None:
        for row in self._rows:
            for widget in filter(None, row):
                widget.hide()
                widget.deleteLater()
        self._rows = []
        shown = self.isVisible()  # one that is not shown yet is by what it belongs to, unless it is told to hide
        if shown:
            self.hide()  # everything around is laid out once, not after each widget that is shown
        for fact in facts:
            value = PlainLabel(fact.value)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            button = copy_button(self._theme, fact.name, fact.copy) if fact.copy else None
            self._rows.append((PlainLabel(fact.name, "quiet"), value, button))
        self._place()
        if shown:
            self.show()

    def _place(self) -> None:
        self._grid.setColumnMinimumWidth(0, 0 if self._narrow else 150)
        top = Qt.AlignmentFlag.AlignTop
        for index, (name, value, button) in enumerate(self._rows):
            row = 2 * index
            for label in (name, value):
                label.setContentsMargins(0, 0 if self._narrow else _LINE, 0, 0 if self._narrow else _LINE)
            if self._narrow:
                self._grid.addWidget(name, row, 0, 1, 2, Qt.AlignmentFlag.AlignBottom)
                self._grid.addWidget(value, row + 1, 0, 1, 2, Qt.AlignmentFlag.AlignTop)
            else:
                self._grid.addWidget(name, row, 0, top)
                self._grid.addWidget(value, row, 1, top)
            self._grid.setRowMinimumHeight(row, COPY_SIZE)
            if button is not None:
                self._grid.addWidget(button, row, 2, top)


class StatusRow(QWidget):
    """A dot, a short word for how it is, and why."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tone = "neutral"
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.medium)
        self._dot = Dot(theme.neutral, 11)
        self.indent = 11 + theme.medium
        """Where its words begin."""
        mark = QVBoxLayout()
        mark.setContentsMargins(0, 4, 0, 0)
        mark.addWidget(self._dot)
        mark.addStretch(1)
        row.addLayout(mark)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.text = PlainLabel("", "rowTitle")
        self.reason = PlainLabel("", "quiet")
        words.addWidget(self.text)
        words.addWidget(self.reason)
        row.addLayout(words, 1)
        theme.changed.connect(self._paint)

    def show_status(self, tone: str, text: str, reason: str = "") -> None:
        """Replace what is shown."""
        self._tone = tone
        self.text.show_text(text)
        self.reason.show_text(reason)
        self.reason.setVisible(bool(reason))
        self.setAccessibleName(" ".join(filter(None, (text, reason))))
        self._paint()

    def _paint(self) -> None:
        self._dot.set_colour(self._theme.tone(self._tone))
        self._dot.pulse(self._tone == "busy")


class EmptyState(QWidget):
    """In place of what is not there yet: a mark, what is missing, and what to do."""

    pressed = Signal()

    def __init__(self, theme: Theme, icon_name: str, title: str, text: str, action: str = "") -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.large, 0, theme.large)
        column.setSpacing(theme.small)
        mark = QLabel()
        mark.setFixedSize(40, 40)
        self._icon = ThemeIcon(mark, theme, icon_name, "quiet", size=40)
        column.addWidget(mark, 0, Qt.AlignmentFlag.AlignHCenter)
        for words, name in ((title, "cardTitle"), (text, "quiet")):
            label = PlainLabel(words, name)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        if action:
            button = QPushButton(action)
            button.clicked.connect(self.pressed)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)


def copy_button(theme: Theme, name: str, value: str) -> QPushButton:
    """A small button that puts ``value`` on the clipboard."""
    button = QPushButton()
    button.setObjectName("flat")
    button.setFixedSize(COPY_SIZE, COPY_SIZE)
    button.setAccessibleName(tr("Copy: {name}", name=name))
    button.setToolTip(tr("Copy"))
    ThemeIcon(button, theme, "copy", "quiet", size=16)
    button.clicked.connect(lambda: QGuiApplication.clipboard().setText(value))
    return button
