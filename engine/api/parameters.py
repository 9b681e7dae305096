"""What the two kinds of completion requests have in common: their parameters, checked, and what they become.

Parameters that would change the answer and are not served are refused by name; parameters that only describe the
request (``user``, ``metadata``, …) and unknown ones are ignored, as other local servers do.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from engine.api.schema import PrivacyChoice, Route
from engine.api.service import AnswerRequest
from engine.errors import InvalidRequestError
from engine.refused_values import refused_field, why_refused
from engine.wire.answer import Sampling

SEED_BITS = 53
MAX_TOKENS = 1_000_000
MAX_STOP_STRINGS = 16
MAX_STOP_LENGTH = 500
MAX_CHOICES = 32
"""Answers to one request."""
MAX_BIASES = 1024
MAX_TOP_LOGPROBS = 20
SMALLEST_TOP_P = 1e-9
"""What ``top_p: 0`` (allowed by OpenAI) becomes: the most likely token alone is left."""
_TOKEN = re.compile(r"0|[1-9][0-9]{0,9}")
_LARGEST_TOKEN = 0x7FFF_FFFF
Body = TypeVar("Body", bound=Struct)


class ParameterError(InvalidRequestError):
    """The request is wrong; ``parameter`` names where (``messages[0].role``), None when it is the body as a whole."""

    def __init__(self, message: str, parameter: str | None = None, code: str = InvalidRequestError.code) -> None:
        super().__init__(message, parameter)
        self.code = code


def unsupported(message: str, parameter: str) -> ParameterError:
    """The refusal of what is not served."""
    return ParameterError(message, parameter, "unsupported_parameter")


class StreamOptions(Struct):
    """``stream_options``."""

    include_usage: bool | None = None


class Extension(Struct):
    """The request's ``gentorrent`` object. ``stages`` and ``receipt`` ask for more in the reply: stage chunks while
    streaming, the exported receipt at the end."""

    public_messages: Annotated[int, Meta(ge=0, le=2048)] = 0
    public_characters: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    route: Route = "auto"
    may_forward: bool = True
    minimum_standing: Annotated[float, Meta(ge=0, le=1)] = 0.0
    conversation: Annotated[str, Meta(max_length=64)] = ""
    stages: bool = False
    receipt: bool = False
    privacy: PrivacyChoice | None = None


class CommonBody(Struct):
    """Parameters of chat and plain completions alike."""

    model: Annotated[str, Meta(min_length=1, max_length=200)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=MAX_CHOICES)] | None = None
    best_of: int | None = None
    seed: int | None = None
    temperature: Annotated[float, Meta(ge=0, le=10)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=-1, le=1_000_000)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Meta(ge=0.01, le=100)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    min_tokens: Annotated[int, Meta(ge=0, le=MAX_TOKENS)] | None = None
    stop: str | list[str] | None = None
    gentorrent: Extension | None = None


class ParsedRequest(Struct, frozen=True):
    """The answers to make and how the reply shall look. ``n``: so many neighbours of ``answers`` share a prompt."""

    answers: tuple[AnswerRequest, ...]
    n: int
    stream: bool
    include_usage: bool
    stages: bool
    receipt: bool
    logprobs: bool = False
    echo: bool = False

    @property
    def answer(self) -> AnswerRequest:
        """The first of the answers."""
        return self.answers[0]


def decode_body(body: bytes, not_served: Mapping[str, tuple[object, ...]]) -> dict[str, Any]:
    """The JSON object of a body; ``not_served`` has the parameters that are refused, with the values of each that
    change nothing and are therefore let through."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParameterError(f"The request body is not valid JSON: {error}. Send one JSON object.") from error
    if not isinstance(raw, dict):
        raise ParameterError("The request body is not a JSON object. Send an object with model and what is asked.")
    for name, harmless in not_served.items():
        if name in raw and raw[name] not in harmless:
            raise unsupported(
                f"The parameter {name} is not served: the answer would not be what it asks for. "
                "Send the request without it.",
                name,
            )
    return raw


