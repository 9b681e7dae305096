"""What an ONNX file says about itself, read without its weights: kilobytes of a file of gigabytes are touched.

The file is a protocol buffer (onnx.proto of the ONNX project gives the numbers of the fields). Only the outline is
walked; nothing is loaded, checked or computed, which is ONNX Runtime's task.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from engine.errors import ModelFolderError
from engine.sentences import said_by, say

MAX_ENTRIES = 2_000_000
"""Fields walked in one file: beyond this it is no graph of a language model."""
MAX_DEPTH = 12
MAX_TEXT = 4096
ITEM_BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 16: 16} | {
    17: 8,
    18: 8,
    19: 8,
    20: 8,
    21: 4,
    22: 4,
    23: 4,
}
FLOAT, FLOAT16, BFLOAT16 = 1, 10, 16

Shape = tuple[int | str, ...]


@dataclass(slots=True)
class GraphOutline:
    """``inputs`` and ``outputs``: name to (element type, shape; a dimension without number is its name or "").
    ``external``: location to the bytes that the file there must have. ``operators``: every kind of node, in subgraphs
    and functions too. ``bits``: of the block-quantised weights, 0 without; ``accuracy_level``: the highest that their
    products want (4: rounded to 8 bits, row by row and block by block). ``windowed``: caches no longer than a sliding
    window."""

    inputs: dict[str, tuple[int, Shape]] = field(default_factory=dict)
    outputs: dict[str, tuple[int, Shape]] = field(default_factory=dict)
    external: dict[str, int] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    bits: int = 0
    accuracy_level: int = 0
    windowed: bool = False


def read_outline(path: Path) -> GraphOutline:
    """Walk the file; :class:`ModelFolderError` if it is no ONNX file or ends too early."""
    outline = GraphOutline()
    try:
        with path.open("rb") as stream:
            walker = _Walker(stream, path.stat().st_size)
            graphs = 0
            for number, kind, start, end in walker.fields(0, walker.size):
                if number == 7 and kind == 2:
                    graphs += 1
                    _graph(walker, outline, start, end, 0)
                elif number == 25 and kind == 2:
                    _function(walker, outline, start, end)
    except OSError as error:
        raise ModelFolderError(
            say("folder.unreadable", path=str(path), reason=error.strerror or type(error).__name__)
        ) from error
    except (_DamagedError, UnicodeDecodeError, ValueError) as error:
        raise ModelFolderError(say("folder.not_whole", path=str(path), reason=said_by(error))) from error
    if graphs != 1 or not outline.operators:
        raise ModelFolderError(say("folder.no_graph_in", path=str(path)))
    return outline


class _DamagedError(Exception):
    """The bytes are no protocol buffer of this kind."""


class _Walker:
    """Reads fields of a protocol buffer from a file; payloads are skipped unless asked for."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self.size = size
        self._left = MAX_ENTRIES

    def fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """(field number, wire type, start of the payload, its end); of a varint (type 0) the start is its value."""
        place = start
        while place < end:
            self._left -= 1
            if self._left < 0:
                raise _DamagedError(say("folder.damage_parts"))
            key, place = self._varint(place)
            number, kind = key >> 3, key & 7
            if kind == 0:
                value, place = self._varint(place)
                yield number, kind, value, place
                continue
            if kind == 2:
                length, place = self._varint(place)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise _DamagedError(say("folder.damage_kind", kind=kind, place=place))
            if number == 0 or place + length > end:
                raise _DamagedError(say("folder.damage_end", end=end, missing=place + length - end))
            yield number, kind, place, place + length
            place += length

    def text(self, start: int, end: int) -> str:
        """A payload as text."""
        if end - start > MAX_TEXT:
            raise _DamagedError(say("folder.damage_name"))
        self._stream.seek(start)
        return self._stream.read(end - start).decode()

    def numbers(self, kind: int, start: int, end: int) -> list[int]:
        """A repeated number, packed or not."""
        if kind == 0:
            return [start]
        if end - start > MAX_TEXT:
            raise _DamagedError(say("folder.damage_shape"))
        found = []
        while start < end:
            value, start = self._varint(start)
            found.append(value)
        return found

    def _varint(self, place: int) -> tuple[int, int]:
        self._stream.seek(place)
        raw = self._stream.read(10)
        value = 0
        for count, byte in enumerate(raw):
            value |= (byte & 127) << 7 * count
            if byte < 128:
                return value & 0xFFFF_FFFF_FFFF_FFFF, place + count + 1
        raise _DamagedError(say("folder.damage_number"))


