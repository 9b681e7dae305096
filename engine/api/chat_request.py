"""From the JSON body of ``POST /v1/chat/completions`` (or a control ``Chat``) to a checked :class:`AnswerRequest`.

Parameters that would change the answer and are not served yet are refused by name; parameters that only describe the
request (``user``, ``metadata``, …) and unknown ones are ignored, as other local servers do.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from engine.api.schema import Chat, Route
from engine.api.service import AnswerRequest
from engine.errors import InvalidRequestError
from engine.inference.types import PromptMessage
from engine.wire.answer import Sampling

SEED_BITS = 53
MAX_TOKENS = 1_000_000
MAX_STOP_STRINGS = 16
MAX_STOP_LENGTH = 500
SMALLEST_TOP_P = 1e-9
"""What ``top_p: 0`` (allowed by OpenAI) becomes: the most likely token alone is left."""
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_NOT_SERVED: dict[str, tuple[object, ...]] = {
    # parameter: values that change nothing and are therefore let through
    "tools": (None, []),
    "tool_choice": (None, "none", "auto"),
    "functions": (None, []),
    "function_call": (None, "none", "auto"),
    "logprobs": (None, False),
    "top_logprobs": (None, 0),
    "logit_bias": (None, {}),
    "response_format": (None, {"type": "text"}),
    "modalities": (None, ["text"]),
    "audio": (None,),
    "prediction": (None,),
    "web_search_options": (None,),
    "reasoning_effort": (None, "none"),
    "best_of": (None, 1),
}


class ParameterError(InvalidRequestError):
    """The request is wrong; ``parameter`` names where (``messages[0].role``), None when it is the body as a whole."""

    def __init__(self, message: str, parameter: str | None = None, code: str = InvalidRequestError.code) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.code = code


class _TextPart(Struct):
    type: str
    text: str | None = None


class _Message(Struct):
    role: str
    content: str | list[_TextPart] | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None


class _StreamOptions(Struct):
    include_usage: bool | None = None


class Extension(Struct):
    """The request's ``gentorrent`` object. ``stages`` and ``receipt`` ask for more in the reply: stage chunks while
    streaming, the exported receipt at the end."""

    public_messages: Annotated[int, Meta(ge=0, le=2048)] = 0
    public_characters: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    route: Route = "auto"
    may_forward: bool = False
    conversation: Annotated[str, Meta(max_length=64)] = ""
    stages: bool = False
    receipt: bool = False


class _Body(Struct):
    model: Annotated[str, Meta(min_length=1, max_length=200)]
    messages: Annotated[list[_Message], Meta(min_length=1, max_length=2048)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: int | None = None
    seed: int | None = None
    temperature: Annotated[float, Meta(ge=0, le=10)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=-1, le=1_000_000)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Meta(ge=0.01, le=100)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    min_tokens: Annotated[int, Meta(ge=0, le=MAX_TOKENS)] | None = None
    stop: str | list[str] | None = None
    gentorrent: Extension | None = None


class ParsedRequest(Struct, frozen=True):
    """An answer request and how its reply shall look."""

    answer: AnswerRequest
    stream: bool
    include_usage: bool
    stages: bool
    receipt: bool


def parse(body: bytes) -> ParsedRequest:
    """Check a request body of at most 1 MB; :class:`ParameterError` says what is wrong with it."""
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParameterError(f"The request body is not valid JSON: {error}. Send one JSON object.") from error
    if not isinstance(raw, dict):
        raise ParameterError("The request body is not a JSON object. Send an object with model and messages.")
    _refuse_unserved(raw)
    try:
        parsed = msgspec.convert(raw, _Body)
    except msgspec.ValidationError as error:
        raise _parameter_error(error) from error
    extension = parsed.gentorrent or Extension()
    return ParsedRequest(
        answer=_answer_request(parsed, extension),
        stream=bool(parsed.stream),
        include_usage=bool(parsed.stream_options and parsed.stream_options.include_usage),
        stages=extension.stages,
        receipt=extension.receipt,
    )


def from_chat(chat: Chat) -> AnswerRequest:
    """The same for a control message, which msgspec has checked already."""
    _check_token_limits(chat.min_tokens, chat.max_tokens, "min_tokens")
    choice = chat.sampling
    return AnswerRequest(
        model_id=chat.model,
        messages=tuple(PromptMessage(message.role, message.content) for message in chat.messages),
        sampling=Sampling(
            seed=random_seed() if choice.seed is None else choice.seed,
            temperature=choice.temperature,
            top_p=choice.top_p,
            top_k=choice.top_k,
            min_p=choice.min_p,
            repetition_penalty=choice.repetition_penalty,
            presence_penalty=choice.presence_penalty,
            frequency_penalty=choice.frequency_penalty,
        ),
        max_tokens=chat.max_tokens,
        min_tokens=chat.min_tokens,
        stop=chat.stop,
        route=chat.route,
        conversation=chat.conversation,
        public_messages=chat.public_messages,
        public_characters=chat.public_characters,
        may_forward=chat.may_forward,
    )


def random_seed() -> int:
    """A seed for a request that names none."""
    return secrets.randbits(SEED_BITS)


def _refuse_unserved(raw: dict[str, Any]) -> None:
    for name, harmless in _NOT_SERVED.items():
        if name in raw and raw[name] not in harmless:
            raise ParameterError(
                f"The parameter {name} is not served yet: the answer would not be what it asks for. "
                "Send the request without it.",
                name,
                "unsupported_parameter",
            )
    if raw.get("n") not in (None, 1):
        raise ParameterError(
            "More than one answer per request (n) is not served yet. Send n = 1, several times.",
            "n",
            "unsupported_parameter",
        )


def _parameter_error(error: msgspec.ValidationError) -> ParameterError:
    """msgspec's text without its own path notation, which becomes ``parameter``."""
    text = str(error)
    found = _AT.search(text)
    if found is None:  # only a missing field of the body itself has no path
        name = text.rpartition("`")[0].rpartition("`")[2] or None
        return ParameterError(f"The request is not complete: {text}.", name)
    path = found["path"]
    return ParameterError(f"The value of {path} cannot be used: {text[: found.start()]}.", path)


