"""The messages of a chat request, as OpenAI's API has them, to those that a chat template gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from engine.api.parameters import ParameterError, unsupported
from engine.inference.request_check import check_tool_calls
from engine.inference.types import PromptMessage

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}


class _Part(Struct):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Function(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    arguments: str = ""


class _ToolCall(Struct):
    function: _Function
    id: Annotated[str, Meta(max_length=100)] = ""
    type: str = "function"


class Message(Struct):
    """One message. Reasoning is called ``reasoning_content`` by DeepSeek and vLLM, ``reasoning`` by others."""

    role: str
    content: str | list[_Part] | None = None
    name: Annotated[str, Meta(max_length=64)] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: Annotated[str, Meta(max_length=100)] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    function_call: Any = None


def prompt_messages(messages: Sequence[Message]) -> tuple[PromptMessage, ...]:
    """The conversation; :class:`ParameterError` names the message that cannot be used. The result of a tool gets the
    name of the tool that was called, which templates may want and OpenAI's API leaves out."""
    called: dict[str, str] = {}
    out = []
    for index, message in enumerate(messages):
        for call in message.tool_calls or ():
            called[call.id] = call.function.name
        out.append(_prompt_message(message, f"messages[{index}]", called))
    return tuple(out)


def _prompt_message(message: Message, where: str, called: dict[str, str]) -> PromptMessage:
    role = _ROLES.get(message.role)
    if role is None:
        hint = " Results of tools have the role tool." if message.role == "function" else ""
        raise unsupported(
            f"The role {message.role[:40]!r} is not known. Use system, developer, user, assistant or tool.{hint}",
            f"{where}.role",
        )
    if message.function_call is not None:
        raise unsupported("function_call is the old form and not served. Send tool_calls.", f"{where}.function_call")
    if message.tool_calls and role != "assistant":
        raise ParameterError(f"A message of {message.role} cannot call tools.", f"{where}.tool_calls")
    if role == "tool" and not message.tool_call_id:
        raise ParameterError("The result of a tool names the call that it answers.", f"{where}.tool_call_id")
    name = message.name or (called.get(message.tool_call_id or "", "") if role == "tool" else "")
    return PromptMessage(
        role,
        _content(message, role, where),
        reasoning=(message.reasoning_content or message.reasoning or "") if role == "assistant" else "",
        tool_calls=_tool_calls(message.tool_calls or (), where),
        tool_call_id=(message.tool_call_id or "") if role == "tool" else "",
        name=name,
    )


def _content(message: Message, role: str, where: str) -> str:
    content = message.content
    if content is None:
        if role != "assistant":
            raise ParameterError("This message has no content. Send text.", f"{where}.content")
        return message.refusal or ""
    return content if isinstance(content, str) else _joined(content, where)


def _joined(parts: Sequence[_Part], where: str) -> str:
    """Text parts, one per line."""
    texts = []
    for place, part in enumerate(parts):
        text = part.refusal if part.type == "refusal" else part.text
        if part.type not in ("text", "refusal") or text is None:
            raise unsupported(
                f"Content of type {part.type[:40]!r} is not served, only text.", f"{where}.content[{place}]"
            )
        texts.append(text)
    return "\n".join(texts)


def _tool_calls(calls: Sequence[_ToolCall], where: str) -> str:
    if not calls:
        return ""
    for place, call in enumerate(calls):
        if call.type != "function":
            raise unsupported(
                f"Calls of type {call.type[:40]!r} are not served, only those of functions.",
                f"{where}.tool_calls[{place}].type",
            )
    text = msgspec.json.encode([{"id": call.id, "type": "function", "function": call.function} for call in calls])
    check_tool_calls(text.decode(), f"{where}.tool_calls")
    return text.decode()
