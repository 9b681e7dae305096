"""Names of chats and folders, which chat is in which folder, and presets: what the engine was given of them and has not
said that its disk has. An engine that ends over a full disk loses it; the next one is given it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from engine.api import schema

_Change = schema.UpdateChat | schema.SaveFolder | schema.DeleteFolder | schema.SavePreset | schema.DeletePreset


class NamesAtRisk:
    """Passes requests on to ``send`` and remembers those of its kind, the newest of each ``ref``, until they are saved.
    Each may come twice."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        self._pass_on = send
        self._changes: dict[str, _Change] = {}
        self._underway: dict[str, int] = {}
        self._doubtful: set[str] = set()  # the engine may be another one, which has not got them
        self._again: set[str] = set()

    @property
    def count(self) -> int:
        """Of what is remembered."""
        return len(self._changes)

    def send(self, request: schema.Request) -> bool:
        """Give a request to the engine; whether it went out."""
        if not self._pass_on(request):
            return False
        if _is_change(request):
            self._changes.pop(request.ref, None)  # the newest comes last
            self._changes[request.ref] = request
            self._underway[request.ref] = self._underway.get(request.ref, 0) + 1
            self._doubtful.discard(request.ref)
            self._again.discard(request.ref)
        return True

    def connected(self) -> None:
        """Another connection: whatever was sent over the one before may not have arrived."""
        self._underway.clear()
        self._again.clear()
        self._doubtful = set(self._changes)

    def give_again(self) -> None:
        """Once the engine has been given the chats that it may not have."""
        for ref, change in list(self._changes.items()):
            if ref in self._doubtful and self.send(change):
                self._again.add(ref)

    def receive(self, event: schema.Event) -> bool:
        """An event of the engine; True: it refuses what it was given again, as the chat is gone, say."""
        match event:
            case schema.Accepted() if event.ref in self._underway:
                if self._last(event.ref) and event.saved:
                    self._changes.pop(event.ref, None)
            case schema.RequestFailed() if event.ref in self._underway:
                if self._last(event.ref):
                    self._changes.pop(event.ref, None)
                return event.ref in self._again
            case schema.SavingState(problem=""):
                saved = set(self._changes) - set(self._underway) - self._doubtful
                self._changes = {ref: one for ref, one in self._changes.items() if ref not in saved}
            case schema.ChatsRemoved():
                gone = set(event.chats)
                self._changes = {
                    ref: one
                    for ref, one in self._changes.items()
                    if not (event.everything or (isinstance(one, schema.UpdateChat) and one.chat in gone))
                }
        return False

    def _last(self, ref: str) -> bool:
        """Whether that was the last one under way with this ``ref``."""
        self._underway[ref] -= 1
        if not self._underway[ref]:
            del self._underway[ref]
        return ref not in self._underway


def _is_change(request: schema.Request) -> TypeGuard[_Change]:
    return isinstance(request, _Change)
