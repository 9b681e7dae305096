"""From the JSON body of ``POST /v1/chat/completions`` (or a control ``Chat``) to checked :class:`AnswerRequest` s."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from engine.api.chat_messages import Message, prompt_messages
from engine.api.parameters import (
    MAX_TOP_LOGPROBS,
    CommonBody,
    ParameterError,
    ParsedRequest,
    check_token_limits,
    checked,
    decode_body,
    random_seed,
    requests_of,
    unsupported,
)
from engine.api.schema import Chat, SamplingChoice
from engine.api.service import AnswerRequest
from engine.api.tools import Tools, read_tools
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.request_check import check_template_options, checked_constraint
from engine.inference.types import Constraint, PromptMessage
from engine.wire.answer import Sampling

_NOT_SERVED: dict[str, tuple[object, ...]] = {
    "modalities": (None, ["text"]),
    "audio": (None,),
    "prediction": (None,),
    "web_search_options": (None,),
}
_OLD_TOOLS: dict[str, tuple[object, ...]] = {"functions": (None, []), "function_call": (None, "none", "auto")}


class _Schema(Struct):
    schema: dict[str, Any] | None = None


class _ResponseFormat(Struct):
    type: str
    json_schema: _Schema | None = None


class _Body(CommonBody, kw_only=True):
    messages: Annotated[list[Message], Meta(min_length=1, max_length=2048)]
    tools: list[Any] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    response_format: _ResponseFormat | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    reasoning_effort: Annotated[str, Meta(max_length=32)] | None = None


def parse(body: bytes) -> ParsedRequest:
    """Check a request body of at most 1 MB; ``InvalidRequestError`` says what is wrong with it."""
    raw = decode_body(body, _NOT_SERVED)
    for name, harmless in _OLD_TOOLS.items():
        if name in raw and raw[name] not in harmless:
            raise unsupported(f"{name} is the old form and not served. Send tools and tool_choice instead.", name)
    parsed = checked(raw, _Body)
    tools = read_tools(parsed.tools, parsed.tool_choice)
    constraint = _constraint(parsed.response_format)
    _check_one_form(tools, constraint)
    asked = {
        "messages": prompt_messages(parsed.messages),
        "tools": tools.text,
        "tool_choice": tools.choice,
        "parallel_tool_calls": parsed.parallel_tool_calls is not False,
        "constraint": constraint,
        "template_options": _template_options(parsed),
        "top_logprobs": _top_logprobs(parsed),
    }
    request = requests_of(parsed, [asked], None)
    return msgspec.structs.replace(request, logprobs=bool(parsed.logprobs))


def _check_one_form(tools: Tools, constraint: Constraint | None) -> None:
    if constraint is not None and tools.text and tools.choice != "none":
        raise unsupported(
            "response_format holds the answer to JSON from its first character on, so no tool could be called. "
            'Send one of the two, or tool_choice "none".',
            "response_format",
        )


def _constraint(wanted: _ResponseFormat | None) -> Constraint | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return Constraint("json_object")
    if wanted.type != "json_schema":
        raise unsupported(
            f"The response_format {wanted.type[:40]!r} is not served. Use text, json_object or json_schema.",
            "response_format.type",
        )
    if wanted.json_schema is None or wanted.json_schema.schema is None:
        raise ParameterError(
            'A response_format of type json_schema needs {"json_schema": {"name": ..., "schema": {...}}}.',
            "response_format.json_schema",
        )
    text = msgspec.json.encode(wanted.json_schema.schema).decode()
    return checked_constraint("json_schema", text, "response_format.json_schema.schema")


def _top_logprobs(body: _Body) -> int | None:
    if body.logprobs:
        return body.top_logprobs or 0
    if body.top_logprobs:
        raise ParameterError("top_logprobs needs logprobs: true.", "top_logprobs")
    return None


def _template_options(body: _Body) -> str:
    """What the chat template is told besides. A template that knows nothing of an effort does not look at it."""
    options: dict[str, Any] = {}
    if body.reasoning_effort is not None:
        options["reasoning_effort"] = body.reasoning_effort
        if body.reasoning_effort == "none":
            options["enable_thinking"] = False
    options |= body.chat_template_kwargs or {}
    if not options:
        return ""
    text = msgspec.json.encode(options).decode()
    check_template_options(text)
    return text


def from_chat(chat: Chat) -> AnswerRequest:
    """The same for a control message, which msgspec has checked already."""
    check_token_limits(chat.min_tokens, chat.max_tokens)
    return AnswerRequest(
        model_id=chat.model,
        messages=tuple(PromptMessage(message.role, message.content) for message in chat.messages),
        sampling=sampling_of(chat.sampling),
        max_tokens=chat.max_tokens,
        min_tokens=chat.min_tokens,
        stop=chat.stop,
        route=chat.route,
        conversation=chat.conversation,
        public_messages=chat.public_messages,
        public_characters=chat.public_characters,
        may_forward=chat.may_forward,
        privacy=chat.privacy,
    )


def suited_sampling(model: str) -> SamplingChoice:
    """How tokens are chosen where nobody says: the built-in model states facts and is asked greedily; other models get
    the usual middle way."""
    if model == BUILTIN_MODEL:
        return SamplingChoice(temperature=0.0)
    return SamplingChoice(temperature=0.7, top_p=0.95)


def sampling_of(choice: SamplingChoice) -> Sampling:
    """What inference takes; a seed is drawn where none is chosen."""
    return Sampling(
        seed=random_seed() if choice.seed is None else choice.seed,
        temperature=choice.temperature,
        top_p=choice.top_p,
        top_k=choice.top_k,
        min_p=choice.min_p,
        repetition_penalty=choice.repetition_penalty,
        presence_penalty=choice.presence_penalty,
        frequency_penalty=choice.frequency_penalty,
    )
