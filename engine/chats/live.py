"""A chat that is in use: its tree, who has it open, and the answer that is being written in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from engine.api.schema import (
    MAX_PIECE,
    AnswerDelta,
    AnswerStage,
    Attachment,
    ChatChanged,
    ChatEntry,
    ControlEvent,
    Draft,
    Edit,
    MessageChanged,
    MessageState,
    StoredMessage,
)
from engine.chats.database import ReadMessage
from engine.chats.pages import Page, Place, candidates, grown
from engine.chats.rows import INTERRUPTED, ChatRow, MessageRow
from engine.chats.store import ChatStore, beginning
from engine.chats.tree import MessageTree

PAGE_CHARACTERS = 200_000
"""Characters of all messages in one event, or one message."""


class Listener(Protocol):
    """Somebody who is told what happens."""

    def tell(self, event: ControlEvent) -> None:
        """Never raises: who does not take its events is cut off."""
        ...


class Running:
    """An answer that is being written: ``row`` as it began, and what has come."""

    def __init__(self, row: MessageRow) -> None:
        self.row = row
        self.stage: AnswerStage | None = None
        self.task: asyncio.Task[None] | None = None
        self.begun = False
        self.stopping = False
        self.ended = False
        self.unsaved = False
        self.characters = 0
        self.reasoning_characters = 0
        self._text: list[str] = []
        self._reasoning: list[str] = []

    def begin(self) -> bool:
        """The task has had its first step; whether it shall go on."""
        self.begun = True
        return not self.stopping

    def add(self, text: str, reasoning: str, tokens: int) -> AnswerDelta:
        """The next piece, and what listeners are told of it."""
        told = AnswerDelta(
            chat=self.row.chat,
            message=self.row.id,
            text=text,
            tokens=tokens,
            at=self.characters,
            reasoning=reasoning,
            reasoning_at=self.reasoning_characters,
        )
        self._text.append(text)
        self._reasoning.append(reasoning)
        self.characters += len(text)
        self.reasoning_characters += len(reasoning)
        self.unsaved = True
        return told

    def now(self, state: MessageState = "writing") -> MessageRow:
        """The row with what has come so far."""
        self._text, self._reasoning = ["".join(self._text)], ["".join(self._reasoning)]
        return msgspec.structs.replace(self.row, text=self._text[0], reasoning=self._reasoning[0], state=state)


@dataclass(eq=False)
class LiveChat:
    """``lock`` is held while the chat is read or changed; pieces of an answer come without it."""

    id: str
    store: ChatStore
    row: ChatRow = field(default_factory=lambda: ChatRow(id=""))
    tree: MessageTree = field(default_factory=MessageTree)
    running: Running | None = None
    loaded: bool = False
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    listeners: set[Listener] = field(default_factory=set)
    draft_by: Listener | None = None
    """Who wrote the draft, as far as that is known."""
    idle_since: float = 0.0

    @property
    def temporary(self) -> bool:
        return self.store.path is None

    @property
    def tip(self) -> str:
        """The end of the branch that is shown."""
        return self.tree.tip(self.row.tip)

    def tell(self, event: ControlEvent) -> None:
        """To all who have this chat open."""
        for listener in tuple(self.listeners):
            listener.tell(event)

    def entry(self) -> ChatEntry:
        """The chat as lists show it."""
        return entry_of(self.row, self.store, self.running)

    async def page(self, place: Place, limit: int) -> Page:
        """A piece of the branch that is shown, at most ``limit`` messages and one event's text."""
        branch = self.tree.branch(self.tip)
        among, begin = candidates(branch, place, limit)
        shown = {one.message: one for one in await self.shown(branch[among.start : among.stop])}

        def length(at: int) -> int:
            return _length(shown[branch[at]]) if branch[at] in shown else 0

        taken = grown(among, begin, PAGE_CHARACTERS, length)
        messages = tuple(shown[branch[at]] for at in taken if branch[at] in shown)
        return Page(messages, taken.start > 0, taken.stop < len(branch))

    async def shown(self, names: Iterable[str]) -> list[StoredMessage]:
        """Messages as clients see them; the newest state of the one that is being written, at the moment of return."""
        names = list(names)
        read = await self.store.messages(names)
        attached = await self.store.attachments(self.id, names)
        if self.running is not None and self.running.row.id in names:
            read[self.running.row.id] = beginning(self.running.now())
        return [self.message(read[name], attached.get(name, ())) for name in names if name in read]

    def message(self, read: ReadMessage, attachments: Iterable[Attachment] = ()) -> StoredMessage:
        """One message as clients see it."""
        row = read.row
        if row.state == "writing" and (self.running is None or self.running.row.id != row.id):
            row = msgspec.structs.replace(row, state="interrupted", problem=INTERRUPTED)  # not yet so on a full disk
        return StoredMessage(
            message=row.id,
            parent=self.tree.parent(row.id),
            role=row.role,
            text=row.text,
            characters=read.characters,
            state=row.state,
            reasoning=row.reasoning,
            reasoning_characters=read.reasoning_characters,
            attachments=tuple(attachments),
            created=row.created,
            finished=row.finished,
            model=row.model,
            details=row.details,
            problem=row.problem,
            siblings=self.tree.siblings(row.id),
            saved=self.temporary or not self.store.waits(MessageRow, row.id),
        )

    def written_beside(self, by: Listener) -> bool:
        """Whether the draft is what another client writes that has the chat open."""
        return self.draft_by is not by and self.draft_by in self.listeners

    async def draft(self) -> Draft:
        """What is being written here and not sent yet."""
        text = await self.store.draft(self.id)
        attached = await self.store.attachments(self.id, [""])
        edits = [Edit(name, words) for name, words in (await self.store.edits(self.id)).items() if name in self.tree]
        files = tuple(attached.get("", ()))
        return Draft(text=text[:MAX_PIECE], characters=len(text), attachments=files, edits=tuple(edits))

    def changed(self) -> ChatChanged:
        """For those who have it open."""
        return ChatChanged(chat=self.entry(), settings=self.row.settings)

    def message_changed(self, row: MessageRow, attachments: Iterable[Attachment] = (), added: bool = False) -> None:
        """Tell those who have it open of a new message or of its end."""
        self.tell(MessageChanged(chat=self.id, message=self.message(beginning(row), attachments), added=added))


def entry_of(row: ChatRow, store: ChatStore, running: Running | None = None) -> ChatEntry:
    """A chat as lists show it."""
    return ChatEntry(
        chat=row.id,
        title=row.title,
        folder=row.folder,
        created=row.created,
        updated=row.updated,
        activity=row.activity,
        model=row.settings.model,
        local_only=row.settings.local_only,
        temporary=store.path is None,
        answering=running.row.id if running is not None else "",
        saved=store.path is None or not store.waits(ChatRow, row.id),
    )


def _length(message: StoredMessage) -> int:
    return len(message.text) + len(message.reasoning) + 500
