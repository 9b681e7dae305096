"""The sidebar of the chat: folders and all chats by day, what is found in them, new ones, and undo after a deletion."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout

from app.i18n import tr
from app.models.chats import LONGEST_QUERY, ChatsModel
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.chat_rows import AT_ONCE, ChatRows
from app.views.icons import ThemeIcon
from app.views.search_field import SearchField
from app.views.undo_bar import UndoBar

WIDTH = 264
LEAST_WIDTH = 200


class ChatList(QFrame):
    """Shows a :class:`ChatsModel`; emits which chat is to be opened."""

    chat_chosen = Signal(str, str)
    """A chat, and the message in it that was found."""
    deletion_requested = Signal(str)
    new_chat_requested = Signal(bool)
    fold_requested = Signal()

    def __init__(self, theme: Theme, chats: ChatsModel) -> None:
        super().__init__()
        self.setObjectName("chatList")
        self.setAccessibleName(tr("Chats"))
        self.setMinimumWidth(LEAST_WIDTH)
        self._theme = theme
        self._chats = chats
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.small, theme.small, theme.small, theme.small)
        column.setSpacing(theme.small)
        column.addLayout(self._make_top())
        self.search = _Search(theme, tr("Search all chats"))
        self.search.setToolTip(tr("{action} ({key})", action=tr("Search all chats"), key=tr("Ctrl+F", "key")))
        self.search.setMaxLength(LONGEST_QUERY)
        self.search.textChanged.connect(chats.search)
        row = QHBoxLayout()
        row.setSpacing(theme.tiny)
        row.addWidget(self.search, 1)
        self.new_folder = _tool(theme, "new-folder", tr("New folder"))
        row.addWidget(self.new_folder)
        column.addLayout(row)
        self.empty = PlainLabel("", "quiet")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.empty)
        self.list = ChatRows(theme, chats)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        self._undo_bar = UndoBar(theme, chats)
        self.undo = self._undo_bar.undo
        column.addWidget(self._undo_bar)
        self.search.list_requested.connect(self.list.setFocus)
        self.list.chosen.connect(self.chat_chosen)
        self.list.deletion_requested.connect(self.deletion_requested)
        self.list.edited.connect(self.refresh)
        self.new_folder.clicked.connect(self._make_folder)
        self.list.export_requested.connect(chats.export)
        self.list.verticalScrollBar().valueChanged.connect(self._scrolled)
        chats.changed.connect(self.refresh)
        chats.removal_changed.connect(self._show_undo)
        theme.changed.connect(self.refresh)
        if len(chats.chats) > AT_ONCE:  # what is made around it is work enough for one turn of the loop
            QTimer.singleShot(0, self, self.refresh)
        else:
            self.refresh()

    def refresh(self) -> None:
        """Show the list as it is now. While a name is being edited it stays."""
        if self.list.editing:
            return
        self.list.fill()
        text = ""
        if not self.list.count():
            if self._chats.query:
                text = tr("Searching") if self._chats.searching else tr("Nothing found. Try fewer or other words.")
            elif self._chats.known:
                text = tr("Your chats will be listed here. They are kept on this machine only.")
        self.empty.show_text(text)
        self.empty.setVisible(bool(text))
        self.list.setVisible(not text)

    def focus_search(self) -> None:
        """Type what to look for."""
        self.search.setFocus()
        self.search.selectAll()

    def _scrolled(self, value: int) -> None:
        if value >= self.list.verticalScrollBar().maximum() - 200 and not self._chats.query:
            self._chats.load_more()

    def _make_folder(self) -> None:
        self.search.clear()
        self.list.setFocus()
        self.list.make_folder()

    def _show_undo(self, removed: str) -> None:
        self._undo_bar.show_removed("" if self._chats.removed_here else removed)

    def _make_top(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.tiny)
        self.fold = _tool(self._theme, "sidebar", tr("Hide the list of chats"), tr("Ctrl+B", "key"))
        self.fold.clicked.connect(self.fold_requested)
        row.addWidget(self.fold)
        self.new_chat = QPushButton(" " + tr("New chat"))
        ThemeIcon(self.new_chat, self._theme, "new-chat", size=18)
        self.new_chat.setAccessibleName(tr("New chat"))
        self.new_chat.setToolTip(tr("{action} ({key})", action=tr("New chat"), key=tr("Ctrl+N", "key")))
        self.new_chat.clicked.connect(lambda: self.new_chat_requested.emit(False))
        row.addWidget(self.new_chat, 1)
        about = tr("Temporary chat: nothing of it is written to the disk")
        self.temporary = _tool(self._theme, "temporary", about, tr("Ctrl+Shift+N", "key"))
        self.temporary.clicked.connect(lambda: self.new_chat_requested.emit(True))
        row.addWidget(self.temporary)
        return row


class _Search(SearchField):
    """Escape ends the search, the down key goes on to what was found."""

    list_requested = Signal()

    def event(self, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self.text():
            event.accept()  # not the window's, which stops the answer
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self.list_requested.emit()
        else:
            super().keyPressEvent(event)


def _tool(theme: Theme, name: str, about: str, key: str = "") -> QToolButton:
    button = QToolButton()
    button.setObjectName("tool")
    ThemeIcon(button, theme, name, size=18)
    button.setAccessibleName(about)
    button.setToolTip(tr("{action} ({key})", action=about, key=key) if key else about)
    button.setFixedSize(theme.control, theme.control)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