def _answer_request(body: _Body, extension: Extension) -> AnswerRequest:
    limit = body.max_completion_tokens if body.max_completion_tokens is not None else body.max_tokens
    max_tokens = None if limit is None else min(limit, MAX_TOKENS)
    min_tokens = body.min_tokens or 0
    _check_token_limits(min_tokens, max_tokens, "min_tokens")
    return AnswerRequest(
        model_id=body.model,
        messages=tuple(_prompt_message(message, index) for index, message in enumerate(body.messages)),
        sampling=_sampling(body),
        max_tokens=max_tokens,
        min_tokens=min_tokens,
        stop=_stop_strings(body.stop),
        route=extension.route,
        conversation=extension.conversation,
        public_messages=extension.public_messages,
        public_characters=extension.public_characters,
        may_forward=extension.may_forward,
    )


def _check_token_limits(min_tokens: int, max_tokens: int | None, parameter: str) -> None:
    if max_tokens is not None and min_tokens > max_tokens:
        raise ParameterError(
            f"min_tokens ({min_tokens}) is more than the answer may have ({max_tokens}). Lower one or raise the other.",
            parameter,
        )


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _sampling(body: _Body) -> Sampling:
    """Defaults are OpenAI's (temperature 1). A seed beyond 53 bits, which OpenAI allows, is taken modulo 2^53."""
    return Sampling(
        seed=random_seed() if body.seed is None else body.seed % (1 << SEED_BITS),
        temperature=_or(body.temperature, 1.0),
        top_p=max(_or(body.top_p, 1.0), SMALLEST_TOP_P),
        top_k=max(_or(body.top_k, 0), 0),
        min_p=_or(body.min_p, 0.0),
        repetition_penalty=_or(body.repetition_penalty, 1.0),
        presence_penalty=_or(body.presence_penalty, 0.0),
        frequency_penalty=_or(body.frequency_penalty, 0.0),
    )


def _stop_strings(stop: str | list[str] | None) -> tuple[str, ...]:
    strings = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(strings) > MAX_STOP_STRINGS:
        raise ParameterError(f"At most {MAX_STOP_STRINGS} stop strings are served, not {len(strings)}.", "stop")
    for text in strings:
        if not 1 <= len(text) <= MAX_STOP_LENGTH:
            raise ParameterError(f"A stop string has 1 to {MAX_STOP_LENGTH} characters.", "stop")
    return strings


def _prompt_message(message: _Message, index: int) -> PromptMessage:
    role = _ROLES.get(message.role)
    if role is None or message.tool_calls or message.function_call:
        what = f"The role {message.role!r}" if role is None else "A message with tool calls"
        raise ParameterError(
            f"{what} is not served yet. Send messages of system, user and assistant with text.",
            f"messages[{index}].role",
            "unsupported_parameter",
        )
    content = message.content
    if content is None:
        if role != "assistant":
            raise ParameterError("This message has no content. Send text.", f"messages[{index}].content")
        content = ""
    return PromptMessage(role, content if isinstance(content, str) else _joined(content, index))


def _joined(parts: list[_TextPart], index: int) -> str:
    """Text parts, one per line."""
    texts = []
    for place, part in enumerate(parts):
        if part.type != "text" or part.text is None:
            raise ParameterError(
                f"Content of type {part.type!r} is not served yet, only text.",
                f"messages[{index}].content[{place}]",
                "unsupported_parameter",
            )
        texts.append(part.text)
    return "\n".join(texts)
