"""``tools`` and ``tool_choice`` of a chat request."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from engine.api.parameters import ParameterError, unsupported
from engine.inference.request_check import FUNCTION, check_tool_choice, check_tools

_WORDS = {"auto": "", "none": "none", "required": "required"}


class Tools(Struct, frozen=True):
    """``text``: JSON array of the tools that may be called, empty without any; ``choice`` as ``tool_choice`` in
    ``GenerationRequest``."""

    text: str = ""
    choice: str = ""


class _Named(Struct):
    name: str


class _Function(Struct):
    function: _Named
    type: str = "function"


class _Allowed(Struct):
    tools: list[_Function]
    mode: str = "auto"


class _Choice(Struct):
    type: str
    function: _Named | None = None
    allowed_tools: _Allowed | None = None


def read_tools(tools: list[Any] | None, choice: Any) -> Tools:
    """Both parameters, checked; ``InvalidRequestError`` names what is wrong with them."""
    text = msgspec.json.encode(tools).decode() if tools else ""
    names = check_tools(text) if tools else ()
    if choice is None or isinstance(choice, str):
        word = _WORDS.get(choice or "auto")
        if word is None:
            raise _unknown(choice)
        check_tool_choice(word, names)
        return Tools(text, word if text else "")
    try:
        wanted = msgspec.convert(choice, _Choice)
    except msgspec.ValidationError:
        raise _unknown(choice) from None
    if wanted.type == "function" and wanted.function is not None:
        named = FUNCTION + wanted.function.name
        check_tool_choice(named, names)
        return Tools(text, named)
    if wanted.type == "allowed_tools" and wanted.allowed_tools is not None:
        return _allowed(tools or [], names, wanted.allowed_tools)
    raise _unknown(choice)


def _allowed(tools: list[Any], names: tuple[str, ...], allowed: _Allowed) -> Tools:
    """Only some of the tools: the others are not shown to the model."""
    if allowed.mode not in ("auto", "required"):
        raise ParameterError("The mode of allowed_tools is auto or required.", "tool_choice.allowed_tools.mode")
    for tool in allowed.tools:
        check_tool_choice(FUNCTION + tool.function.name, names)
    wanted = {tool.function.name for tool in allowed.tools}
    kept = [tool for tool, name in zip(tools, names, strict=True) if name in wanted]
    if not kept:
        raise ParameterError("allowed_tools names no tool.", "tool_choice.allowed_tools.tools")
    return Tools(msgspec.json.encode(kept).decode(), _WORDS[allowed.mode])


def _unknown(choice: Any) -> ParameterError:
    return unsupported(
        f"tool_choice cannot be {str(choice)[:80]!r}. It is auto, none, required, "
        '{"type": "function", "function": {"name": ...}} or {"type": "allowed_tools", ...}.',
        "tool_choice",
    )
