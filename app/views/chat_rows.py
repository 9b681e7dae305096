"""The rows of the list of chats: folders that fold, days, chats, what is found. Moved by menu, keys and dragging."""

from __future__ import annotations

import functools
from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyleOptionViewItem,
    QWidget,
)

from app.i18n import tr
from app.models.chats import LONGEST_TITLE, ChatsModel
from app.models.safe_text import visible
from app.theme import Theme
from app.views.chat_lines import ICON, Line, differing, item_of, lines, staying
from app.views.chat_row import MESSAGE, RowDelegate, folder_of, key_of, message_of

MIME = "application/x-gentorrent-chat"
"""What is dragged: the id of a chat of this window."""
AT_ONCE = 150
"""Lines that are made in one turn of the loop: more than show."""


class ChatRows(QListWidget):
    """Shows a :class:`ChatsModel`. Enter opens, F2 renames, Delete deletes, Ctrl+M moves, left and right fold."""

    chosen = Signal(str, str)
    """A chat, and the message in it that was found."""
    deletion_requested = Signal(str)
    export_requested = Signal(str, str)
    edited = Signal()

    def __init__(self, theme: Theme, chats: ChatsModel) -> None:
        super().__init__()
        self._theme = theme
        self._chats = chats
        self.setAccessibleName(tr("Chats"))
        self.setAccessibleDescription(
            tr("Enter opens a chat, F2 renames it, Delete deletes it, Ctrl+M moves it to a folder.")
        )
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(ICON, ICON))
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDropIndicatorShown(False)
        self._delegate = RowDelegate(self, theme)
        self.setItemDelegate(self._delegate)
        self.customContextMenuRequested.connect(self.open_menu)
        self.itemClicked.connect(self._choose)
        self._delegate.closeEditor.connect(self._end_editing)
        self._delegate.named.connect(self._rename)
        self.editing = False
        self._made: list[Line] = []  # what the items show
        self._wanted: list[Line] = []
        self._heights: dict[tuple[bool, ...] | None, QSize] = {}
        self._place: tuple[tuple[str, str], str] = ("", ""), ""
        """Where the keyboard is, or was before lines were made."""
        self._scrolled = 0
        """How far it is scrolled, or was before lines were made."""
        self._aims: tuple[tuple[tuple[str, str], str], ...] = ()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._make)
        self._new_folder = ""
        self._shown = ""  # the chat that was open when the list was filled
        self._awaited = True  # it was not in the list yet

    # ---------------------------------------------------------------------------------------------------------- shown

    def fill(self) -> None:
        """Show what the model knows; the row with the keyboard's place and the scroll position stay; another chat that
        was opened takes that place. While it is a new one, which is in the list a moment later or never, no row is
        marked, unless the keyboard is here. Lines that are the same stay; many others come one part after the other."""
        chats = self._chats
        if not self._later.isActive():
            self._place = (key_of(self.currentItem()), message_of(self.currentItem()))
            self._scrolled = self.verticalScrollBar().value()
        at, message = self._place
        self._wanted = lines(chats, f"{self._theme.dark} {self.font().key()}")
        known = chats.entry(chats.current) is not None
        if chats.current != self._shown:
            self._shown, self._awaited = chats.current, True
        if self._awaited and known:
            self._awaited = False
            if at[0] != chats.current:
                self._place = at, message = (chats.current, ""), ""
        entry = chats.entry(at[0] or chats.current)
        folder = entry.folder if entry else ""
        self._aims = ((at, message), (at, ""), ((chats.current, ""), ""), (("", folder), ""))
        self._make()

    def _make(self) -> None:
        """Make lines that are not there yet, or not as they should be, some at a time."""
        if self.editing:  # a name; the list is filled when that has ended
            return
        begin, end = differing(self._made, self._wanted)
        new = self._wanted[begin : len(self._wanted) - end]
        self._remove(begin, len(self._made) - end, staying(self._made[begin : len(self._made) - end], new))
        left = AT_ONCE
        for row, line in enumerate(new, begin):
            if row < len(self._made) - end and self._made[row] == line:
                continue
            if not left:
                break
            self._insert(row, line)
            self._made.insert(row, line)
            left -= 1
        all_made = len(self._made) == len(self._wanted)
        self._later.stop() if all_made else self._later.start()
        any(self._go_to(*aim) for aim in self._aims)
        if self._awaited and not self.hasFocus():
            self.clearSelection()
        if all_made:
            self.executeDelayedItemsLayout()  # only then it can be scrolled as far
        self.verticalScrollBar().setValue(self._scrolled)
        if self._new_folder and not self._chats.query and self._go_to(("", self._new_folder)):
            self._new_folder = ""
            self.rename(self.currentItem())

    def _remove(self, begin: int, end: int, kept: set[Line]) -> None:
        """Of the rows from ``begin`` on those that are not ``kept``, as many together as lie side by side."""
        while end > begin:
            first = end
            while first > begin and self._made[first - 1] not in kept:
                first -= 1
            if first < end:
                self.model().removeRows(first, end - first)
                del self._made[first:end]
            end = first - 1

    def _insert(self, row: int, line: Line) -> None:
        """With its height, which Qt would ask for again and again of every line."""
        item = item_of(line, self._theme, self.font())
        kind = line.height
        if kind in self._heights:
            item.setSizeHint(self._heights[kind])
        self.insertItem(row, item)
        if kind not in self._heights:
            size = self._height(item)
            item.setSizeHint(size)
            if kind is not None:
                self._heights[kind] = size

    def _height(self, item: QListWidgetItem) -> QSize:
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        return self._delegate.sizeHint(option, self.indexFromItem(item))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange) and self._made:
            self._measure_anew()

    def _measure_anew(self) -> None:
        """In another font or style lines may be of other heights; another look alone changes none."""
        item = self.item(
            next((row for row, line in enumerate(self._made) if line.chat), 0)
        )  # headings: letters of their own
        before = item.sizeHint()
        item.setData(int(Qt.ItemDataRole.SizeHintRole), None)
        size = self._height(item)
        item.setSizeHint(size)
        if size.height() == before.height():
            return
        if not self._later.isActive():
            self._aims = ((key_of(self.currentItem()), message_of(self.currentItem())), *self._aims)
            self._scrolled = self.verticalScrollBar().value()
        self._heights.clear()
        self.clear()  # and with it the editor of a name
        self._made.clear()
        self._later.start()
        if self.editing:
            self.editing = False
            self.edited.emit()

    def make_folder(self, chat: str = "") -> None:
        """A new folder, with ``chat`` in it; its name can be typed as soon as it is there."""
        self._new_folder = self._chats.folders.make()
        if self._new_folder and chat:
            self._chats.move(chat, self._new_folder)

    def _go_to(self, key: tuple[str, str], message: str = "") -> bool:
        for row, line in enumerate(self._made if any(key) else ()):
            if line.key == key and message in ("", line.message):
                self.setCurrentRow(row)
                return True
        return False

    # ----------------------------------------------------------------------------------------------------- what is done

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.currentItem() is not None:
            self.currentItem().setSelected(True)  # where the keyboard is

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self._awaited and event.reason() != Qt.FocusReason.PopupFocusReason:
            self.clearSelection()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.editing:  # the editor of a name lets Enter pass
            event.accept()
            return
        item = self.currentItem()
        chat, _ = key_of(item)
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and item is not None:
            self._choose(item)
        elif key == Qt.Key.Key_F2 and item is not None:
            self.rename(item)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and item is not None:
            self._delete(item)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and folder_of(item):
            self._fold(item, key == Qt.Key.Key_Left)
        elif key == Qt.Key.Key_M and event.modifiers() & Qt.KeyboardModifier.ControlModifier and chat:
            self._popup(self.move_menu(chat), self.visualItemRect(item).bottomLeft())
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def open_menu(self, at: QPoint) -> None:
        """What can be done with what stands at ``at``."""
        item = self.itemAt(at) if self.viewport().rect().contains(at) else self.currentItem()
        if item and any(key_of(item)):
            self._popup(self.menu(item), at)

    def _popup(self, menu: QMenu, at: QPoint) -> None:
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(at))

    def menu(self, item: QListWidgetItem) -> QMenu:
        """What can be done with the chat or folder of ``item``."""
        chat, folder = key_of(item)
        return self._chat_menu(chat) if chat else self._folder_menu(folder)

    def _chat_menu(self, chat: str) -> QMenu:
        menu = QMenu(self)
        menu.addAction(tr("Open")).triggered.connect(lambda: self.chosen.emit(chat, ""))
        self._add_rename(menu, (chat, ""))
        entry = self._chats.entry(chat)
        if entry is not None and not entry.temporary:
            menu.addMenu(self.move_menu(chat, menu))
        for name, form in (
            (tr("Export as PDF…"), "pdf"),
            (tr("Export as Markdown…"), "markdown"),
            (tr("Export as JSON…"), "json"),
        ):
            menu.addAction(name).triggered.connect(functools.partial(self.export_requested.emit, chat, form))
        self._add_delete(menu, tr("Delete"), lambda: self.deletion_requested.emit(chat))
        return menu

    def _folder_menu(self, folder: str) -> QMenu:
        menu = QMenu(self)
        self._add_rename(menu, ("", folder))
        self._add_delete(menu, tr("Delete the folder, keep its chats"), lambda: self._chats.delete_folder(folder))
        return menu

    def move_menu(self, chat: str, parent: QWidget | None = None) -> QMenu:
        """Where a chat can be moved to."""
        menu = QMenu(tr("Move to folder"), parent or self)
        entry = self._chats.entry(chat)
        inside = entry.folder if entry is not None else ""
        for folder in self._chats.folders.all:
            action = menu.addAction(" ".join(visible(folder.name).split()).replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(folder.folder == inside)
            action.triggered.connect(functools.partial(self._move, chat, folder.folder))
        menu.addSeparator()
        menu.addAction(tr("New folder…")).triggered.connect(lambda: self.make_folder(chat))
        out = menu.addAction(tr("Out of the folder"))
        out.setEnabled(self._chats.folders.get(inside) is not None)
        out.triggered.connect(functools.partial(self._move, chat, ""))
        return menu

    def _move(self, chat: str, folder: str, checked: bool = False) -> None:
        self._chats.move(chat, folder)

    def _add_rename(self, menu: QMenu, key: tuple[str, str]) -> None:
        def rename() -> None:
            if self._go_to(key):
                self.rename(self.currentItem())

        action = menu.addAction(tr("Rename"))
        action.setShortcut(QKeySequence("F2"))
        action.triggered.connect(rename)

    def _add_delete(self, menu: QMenu, name: str, delete: Callable[[], object]) -> None:
        action = menu.addAction(name)
        action.setShortcut(QKeySequence("Del"))
        action.triggered.connect(delete)

    def rename(self, item: QListWidgetItem) -> None:
        """Let the owner edit the name."""
        if not any(key_of(item)) or item.data(MESSAGE):
            return
        self.editing = True
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        self.editItem(item)

    def _rename(self, row: int, name: str) -> None:
        chat, folder = key_of(self.item(row))
        if chat:
            self._chats.rename(chat, name[:LONGEST_TITLE])
        elif folder:
            self._chats.folders.rename(folder, name)

    def _end_editing(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        self.editing = False
        self.edited.emit()

    def _delete(self, item: QListWidgetItem) -> None:
        chat, folder = key_of(item)
        if folder:
            self._chats.delete_folder(folder)
        elif chat:
            row = self.row(item)
            near = [row + 1, row - 1]
            following = next((self.item(one) for one in near if key_of(self.item(one))[0]), None)
            if following is not None:
                self.setCurrentItem(following)
            self.deletion_requested.emit(chat)

    def _choose(self, item: QListWidgetItem) -> None:
        chat, folder = key_of(item)
        if chat:
            self.chosen.emit(chat, message_of(item))
        elif folder:
            self._fold(item, not self._chats.folders.is_collapsed(folder))

    def _fold(self, item: QListWidgetItem, away: bool) -> None:
        """Fold the folder that ``item`` is, or lies in."""
        folder = folder_of(item)
        if away:
            self._go_to(("", folder))
        self._chats.folders.fold(folder, away)

    # -------------------------------------------------------------------------------------------------------- dragging

    def startDrag(self, actions: Qt.DropAction) -> None:
        chat, _ = key_of(self.currentItem())
        entry = self._chats.entry(chat)
        if entry is None or entry.temporary:
            return
        data = QMimeData()
        data.setData(MIME, chat.encode("ascii"))
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.MoveAction)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._consider(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)  # scrolls near the edges
        self._consider(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._show_target(-1)

    def dropEvent(self, event: QDropEvent) -> None:
        chat, target = self._dragged(event)
        self._show_target(-1)
        if target is None:
            event.ignore()
            return
        event.acceptProposedAction()
        self._chats.move(chat, folder_of(target))

    def _consider(self, event: QDragMoveEvent) -> None:
        _, target = self._dragged(event)
        self._show_target(-1 if target is None else self.row(target))
        event.accept() if target is not None else event.ignore()

    def _dragged(self, event: QDropEvent) -> tuple[str, QListWidgetItem | None]:
        """The chat, and the row over which it is held, if it can be dropped there."""
        if not event.mimeData().hasFormat(MIME) or self._chats.query:
            return "", None
        chat = bytes(event.mimeData().data(MIME).data()).decode("ascii", "replace")
        if self._chats.entry(chat) is None:
            return "", None
        return chat, self.itemAt(event.position().toPoint())

    def _show_target(self, row: int) -> None:
        if row != self._delegate.target:
            self._delegate.target = row
            self.viewport().update()
