"""What the engine and its worker say to each other: MessagePack frames with a 4-byte big-endian length before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from engine.errors import InferenceError
from engine.inference.types import CacheNews, GenerationEvent, GenerationRequest, ModelInfo, PromptShape, TokenScores
from engine.sentences import Sentence

T = TypeVar("T")

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of one frame's content."""
HEADER = 4
"""Bytes of the length before each frame."""
PROVIDER_FAILED = 3
"""Exit code of a worker whose execution provider failed."""


class Load(Struct, frozen=True, array_like=True, tag="load"):
    """Load a model; answered by :class:`Loaded` or :class:`LoadFailed`."""

    model_id: str
    path: str
    digest: bytes
    tokenizer_digest: bytes
    threads: int
    slots: int
    queue_limit: int
    prefill_chunk: int
    kv_bytes: int
    variant: str = ""  # of the folder's graphs; "" is for the reader of the folder to choose
    providers: tuple[str, ...] = ("CPUExecutionProvider",)  # in order of preference
    device: int = 0  # number of the GPU


class SetBudget(Struct, frozen=True, array_like=True, tag="budget"):
    """From now on the caches of a model may take so many bytes."""

    model_id: str
    kv_bytes: int


class SetPace(Struct, frozen=True, array_like=True, tag="pace"):
    """From now on the worker computes for others in this share of the time, and for its owner in the share ``owners``;
    it rests between two steps."""

    share: Annotated[float, Meta(gt=0, le=1)]
    owners: Annotated[float, Meta(gt=0, le=1)] = 1.0


class Unload(Struct, frozen=True, array_like=True, tag="unload"):
    """Forget a model; its answers fail."""

    model_id: str


class Generate(Struct, frozen=True, array_like=True, tag="generate"):
    """Make an answer; ``key`` is the engine's number for it."""

    key: int
    request: GenerationRequest


class Describe(Struct, frozen=True, array_like=True, tag="describe"):
    """How long is this prompt, and how does it begin? Answered by :class:`Described`."""

    key: int
    request: GenerationRequest


class Score(Struct, frozen=True, array_like=True, tag="score"):
    """How well is each of these tokens what the request's settings draw? Answered by :class:`Scored` or
    :class:`AnswerFailed`; ended by :class:`CancelAnswer`, like an answer. Keys are those of answers."""

    key: int
    request: GenerationRequest
    output_ids: tuple[int, ...]


class CancelAnswer(Struct, frozen=True, array_like=True, tag="cancel"):
    """The answer is not wanted any more. No event follows it, except what was on its way."""

    key: int


class Loaded(Struct, frozen=True, array_like=True, tag="loaded"):
    """A model is ready."""

    info: ModelInfo


class LoadFailed(Struct, frozen=True, array_like=True, tag="load-failed"):
    """A model cannot be loaded; ``text`` is for the user, ``words`` what it is made of."""

    model_id: str
    text: str
    words: tuple[Sentence, ...] = ()


class Event(Struct, frozen=True, array_like=True, tag="event"):
    """One event of an answer."""

    key: int
    event: GenerationEvent


class Described(Struct, frozen=True, array_like=True, tag="described"):
    """Answer to :class:`Describe`; no shape where the request cannot be served."""

    key: int
    shape: PromptShape | None = None


class Scored(Struct, frozen=True, array_like=True, tag="scored"):
    """Answer to :class:`Score`."""

    key: int
    scores: TokenScores


class CacheChanged(Struct, frozen=True, array_like=True, tag="cache"):
    """What came into the public part of a prefix cache, and what left it."""

    news: CacheNews


class ProviderFailed(Struct, frozen=True, array_like=True, tag="provider-failed"):
    """The execution provider failed; the worker ends after saying so. ``provider``: its name."""

    provider: str
    text: str
    words: tuple[Sentence, ...] = ()


class AnswerFailed(Struct, frozen=True, array_like=True, tag="failed"):
    """The answer ends with an error; ``code`` and ``parameter`` as in ``engine.errors``."""

    key: int
    code: str
    text: str
    parameter: str | None = None


class Beat(Struct, frozen=True, array_like=True, tag="beat"):
    """Sign of life, a few times a second: what the worker does ("idle", "loading", "step"), for how many seconds, and
    what it measured."""

    activity: str
    seconds: Annotated[float, Meta(ge=0)]
    models: tuple[ModelInfo, ...]


ToWorker = Load | Unload | SetBudget | SetPace | Generate | Describe | Score | CancelAnswer
FromWorker = Loaded | LoadFailed | Event | AnswerFailed | Described | Scored | CacheChanged | ProviderFailed | Beat

_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def frame(message: ToWorker | FromWorker) -> bytes:
    """Length and content; :class:`InferenceError` when it is longer than a frame may be."""
    content = _encoder.encode(message)
    if len(content) > MAX_FRAME:
        raise InferenceError(f"a message of {len(content)} bytes is longer than the pipe's {MAX_FRAME}")
    return len(content).to_bytes(HEADER, "big") + content


def decode_to_worker(content: bytes) -> ToWorker:
    """A command; :class:`InferenceError` for anything else."""
    return _decode(_to_worker, content)


def decode_from_worker(content: bytes) -> FromWorker:
    """What the worker says; :class:`InferenceError` for anything else."""
    return _decode(_from_worker, content)


def _decode(decoder: msgspec.msgpack.Decoder[T], content: bytes) -> T:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InferenceError(f"not a message of the pipe: {error}") from error


def read_frame(read: Callable[[int], bytes]) -> bytes | None:
    """The next frame's content from a blocking ``read`` (which gives fewer bytes only at the end), None at the end.

    :class:`InferenceError` for a length beyond the limit: the other side is not what it should be.
    """
    header = read(HEADER)
    if len(header) < HEADER:
        return None
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME:
        raise InferenceError(f"a frame of {length} bytes is longer than the pipe's {MAX_FRAME}")
    content = read(length)
    return content if len(content) == length else None
