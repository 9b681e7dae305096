"""What the engine has still to be given of chats: questions that it never took, drafts, files."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from engine.api import schema

OwedRequest = schema.CreateChat | schema.SaveDraft | schema.AddAttachment
_KEPT_FOR_LATER = ("storage_failed", "overloaded")
"""Refusals that say nothing about the request itself."""


class Unsent(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of it, as a window keeps it on the disk. ``typed``: what was being written in chats, by their names, of whose
    drafts nothing was known then; it stands before what the engine has."""

    requests: tuple[OwedRequest, ...] = ()
    typed: dict[str, str] = {}

    def within(self, characters: int) -> Unsent:
        """As much of it as ``characters`` hold: the oldest chats are left out."""
        weights: dict[str, int] = {}
        for one in self.requests:
            weights[one.chat] = weights.get(one.chat, 0) + len(getattr(one, "text", ""))
        for chat, text in self.typed.items():
            weights[chat] = weights.get(chat, 0) + len(text)
        gone: set[str] = set()
        for chat in weights:
            if sum(weight for name, weight in weights.items() if name not in gone) > characters:
                gone.add(chat)
        requests = tuple(one for one in self.requests if one.chat not in gone)
        return Unsent(requests, {chat: text for chat, text in self.typed.items() if chat not in gone})


class Owed:
    """Requests that go out in their order and are kept until the engine has done them: what an engine that ended may
    not have got is sent to the next one. Each may come twice."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        self._send = send
        self._waiting: dict[str, OwedRequest] = {}
        self._sent: set[str] = set()
        self._count = 0

    @property
    def requests(self) -> tuple[OwedRequest, ...]:
        """What is owed, the oldest first."""
        return tuple(self._waiting.values())

    def add(self, requests: Iterable[OwedRequest]) -> None:
        """These are owed, too."""
        for request in requests:
            self._count += 1
            ref = f"owed-{self._count}"
            self._waiting[ref] = msgspec.structs.replace(request, ref=ref)

    def forget(self) -> None:
        """Nothing is owed any more."""
        self._waiting.clear()
        self._sent.clear()

    def connected(self) -> None:
        """Another connection: whatever was sent over the one before may not have arrived."""
        self._sent.clear()
        self.pay()

    def pay(self) -> None:
        """Send what has not gone out yet, as far as the connection takes it."""
        for ref, request in self._waiting.items():
            if ref not in self._sent:
                if not self._send(request):
                    return
                self._sent.add(ref)

    def receive(self, event: schema.Event) -> OwedRequest | None:
        """The one of them that the event answers."""
        ref = getattr(event, "ref", "")
        answered = self._waiting.get(ref) if ref else None
        if answered is None:
            return None
        if not (isinstance(event, schema.RequestFailed) and event.code in _KEPT_FOR_LATER):
            del self._waiting[ref]
        self.pay()
        return answered


def joined(*texts: str) -> str:
    """Texts one below the other, as one draft."""
    return "\n\n".join(text for text in texts if text.strip())[: schema.MAX_TEXT]


def merged(typed: str, kept: str) -> str:
    """What was typed and what was kept of a draft: one where it goes on from the other, else both."""
    if typed.startswith(kept):
        return typed
    return kept if kept.startswith(typed) else f"{typed}{kept}"
