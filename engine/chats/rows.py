"""What is kept: one frozen struct for each row of the database."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from engine.api.schema import AnswerDetails, AnswerProblem, ChatSettings, MessageState, Preset
from engine.sentences import say


class ChatRow(Struct, frozen=True, kw_only=True):
    """A chat. ``activity`` orders chats, whatever the clock says; ``tip`` is the last message of the branch that is
    shown; ``deleted`` chats can be restored until they are purged."""

    id: str
    title: str = ""
    folder: str = ""
    created: float = 0.0
    updated: float = 0.0
    activity: int = 0
    tip: str = ""
    deleted: bool = False
    settings: ChatSettings = ChatSettings()


class MessageRow(Struct, frozen=True, kw_only=True):
    """A message. ``place`` orders all messages by when they were made."""

    id: str
    chat: str
    parent: str
    place: int
    role: Literal["user", "assistant"]
    text: str = ""
    reasoning: str = ""
    state: MessageState = "done"
    created: float = 0.0
    finished: float = 0.0
    model: str = ""
    details: AnswerDetails | None = None
    problem: AnswerProblem | None = None
    receipt: str = ""


class AttachmentRow(Struct, frozen=True, kw_only=True):
    """A text file of a message, or of the chat's draft while ``message`` is empty."""

    id: str
    chat: str
    message: str
    place: int
    name: str
    text: str


class DraftRow(Struct, frozen=True, kw_only=True):
    """What is being written in the chat ``id``, or another wording of one of its questions (:func:`edit_name`)."""

    id: str
    text: str


def edit_name(chat: str, message: str) -> str:
    """Names what is written in the place of a question; no chat has a name like this."""
    return f"{chat}/{message}"


class FolderRow(Struct, frozen=True, kw_only=True):
    """A folder."""

    id: str
    name: str


class PresetRow(Struct, frozen=True, kw_only=True):
    """A preset."""

    id: str
    preset: Preset


class Node(Struct, frozen=True):
    """A message as far as the tree needs it."""

    id: str
    parent: str
    place: int
    role: Literal["user", "assistant"]


INTERRUPTED = AnswerProblem(code="interrupted", text=say("chat.interrupted"))
"""Of an answer that is being written, and by nobody."""
Row = ChatRow | MessageRow | AttachmentRow | DraftRow | FolderRow | PresetRow
Key = tuple[type[Row], str]


def key_of(row: Row) -> Key:
    """What names a row among all."""
    return type(row), row.id


def weight(row: Row | None) -> int:
    """Characters of long texts in a row, for bounds."""
    match row:
        case MessageRow():
            return len(row.text) + len(row.reasoning) + len(row.receipt)
        case AttachmentRow() | DraftRow():
            return len(row.text)
    return 0
