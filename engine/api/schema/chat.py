"""Conversations that the client keeps itself: ``Chat`` and the events of its answer."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.api.schema.base import (
    ChatId,
    ControlEvent,
    ControlRequest,
    MachineStanding,
    ModelName,
    Privacy,
    PrivacyChoice,
    Route,
    SamplingChoice,
    WeakerChoice,
    Worded,
)


class ChatText(Struct, frozen=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, Meta(max_length=800_000)]


class Chat(ControlRequest, frozen=True, kw_only=True, tag="chat"):
    """Answer the last of ``messages``. ``conversation`` names the chat, so that its paths and its cache are kept from
    one turn to the next; empty: the engine recognises a chat by its earlier messages."""

    id: ChatId
    model: ModelName
    messages: Annotated[tuple[ChatText, ...], Meta(min_length=1, max_length=2048)]
    conversation: Annotated[str, Meta(max_length=64)] = ""
    sampling: SamplingChoice = SamplingChoice()
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    min_tokens: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    stop: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=500)], ...], Meta(max_length=16)] = ()
    route: Route = "auto"
    may_forward: bool = True
    public_messages: Annotated[int, Meta(ge=0, le=2048)] = 0
    public_characters: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    privacy: PrivacyChoice | None = None  # None: what the owner's settings accept


class StopChat(ControlRequest, frozen=True, kw_only=True, tag="stop_chat"):
    """Stop an answer; it ends with ``ChatFailed`` of code "cancelled". An unknown id is ignored; it may be done."""

    id: ChatId


class ChatStage(ControlEvent, Worded, frozen=True, kw_only=True, tag="chat_stage"):
    """Why there is no text yet: ``stage`` is "connecting", "sending", "queued", "prefill", "decode", "thinking",
    "finishing" or another short word; ``text`` says it in plain words."""

    id: ChatId
    stage: str
    text: str = ""
    place: int = 0
    estimate: float = 0.0  # seconds to the first token; 0 when unknown


class ChatDelta(ControlEvent, frozen=True, kw_only=True, tag="chat_delta"):
    """The next piece of the answer, and of what the model thinks before it (``reasoning``). Pieces may be joined on the
    way when the reader is slow."""

    id: ChatId
    text: str
    tokens: int
    reasoning: str = ""


class ChatDone(ControlEvent, Worded, frozen=True, kw_only=True, tag="chat_done"):
    """The answer is complete.

    ``badge``: "local", "signed" (receipt checked), "verified" (and the node has passed the committee lately) or
    "unverified"; ``badge_reason`` says why. ``paths`` are the relay ids of the paths that carried it, from here to the
    serving node; empty when local. ``receipt`` is the export for a file, as JSON text; empty when there is none.
    """

    id: ChatId
    finish_reason: Literal["stop", "length"]
    model: str
    prompt_tokens: int
    completion_tokens: int
    served_by: str  # node id, or "local"
    seed: int
    badge: Literal["local", "signed", "verified", "unverified"]
    badge_reason: str = ""
    paths: tuple[tuple[str, ...], ...] = ()
    n: int = 0
    k: int = 0
    ttft_ms: float = 0.0
    tokens_per_s: float = 0.0
    receipt: str = ""
    privacy: Privacy | None = None  # None: answered on this machine
    machines: tuple[str, ...] = ()  # every one that made a part of it, in order; ``served_by`` is the last

    standings: tuple[MachineStanding, ...] = ()  # of ``machines``, where the network has a committee
    asked: tuple[str, ...] = ()  # whom the question was sent to, in order: they could read it, too


class ChatFailed(ControlEvent, Worded, frozen=True, kw_only=True, tag="chat_failed"):
    """The answer ended early. ``code`` as in ``engine.errors`` ("cancelled", "serving_node_lost", …); ``text`` says
    what happened, what it means and what to do. What was delivered stays valid."""

    id: ChatId
    code: str
    text: str
    choices: tuple[WeakerChoice, ...] = ()  # with code "too_few_relays": what can be chosen to be answered now


__all__ = [
    "Chat",
    "ChatDelta",
    "ChatDone",
    "ChatFailed",
    "ChatStage",
    "ChatText",
    "StopChat",
]
