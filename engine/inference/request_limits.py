"""What a request must be for the pipe and the worker to live with it: ranges, sizes, texts that can be read. Pure.

Whoever takes requests from others checks more (``request_check``); this is what the supervisor asks of all of them.
"""

from __future__ import annotations

import math

import msgspec

from engine.errors import InvalidRequestError
from engine.inference.request_check import check_template_options, check_tool_calls, check_tools
from engine.inference.types import GenerationRequest
from engine.refused_values import why_refused

MAX_STOPS = 64
"""Stop strings of one answer; each is looked for after every token."""
MAX_STOP_CHARACTERS = 1000
"""Of one stop string."""
MAX_TOP_LOGPROBS = 20

MAX_TOKEN = 0x7FFF_FFFF
_encoder = msgspec.msgpack.Encoder()


def check_limits(request: GenerationRequest) -> None:
    """Raise :class:`InvalidRequestError` for what no worker could take."""
    _check_numbers(request)
    _check_stops(request.stop)
    _check_json(request)
    _check_fields(request)
    for token in (*request.continue_tokens, *request.prompt_tokens):
        if not 0 <= token <= MAX_TOKEN:
            raise InvalidRequestError(f"The request names the token {token}, which is in no vocabulary.")
    try:
        _encoder.encode(request)
    except UnicodeEncodeError as error:
        raise InvalidRequestError("A text of the request holds half of a character (a lone surrogate).") from error
    except OverflowError as error:
        raise InvalidRequestError("A number of the request has more than 64 bits. Correct it.") from error


def _check_fields(owner: msgspec.Struct) -> None:
    """Types and ranges as the fields are declared."""
    for field in msgspec.structs.fields(owner):
        value = getattr(owner, field.name)
        if isinstance(value, msgspec.Struct):
            _check_fields(value)
            continue
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            raise InvalidRequestError(why_refused(error, field.type, value, field.name)) from error


def _check_numbers(request: GenerationRequest) -> None:
    if request.max_tokens is not None and request.max_tokens < 1:
        raise InvalidRequestError(f"max_tokens is {request.max_tokens}: an answer has at least 1 token.")
    if request.min_tokens < 0:
        raise InvalidRequestError(f"min_tokens is {request.min_tokens}: it cannot be negative.")
    if request.top_logprobs is not None and not 0 <= request.top_logprobs <= MAX_TOP_LOGPROBS:
        raise InvalidRequestError(f"top_logprobs is {request.top_logprobs}: it lies between 0 and {MAX_TOP_LOGPROBS}.")
    pace = request.max_tokens_per_second
    if pace is not None and not (0 < pace < math.inf):
        raise InvalidRequestError(f"The limit of {pace} tokens per second is not a positive number.")
    for name in ("public_messages", "public_characters"):
        if getattr(request, name) < 0:
            raise InvalidRequestError(f"{name} is {getattr(request, name)}: it cannot be negative.")


def _check_json(request: GenerationRequest) -> None:
    if request.tools:
        check_tools(request.tools)
    if request.template_options:
        check_template_options(request.template_options)
    for message in request.messages:
        if message.tool_calls:
            check_tool_calls(message.tool_calls)


def _check_stops(stops: tuple[str, ...]) -> None:
    if len(stops) > MAX_STOPS:
        raise InvalidRequestError(f"There are {len(stops)} stop strings; at most {MAX_STOPS} are served. Name fewer.")
    longest = max(map(len, stops), default=0)
    if longest > MAX_STOP_CHARACTERS:
        raise InvalidRequestError(
            f"A stop string has {longest} characters; at most {MAX_STOP_CHARACTERS} are looked for. Shorten it."
        )
