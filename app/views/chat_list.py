"""The sidebar of the chat: all chats by day, what is found in them, new ones, and undo after a deletion."""

from __future__ import annotations

import functools

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.models.chats import LONGEST_QUERY, LONGEST_TITLE, ChatsModel, title_of
from app.models.safe_text import visible
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel
from app.views.icons import ThemeIcon, icon

WIDTH = 264
LEAST_WIDTH = 200
_CHAT = int(Qt.ItemDataRole.UserRole)
_MESSAGE = _CHAT + 1


class ChatList(QFrame):
    """Shows a :class:`ChatsModel`; emits which chat is to be opened."""

    chat_chosen = Signal(str)
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
        self.search = _Search()
        self.search.setPlaceholderText(tr("Search all chats"))
        self.search.setAccessibleName(tr("Search all chats"))
        self.search.setToolTip(tr("{action} ({key})", action=tr("Search all chats"), key=tr("Ctrl+F", "key")))
        self.search.setMaxLength(LONGEST_QUERY)
        self.search.setClearButtonEnabled(True)
        clear = self.search.findChild(QToolButton)
        if isinstance(clear, QToolButton):
            clear.setAccessibleName(tr("End the search"))
            clear.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.search.textChanged.connect(chats.search)
        column.addWidget(self.search)
        self.empty = PlainLabel("", "quiet")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.empty)
        self.list = _List(theme)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        self._undo_bar = self._make_undo()
        column.addWidget(self._undo_bar)
        self.search.list_requested.connect(self.list.setFocus)
        self.list.chosen.connect(self.chat_chosen)
        self.list.renamed.connect(chats.rename)
        self.list.deletion_requested.connect(lambda chat: chats.delete([chat]))
        self.list.edited.connect(self.refresh)
        self.list.export_requested.connect(chats.export)
        self.list.verticalScrollBar().valueChanged.connect(self._scrolled)
        chats.changed.connect(self.refresh)
        chats.removal_changed.connect(self._show_undo)
        theme.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the list as it is now. While a name is being edited it stays."""
        if self.list.editing:
            return
        self.list.fill(self._chats)
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

    def _show_undo(self, removed: int) -> None:
        self._undo_bar.setVisible(removed > 0)
        if removed:
            self._undo_text.show_text(tr("%Ln chat(s) deleted", "", removed))

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

    def _make_undo(self) -> QFrame:
        bar = QFrame()
        bar.setObjectName("undo")
        row = QHBoxLayout(bar)
        row.setContentsMargins(self._theme.medium, self._theme.tiny, self._theme.small, self._theme.tiny)
        self._undo_text = PlainLabel("")
        row.addWidget(self._undo_text, 1)
        self.undo = LinkButton(tr("Undo"), tr("Undo: bring back what was deleted"))
        self.undo.clicked.connect(self._chats.undo)
        row.addWidget(self.undo)
        bar.hide()
        return bar


class _Search(QLineEdit):
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


class _List(QListWidget):
    """Chats with headings between them, or what was found. Enter opens, F2 renames, Delete deletes."""

    chosen = Signal(str)
    renamed = Signal(str, str)
    deletion_requested = Signal(str)
    export_requested = Signal(str, str)
    edited = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(tr("Chats"))
        self.setAccessibleDescription(tr("Enter opens a chat, F2 renames it, Delete deletes it."))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(12, 12))
        self.customContextMenuRequested.connect(self.open_menu)
        self.itemClicked.connect(self._choose)
        self.itemDelegate().closeEditor.connect(self._end_editing)
        self.itemDelegate().commitData.connect(self._rename)
        self._filling = False
        self.editing = False

    def fill(self, chats: ChatsModel) -> None:
        """Show what ``chats`` knows; the chat with the keyboard's place and the scroll position stay."""
        place, at = self.verticalScrollBar().value(), self._chat_of(self.currentItem())
        self.clear()
        if chats.query:
            for hit in chats.hits:
                snippet = " ".join(visible(hit.snippet).split()) if hit.message else ""
                self._add(chats, hit.chat.chat, title_of(hit.chat), snippet, hit.message)
        else:
            for group in chats.groups():
                self._add_heading(group.name)
                for chat in group.chats:
                    self._add(chats, chat.chat, title_of(chat))
        self._go_to(at or chats.current)
        self.verticalScrollBar().setValue(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space if item is not None:
                self._choose(item)
            case Qt.Key.Key_F2 if item is not None:
                self.rename(item)
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace if item is not None:
                self._delete(item)
            case _:
                super().keyPressEvent(event)
                return
        event.accept()

    def open_menu(self, at: QPoint) -> None:
        """What can be done with the chat at ``at``."""
        item = self.itemAt(at) if self.viewport().rect().contains(at) else self.currentItem()
        if not item or not self._chat_of(item):
            return
        menu = self.menu(item)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(at))

    def menu(self, item: QListWidgetItem) -> QMenu:
        """What can be done with the chat of ``item``."""
        chat = self._chat_of(item)
        menu = QMenu(self)
        menu.addAction(tr("Open")).triggered.connect(lambda: self.chosen.emit(chat))
        rename = menu.addAction(tr("Rename"))
        rename.setShortcut(QKeySequence("F2"))
        rename.triggered.connect(lambda: self._with(chat, self.rename))
        for name, form in ((tr("Export as Markdown…"), "markdown"), (tr("Export as JSON…"), "json")):
            menu.addAction(name).triggered.connect(functools.partial(self.export_requested.emit, chat, form))
        delete = menu.addAction(tr("Delete"))
        delete.setShortcut(QKeySequence("Del"))
        delete.triggered.connect(lambda: self.deletion_requested.emit(chat))
        return menu

    def rename(self, item: QListWidgetItem) -> None:
        """Let the owner edit the name."""
        if not self._chat_of(item) or item.data(_MESSAGE):
            return
        self.editing = True
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        self.editItem(item)

    def _with(self, chat: str, action: object) -> None:
        item = next((one for one in self._items() if self._chat_of(one) == chat), None)
        if item is not None and callable(action):
            action(item)

    def _items(self) -> list[QListWidgetItem]:
        return [self.item(row) for row in range(self.count())]

    def _rename(self, editor: QWidget) -> None:
        item = self.currentItem()
        if isinstance(editor, QLineEdit) and item is not None:
            self.renamed.emit(self._chat_of(item), editor.text()[:LONGEST_TITLE])

    def _end_editing(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        self.editing = False
        self.edited.emit()

    def _delete(self, item: QListWidgetItem) -> None:
        chat = self._chat_of(item)
        if chat:
            row = self.row(item)
            near = [row + 1, row - 1]
            following = next((self.item(one) for one in near if self._chat_of(self.item(one))), None)
            if following is not None:
                self.setCurrentItem(following)
            self.deletion_requested.emit(chat)

    def _choose(self, item: QListWidgetItem) -> None:
        chat = self._chat_of(item)
        if chat:
            self.chosen.emit(chat)

    @staticmethod
    def _chat_of(item: QListWidgetItem | None) -> str:
        return str(item.data(_CHAT) or "") if item is not None else ""

    def _go_to(self, chat: str) -> None:
        for item in self._items():
            if chat and self._chat_of(item) == chat:
                self.setCurrentItem(item)
                return

    def _add_heading(self, name: str) -> None:
        item = QListWidgetItem(name)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        font = QFont(self.font())
        font.setPointSizeF(self._theme.caption)
        font.setWeight(QFont.Weight.DemiBold)
        item.setFont(font)
        self.addItem(item)

    def _add(self, chats: ChatsModel, chat: str, title: str, snippet: str = "", message: str = "") -> None:
        title = " ".join(visible(title).split())
        item = QListWidgetItem(f"{title}\n{snippet}" if snippet else title)
        item.setData(_CHAT, chat)
        item.setData(_MESSAGE, message)
        state = ""
        entry = chats.entry(chat)
        if entry is not None and entry.answering:
            state = tr("an answer is being written")
            item.setIcon(icon("writing", self._theme.busy))
        elif chat in chats.unread:
            state = tr("a new answer")
            item.setIcon(icon("mark", self._theme.accent))
        elif entry is not None and entry.temporary:
            state = tr("temporary")
            item.setIcon(icon("temporary", self._theme.quiet))
        if chat == chats.current:
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold)
            item.setFont(font)
        words = [title, *([state] if state else []), *([snippet] if snippet else [])]
        item.setData(int(Qt.ItemDataRole.AccessibleTextRole), ", ".join(words))
        item.setToolTip("")
        self.addItem(item)


def _tool(theme: Theme, name: str, about: str, key: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("tool")
    ThemeIcon(button, theme, name, size=18)
    button.setAccessibleName(about)
    button.setToolTip(tr("{action} ({key})", action=about, key=key))
    button.setFixedSize(theme.control, theme.control)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
