"""A card of which only the heading and a few words show until it is opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card
from app.views.icons import ThemeIcon


class FoldingCard(Card):
    """``make`` fills the column of the opened card, when it is opened for the first time."""

    turned = Signal(bool)
    """The owner has opened or closed it."""

    def __init__(self, theme: Theme, heading: str, make: Callable[[Card], None]) -> None:
        super().__init__(theme)
        self.setAccessibleName(heading)
        self._heading, self._make = heading, make
        self._body: Card | None = None
        self.head = QToolButton()
        self.head.setObjectName("cardHead")
        self.head.setCheckable(True)
        self.head.setCursor(Qt.CursorShape.PointingHandCursor)
        self.head.clicked.connect(self._clicked)
        self.head.installEventFilter(self)
        row = QHBoxLayout(self.head)
        row.setContentsMargins(0, 0, theme.tiny, 0)
        row.setSpacing(theme.medium)
        title = PlainLabel(heading, "cardTitle")
        title.setWordWrap(False)
        self.summary = PlainLabel("", "quiet", elided=True)
        self.summary.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        mark = QLabel()
        mark.setFixedSize(16, 16)
        self._mark = ThemeIcon(mark, theme, "chevron-right", "quiet", size=16)
        row.addWidget(title)
        row.addWidget(self.summary, 1)
        row.addWidget(mark)
        for part in (title, self.summary, mark):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.head.setMinimumHeight(theme.control)
        self.head.setSizePolicy(self.sizePolicy().Policy.Expanding, self.sizePolicy().Policy.Fixed)
        self.column.addWidget(self.head)
        self._room = QVBoxLayout()
        self.column.addLayout(self._room)
        self._name()

    @property
    def opened(self) -> bool:
        """Whether everything shows."""
        return self.head.isChecked()

    @property
    def made(self) -> bool:
        """Whether it has ever been opened."""
        return self._body is not None

    def open(self, on: bool = True) -> None:
        """Open or close it; that tells nobody."""
        self.head.setChecked(on)
        if on and self._body is None:
            self._body = Card(self._theme)
            self._body.setObjectName("cardBody")
            self._body.column.setContentsMargins(0, 0, 0, self._theme.tiny)
            self._make(self._body)
            self._room.addWidget(self._body)
        if self._body is not None:
            self._body.setVisible(on)
        self._mark.show_as("chevron-down" if on else "chevron-right", "quiet")
        self._name()

    def show_summary(self, text: str) -> None:
        """What is set, in a few words."""
        self.summary.show_text(text)
        self._name()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.head and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            wanted = {Qt.Key.Key_Right: True, Qt.Key.Key_Left: False}.get(Qt.Key(event.key()))
            if wanted is not None and wanted != self.opened:
                self.head.click()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.head.click()
                return True
        return super().eventFilter(watched, event)

    def _clicked(self, on: bool) -> None:
        self.open(on)
        self.turned.emit(on)

    def _name(self) -> None:
        state = tr("opened") if self.opened else tr("closed")
        self.head.setAccessibleName(", ".join(filter(None, (self._heading, self.summary.whole_text, state))))


class Titled(QWidget):
    """A small heading over a group inside of a card."""

    def __init__(self, theme: Theme, heading: str) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.tiny, 0, 0)
        column.setSpacing(0)
        column.addWidget(PlainLabel(heading, "heading"))
