"""Drafts at risk: what the engine was given of them and has not said that its disk has."""

from __future__ import annotations

from app.models.unsent import OwedRequest
from engine.api import schema


def draft_ref(chat: str) -> str:
    """Marks a request that keeps what is being written in a chat."""
    return f"draft-{chat}"[:64]


class DraftsUnderway:
    """Of the open chat and of those that were left meanwhile. What a connection takes may never arrive: the engine may
    hang, or end first. What it has in its memory alone, as its disk is full, ends with it."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}
        self._left: dict[str, list[OwedRequest]] = {}

    def sent(self, chat: str) -> None:
        """The draft of a chat went out."""
        self._count[chat] = self._count.get(chat, 0) + 1

    def leave(self, chat: str, requests: list[OwedRequest]) -> None:
        """The chat is shown no longer; ``requests`` give the engine what it may not get."""
        self._left[chat] = requests

    def come_back(self, chat: str) -> bool:
        """The chat shows again; whether its draft is at risk."""
        return self._left.pop(chat, None) is not None

    def all_saved(self) -> None:
        """The disk takes everything again."""
        self._left = {chat: requests for chat, requests in self._left.items() if chat in self._count}

    def kept(self, event: schema.Event) -> str:
        """The chat of which ``event`` says that the engine has saved the newest draft; "" for none."""
        match event:
            case schema.Accepted(request="save_draft") | schema.RequestFailed(request="save_draft"):
                chat = next((one for one in self._count if draft_ref(one) == event.ref), "")
                if chat and self._last(chat) and isinstance(event, schema.Accepted) and event.saved:
                    self._forget(chat)
                    return chat
            case schema.ChatsRemoved():
                for chat in [*self._count] if event.everything else event.chats:
                    self._forget(chat)
        return ""

    def lost(self) -> list[OwedRequest]:
        """The connection has ended: what the chats that were left still owe."""
        owed = [one for requests in self._left.values() for one in requests]
        self._count.clear()
        self._left.clear()
        return owed

    def _last(self, chat: str) -> bool:
        """Whether that was the last one under way of this chat."""
        self._count[chat] -= 1
        if not self._count[chat]:
            del self._count[chat]
        return chat not in self._count

    def _forget(self, chat: str) -> None:
        self._count.pop(chat, None)
        self._left.pop(chat, None)
