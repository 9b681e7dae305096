"""What the chats that the engine keeps are made of.

A chat is a tree of messages; siblings are versions of one question or answer, and the way from the root to the chat's
``tip`` is the branch that is shown.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.api.schema.base import (
    MachineStanding,
    Privacy,
    PrivacyChoice,
    Route,
    SamplingChoice,
    WeakerChoice,
    Worded,
)

MAX_TEXT = 200_000
"""Characters of text in one request. A longer text is sent in pieces, as an attachment."""
MAX_QUESTION = 2_000_000
"""Characters of a question with its attachments."""
MAX_PIECE = 65_536
"""Characters of one text in an event; :class:`GetText` gives the rest."""
MAX_ATTACHMENTS = 20
MAX_EDITS = 8
"""Questions of a chat of which other wordings are kept before they are asked."""
MAX_PAGE = 200
"""Chats or messages in one event."""
CONFIRM_DELETION = "delete all my data"
DEFAULT_PRESET = "default"
"""The id of the preset that new chats begin with."""

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
OptionalId = Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_-]*$")]
Title = Annotated[str, Meta(max_length=200)]
LongText = Annotated[str, Meta(max_length=MAX_TEXT)]
Count = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
Overflow = Literal["refuse", "drop_oldest", "keep_ends"]
"""What happens to a question that does not fit the model's context with what was said before: it is refused with
:class:`ContextOverflow`, the oldest turns are left out, or those after the first one, which is kept with the newest.
The system prompt is always kept."""


class ChatSettings(Struct, frozen=True, kw_only=True):
    """How questions of a chat are asked. ``local_only``: only ever on this machine, whatever ``route`` says.
    ``sampling`` None: as suits the model. ``overflow``: when a question does not fit the context with what was said
    before. ``preset``: the id of the preset that they were taken from. ``privacy`` None: what the owner's settings
    accept."""

    model: Annotated[str, Meta(max_length=200)] = ""
    route: Route = "auto"
    local_only: bool = False
    system: LongText = ""
    sampling: SamplingChoice | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    stop: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=500)], ...], Meta(max_length=16)] = ()
    overflow: Overflow = "refuse"
    preset: OptionalId = ""
    privacy: PrivacyChoice | None = None


class ChatEntry(Struct, frozen=True, kw_only=True):
    """A chat in the list. ``activity`` orders the list, whatever the clock says: the highest is the newest.
    ``answering``: the answer that is being written, "" for none. ``saved`` False: its newest state is in memory
    only."""

    chat: str
    title: str
    folder: str = ""
    created: float = 0.0  # seconds since 1970
    updated: float = 0.0
    activity: int = 0
    model: str = ""
    local_only: bool = False
    temporary: bool = False
    answering: str = ""
    saved: bool = True


class Folder(Struct, frozen=True):
    """A named group of chats."""

    folder: Id
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class Preset(Struct, frozen=True, kw_only=True):
    """A named way to ask, to be copied into chats; no two have the same name. The one with the id
    :data:`DEFAULT_PRESET` is copied into new chats that are made without ``settings``."""

    preset: Id
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    system: LongText = ""
    sampling: SamplingChoice | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    stop: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=500)], ...], Meta(max_length=16)] = ()


class Attachment(Struct, frozen=True, kw_only=True):
    """A text file that belongs to a question; ``characters`` are its length."""

    attachment: str
    name: str
    characters: int


class Edit(Struct, frozen=True):
    """Another wording of the question ``message`` that is being written."""

    message: str
    text: str


class Draft(Struct, frozen=True, kw_only=True):
    """What is being written and not yet sent. ``text`` may be the first piece of ``characters``."""

    text: str = ""
    characters: int = 0
    attachments: tuple[Attachment, ...] = ()
    edits: tuple[Edit, ...] = ()


class AnswerDetails(Worded, frozen=True, kw_only=True):
    """How an answer was made; the fields are those of ``ChatDone``. ``receipt``: :class:`GetText` gives one.
    ``dropped``: so many messages were left out, as they did not fit the model's context; ``overflow``: which ones."""

    finish_reason: Literal["stop", "length", ""] = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    served_by: str = ""
    seed: int = 0
    badge: Literal["local", "signed", "verified", "unverified", ""] = ""
    badge_reason: str = ""
    paths: tuple[tuple[str, ...], ...] = ()
    n: int = 0
    k: int = 0
    ttft_ms: float = 0.0
    tokens_per_s: float = 0.0
    receipt: bool = False
    privacy: Privacy | None = None
    machines: tuple[str, ...] = ()
    standings: tuple[MachineStanding, ...] = ()
    asked: tuple[str, ...] = ()
    dropped: int = 0
    overflow: Overflow = "refuse"


class AnswerProblem(Worded, frozen=True, kw_only=True):
    """Why an answer ended early, as in ``ChatFailed``."""

    code: str
    text: str
    choices: tuple[WeakerChoice, ...] = ()


MessageState = Literal["done", "writing", "stopped", "failed", "interrupted"]
"""``interrupted``: the engine ended while it was written. What had arrived is kept in every state,
but for the last half second where the engine was killed."""


class StoredMessage(Struct, frozen=True, kw_only=True):
    """One message. ``parent``: what it answers or follows, "" for a first one. ``siblings``: all versions, itself among
    them, oldest first. ``text`` and ``reasoning`` may be the first piece of so many ``characters``."""

    message: str
    parent: str
    role: Literal["user", "assistant"]
    text: str
    characters: int
    state: MessageState = "done"
    reasoning: str = ""
    reasoning_characters: int = 0
    attachments: tuple[Attachment, ...] = ()
    created: float = 0.0
    finished: float = 0.0
    model: str = ""
    details: AnswerDetails | None = None
    problem: AnswerProblem | None = None
    siblings: tuple[str, ...] = ()
    saved: bool = True


__all__ = [
    "CONFIRM_DELETION",
    "DEFAULT_PRESET",
    "MAX_ATTACHMENTS",
    "MAX_EDITS",
    "MAX_PAGE",
    "MAX_PIECE",
    "MAX_QUESTION",
    "MAX_TEXT",
    "AnswerDetails",
    "AnswerProblem",
    "Attachment",
    "ChatEntry",
    "ChatSettings",
    "Count",
    "Draft",
    "Edit",
    "Folder",
    "Id",
    "LongText",
    "MessageState",
    "OptionalId",
    "Overflow",
    "Preset",
    "StoredMessage",
    "Title",
]
