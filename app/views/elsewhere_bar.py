"""Above the place for questions: an answer is being written on a branch of the chat that does not show."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.i18n import tr
from app.theme import Theme
from app.views.basics import Dot, LinkButton, PlainLabel


class ElsewhereBar(QFrame):
    """Offers to go there, and to stop it."""

    show_requested = Signal()
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("undo")
        self._theme = theme
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.medium, theme.tiny, theme.medium, theme.tiny)
        row.setSpacing(theme.medium)
        self._dot = Dot(theme.busy)
        row.addWidget(self._dot)
        row.addWidget(PlainLabel(tr("An answer is being written to another version.")), 1)
        self.go = LinkButton(tr("Show it"), tr("Show the answer that is being written to another version"))
        self.go.clicked.connect(self.show_requested)
        row.addWidget(self.go)
        self.stop = LinkButton(tr("Stop it"), tr("Stop the answer that is being written to another version"))
        self.stop.clicked.connect(self.stop_requested)
        row.addWidget(self.stop)
        theme.changed.connect(self._paint)
        self.hide()

    def show_elsewhere(self, there: bool) -> None:
        """Whether there is such an answer."""
        self._dot.pulse(there)
        self.setVisible(there)

    def _paint(self) -> None:
        self._dot.set_colour(self._theme.busy)
