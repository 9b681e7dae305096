"""Folders of chats: made, named, deleted, folded away. Fed by the engine's events."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.models.engine_words import from_engine
from engine.api import schema

LONGEST_NAME = 100
_OWN = ("save_folder", "delete_folder")


def _new_id() -> str:
    return uuid.uuid4().hex


def folder_ref(folder: str) -> str:
    """Marks a request that makes, names or deletes a folder."""
    return f"folder-{folder}"[:64]


class FoldersModel(QObject):
    """``send`` gives a request to the engine and says whether it went out."""

    changed = Signal()
    folded = Signal()
    """Others are folded away now."""
    problem_arose = Signal(str)

    def __init__(self, send: Callable[[schema.Request], bool], new_id: Callable[[], str] = _new_id) -> None:
        super().__init__()
        self._send = send
        self._new_id = new_id
        self._all: dict[str, schema.Folder] = {}
        self._collapsed: frozenset[str] = frozenset()

    @property
    def all(self) -> list[schema.Folder]:
        """Every folder, by name."""
        return sorted(self._all.values(), key=lambda folder: (folder.name.casefold(), folder.folder))

    @property
    def collapsed(self) -> tuple[str, ...]:
        """The folders whose chats do not show."""
        return tuple(sorted(self._collapsed))

    def get(self, folder: str) -> schema.Folder | None:
        """A folder that is there."""
        return self._all.get(folder)

    def is_collapsed(self, folder: str) -> bool:
        """Whether its chats do not show."""
        return folder in self._collapsed

    # What the owner does.

    def collapse(self, folders: Iterable[str]) -> None:
        """Fold away exactly these, as they were when the window was left."""
        self._collapsed = frozenset(folders)
        self.changed.emit()

    def fold(self, folder: str, away: bool) -> None:
        """Fold one away, or show what is in it."""
        before = self._collapsed
        self._collapsed = before | {folder} if away else before - {folder}
        if self._collapsed != before:
            self.changed.emit()
            self.folded.emit()

    def make(self) -> str:
        """A new folder, with a name that no other one has; its id, "" where the engine cannot be asked."""
        names = {folder.name for folder in self._all.values()}
        name, number = tr("New folder"), 1
        while name in names:
            number += 1
            name = tr("New folder {number}", number=number)
        folder = schema.Folder(self._new_id(), name)
        return folder.folder if self._send(schema.SaveFolder(folder=folder, ref=folder_ref(folder.folder))) else ""

    def rename(self, folder: str, name: str) -> None:
        """Another name; an empty one changes nothing."""
        name = " ".join(name.split())[:LONGEST_NAME]
        known = self._all.get(folder)
        if name and known is not None and name != known.name:
            self._send(schema.SaveFolder(folder=schema.Folder(folder, name), ref=folder_ref(folder)))

    def delete(self, folder: str) -> schema.Folder | None:
        """Delete a folder, not its chats. What was deleted: saving it again brings it back with its chats."""
        known = self._all.get(folder)
        if known is not None and self._send(schema.DeleteFolder(folder=folder, ref=folder_ref(folder))):
            return known
        return None

    # What the engine says.

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.ChatList() if event.ref.startswith("list-"):
                self._replace(event.folders)
            case schema.FoldersChanged():
                self._replace(event.folders)
            case schema.ChatsRemoved(everything=True):
                self._replace(())
            case schema.RequestFailed(request=request) if request in _OWN:
                self.problem_arose.emit(from_engine(event))

    def _replace(self, folders: Iterable[schema.Folder]) -> None:
        new = {folder.folder: folder for folder in folders}
        if new != self._all:
            self._all = new
            before = self._collapsed
            self._collapsed &= new.keys()
            self.changed.emit()
            if self._collapsed != before:
                self.folded.emit()
