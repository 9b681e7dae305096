"""What was deleted, and a way to bring it back."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.i18n import tr
from app.models.chats import ChatsModel
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel, announce


class UndoBar(QFrame):
    """Shows while there is something to say."""

    def __init__(self, theme: Theme, chats: ChatsModel) -> None:
        super().__init__()
        self._chats = chats
        self.setObjectName("undo")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.medium, theme.tiny, theme.medium, theme.tiny)
        self.text = PlainLabel("")
        row.addWidget(self.text, 1)
        self.undo = LinkButton(tr("Undo"), tr("Undo: bring back what was deleted"))
        self.undo.clicked.connect(chats.undo)
        row.addWidget(self.undo)
        self.hide()

    def show_removed(self, removed: str) -> None:
        """What was deleted, in words; empty: nothing."""
        self.text.show_text(removed)
        self.undo.setVisible(self._chats.can_undo)
        self.setVisible(bool(removed))
        if removed:
            announce(self, removed)
