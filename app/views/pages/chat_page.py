"""The chat: who answers, the conversation, where to type, and a place for the list of chats at its left."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.models.transcript import ChatTranscript
from app.theme import Theme
from app.views.composer import Composer
from app.views.header import Header
from app.views.transcript_view import TranscriptView


class ChatPage(QSplitter):
    """Header, transcript and composer below each other. :meth:`set_sidebar` puts a widget at the left of them."""

    def __init__(self, theme: Theme, chat: ChatTranscript) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self.header = Header(theme)
        self.transcript = TranscriptView(theme, chat)
        self.composer = Composer(theme)
        self.addWidget(self._lay_out(theme))

    def set_sidebar(self, sidebar: QWidget) -> None:
        """Show ``sidebar`` at the left of the chat; the user may make it wider or narrower."""
        self.insertWidget(0, sidebar)
        self.setStretchFactor(0, 0)
        self.setStretchFactor(1, 1)

    def _lay_out(self, theme: Theme) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.transcript, 1)
        footer = QWidget()
        footer.setObjectName("footer")
        footer.setMaximumWidth(theme.column + 2 * theme.large)
        inner = QVBoxLayout(footer)
        inner.setContentsMargins(theme.large, theme.small, theme.large, theme.medium + theme.tiny)
        inner.addWidget(self.composer)
        centred = QHBoxLayout()
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(footer, 1000)
        centred.addStretch(1)
        row = QWidget()
        row.setObjectName("page")
        row.setLayout(centred)
        layout.addWidget(row)
        QWidget.setTabOrder(self.composer.input, self.composer.send)
        QWidget.setTabOrder(self.composer.send, self.composer.stop)
        QWidget.setTabOrder(self.composer.stop, self.header.models)
        QWidget.setTabOrder(self.header.models, self.header.contribute)
        QWidget.setTabOrder(self.header.contribute, self.header.new_chat)
        return page
