"""Why a value is refused, in plain words: which field, what was given, and what may be there.

msgspec says where it stopped ("Expected `int` >= 1 - at `$.rules.pace`"); what may be there is read from the type.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from engine.sentences import listed, say

LONGEST_SHOWN = 60
"""Characters of a text that are repeated to whoever gave it."""
_AT = re.compile(r" - at `(?:key` in `)?\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<field>[^.\[\]]+)|\[(?P<place>\d+)\]|\[\.\.\.\]")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")
_NUMBERS = (inspect.IntType, inspect.FloatType)
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
_UNKNOWN = object()
Step = str | int | None
"""A field, a place in a list, or some entry of a mapping."""


def why_refused(error: msgspec.ValidationError, kind: Any, given: object, name: str = "") -> str:
    """Why ``given`` makes no ``kind``. ``name``: what the value is called by whoever typed it as text; "": the path of
    the field in what was given."""
    steps, missing = _steps(error)
    field = name or _path(steps) or say("value.request")
    if missing:
        return say("value.missing", field=field)
    value, wanted = _follow(given, _type_info(kind), steps)
    allowed = _allowed(wanted)
    shown = "" if value is _UNKNOWN else _shown(value, quoted=not name)
    if allowed and shown:
        return say("value.refused", field=field, given=shown, allowed=allowed)
    if allowed:
        return say("value.asked", field=field, allowed=allowed)
    return say("value.wrong", field=field, given=shown) if shown else say("value.other", field=field)


def refused_field(error: msgspec.ValidationError) -> str:
    """The path of the field to blame; "": what was given as a whole."""
    return _path(_steps(error)[0])


def allowed_values(kind: Any) -> str:
    """What a value of this type may be; "" where that cannot be said."""
    return _allowed(_type_info(kind))


@functools.cache
def _type_info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _steps(error: msgspec.ValidationError) -> tuple[list[Step], bool]:
    """The way to the field, and whether it is missing."""
    text = str(error)
    at, missing = _AT.search(text), _MISSING.search(text)
    found = _STEP.finditer(at["path"] if at else "")
    steps: list[Step] = [step["field"] or (int(step["place"]) if step["place"] else None) for step in found]
    return ([*steps, missing["field"]], True) if missing else (steps, False)


def _path(steps: Sequence[Step]) -> str:
    """``rules.devices[0].power_cap``."""
    words = (f".{step}" if isinstance(step, str) else f"[{'...' if step is None else step}]" for step in steps)
    return "".join(words).removeprefix(".")


def _follow(value: Any, kind: inspect.Type | None, steps: Sequence[Step]) -> tuple[object, inspect.Type | None]:
    """What stands at the end of the path, and what may stand there, as far as it is known."""
    for step in steps:
        kind = _inside(kind, value, step)
        try:
            value = value[step]
        except (LookupError, TypeError):
            value = _UNKNOWN
    return value, kind


def _options(kind: inspect.Type | None) -> list[inspect.Type]:
    match kind:
        case None | inspect.AnyType() | inspect.NoneType():
            return []
        case inspect.Metadata(type=inner):
            return _options(inner)
        case inspect.UnionType(types=types):
            return [option for one in types for option in _options(one)]
    return [kind]


def _inside(kind: inspect.Type | None, value: object, step: Step) -> inspect.Type | None:
    for option in _options(kind):
        match option:
            case inspect.StructType(fields=fields, tag=tag, tag_field=tag_field):
                if tag_field and isinstance(value, Mapping) and value.get(tag_field) != tag:
                    continue  # another one of the union
                found = next((field.type for field in fields if field.encode_name == step), None)
                if found is not None:
                    return found
            case inspect.DictType(value_type=inner):
                return inner
            case inspect.TupleType(item_types=items) if isinstance(step, int) and step < len(items):
                return items[step]
            case _ if isinstance(option, _LISTS):
                return option.item_type
    return None


def _allowed(kind: inspect.Type | None) -> str:
    """What a value of this type may be; "" where that cannot be said."""
    options = _options(kind)
    if any(isinstance(one, inspect.FloatType) for one in options):
        options = [one for one in options if not isinstance(one, inspect.IntType)]
    words = list(dict.fromkeys(map(_words, options)))
    return listed("value.or", words) if words and all(words) else ""


def _words(kind: inspect.Type) -> str:
    match kind:
        case inspect.IntType(ge=ge, gt=gt, le=le, lt=lt):
            least = gt + 1 if gt is not None else ge
            return _number(say("value.whole_number"), least, lt - 1 if lt is not None else le)
        case inspect.FloatType(ge=ge, gt=gt, le=le):
            return _number(say("value.number"), ge if gt is None else gt, le, above=gt is not None)
        case inspect.StrType(min_length=least, max_length=most):
            return _text(least, most)
        case inspect.BoolType():
            return say("value.switch")
        case inspect.LiteralType(values=values):
            return say("value.choice", choices=", ".join(map(str, values)))
        case inspect.StructType() | inspect.DictType():
            return say("value.object")
        case _ if isinstance(kind, _LISTS):
            return _list(kind.min_length, kind.max_length)
        case inspect.TupleType(item_types=items):
            return _list(len(items), len(items))
    return ""


def _number(kind: str, least: float | None, most: float | None, *, above: bool = False) -> str:
    least, most = (int(bound) if bound is not None and bound == int(bound) else bound for bound in (least, most))
    if least is not None and most is not None:
        return say("value.above_and_most" if above else "value.between", kind=kind, least=least, most=most)
    if least is not None:
        return say("value.above" if above else "value.at_least", kind=kind, least=least)
    return say("value.at_most", kind=kind, most=most) if most is not None else kind


def _text(least: int | None, most: int | None) -> str:
    if most is None:
        return say("value.text")
    return say("value.text_between", least=least, most=most) if least else say("value.text_at_most", most=most)


def _list(least: int | None, most: int | None) -> str:
    if most is None:
        return say("value.list")
    return say("value.list_between", least=least, most=most) if least else say("value.list_at_most", most=most)


def _shown(value: object, *, quoted: bool) -> str:
    match value:
        case str() if len(value) > LONGEST_SHOWN:
            return say("value.long_text", count=len(value))
        case str() if value and value.isprintable() and not quoted:
            return value
        case list() | tuple():
            return say("value.long_list", count=len(value))
        case Mapping():
            return say("value.object")
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return type(value).__name__
    return text if len(text) <= 2 * LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
