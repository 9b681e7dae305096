"""Above the list of models: words to find, and whether only what fits this machine shows."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from app.i18n import tr
from app.theme import Theme


class FindBar(QWidget):
    """Emits ``changed`` at every letter."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.small)
        self.words = QLineEdit()
        self.words.setObjectName("find")
        self.words.setClearButtonEnabled(True)
        self.words.setPlaceholderText(tr("Find a model"))
        self.words.setAccessibleName(tr("Find a model"))
        self.words.setAccessibleDescription(tr("Words of its name, its licence or its publisher"))
        self.words.textChanged.connect(self.changed)
        self.fitting = QPushButton(tr("Fits this machine"))
        self.fitting.setObjectName("chip")
        self.fitting.setCheckable(True)
        self.fitting.setAccessibleDescription(tr("Shows of the models to download only those that run here"))
        self.fitting.toggled.connect(self.changed)
        row.addWidget(self.words, 1)
        row.addWidget(self.fitting)
