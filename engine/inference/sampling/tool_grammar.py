"""A constraint under which a model can only call one of the request's tools. Pure; it parses no answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidRequestError
from engine.inference.sampling.constraint import WHITESPACE
from engine.inference.types import Constraint

_MARK = re.compile(r"(<[^<>\s]+>|\[[A-Z_]+\])")


@dataclass(frozen=True, slots=True)
class CallForm:
    """How a model writes calls: ``opening``, calls with ``between`` between them, ``closing``. A call is ``begin``, a
    JSON object with the keys ``name_key`` and ``arguments_key``, ``end``; or, where ``before_arguments`` is given, the
    name, this mark and the arguments. ``several``: whether there may be more than one."""

    opening: str = ""
    begin: str = ""
    end: str = ""
    between: str = ""
    closing: str = ""
    name_key: str = "name"
    arguments_key: str = "arguments"
    before_arguments: str = ""
    several: bool = False


def forced_call(tools: str, name: str | None, form: CallForm, literal: Callable[[str], str]) -> Constraint:
    """The grammar of a call of any of ``tools`` (JSON array as OpenAI's API has it), or of the one called ``name``.

    ``literal`` is :meth:`GrammarFactory.literal` of the model. :class:`InvalidRequestError` for tools that are no such
    array, or of which none has this name.
    """
    functions = [_function(tool) for tool in _array(tools)]
    if name is not None:
        functions = [function for function in functions if function["name"] == name]
    if not functions:
        wanted = "none is listed" if name is None else f"none of them is called {name[:64]!r}"
        raise InvalidRequestError(f"tool_choice asks for a call of a tool, but {wanted}. Add it to tools.")
    parts = [_rule(number, function, form, literal) for number, function in enumerate(functions)]
    call = " ".join([*_literals(form.begin, literal), "object", *_literals(form.end, literal)])
    rest = f" ({' '.join([*_literals(form.between, literal), 'call'])})*" if form.several else ""
    alternatives = " | ".join(f"object_{number}" for number in range(len(parts)))
    start = " ".join([*_literals(form.opening, literal), f"call{rest}", *_literals(form.closing, literal)])
    return Constraint("lark", "\n".join([f"start: {start}", f"call: {call}", f"object: {alternatives}", *parts, ""]))


def _array(tools: str) -> list[Any]:
    try:
        parsed = json.loads(tools)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The tools of the request are not a JSON array.") from error
    if not isinstance(parsed, list):
        raise InvalidRequestError("The tools of the request are not a JSON array.")
    return parsed


def _function(tool: Any) -> dict[str, Any]:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise InvalidRequestError('Every tool must be {"type": "function", "function": {"name": ..., ...}}.')
    if not isinstance(function.get("parameters") or {}, dict):
        raise InvalidRequestError(f"The parameters of the tool {function['name'][:64]!r} are no JSON schema.")
    return function


def _rule(number: int, function: dict[str, Any], form: CallForm, literal: Callable[[str], str]) -> str:
    # Each schema is a grammar of its own, so that references inside it mean what they meant in the request.
    schema = {"type": "object", **(function.get("parameters") or {}), "x-guidance": {"whitespace_pattern": WHITESPACE}}
    name = json.dumps(function["name"])
    if form.before_arguments:
        mark = " ".join(_literals(form.before_arguments, literal))
        return f"object_{number}: {name} {mark} %json {json.dumps(schema)}"
    head = f"{{{json.dumps(form.name_key)}: {name}, {json.dumps(form.arguments_key)}: "
    return f'object_{number}: {json.dumps(head)} %json {json.dumps(schema)} "}}"'


def _literals(text: str, literal: Callable[[str], str]) -> list[str]:
    """``text`` in lark's notation; what may be a special token stands alone."""
    pieces = [piece for piece in _MARK.split(text) if piece]
    return [literal(piece) if _MARK.fullmatch(piece) else json.dumps(piece) for piece in pieces]
