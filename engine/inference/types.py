"""Requests and events of inference, shared by the scheduler, the worker pipe, the supervisor and their users. Pure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from engine.sentences import Sentence
from engine.wire.answer import AnswerStyle as AnswerStyle  # noqa: PLC0414 - exported again: it belongs to both
from engine.wire.answer import Sampling


class PromptMessage(Struct, frozen=True, array_like=True):
    """One chat message; ``role`` is "system", "user", "assistant" or "tool". ``tool_calls`` (of an assistant) is a JSON
    array as OpenAI's API has it, ``tool_call_id`` and ``name`` belong to the answer of a tool."""

    role: str
    content: str
    reasoning: str = ""
    tool_calls: str = ""
    tool_call_id: str = ""
    name: str = ""


class Constraint(Struct, frozen=True, array_like=True):
    """What the answer's text must match. ``kind``: "json_schema" (``text`` is the schema), "json_object" (any object),
    "regex" or "lark" (a grammar in llguidance's dialect)."""

    kind: Literal["json_schema", "json_object", "regex", "lark"]
    text: str = ""


class GenerationRequest(Struct, frozen=True, array_like=True, kw_only=True):
    """One answer to make. ``max_tokens`` None: as many as the context allows. ``prompt``: plain text to continue in the
    place of ``messages``; ``prompt_tokens``: the same as token ids of the model. ``tools``: JSON array for the chat
    template. ``template_options``: JSON object, further arguments of the chat template. ``top_logprobs``: None for no
    log probabilities, else how many alternatives."""

    model_id: str
    messages: tuple[PromptMessage, ...]
    prompt: str | None = None
    tools: str = ""
    template_options: str = ""
    constraint: Constraint | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    sampling: Sampling
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    min_tokens: Annotated[int, Meta(ge=0)] = 0
    stop: tuple[str, ...] = ()
    cache_salt: bytes = b""
    public_messages: int = 0
    public_characters: int = 0
    tool_choice: str = ""  # "": the model decides; "none"; "required"; or the name of the tool, after "function:"
    parallel_tool_calls: bool = True
    continue_tokens: tuple[int, ...] = ()
    continue_characters: int | None = None  # of its text, delivered with them; None: what they complete by themselves
    owner: bool = False  # the owner's own request: before strangers'
    max_tokens_per_second: float | None = None  # the owner's limit per answer
    prompt_tokens: tuple[int, ...] = ()
    dated: float | None = None  # seconds since 1970, whose date in UTC some templates write; None: this machine's own


class Queued(Struct, frozen=True, array_like=True, tag="queued"):
    """Waiting or running: place 0 means running; ``estimate`` seconds to the first token."""

    place: int
    estimate: float


class Started(Struct, frozen=True, array_like=True, tag="started"):
    """The prompt is accepted and tokenised; prefill begins. ``cached_tokens`` of it need none. ``style``: how the text
    is to be read."""

    prompt_ids: tuple[int, ...]
    cached_tokens: int = 0
    style: AnswerStyle = AnswerStyle()


class TokenLogprob(Struct, frozen=True, array_like=True):
    """Log probability (natural, of the model's own logits before temperature and penalties) of one token, and of the
    most probable tokens at its place, falling. ``text`` is the token's bytes."""

    token: int
    text: bytes
    logprob: float
    top: tuple[tuple[int, bytes, float], ...] = ()


class Delta(Struct, frozen=True, array_like=True, tag="delta"):
    """New token ids and the text they complete. Text never breaks a UTF-8 sequence and never holds (part of) a stop
    string; it may lag behind the ids. ``logprobs``: one for each id, if asked for."""

    ids: tuple[int, ...]
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """The answer is complete. ``reason``: "stop" (end of turn or stop string) or "length"."""

    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0  # of the prompt, taken from the prefix cache
    waited_seconds: float = 0.0  # before the first token, in which other things were done than reading this prompt


GenerationEvent = Queued | Started | Delta | Done


