"""The chat: who answers, the conversation, where to type, and the list of chats at its left."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.models.chats import ChatsModel
from app.models.transcript import ChatTranscript
from app.theme import Theme
from app.views.chat_list import WIDTH, ChatList
from app.views.composer import Composer
from app.views.header import Header
from app.views.transcript_view import TranscriptView

_NARROW = 760
"""Below this width the list of chats shows in place of the chat, and only when it is asked for."""


class ChatPage(QSplitter):
    """Header, transcript and composer below each other, and the list of chats at their left."""

    def __init__(self, theme: Theme, chat: ChatTranscript, chats: ChatsModel) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self.header = Header(theme)
        self.transcript = TranscriptView(theme, chat)
        self.composer = Composer(theme)
        self.chats = ChatList(theme, chats)
        self._chat = self._lay_out(theme)
        self.addWidget(self.chats)
        self.addWidget(self._chat)
        self.setStretchFactor(0, 0)
        self.setStretchFactor(1, 1)
        self.setSizes([WIDTH, 10 * WIDTH])
        self._wanted = True  # the list, where there is room for it
        self._asked_for = False  # the list, where there is none
        self.header.chats_requested.connect(self.toggle_chats)
        self.chats.fold_requested.connect(self.toggle_chats)
        self._fold()

    @property
    def narrow(self) -> bool:
        """Whether there is room for the list or the chat alone."""
        return self.width() < _NARROW

    def toggle_chats(self) -> None:
        """Show the list of chats, or hide it."""
        if self.narrow:
            self._asked_for = not self._asked_for
        else:
            self._wanted = not self._wanted
        self._fold()
        (self.chats.list if self.chats.isVisibleTo(self) else self.composer).setFocus()

    def show_chats(self) -> None:
        """Show the list of chats, if it does not."""
        if not self.chats.isVisibleTo(self):
            self.toggle_chats()

    def show_chat(self) -> None:
        """Show the chat, if the list is in its place."""
        self._asked_for = False
        self._fold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        shown = self._asked_for if self.narrow else self._wanted
        self.chats.setVisible(shown)
        self._chat.setVisible(not (shown and self.narrow))
        self.header.chats.setVisible(not shown)
        self.header.new_chat.setVisible(not shown)

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
