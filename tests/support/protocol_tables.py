"""The tables of docs/protocol.md that follow from the code: message numbers with their fields, and limits.

``python -m tests.support.protocol_tables`` writes them anew; a test fails while the document says something else.
"""

import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any

from msgspec import inspect

from tests.support.wire_messages import message_types, modules, tag_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
_UNSIGNED = {(0, 2**bits - 1): f"u{bits}" for bits in (8, 16, 32, 53)}
_LIMIT_ROW = re.compile(r"^\| `(?P<name>[\w.]+)` \| (?P<value>[^|]+) \|", re.MULTILINE)


def message_table() -> str:
    """One row per message type, by number."""
    rows = ["| number | message | fields, in order |", "|---|---|---|"]
    for name, kind in sorted(message_types().items(), key=lambda item: tag_of(item[1])):
        information = inspect.type_info(kind)
        assert isinstance(information, inspect.StructType)
        fields = ", ".join(f"{field.name}: {_shown(field.type)}" for field in information.fields)
        rows.append(f"| {tag_of(kind)} | `{name}` | {fields or 'none'} |")
    return "\n".join(rows)


def _shown(kind: Any) -> str:
    """A type with its bounds, in a few characters."""
    match kind:
        case inspect.BoolType():
            return "bool"
        case inspect.IntType():
            return _UNSIGNED.get((kind.ge, kind.le), f"int {kind.ge}..{kind.le}")
        case inspect.FloatType():
            low = kind.ge if kind.ge is not None else f">{kind.gt}"
            return f"float {low}..{kind.le:g}"
        case inspect.BytesType():
            return _sized("bytes", kind)
        case inspect.StrType():
            return _sized("text", kind)
        case inspect.VarTupleType():
            return f"list [{_shown(kind.item_type)}] {_range(kind)}"
        case inspect.TupleType():
            return f"({', '.join(_shown(one) for one in kind.item_types)})"
        case inspect.UnionType():
            return " or ".join(_shown(one) for one in kind.types)
        case inspect.StructType():
            return f"`{kind.cls.__name__}`"
    raise TypeError(f"no short form for {kind}")


def _sized(name: str, kind: Any) -> str:
    if kind.max_length is None:
        return name
    return f"{name} {_range(kind)}"


def _range(kind: Any) -> str:
    low, high = kind.min_length or 0, kind.max_length
    return f"{high}" if low == high else f"{low}..{high}"


def limits(text: str) -> list[tuple[str, str]]:
    """The rows of the limits table: dotted name below ``engine``, and the value that the document states."""
    section = text.partition("<!-- limits -->")[2].partition("<!-- end -->")[0]
    return [(match["name"], match["value"].strip()) for match in _LIMIT_ROW.finditer(section)]


def value_of(name: str) -> object:
    """The value of a constant, or of a default of a dataclass or message, by its dotted name below ``engine``."""
    path = name.split(".")
    for count in range(len(path), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(["engine", *path[:count]]))
        except ModuleNotFoundError:
            continue
        for part in path[count:]:
            if dataclasses.is_dataclass(found):
                found = next(field.default for field in dataclasses.fields(found) if field.name == part)
            else:
                found = getattr(found, part)
        return found
    raise LookupError(name)


def with_tables(text: str) -> str:
    """The document with its message table made anew."""
    before, _, rest = text.partition("<!-- messages -->\n")
    _, _, after = rest.partition("<!-- end -->")
    return f"{before}<!-- messages -->\n{message_table()}\n<!-- end -->{after}"


if __name__ == "__main__":
    assert modules()
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text("utf-8")), "utf-8")
