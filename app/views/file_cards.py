"""Attached files as cards: name and length, a click shows the text, a cross takes one out of the draft."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from app.i18n import tr
from app.models.safe_text import visible
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.icons import ThemeIcon

CARD_WIDTH, CARD_HEIGHT = 230, 46


@dataclass(frozen=True, slots=True)
class CardFile:
    """What a card says. ``note``: what is done with the file just now; it can be opened once that is over."""

    file: str
    name: str
    characters: int
    note: str = ""


class FileCards(QWidget):
    """A row of cards, in as many lines as they take; nothing is shown where there are none. ``right``: the last line
    begins at the right, as a question stands."""

    opened = Signal(str)
    removed = Signal(str)

    def __init__(self, theme: Theme, *, removable: bool = False, right: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self._removable = removable
        self._right = right
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.small)
        self._shown: tuple[CardFile, ...] = ()
        self.cards: list[FileCard] = []
        self._columns = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_files(self, files: Sequence[CardFile]) -> None:
        """Show these."""
        if tuple(files) == self._shown:
            return
        focused = next((card.file.file for card in self.cards if card.open.hasFocus()), "")
        for card in self.cards:
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._shown = tuple(files)
        self.cards = [FileCard(self._theme, one, removable=self._removable) for one in self._shown]
        for card in self.cards:
            card.opened.connect(functools.partial(self.opened.emit, card.file.file))
            card.removed.connect(functools.partial(self.removed.emit, card.file.file))
            if card.file.file == focused:
                card.open.setFocus()
        self._columns = 0
        self._arrange()
        self.setVisible(bool(self.cards))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = max(1, (self.width() + self._grid.spacing()) // (CARD_WIDTH + self._grid.spacing()))
        if columns == self._columns:
            return
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        self._columns = columns
        used = min(columns, len(self.cards))
        for place, card in enumerate(self.cards):
            self._grid.addWidget(card, place // columns, place % columns + (1 if self._right else 0))
            card.show()
        self._grid.setColumnStretch(0 if self._right else used, 1)
        self.updateGeometry()


class FileCard(QFrame):
    """One file."""

    opened = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, file: CardFile, *, removable: bool) -> None:
        super().__init__()
        self.file = file
        self.setObjectName("fileCard")
        self.setFixedSize(CARD_WIDTH, CARD_HEIGHT)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.tiny, 2, theme.tiny, 2)
        row.setSpacing(theme.tiny)
        name = " ".join(visible(file.name).split())
        length = tr("%Ln character(s)", "", file.characters)
        self.open = QPushButton()
        self.open.setObjectName("fileOpen")
        self.open.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        about = file.note or length
        self.open.setAccessibleName(tr("Attached file {name}, {about}", name=name, about=about))
        self.open.setToolTip(tr("Show the text of {name}", name=name))
        self.open.setEnabled(not file.note)
        self.open.clicked.connect(self.opened)
        inner = QHBoxLayout(self.open)
        inner.setContentsMargins(theme.tiny, 0, theme.tiny, 0)
        inner.setSpacing(theme.small)
        sign = QLabel()
        ThemeIcon(sign, theme, "file", "quiet", size=18)
        inner.addWidget(sign)
        words = QWidget()
        words.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QGridLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setVerticalSpacing(0)
        column.addWidget(PlainLabel(name, "", elided=True), 0, 0)
        column.addWidget(PlainLabel(about, "caption", elided=True), 1, 0)
        inner.addWidget(words, 1)
        row.addWidget(self.open, 1)
        self.remove: QToolButton | None = None
        if removable:
            self.remove = QToolButton()
            self.remove.setObjectName("tool")
            ThemeIcon(self.remove, theme, "remove", "quiet", size=16)
            self.remove.setAccessibleName(tr("Remove {name}", name=name))
            self.remove.setToolTip(tr("Remove {name}", name=name))
            self.remove.setFixedSize(28, 28)
            self.remove.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.remove.clicked.connect(self.removed)
            row.addWidget(self.remove)
