"""The parts that an answer's text is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Content(Struct, frozen=True):
    """What the model says."""

    text: str


class Reasoning(Struct, frozen=True):
    """What the model thinks before it says something."""

    text: str


class ToolCall(Struct, frozen=True):
    """The model calls a tool; its arguments follow. ``index`` counts the calls of the answer from 0."""

    index: int
    name: str


class ToolArguments(Struct, frozen=True):
    """The next piece of the arguments' JSON text."""

    index: int
    text: str


Part = Content | Reasoning | ToolCall | ToolArguments


def merged(parts: Iterable[Part]) -> list[Part]:
    """The same parts, pieces of one text joined, empty ones left out."""
    groups: list[tuple[Part, list[str]]] = []
    for part in parts:
        if isinstance(part, ToolCall):
            groups.append((part, []))
        elif part.text and groups and _continues(groups[-1][0], part):
            groups[-1][1].append(part.text)
        elif part.text:
            groups.append((part, [part.text]))
    return [_joined(first, texts) for first, texts in groups]


def _continues(before: Part, part: Part) -> bool:
    if isinstance(before, ToolArguments) and isinstance(part, ToolArguments):
        return before.index == part.index
    return type(before) is type(part)


def _joined(first: Part, texts: list[str]) -> Part:
    text = "".join(texts)
    if isinstance(first, ToolArguments):
        return ToolArguments(first.index, text)
    return first if isinstance(first, ToolCall) else type(first)(text)
