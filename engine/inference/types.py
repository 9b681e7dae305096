"""Requests and events of inference, shared by the scheduler, the worker pipe, the supervisor and their users. Pure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from engine.wire.answer import Sampling


class PromptMessage(Struct, frozen=True, array_like=True):
    """One chat message; ``role`` is "system", "user" or "assistant"."""

    role: str
    content: str


class GenerationRequest(Struct, frozen=True, array_like=True, kw_only=True):
    """One answer to make. ``max_tokens`` None: as many as the context allows."""

    model_id: str
    messages: tuple[PromptMessage, ...]
    sampling: Sampling
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    min_tokens: Annotated[int, Meta(ge=0)] = 0
    stop: tuple[str, ...] = ()
    cache_salt: bytes = b""
    public_messages: int = 0
    public_characters: int = 0
    continue_tokens: tuple[int, ...] = ()
    owner: bool = False  # the owner's own request: before strangers'
    max_tokens_per_second: float | None = None  # the owner's limit per answer


class Queued(Struct, frozen=True, array_like=True, tag="queued"):
    """Waiting or running: place 0 means running; ``estimate`` seconds to the first token."""

    place: int
    estimate: float


class Started(Struct, frozen=True, array_like=True, tag="started"):
    """The prompt is accepted and tokenised; prefill begins."""

    prompt_ids: tuple[int, ...]


class Delta(Struct, frozen=True, array_like=True, tag="delta"):
    """New token ids and the text they complete. Text never breaks a UTF-8 sequence and never holds (part of) a stop
    string; it may lag behind the ids."""

    ids: tuple[int, ...]
    text: str


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """The answer is complete. ``reason``: "stop" (end of turn or stop string) or "length"."""

    reason: str
    prompt_tokens: int
    completion_tokens: int


GenerationEvent = Queued | Started | Delta | Done


class ModelInfo(Struct, frozen=True, array_like=True, kw_only=True):
    """A model that can be run here. Rates are 0 until measured."""

    model_id: str
    digest: bytes  # 32 bytes, over the folder's content
    tokenizer_digest: bytes  # 32 bytes
    context_length: int
    slots: int
    prefill_rate: float = 0.0
    decode_rate: float = 0.0
    kv_tokens_total: int = 0
    kv_tokens_free: int = 0


class InferenceBackend(Protocol):
    """Where answers are made. Errors are ``engine.errors.RequestError`` or ``WorkerDiedError``."""

    def models(self) -> list[ModelInfo]:
        """The models that are loaded or can be loaded at once."""
        ...

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """Queued*, Started, Delta*, Done. Closing the iterator (``aclose`` or cancellation) cancels the request."""
        ...
