"""All message types of ``engine.wire``, found by looking, with an example and a hypothesis strategy of each.

A new message type is thereby fuzzed without another word; only its golden vector has to be added, on purpose:
``python -m tests.support.wire_messages`` writes ``tests/vectors/wire.json`` anew.
"""

import importlib
import json
import math
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

import engine.wire
from engine.wire.codec import Decoder, Message, encode

VECTORS = Path(__file__).parents[1] / "vectors" / "wire.json"


def modules() -> list[Any]:
    """The modules of ``engine.wire``."""
    return [importlib.import_module(f"engine.wire.{one.name}") for one in pkgutil.iter_modules(engine.wire.__path__)]


def message_types() -> dict[str, type[Message]]:
    """Every numbered message type by name."""
    found: dict[str, type[Message]] = {}
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, Message) and value is not Message:
                assert found.setdefault(name, value) is value
    return found


def tag_of(kind: type[Message]) -> int:
    tag = kind.__struct_config__.tag
    assert isinstance(tag, int)
    return tag


def decoders() -> dict[str, Decoder[Any]]:
    """Every decoder that a module of ``engine.wire`` offers, by name."""
    return {name: value for module in modules() for name, value in vars(module).items() if isinstance(value, Decoder)}


def example(kind: type[Message]) -> Message:
    """One message with a different, repeatable value in every field."""
    return msgspec.convert(_value(inspect.type_info(kind), _counter()), kind, strict=False)


def _counter() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


def _value(kind: inspect.Type, numbers: Iterator[int]) -> Any:
    """Plain data (as MessagePack would give it) for a type."""
    number = next(numbers)
    match kind:
        case inspect.BoolType():
            return number % 2 == 0
        case inspect.IntType():
            low = kind.ge or 0
            high = kind.le if kind.le is not None else low + 1000
            return low + number % (high - low + 1)
        case inspect.FloatType():
            bottom = float(kind.ge if kind.ge is not None else kind.gt if kind.gt is not None else 0)
            top = float(kind.le if kind.le is not None else bottom + 1)
            return bottom + (top - bottom) * ((number % 7) + 1) / 8
        case inspect.StrType():
            return f"text {number} é"[: kind.max_length].ljust(kind.min_length or 0, ".")
        case inspect.BytesType():
            length = min(max(kind.min_length or 0, 5), kind.max_length or 5)
            return bytes((number + step) % 256 for step in range(length))
        case inspect.VarTupleType():
            count = max(kind.min_length or 0, min(kind.max_length or 2, 2))
            return [_value(kind.item_type, numbers) for _ in range(count)]
        case inspect.TupleType():
            return [_value(one, numbers) for one in kind.item_types]
        case inspect.StructType():
            return [kind.tag, *(_value(field.type, numbers) for field in kind.fields)]
        case inspect.UnionType():
            return _value(kind.types[0], numbers)
    raise AssertionError(f"no example for {kind}")


def messages(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Valid messages of one type, its limits included."""
    return _strategy(inspect.type_info(kind)).map(lambda plain: msgspec.convert(plain, kind))


def _strategy(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return st.integers(kind.ge, kind.le)
        case inspect.FloatType():
            return st.floats(
                kind.ge if kind.ge is not None else kind.gt,
                kind.le,
                exclude_min=kind.gt is not None,
                allow_nan=False,
            )
        case inspect.StrType():
            return st.text(min_size=kind.min_length or 0, max_size=min(kind.max_length or 40, 40))
        case inspect.BytesType():
            low = kind.min_length or 0
            return st.binary(min_size=low, max_size=max(low, min(kind.max_length or 40, 40)))
        case inspect.VarTupleType():
            low = kind.min_length or 0
            item = _strategy(kind.item_type)
            return st.lists(item, min_size=low, max_size=max(low, min(kind.max_length or 3, 3)))
        case inspect.TupleType():
            return st.tuples(*(_strategy(one) for one in kind.item_types)).map(list)
        case inspect.StructType():
            return st.tuples(st.just(kind.tag), *(_strategy(field.type) for field in kind.fields)).map(list)
        case inspect.UnionType():
            return st.one_of([_strategy(one) for one in kind.types])
    raise AssertionError(f"no strategy for {kind}")


def vectors() -> dict[str, dict[str, Any]]:
    """What ``tests/vectors/wire.json`` should say."""
    ordered = sorted(message_types().items(), key=lambda item: tag_of(item[1]))
    return {name: {"tag": tag_of(kind), "hex": encode(example(kind)).hex()} for name, kind in ordered}


def equal(one: Message, other: Message) -> bool:
    """Equality by content; zeros of both signs are told apart, since their bytes differ."""
    return one == other and encode(one) == encode(other) and not _has_nan(one)


def _has_nan(message: Message) -> bool:
    return any(isinstance(value, float) and math.isnan(value) for value in msgspec.structs.astuple(message))


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")