def _graph(walker: _Walker, outline: GraphOutline, start: int, end: int, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _DamagedError(say("folder.damage_nested"))
    for number, kind, first, last in walker.fields(start, end):
        if kind != 2:
            continue
        if number == 1:
            _node(walker, outline, first, last, depth)
        elif number == 5:
            _tensor(walker, outline, first, last)
        elif number == 15:
            _sparse(walker, outline, first, last)
        elif number in (11, 12) and depth == 0:
            name, found = _value(walker, first, last)
            (outline.inputs if number == 11 else outline.outputs)[name] = found


def _function(walker: _Walker, outline: GraphOutline, start: int, end: int) -> None:
    """FunctionProto: its nodes, and attributes with a value of their own. Weights can lie there, too."""
    for number, kind, first, last in walker.fields(start, end):
        if number == 7 and kind == 2:
            _node(walker, outline, first, last, 1)
        elif number == 11 and kind == 2:
            _attribute(walker, outline, "", first, last, 1)


def _node(walker: _Walker, outline: GraphOutline, start: int, end: int, depth: int) -> None:
    attributes = []
    operator = ""
    for number, kind, first, last in walker.fields(start, end):
        if kind == 2 and number == 4:
            operator = walker.text(first, last)
        elif kind == 2 and number == 5:
            attributes.append((first, last))
    outline.operators.add(operator)
    for first, last in attributes:
        _attribute(walker, outline, operator, first, last, depth)


def _attribute(walker: _Walker, outline: GraphOutline, operator: str, start: int, end: int, depth: int) -> None:
    name, integer = "", 0
    for number, kind, first, last in walker.fields(start, end):
        if number == 1 and kind == 2:
            name = walker.text(first, last)
        elif number == 3 and kind == 0:
            integer = first
        elif kind == 2 and number in (5, 10):
            _tensor(walker, outline, first, last)
        elif kind == 2 and number in (22, 23):
            _sparse(walker, outline, first, last)
        elif kind == 2 and number in (6, 11):
            _graph(walker, outline, first, last, depth + 1)
    if operator in ("MatMulNBits", "GatherBlockQuantized") and name == "bits":
        outline.bits = min(outline.bits or integer, integer)
    elif operator == "MatMulNBits" and not outline.bits:
        outline.bits = 4  # what the operator takes where nothing is said
    if operator == "MatMulNBits" and name == "accuracy_level":
        outline.accuracy_level = max(outline.accuracy_level, integer)
    if name == "sliding_window_cache" and integer:
        outline.windowed = True


def _sparse(walker: _Walker, outline: GraphOutline, start: int, end: int) -> None:
    """SparseTensorProto: its values and where they stand are two tensors."""
    for number, kind, first, last in walker.fields(start, end):
        if number in (1, 2) and kind == 2:
            _tensor(walker, outline, first, last)


def _tensor(walker: _Walker, outline: GraphOutline, start: int, end: int) -> None:
    shape: list[int] = []
    element = outside = 0
    entries: dict[str, str] = {}
    for number, kind, first, last in walker.fields(start, end):
        if number == 1:
            shape += walker.numbers(kind, first, last)
        elif number == 2 and kind == 0:
            element = first
        elif number == 13 and kind == 2:
            parts = {one: walker.text(begin, stop) for one, two, begin, stop in walker.fields(first, last) if two == 2}
            entries[parts.get(1, "")] = parts.get(2, "")
        elif number == 14 and kind == 0:
            outside = first
    if not outside:
        return
    location = entries.get("location", "")
    if not location:
        raise _DamagedError(say("folder.damage_unnamed"))
    items = 1
    for one in shape:
        items *= one
    offset = int(entries.get("offset") or 0)
    needed = int(entries.get("length") or (items * ITEM_BITS.get(element, 0) + 7) // 8)
    if offset < 0 or needed < 0:
        raise _DamagedError(say("folder.damage_before"))
    outline.external[location] = max(outline.external.get(location, 0), offset + needed)


def _value(walker: _Walker, start: int, end: int) -> tuple[str, tuple[int, Shape]]:
    """ValueInfoProto: name and type; the type is TypeProto.tensor_type with elem_type and shape."""
    name, element = "", 0
    shape: list[int | str] = []
    for number, kind, first, last in walker.fields(start, end):
        if kind == 2 and number == 1:
            name = walker.text(first, last)
        elif kind == 2 and number == 2:
            for one, two, begin, stop in walker.fields(first, last):
                if one == 1 and two == 2:
                    element, shape = _tensor_type(walker, begin, stop)
    return name, (element, tuple(shape))


def _tensor_type(walker: _Walker, start: int, end: int) -> tuple[int, list[int | str]]:
    element = 0
    shape: list[int | str] = []
    for number, kind, first, last in walker.fields(start, end):
        if number == 1 and kind == 0:
            element = first
        elif number == 2 and kind == 2:
            for one, two, begin, stop in walker.fields(first, last):
                if one == 1 and two == 2:
                    shape.append(_dimension(walker, begin, stop))
    return element, shape


def _dimension(walker: _Walker, start: int, end: int) -> int | str:
    for number, kind, first, last in walker.fields(start, end):
        if number == 1 and kind == 0:
            return first
        if number == 2 and kind == 2:
            return walker.text(first, last)
    return ""
