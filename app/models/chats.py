"""The list of chats: by day, found by words, renamed, deleted and brought back. Fed by the engine's events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from msgspec.structs import replace
from PySide6.QtCore import QDateTime, QObject, QTimer, Signal

from app.i18n import mark, tr
from app.models.engine_words import from_engine
from app.models.finding import Finding
from app.models.folders import FoldersModel, folder_ref
from app.models.names import NamesAtRisk
from app.models.new_day import NewDay, day_of
from engine.api import schema

UNDO_MILLISECONDS = 15_000
"""So long undoing a deletion is offered."""
ELSEWHERE_MILLISECONDS = 290_000
"""So long for the open chat that another client deleted, perhaps while nobody looked: almost as long as the engine can
bring it back."""
MOST_BROUGHT_BACK = 20
"""Chats that were deleted one after the other and come back together: fewer than can be deleted while the engine
remembers the first of them."""
SEARCH_MILLISECONDS = 200
"""After the last letter of a search."""
LONGEST_QUERY = 500
LONGEST_TITLE = 200
PAGE = 100
FOLDER_PAGE = 200
LARGEST_FOLDER = 1_000
"""Chats of one folder that are asked for beside the newest ones."""
_OWN = (
    "export_chat",
    "update_chat",
    "delete_chats",
    "restore_chats",
    "delete_message",
    "restore_messages",
    "search_chats",
)
_NAMES = (mark("Today"), mark("Yesterday"), mark("Previous 7 days"), mark("Earlier"))


@dataclass(frozen=True, slots=True)
class Group:
    """Chats of one folder, or of about the same age."""

    name: str
    chats: tuple[schema.ChatEntry, ...]
    folder: str = ""
    collapsed: bool = False


def groups(chats: Sequence[schema.ChatEntry], now: float) -> list[Group]:
    """``chats`` (newest first) by day. They stay in their order, also where a clock went wrong: a chat never stands
    in a newer group than the one before it."""
    today = day_of(now)
    found: list[list[schema.ChatEntry]] = [[] for _ in _NAMES]
    place = 0
    for chat in chats:
        place = max(place, _age(chat.updated, today))
        found[place].append(chat)
    return [Group(tr(name), tuple(some)) for name, some in zip(_NAMES, found, strict=True) if some]


def _age(seconds: float, today: date) -> int:
    try:
        day = day_of(seconds)
    except (OverflowError, OSError, ValueError):
        return 0
    if day >= today:
        return 0
    if day == today - timedelta(days=1):
        return 1
    return 2 if day >= today - timedelta(days=7) else 3


def title_of(chat: schema.ChatEntry) -> str:
    """What a chat is called."""
    return chat.title or (tr("Temporary chat") if chat.temporary else tr("New chat"))


class ChatsModel(QObject):
    """Knows the newest chats, and more of them when asked. ``send`` gives a request to the engine and says whether it
    went out; ``wall`` is the time in seconds since 1970."""

    changed = Signal()
    """The list, or what was found, is another one."""
    removal_changed = Signal(str)
    """What was deleted, in words, and can be brought back if :attr:`can_undo`; empty: nothing."""
    problem_arose = Signal(str)
    exported = Signal(str, object)
    """A file name and the whole text for it."""
    pdf_wanted = Signal(str, object)
    """A file name, and the whole chat as JSON."""
    restored = Signal(object)
    """The names of chats that were brought back."""
    answered = Signal(str)
    """An answer of this chat has come to its end."""

    def __init__(
        self, send: Callable[[schema.Request], bool], wall: Callable[[], float] = QDateTime.currentSecsSinceEpoch
    ) -> None:
        super().__init__()
        self.names = NamesAtRisk(send)
        self._send = self.names.send
        self._wall = wall
        self._chats: dict[str, schema.ChatEntry] = {}
        self._before = 0
        self._asked_before = 0
        self._undo: schema.Request | None = None
        self._restoring: tuple[str, ...] = ()
        self._deleting: set[str] = set()  # by this window
        self._elsewhere = ""  # what is said of the open chat that another client deleted, or of all chats
        self._parted = ""  # that chat
        self._to_list: list[str] = []  # folders whose chats are not all known
        self._listed = 0  # chats of the first of them that have been asked for
        self.folders = FoldersModel(self._send)
        self.folders.changed.connect(self.changed)
        self.folders.problem_arose.connect(self.problem_arose)
        self.finding = Finding(send)
        self.known = False  # the engine has told the list
        self.current = ""
        self.query = ""
        self.hits: tuple[schema.ChatHit, ...] = ()
        self.searching = False
        self.unread: set[str] = set()
        self._export: list[str] = []
        self._export_ref = ""
        self._export_pdf = False
        self._exports = 0
        self._offer = self._timer(UNDO_MILLISECONDS, self._offer_is_over)
        self._look = self._timer(SEARCH_MILLISECONDS, self._search)
        NewDay(wall, self).came.connect(self.changed)

    def _timer(self, milliseconds: int, action: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(action)
        return timer

    @property
    def chats(self) -> list[schema.ChatEntry]:
        """All that are known, newest first."""
        return sorted(self._chats.values(), key=lambda chat: -chat.activity)

    def groups(self) -> list[Group]:
        """All that are known: those of each folder, then the others by day."""
        inside: dict[str, list[schema.ChatEntry]] = {folder.folder: [] for folder in self.folders.all}
        outside: list[schema.ChatEntry] = []
        for chat in self.chats:
            inside.get(chat.folder, outside).append(chat)
        named = [
            Group(folder.name, tuple(inside[folder.folder]), folder.folder, self.folders.is_collapsed(folder.folder))
            for folder in self.folders.all
        ]
        return named + groups(outside, self._wall())

    def entry(self, chat: str) -> schema.ChatEntry | None:
        """One chat, if it is known."""
        return self._chats.get(chat)

    # What the owner does.

    def show_current(self, chat: str) -> None:
        """This chat is open now."""
        if chat != self.current:
            if self._elsewhere and self._parted != self.current:  # the next but one
                self._forget_removed()
            self.current = chat
            self.unread.discard(chat)
            self.changed.emit()

    def load_more(self) -> None:
        """Ask for older chats, if there are any."""
        if self._before and self._before != self._asked_before and self._list(self._before):
            self._asked_before = self._before

    def search(self, query: str) -> None:
        """Look for words, soon; nothing ends the search."""
        self.query = query.strip()[:LONGEST_QUERY]
        if self.query:
            self.searching = True
            self._look.start()
        else:
            self._look.stop()
            self.searching = False
            self.hits = ()
        self.changed.emit()

    def rename(self, chat: str, title: str) -> None:
        """Another name; an empty one changes nothing."""
        title = " ".join(title.split())[:LONGEST_TITLE]
        known = self._chats.get(chat)
        if title and known is not None and title != known.title:
            self._send(schema.UpdateChat(chat=chat, title=title, ref=f"rename-{chat}"[:64]))

    def move(self, chat: str, folder: str) -> None:
        """Into a folder, or out of all of them ("")."""
        known = self._chats.get(chat)
        if known is not None and not known.temporary and known.folder != folder:
            self._send(schema.UpdateChat(chat=chat, folder=folder, ref=f"move-{chat}"[:64]))
            if folder:
                self.folders.fold(folder, False)

    def delete(self, chats: Sequence[str]) -> None:
        """Delete chats; :meth:`undo` brings them back, with those that were deleted while that was offered."""
        gone = tuple(dict.fromkeys(chats))
        if not gone or not self._send(schema.DeleteChats(chats=gone, ref="delete")):
            return
        self._deleting.update(gone)
        back = tuple(one for one in gone if one in self._chats and not self._chats[one].temporary)
        if back:
            before = self._undo.chats if isinstance(self._undo, schema.RestoreChats) and not self._elsewhere else ()
            back = tuple(dict.fromkeys((*before, *back)))[-MOST_BROUGHT_BACK:]
            self._offer_undo(schema.RestoreChats(chats=back, ref="restore"), tr("%Ln chat(s) deleted", "", len(back)))
        else:
            self._forget_removed()

    def delete_message(self, chat: str, message: str) -> None:
        """Delete a message with what follows it; :meth:`undo` brings it back."""
        self._send(schema.DeleteMessage(chat=chat, message=message, ref="delete-message"))

    def delete_folder(self, folder: str) -> None:
        """Delete a folder; its chats stay, and :meth:`undo` brings the folder back with them in it."""
        gone = self.folders.delete(folder)
        if gone is not None:
            text = tr("Folder deleted, its chats are kept")
            self._offer_undo(schema.SaveFolder(folder=gone, ref=folder_ref(folder)), text)

    def export(self, chat: str, form: Literal["markdown", "json", "pdf"]) -> None:
        """Ask for a whole chat; a newer wish takes the place of one that is not done."""
        self._exports += 1
        self._export, self._export_ref = [], f"export-{self._exports}"
        self._export_pdf = form == "pdf"
        self._send(schema.ExportChat(chat=chat, format="json" if form == "pdf" else form, ref=self._export_ref))

    def undo(self) -> None:
        """Bring back what was deleted last."""
        if self._undo is not None and self._send(self._undo):
            self._restoring = self._undo.chats if isinstance(self._undo, schema.RestoreChats) else ()
            self._forget_removed()

    def _offer_undo(self, request: schema.Request, text: str) -> None:
        self._undo, self._elsewhere = request, ""
        self.removal_changed.emit(text)
        self._offer.start(UNDO_MILLISECONDS)

    @property
    def can_undo(self) -> bool:
        """Whether what was deleted last can be brought back."""
        return self._undo is not None

    @property
    def removed_here(self) -> bool:
        """Whether what was deleted last was of the open chat, or that itself, and not only in the list."""
        return bool(self._elsewhere) or isinstance(self._undo, schema.RestoreMessages)

    def _forget_removed(self) -> None:
        self._offer.stop()
        self._undo, self._elsewhere = None, ""
        self.removal_changed.emit("")

    def _offer_is_over(self) -> None:
        """It is too late to undo; that the open chat is gone is still to be said."""
        said = self._elsewhere
        self._undo = None
        self.removal_changed.emit(said)

    def _say_removed(self, event: schema.ChatsRemoved) -> None:
        """The open chat vanishes, and nobody here has deleted it."""
        if event.everything:
            self._forget_removed()
            self._elsewhere = tr("All chats were deleted.")
        elif self.current in set(event.chats) - self._deleting:
            known = self._chats.get(self.current)
            self._elsewhere = (
                tr("The chat “{name}” was deleted elsewhere.", name=title_of(known))
                if known is not None
                else tr("This chat was deleted elsewhere.")
            )
            lasting = known is None or not known.temporary
            self._undo = schema.RestoreChats(chats=(self.current,), ref="restore") if lasting else None
            self._offer.start(ELSEWHERE_MILLISECONDS)
        else:
            return
        self._parted = self.current
        self.removal_changed.emit(self._elsewhere)

    # What the engine says.

    def connected(self) -> None:
        """The engine can be asked."""
        self.names.connected()
        self._deleting.clear()
        self._list(0)
        self.finding.connected()
        if self.query:
            self._search()

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        if self.names.receive(event):
            return
        self.folders.receive(event)
        self.finding.receive(event)
        match event:
            case schema.ChatList(ref="folder"):
                self._chats.update({chat.chat: chat for chat in event.chats})
                self._list_folder(event.before)
            case schema.ChatList():
                if event.ref == "list-0":  # the newest: what is not among them may be gone
                    self._chats.clear()
                    self._asked_before = 0
                    self._to_list = [folder.folder for folder in event.folders] if event.before else []
                    self._listed = 0
                self._chats.update({chat.chat: chat for chat in event.chats})
                self._before = event.before
                self.known = True
                if event.ref == "list-0":
                    self._list_folder(0, first=True)
                    self.names.give_again()
            case schema.ChatChanged():
                self._entry_changed(event.chat)
            case schema.MessageChanged():
                self._message_changed(event)
                return
            case schema.MessagesRemoved(ref="delete-message"):
                back = schema.RestoreMessages(chat=event.chat, removed=event.removed, ref="restore-messages")
                self._offer_undo(back, tr("%Ln message(s) deleted", "", event.count))
                return
            case schema.Accepted(request="restore_chats", ref="restore"):
                self.restored.emit(self._restoring)
                if self.query:
                    self._search()
                return
            case schema.ChatsRemoved():
                self._say_removed(event)
                self._deleting.difference_update(event.chats)
                for chat in list(self._chats) if event.everything else event.chats:
                    self._chats.pop(chat, None)
                    self.unread.discard(chat)
                gone = set(event.chats)
                self.hits = () if event.everything else tuple(hit for hit in self.hits if hit.chat.chat not in gone)
            case schema.ChatsFound() if event.ref == self.search_ref:
                self.hits = event.hits
                self.searching = False
            case schema.ExportPiece() if event.ref == self._export_ref:
                self._export.append(event.text)
                if event.last:
                    text, self._export = "".join(self._export), []
                    if self._export_pdf:
                        self.pdf_wanted.emit(f"{event.name.removesuffix('.json')}.pdf", text)
                    else:
                        self.exported.emit(event.name, text)
                return
            case schema.RequestFailed(request=request) if request in _OWN:
                if event.ref == "empty":
                    return
                if request == "delete_chats":
                    self._deleting.clear()
                self.searching = False
                self.problem_arose.emit(from_engine(event))
            case _:
                return
        self.changed.emit()

    def _entry_changed(self, chat: schema.ChatEntry) -> None:
        before = self._chats.get(chat.chat)
        self._chats[chat.chat] = chat
        if chat.chat == self.current and self._elsewhere and not self.can_undo:
            self._forget_removed()  # life goes on
        self.hits = tuple(replace(hit, chat=chat) if hit.chat.chat == chat.chat else hit for hit in self.hits)
        if before is not None and before.answering and not chat.answering:
            if chat.chat != self.current:
                self.unread.add(chat.chat)
            self.answered.emit(chat.chat)

    def _message_changed(self, event: schema.MessageChanged) -> None:
        """Who has a chat open hears of an answer's end before the list does: who leaves in between has seen it."""
        chat, ended = self._chats.get(event.chat), event.message
        if chat is not None and ended.state != "writing" and chat.answering == ended.message:
            self._entry_changed(replace(chat, answering=""))
            self.changed.emit()

    def _list(self, before: int) -> bool:
        return self._send(schema.ListChats(before=before, limit=PAGE, watch=True, ref=f"list-{before}"))

    def _list_folder(self, before: int, first: bool = False) -> None:
        """Ask for the next chats of folders, one request after the other: what is in them shows also where it is older
        than the newest chats."""
        if not first and (not before or self._listed >= LARGEST_FOLDER):
            self._to_list = self._to_list[1:]
            before = self._listed = 0
        if self._to_list:
            folder = self._to_list[0]
            self._listed += FOLDER_PAGE
            self._send(schema.ListChats(folder=folder, before=before, limit=FOLDER_PAGE, ref="folder"))

    def _search(self) -> None:
        if not self._send(schema.SearchChats(query=self.query, limit=50, ref=self.search_ref)):
            self.searching = False
            self.changed.emit()

    @property
    def search_ref(self) -> str:
        """Names the search: what is found for other words is not shown."""
        return f"search-{hash(self.query) & 0xFFFF_FFFF:x}"
