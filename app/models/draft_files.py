"""Files of the question that is being written: read, given to the engine piece by piece, kept with the draft."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal

from app.i18n import number, tr
from app.models.engine_words import from_engine
from app.models.text_files import Refusal, TextFile, from_text, read
from engine.api import schema

PIECE = schema.MAX_TEXT
"""Characters that are given to the engine at a time."""
MOST_HELD = 4_000_000
"""Characters of files that the engine has in its memory alone, which are held here, too; the newest of them."""
LONGEST_NAME = 120
_REQUESTS = ("add_attachment", "remove_attachment")


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(slots=True)
class DraftFile:
    """A file of a draft. ``state``: it is being read, given to the engine, or kept there with the draft; ``text`` is
    here until it is kept."""

    file: str
    chat: str
    name: str
    characters: int = 0
    state: Literal["reading", "sending", "kept"] = "kept"
    text: str = ""
    at: int = 0

    @property
    def attachment(self) -> schema.Attachment:
        """As the engine names it."""
        return schema.Attachment(attachment=self.file, name=self.name, characters=self.characters)


class DraftFiles(QObject):
    """``send`` gives a request to the engine and says whether it went out, ``make`` makes the open chat there.

    Files are read beside the window, and one piece of one file is on its way at a time, so that nothing stands still.
    What the engine has not taken when the connection ends is given to it anew. What it has in its memory alone, as its
    disk is full, is held until it is saved. A file goes to the chat that was open when it came, whichever is open
    later."""

    changed = Signal()
    refused = Signal(str)
    """Why a file was not taken, for people."""
    _was_read = Signal(str, object)

    def __init__(
        self,
        send: Callable[[schema.Request], bool],
        make: Callable[[], bool],
        new_id: Callable[[], str] = _new_id,
        start: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        super().__init__()
        self._send = send
        self._make = make
        self._new_id = new_id
        self._start = start or QThreadPool.globalInstance().start
        self._chat = ""
        self._all: list[DraftFile] = []
        self._held: dict[str, DraftFile] = {}
        self._sending = ""
        self._pasted = 0
        self._was_read.connect(self._take_read)

    @property
    def files(self) -> list[DraftFile]:
        """Those of the open chat, in the order in which they came."""
        return [one for one in self._all if one.chat == self._chat]

    @property
    def ready(self) -> bool:
        """Whether all of them are kept, so that they can be asked about."""
        return all(one.state == "kept" for one in self.files)

    # What the owner does.

    def add_files(self, paths: Sequence[str]) -> None:
        """Attach files of this machine; those that cannot be are told."""
        for path in paths:
            name = _short(path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or path)
            one = self._new(name)
            if one is None:
                return
            self._start(lambda path=path, file=one.file: self._was_read.emit(file, read(path)))  # type: ignore[misc]

    def add_text(self, text: str) -> bool:
        """Attach a text that was pasted; False when it was refused, which is told."""
        self._pasted += 1
        found = from_text(tr("Pasted text {number}.txt", number=number(self._pasted)), text)
        one = self._new(found.name) if isinstance(found, TextFile) else None
        if one is not None:
            self._take_read(one.file, found)
        elif isinstance(found, Refusal):
            self.refused.emit(found.words())
        return one is not None

    def remove(self, file: str) -> None:
        """Take one out of the draft."""
        one = self._get(file)
        if one is None:
            return
        self._all.remove(one)
        self._held.pop(file, None)
        if one.state != "reading":
            self._send(schema.RemoveAttachment(chat=one.chat, attachment=file, ref=file))
        if self._sending == file:
            self._sending = ""
        self.changed.emit()
        self._next()

    def take(self) -> tuple[schema.Attachment, ...]:
        """What goes with the question that is asked now; the draft has none then."""
        taken = tuple(one.attachment for one in self.files)
        self._all = [one for one in self._all if one.chat != self._chat]
        self.changed.emit()
        return taken

    def drop(self, files: Sequence[schema.Attachment]) -> None:
        """These go with a question that is asked again."""
        names = {one.attachment for one in files}
        if any(one.file in names for one in self._all):
            self._all = [one for one in self._all if one.file not in names]
            self.changed.emit()

    def owed(self) -> list[schema.AddAttachment]:
        """What gives the engine the texts that it has not got, whole."""
        return [piece for one in self._all if one.state == "sending" for piece in _pieces(one)]

    # What an engine has in its memory alone.

    def at_risk(self, chat: str) -> list[schema.AddAttachment]:
        """What gives another engine the files of a chat that this one has not saved."""
        return [piece for one in self._held.values() if one.chat == chat for piece in _pieces(one)]

    def held_chats(self) -> set[str]:
        """Those with such files."""
        return {one.chat for one in self._held.values()}

    def hold(self, pieces: Iterable[schema.AddAttachment]) -> None:
        """Files that an engine is given again, whole: it may not save them either."""
        for piece in pieces:
            before = self._held.get(piece.attachment)
            text = (before.text if before is not None and piece.at else "") + piece.text
            self._hold(DraftFile(piece.attachment, piece.chat, piece.name, len(text), text=text))

    def let_go(self, file: str) -> None:
        """This one is saved, or no engine takes it."""
        self._held.pop(file, None)

    def all_saved(self) -> None:
        """The disk takes everything again."""
        self._held.clear()

    def missing(self, kept: Collection[str]) -> list[schema.Attachment]:
        """Files of the open draft that the engine had in its memory and has not any more: it keeps these."""
        mine = [one for one in self.files if one.state == "kept" and one.file in self._held]
        return [one.attachment for one in mine if one.file not in kept]

    def bring_back(self, lost: Sequence[schema.Attachment]) -> None:
        """An engine that ended had these in its memory alone: they are of the draft again. What is not held here is
        gone, which is told."""
        gone = []
        for one in lost:
            held = self._held.pop(one.attachment, None)
            if held is None:
                gone.append(one.name)
            elif self._get(held.file) is None:
                self._all.append(held)
        self.changed.emit()
        self._next()
        if gone:
            self.refused.emit(
                tr(
                    "Lost with the question to which they were attached: {names}. Attach them again.",
                    names=", ".join(gone),
                )
            )

    # Which chat, and what the engine says.

    def follow(self, chat: str) -> None:
        """Another chat is open; what is kept of its draft comes with :meth:`show`."""
        self._all = [one for one in self._all if one.state != "kept" or one.chat == chat]
        self._chat = chat
        self.changed.emit()

    def show(self, attachments: Sequence[schema.Attachment]) -> None:
        """What the engine keeps of the open chat's draft."""
        coming = [one for one in self._all if one.state != "kept"]
        names = {one.file for one in coming}
        kept = [
            DraftFile(one.attachment, self._chat, one.name, one.characters)
            for one in attachments
            if one.attachment not in names
        ]
        self._all = kept + coming
        self.changed.emit()

    def connected(self) -> None:
        """The engine can be asked: what it has not got is given to it from its beginning."""
        self._sending = ""
        for one in self._all:
            one.at = 0
        self._next()

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Accepted(request="add_attachment", ref=ref) if ref and ref == self._sending:
                self._accepted(ref, saved=event.saved)
            case schema.DraftChanged(chat=chat, draft=draft) if chat == self._chat:
                self.show(draft.attachments)
            case schema.RequestFailed(request=request, ref=ref) if request in _REQUESTS:
                self._refuse(ref, from_engine(event))
            case schema.ChatsRemoved():
                gone = {one.chat for one in (*self._all, *self._held.values())} if event.everything else {*event.chats}
                self._all = [one for one in self._all if one.chat not in gone]
                self._held = {name: one for name, one in self._held.items() if one.chat not in gone}
                self.changed.emit()

    def _new(self, name: str) -> DraftFile | None:
        if len(self.files) >= schema.MAX_ATTACHMENTS:
            most = number(schema.MAX_ATTACHMENTS)
            self.refused.emit(tr("{most} files are attached already. Remove one of them.", most=most))
            return None
        one = DraftFile(self._new_id(), self._chat, name, state="reading")
        self._all.append(one)
        self.changed.emit()
        return one

    def _get(self, file: str) -> DraftFile | None:
        return next((one for one in self._all if one.file == file), None)

    def _take_read(self, file: str, found: TextFile | Refusal) -> None:
        one = self._get(file)
        if one is None:  # removed meanwhile
            return
        if isinstance(found, Refusal):
            self._refuse(file, found.words())
            return
        there = sum(other.characters for other in self._all if other.chat == one.chat)
        if there + len(found.text) > schema.MAX_QUESTION:
            self._refuse(file, Refusal(one.name, "long").words())
            return
        one.text, one.characters, one.state = found.text, len(found.text), "sending"
        self.changed.emit()
        self._next()

    def _refuse(self, file: str, words: str) -> None:
        one = self._get(file)
        if one is not None:
            self._all.remove(one)
        if self._sending == file:
            self._sending = ""
        self.changed.emit()
        self.refused.emit(words)
        self._next()

    def _next(self) -> None:
        """Give the engine a file that it has not got."""
        if self._sending:
            return
        one = next((one for one in self._all if one.state == "sending"), None)
        if one is not None and (one.chat != self._chat or self._make()):
            self._give(one)

    def _give(self, one: DraftFile) -> None:
        text = one.text[one.at : one.at + PIECE]
        more = one.at + len(text) < len(one.text)
        request = schema.AddAttachment(
            chat=one.chat, attachment=one.file, name=one.name, text=text, at=one.at, more=more, ref=one.file
        )
        self._sending = one.file if self._send(request) else ""

    def _hold(self, one: DraftFile) -> None:
        self._held[one.file] = replace(one, state="sending", at=0)
        while sum(held.characters for held in self._held.values()) > MOST_HELD:
            del self._held[next(iter(self._held))]

    def _accepted(self, file: str, *, saved: bool) -> None:
        one = self._get(file)
        self._sending = ""
        if one is not None:
            one.at += PIECE
            if one.at < len(one.text):
                self._sending = file
                QTimer.singleShot(0, lambda: self._go_on(file))
                return
            if not saved:
                self._hold(one)
            one.state, one.text = "kept", ""
            if one.chat != self._chat:
                self._all.remove(one)
            self.changed.emit()
        self._next()

    def _go_on(self, file: str) -> None:
        one = self._get(file)
        if one is not None and self._sending == file:
            self._give(one)


def _pieces(one: DraftFile) -> Iterator[schema.AddAttachment]:
    for at in range(0, max(1, len(one.text)), PIECE):
        more = at + PIECE < len(one.text)
        yield schema.AddAttachment(
            chat=one.chat, attachment=one.file, name=one.name, text=one.text[at : at + PIECE], at=at, more=more
        )


def _short(name: str) -> str:
    """A name that is not too long, with its ending."""
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem[: LONGEST_NAME - 20]}…{dot}{ending[-18:]}" if dot else f"{name[: LONGEST_NAME - 1]}…"