class CacheChange(Struct, frozen=True, array_like=True):
    """A block of public prompts came into the prefix cache or left it. ``path``: digests of the chain of blocks from
    the first token on; ``path[-1]`` is this block. ``ids``: its tokens, empty when it left."""

    inserted: bool
    path: tuple[bytes, ...]
    ids: tuple[int, ...]


class CacheNews(Struct, frozen=True, array_like=True):
    """Changes of one model's prefix cache, oldest first. ``reset``: forget what was known of this model before (its
    worker began anew, or changes were lost); a listener that is too slow hears this in the place of what it missed."""

    model_id: str
    changes: tuple[CacheChange, ...]
    reset: bool = False


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
    kv_tokens_free: int = 0  # counting what only the prefix cache holds, which gives way to requests
    kv_tokens_cached: int = 0
    provider: str = ""  # the execution provider that the session really has, "" until loaded
    provider_reason: str = ""  # why this one, in plain words
    provider_words: tuple[Sentence, ...] = ()  # what that is made of
    batching: str = ""  # how rows are computed together: "ragged", "two calls", "single"
    seeds: bool = True  # canonical sampling: the same seed gives the same answer
    token_ids: bool = True  # ids are the model's own
    logprobs: bool = True  # log probabilities can be asked for
    constraints: bool = True  # answers can be held to a JSON schema
    tools: bool = True  # tools can be given to it
    vocabulary: int = 0  # token ids are below it; 0 until loaded
    queue_tokens: int = 0  # of prompts, still to be read; what the prefix cache holds of them is not counted
    waiting: int = 0  # requests without a place
    running: int = 0
    output_tokens: int = 0  # expected of all that run and wait
    context_tokens: int = 0  # keys and values that those who run hold
    decode_rate_alone: float = 0.0  # of an answer that runs alone
    first_token_seconds: float = 0.0  # recent time to first token, smoothed
    memory: int = 0  # bytes that it takes to load it, about; 0: not known, or another program has it


class PromptShape(Struct, frozen=True, array_like=True):
    """A prompt as far as it matters who answers it: its tokens, how many of the leading ones are public, and the
    digests of all whole blocks among these (``engine.forwarding.digests``), shortest prefix first."""

    prompt_tokens: int
    public_tokens: int
    digests: tuple[bytes, ...] = ()


Impossible = Literal["", "vocabulary", "end", "length", "min_tokens", "constraint"]
"""Why no model can have drawn a token under the request's settings: its id is in no vocabulary; it comes after an
end-of-turn token, or after ``max_tokens``; it ends the turn before ``min_tokens``; the form does not permit it."""


class TokenScores(Struct, frozen=True, array_like=True):
    """What the reference model says of an answer's tokens, one number for each: how far it is from being the token that
    ``gumbel-1`` draws or, below 0, from being another (``sampling.margin``; units of the logits), and its log
    probability (natural, of the model's own logits). ``impossible``: why the token after these cannot be; neither it
    nor what follows it is scored then. ``prompt_ids``: the prompt as it was read here."""

    prompt_ids: tuple[int, ...]
    margins: tuple[float, ...] = ()
    logprobs: tuple[float, ...] = ()
    impossible: Impossible = ""


class InferenceBackend(Protocol):
    """Where answers are made. Errors are ``engine.errors.RequestError`` or ``WorkerDiedError``."""

    def models(self) -> list[ModelInfo]:
        """The models that are loaded or can be loaded at once."""
        ...

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """Queued*, Started, Delta*, Done. Closing the iterator (``aclose`` or cancellation) cancels the request."""
        ...

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """The prompt of a request, nothing of it computed; None where nobody can say: the model is not loaded, its
        worker is too busy, or another program has it. Wrong requests are :meth:`generate`'s to refuse."""
        ...

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        """Read the request's prompt, its ``continue_tokens`` and ``output_ids`` with the model here, and say how well
        each of ``output_ids`` is what the request's settings draw. One call of the model for many tokens: it makes
        none. Scores wait for one another and go between answers' steps. Cancelling it ends the work.

        :class:`RequestError` for what cannot be scored here: a wrong request, one beyond this machine's context or
        memory, a model that is not here, one that another program computes; :class:`WorkerDiedError` when two workers
        in a row died of it."""
        ...