def checked(raw: dict[str, Any], kind: type[Body]) -> Body:
    """``raw`` with its fields' types and bounds checked."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise ParameterError(why_refused(error, kind, raw), refused_field(error) or None) from error


def requests_of(body: CommonBody, asked: Iterable[Mapping[str, Any]], default_max_tokens: int | None) -> ParsedRequest:
    """``n`` answers to each of ``asked`` (fields of :class:`AnswerRequest`), with seeds that follow one another."""
    extension = body.gentorrent or Extension()
    n = body.n or 1
    if body.best_of not in (None, n):
        raise unsupported(
            f"best_of is served only where it equals n ({n}): no answers are made to be thrown away.", "best_of"
        )
    limit = _first(body.max_completion_tokens, body.max_tokens, default_max_tokens)
    max_tokens = None if limit is None else min(limit, MAX_TOKENS)
    min_tokens = body.min_tokens or 0
    check_token_limits(min_tokens, max_tokens)
    seed = random_seed() if body.seed is None else body.seed % (1 << SEED_BITS)
    sampling = _sampling(body, seed)
    answer = AnswerRequest(
        model_id=body.model,
        sampling=sampling,
        max_tokens=max_tokens,
        min_tokens=min_tokens,
        stop=_stop_strings(body.stop),
        route=extension.route,
        conversation=extension.conversation,
        public_messages=extension.public_messages,
        public_characters=extension.public_characters,
        may_forward=extension.may_forward,
        minimum_standing=extension.minimum_standing,
        privacy=extension.privacy,
    )
    answers = [
        msgspec.structs.replace(answer, sampling=_with_seed(sampling, seed + choice), **fields)
        for fields in asked
        for choice in range(n)
    ]
    if len(answers) > MAX_CHOICES:
        raise ParameterError(f"{len(answers)} answers are asked for; one request may have {MAX_CHOICES}.", "n")
    if len(answers) > 1 and not extension.conversation:  # one chat, so that its paths are built once
        name = secrets.token_hex(16)
        answers = [msgspec.structs.replace(one, conversation=name) for one in answers]
    return ParsedRequest(
        answers=tuple(answers),
        n=n,
        stream=bool(body.stream),
        include_usage=bool(body.stream_options and body.stream_options.include_usage),
        stages=extension.stages,
        receipt=extension.receipt,
    )


def check_token_limits(min_tokens: int, max_tokens: int | None) -> None:
    """An answer cannot be longer than it may be."""
    if max_tokens is not None and min_tokens > max_tokens:
        raise ParameterError(
            f"min_tokens ({min_tokens}) is more than the answer may have ({max_tokens}). Lower one or raise the other.",
            "min_tokens",
        )


def random_seed() -> int:
    """A seed for a request that names none."""
    return secrets.randbits(SEED_BITS)


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _sampling(body: CommonBody, seed: int) -> Sampling:
    """Defaults are OpenAI's (temperature 1). A seed beyond 53 bits, which OpenAI allows, is taken modulo 2^53."""
    return Sampling(
        seed=seed,
        temperature=_first(body.temperature, 1.0),
        top_p=max(_first(body.top_p, 1.0), SMALLEST_TOP_P),
        top_k=max(_first(body.top_k, 0), 0),
        min_p=_first(body.min_p, 0.0),
        repetition_penalty=_first(body.repetition_penalty, 1.0),
        presence_penalty=_first(body.presence_penalty, 0.0),
        frequency_penalty=_first(body.frequency_penalty, 0.0),
        logit_bias=_logit_bias(body.logit_bias or {}),
    )


def _with_seed(sampling: Sampling, seed: int) -> Sampling:
    return msgspec.structs.replace(sampling, seed=seed % (1 << SEED_BITS))


def _logit_bias(biases: Mapping[str, float]) -> tuple[tuple[int, float], ...]:
    if len(biases) > MAX_BIASES:
        raise ParameterError(f"logit_bias may name {MAX_BIASES} tokens, not {len(biases)}.", "logit_bias")
    for name in biases:
        if not _TOKEN.fullmatch(name) or int(name) > _LARGEST_TOKEN:
            raise ParameterError(
                f"logit_bias names {name[:40]!r}, which is no token id (a whole number as text).", "logit_bias"
            )
    return tuple(sorted((int(name), bias) for name, bias in biases.items()))


def _stop_strings(stop: str | list[str] | None) -> tuple[str, ...]:
    strings = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(strings) > MAX_STOP_STRINGS:
        raise ParameterError(f"At most {MAX_STOP_STRINGS} stop strings are served, not {len(strings)}.", "stop")
    for text in strings:
        if not 1 <= len(text) <= MAX_STOP_LENGTH:
            raise ParameterError(f"A stop string has 1 to {MAX_STOP_LENGTH} characters.", "stop")
    return strings
