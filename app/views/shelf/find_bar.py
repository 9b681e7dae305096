"""Above the list of models: words to find, and whether only what fits this machine shows."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel
from app.views.search_field import SearchField


class FindBar(QWidget):
    """Emits ``changed`` at every letter, and ``searched`` with the words when the model hub is to be asked, which
    learns them."""

    changed = Signal()
    searched = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.tiny)
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        column.addLayout(row)
        self.words = SearchField(theme, tr("Find a model"))
        self.words.setAccessibleDescription(tr("Words of its name, its licence or its publisher"))
        self.words.textChanged.connect(self._typed)
        self.words.returnPressed.connect(self._search)
        self.fitting = QPushButton(tr("Fits this machine"))
        self.fitting.setObjectName("chip")
        self.fitting.setCheckable(True)
        self.fitting.setAccessibleDescription(tr("Shows of the models to download only those that run here"))
        self.fitting.toggled.connect(self.changed)
        row.addWidget(self.words, 1)
        row.addWidget(self.fitting)
        below = QHBoxLayout()
        below.setSpacing(theme.small)
        self.hub = LinkButton(tr("Ask the model hub"))
        self.hub.setAccessibleDescription(tr("The hub learns the words that you look for"))
        self.hub.setToolTip(tr("The hub learns the words that you look for"))
        self.hub.clicked.connect(self._search)
        self.said = PlainLabel("", "caption")
        below.addWidget(self.hub)
        below.addWidget(self.said, 1)
        below.addStretch()
        column.addLayout(below)
        self.hub.hide()

    def show_search(self, problem: str, *, searching: bool) -> None:
        """How a search of the hub goes."""
        text = tr("The hub is asked") if searching else problem
        self.said.show_text(text)
        self.said.setVisible(bool(text))
        self.hub.setEnabled(not searching)

    def _typed(self, words: str) -> None:
        self.hub.setVisible(bool(words.strip()))
        if not words.strip():
            self.searched.emit("")
        self.changed.emit()

    def _search(self) -> None:
        if self.words.text().strip():
            self.searched.emit(self.words.text().strip())
