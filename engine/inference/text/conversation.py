"""A request's messages and tools as chat templates know them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from engine.errors import InvalidRequestError
from engine.inference.types import GenerationRequest, PromptMessage

ROLES = ("system", "user", "assistant", "tool")
_SHORT_ID = 9
"""Characters of a call's id; Mistral's templates take no other length."""


def check_messages(messages: Sequence[PromptMessage]) -> None:
    """Refuse what no template could take; :class:`InvalidRequestError`."""
    if not messages:
        raise InvalidRequestError("The conversation has no messages: write at least one with the role user.")
    for message in messages:
        if message.role not in ROLES:
            raise InvalidRequestError(f"The role {message.role[:40]!r} is not known. Use one of: {', '.join(ROLES)}.")


def template_messages(messages: Sequence[PromptMessage], *, short_ids: bool = False) -> list[dict[str, Any]]:
    """The messages; arguments of calls as objects, as templates expect them (a text that is no object stays one).

    ``short_ids``: ids of calls as Mistral's templates want them, nine letters and digits.
    """
    return [_message(message, short_ids) for message in messages]


def _message(message: PromptMessage, short_ids: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.name:
        told["name"] = message.name
    if message.tool_call_id:
        told["tool_call_id"] = _id(message.tool_call_id, short_ids)
    if message.reasoning:
        told["reasoning_content"] = told["thinking"] = message.reasoning  # templates use one name or the other
    if message.tool_calls:
        told["tool_calls"] = [_call(call, short_ids) for call in _array(message.tool_calls, "tool_calls of a message")]
    return told


def _call(call: dict[str, Any], short_ids: bool) -> dict[str, Any]:
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise InvalidRequestError('Every call in tool_calls must be {"function": {"name": ..., "arguments": ...}}.')
    told = {**call, "type": "function", "function": {**function, "arguments": _arguments(function.get("arguments"))}}
    return {**told, "id": _id(call["id"], short_ids)} if isinstance(call.get("id"), str) else told


def _arguments(value: Any) -> Any:
    if not isinstance(value, str):
        return {} if value is None else value
    try:
        parsed = json.loads(value) if value.strip() else {}
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, dict) else value


def _id(value: str, short: bool) -> str:
    if not short or (len(value) == _SHORT_ID and value.isascii() and value.isalnum()):
        return value
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:_SHORT_ID]


def template_tools(request: GenerationRequest) -> list[dict[str, Any]] | None:
    """The tools that the model may see; None if there are none."""
    if not request.tools or request.tool_choice == "none":
        return None
    return _array(request.tools, "tools") or None


def template_options(request: GenerationRequest) -> dict[str, Any]:
    """Further arguments of the chat template."""
    options = _parsed(request.template_options or "{}", "template options")
    if not isinstance(options, dict):
        raise InvalidRequestError("The template options of the request are not a JSON object.")
    return options


def _array(text: str, what: str) -> list[dict[str, Any]]:
    parsed = _parsed(text, what)
    if not isinstance(parsed, list) or not all(isinstance(one, dict) for one in parsed):
        raise InvalidRequestError(f"The {what} of the request are not a JSON array of objects.")
    return parsed


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"The {what} of the request are not JSON.") from error
