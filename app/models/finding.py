"""What was looked for in the chat that is open: the messages that have it, and the way from one to the next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.api import schema

MOST_PLACES = 1_000
"""Messages of one chat that are gone through."""
PAGE = 50


class Finding(QObject):
    """Begins with a message that was found; the engine tells the others of its chat. ``send`` gives a request to the
    engine and says whether it went out."""

    changed = Signal()

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self._begun = 0
        self.chat = ""
        self.words = ""
        self.message = ""
        """The one that shows."""
        self.places: tuple[str, ...] = ()
        """All messages that were found, in the order of the chat."""

    def begin(self, chat: str, message: str, words: str) -> None:
        """``message`` shows, which has ``words``."""
        anew = (chat, words) != (self.chat, self.words)
        self.chat, self.words, self.message = chat, words, message
        if anew:
            self._look()
        self.changed.emit()

    def end(self) -> None:
        """Nothing is looked for any more."""
        if self.words:
            self.chat = self.words = self.message = ""
            self.places = ()
            self.changed.emit()

    @property
    def number(self) -> int:
        """Which of the places shows, from 1 on; 0: not known."""
        return self.places.index(self.message) + 1 if self.message in self.places else 0

    def step(self, by: int) -> str:
        """Go to the next place (1) or the one before (-1), round and round; the message, "" for none."""
        if not self.places:
            return ""
        at = self.number - 1 if self.number else min(0, -by)
        self.message = self.places[(at + by) % len(self.places)]
        self.changed.emit()
        return self.message

    def connected(self) -> None:
        """The engine can be asked."""
        if self.words:
            self._look()

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.ChatsFound() if self.words and event.ref == self.ref:
                self.places += tuple(hit.message for hit in event.hits if hit.message)
                if event.more and len(self.places) < MOST_PLACES:
                    self._ask()
                self.changed.emit()
            case schema.MessagesRemoved(chat=self.chat) | schema.MessagesRestored(chat=self.chat) if self.words:
                self._look()
                self.changed.emit()
            case schema.ChatsRemoved() if event.everything or self.chat in event.chats:
                self.end()

    @property
    def ref(self) -> str:
        """Names the page that comes next: what was asked for before is not taken for it."""
        return f"find-{self._begun}-{len(self.places)}"

    def _look(self) -> None:
        """For all places, anew."""
        self._begun += 1
        self.places = ()
        self._ask()

    def _ask(self) -> None:
        offset = len(self.places)
        self._send(schema.SearchChats(query=self.words, chat=self.chat, limit=PAGE, offset=offset, ref=self.ref))
