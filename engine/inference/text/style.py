"""How a model marks the parts of its answers, found out from its chat template and tokenizer. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from engine.inference.text.answer_parts import AnswerParser, ToolArguments, ToolCall
from engine.inference.text.call_notations import NOTATIONS, CallNotation
from engine.inference.text.parts import merged
from engine.inference.types import AnswerStyle

REASONING_MARKS = (
    ("<think>", "</think>"),  # DeepSeek R1, Qwen 3 and QwQ, SmolLM3, Phi 4 reasoning
    ("[THINK]", "[/THINK]"),  # Magistral
    ("<seed:think>", "</seed:think>"),  # Seed OSS
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
)
_TOOL = "probe_the_notation"
_ARGUMENTS = {"key": "value"}
_QUESTION = {"role": "user", "content": "question"}
PROBE_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": _TOOL,
            "description": "No tool.",
            "parameters": {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]},
        },
    }
]
PROBE_MESSAGES: list[dict[str, Any]] = [
    _QUESTION,
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "abcdefghi", "type": "function", "function": {"name": _TOOL, "arguments": _ARGUMENTS}}],
    },
]
"""A conversation that ends in a call of the tool."""

Render = Callable[[list[dict[str, Any]], list[dict[str, Any]]], str]
"""Messages and tools to text; "" if the template refuses them."""


def detect_style(render: Render, sources: Collection[str], tokens: Collection[str]) -> AnswerStyle:
    """The style of a model with these templates (``sources``) and added ``tokens``.

    The notation of tool calls is seen in what the template makes of one; where it shows none, in the words that the
    template itself uses.
    """
    source = "\n".join(sources)
    begin, end = _reasoning(source, tokens)
    return AnswerStyle(_rendered_notation(render(PROBE_MESSAGES, PROBE_TOOLS)) or _named_notation(source), begin, end)


def marks_of(style: AnswerStyle) -> tuple[str, ...]:
    """The texts that must stay in an answer, whether or not they are special tokens."""
    notation = NOTATIONS.get(style.tool_calls)
    marks = (*(notation.marks if notation else ()), style.reasoning_begin, style.reasoning_end)
    return tuple(mark for mark in marks if mark)


def _reasoning(source: str, tokens: Collection[str]) -> tuple[str, str]:
    for begin, end in REASONING_MARKS:
        if end in source or (begin in tokens and end in tokens):
            return begin, end
    return "", ""


def _rendered_notation(text: str) -> str:
    """The notation in which the probe's call stands in a rendered conversation."""
    for name, notation in sorted(NOTATIONS.items(), key=lambda one: one[1].bare):  # those with marks first
        if any(_calls_the_probe(name, text[place:]) for place in _places(notation, text)):
            return name
    return ""


def _places(notation: CallNotation, text: str) -> list[int]:
    """Where the last call may begin: at a mark, or at the bracket before the tool's name."""
    name = text.rfind(_TOOL)
    marks = [place for mark in notation.begins if (place := text.rfind(mark, 0, max(name, 0))) >= 0]
    bracket = text.rfind("{", 0, name) if notation.bare and name >= 0 else -1
    return [*marks, *([bracket] if bracket >= 0 else [])]


def _calls_the_probe(notation: str, text: str) -> bool:
    parser = AnswerParser(AnswerStyle(notation), True)
    parts = merged([*parser.push(text), *parser.flush()])
    calls = [part for part in parts if isinstance(part, ToolCall)]
    arguments = [part.text for part in parts if isinstance(part, ToolArguments)]
    return len(calls) == 1 and calls[0].name == _TOOL and bool(arguments) and _is_probe(arguments[0])


def _is_probe(arguments: str) -> bool:
    try:
        return bool(json.loads(arguments) == _ARGUMENTS)
    except ValueError:
        return False


def _named_notation(source: str) -> str:
    """The notation whose marks the template's own words mention."""
    if "<tool_call>" in source and "<function=" not in source and "<arg_key>" not in source:
        return "hermes"
    if "[TOOL_CALLS]" in source:
        return "mistral"
    if "<|tool_call|>" in source or "<|tool|>" in source:
        return "phi4"
    if "<|python_tag|>" in source or '{"name": function name, "parameters"' in source:
        return "llama3"
    return ""
