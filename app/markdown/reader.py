"""Reads Markdown that is still being written: what is certain is kept, only what may still change is parsed again.

The rest (what may change) begins at the last block that has begun on a finished line, however deep in lists it stands.
So that it means the same without what was before, a few lines are put in front of it (``_head``): for each list item
around it one like it ("3. x"), and the first line of a block of code or the head of a table that goes on. What they
bring is taken away again. The blocks do not depend on the pieces in which the text has come.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from app.markdown.blocks import Block, Code, Table, Text, plain
from app.markdown.reading import Enclosing, Piece, literal, read
from app.models.safe_text import visible

STEP = 1_000
"""Characters that are read in one step; where nothing in them becomes certain, more in the next."""
_GROWTH = 2
MAX_REST = 4_000
"""Characters that are parsed at a time. A longer paragraph or quote is cut there."""
MAX_LINES = 128
"""Lines that are parsed at a time."""
_MARKER = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])")
_SPACE = re.compile(r"[ \t]*")
_STUB = "x"
_BODY = {"fence": 1, "table": 2}  # lines before what grows
_UNDECIDED = re.compile(r"[ \t]*(?:[-*+=#>`~|: \t]+|\d{1,9}[.)]?|[-*+] \[[ xX]?\]?)[ \t]*")


@dataclass(frozen=True, slots=True)
class _Head:
    """Lines in front of the rest, how many pieces they bring, and the numbers of the list items among them."""

    text: str = ""
    stubs: int = 0
    numbers: tuple[int | None, ...] = ()

    @property
    def lines(self) -> int:
        return self.text.count("\n")


class MarkdownReader:
    """Takes the text piece by piece (:meth:`add`, :meth:`step`); :attr:`blocks` is what it means so far."""

    def __init__(self) -> None:
        self._rest = ""
        self._head = _Head()
        self._carried: Block | None = None  # what goes on behind the head
        self._certain: list[Block] = []
        self._open: list[Block] = []
        self._most = STEP  # characters of the next step
        self._stuck = False  # nothing becomes certain, however many of them

    @property
    def blocks(self) -> list[Block]:
        """All blocks of the text that has been read."""
        return [*self._certain, *self._open]

    @property
    def certain(self) -> int:
        """How many of the first blocks will not change any more."""
        return len(self._certain)

    def block(self, index: int) -> Block:
        """One of the blocks."""
        return self._certain[index] if index < len(self._certain) else self._open[index - len(self._certain)]

    def __len__(self) -> int:
        return len(self._certain) + len(self._open)

    def add(self, text: str) -> None:
        """Take more text; :meth:`step` reads it."""
        self._rest += visible(text)

    def step(self, *, writing: bool = False) -> bool:
        """Read some more; False when everything has been read. At most ``MAX_REST`` characters are parsed, once.

        ``writing``: more will come, so a last line that may turn into anything ("-", "``") is left out for now."""
        window = self._window(self._most)
        if self._stuck:
            self._force(window)
            self._most, self._stuck = STEP, False
            return True
        whole = len(window) == len(self._rest)
        shown = _decided(window) if writing and whole else window
        pieces = self._pieces(shown)
        if self._keep(pieces, shown):
            self._most = STEP
            return not whole
        if whole:
            self._open = self._merged(pieces)
            return False
        self._stuck = self._most == MAX_REST or len(window) < self._most  # there are too many letters or lines
        if not self._stuck:
            self._most = min(MAX_REST, _GROWTH * self._most)
        return True

    def read_all(self) -> list[Block]:
        """Read everything that has been added, however long that takes."""
        while self.step():
            pass
        return self.blocks

    def _window(self, most: int) -> str:
        """At most ``most`` characters of the rest, and no more lines than are parsed at a time."""
        window = self._rest[:most]
        lines = window.split("\n", MAX_LINES)
        return window[: len(window) - len(lines[-1])] if len(lines) > MAX_LINES else window

    def _pieces(self, text: str) -> list[Piece]:
        """What ``text`` means behind the head."""
        if not text.strip() and not self._head.text:
            return []
        pieces = read(self._head.text + text, self._head.numbers)
        stubs = pieces[: self._head.stubs]
        if len(stubs) < self._head.stubs or any(not _is_stub(piece) for piece in stubs):
            return literal(text)
        return pieces[self._head.stubs :]

    def _keep(self, pieces: list[Piece], text: str) -> bool:
        """Move what has become certain from the rest to the certain blocks; False if nothing has."""
        complete = self._head.lines + text.count("\n")
        begun = [piece for piece in pieces if piece.line < complete]
        lines = (self._head.text + text).split("\n")
        if begun:
            last = begun[-1]
            line, around = _cut(last)
            if line > self._head.lines and (head := _make_head(around, line, lines)) is not None:
                self._commit(pieces, line, lines, head)
                return True
            if last is pieces[-1] and last.grows and last.end >= complete:
                return self._carry(last, complete - 1, lines, pieces)
        return False

    def _commit(self, pieces: list[Piece], line: int, lines: list[str], head: _Head) -> None:
        """Cut before ``line``: all before it is certain."""
        blocks = self._merged(pieces)
        before = sum(piece.line < line for piece in pieces)
        self._certain += blocks[:before]
        self._open = blocks[before:]
        self._drop(line, lines)
        self._head = head
        self._carried = None

    def _carry(self, last: Piece, line: int, lines: list[str], pieces: list[Piece]) -> bool:
        """Cut inside a block that grows by lines, before ``line``; False if nothing is gained."""
        if line <= max(last.line + _BODY[last.grows] - 1, self._head.lines - 1) or line == self._head.lines:
            return False
        if last.line >= self._head.lines:
            begin, around = _cut(last)
            head = _make_head(around, begin, lines)
            if head is None or begin != last.line:
                return False
            opening = "\n".join(lines[last.line : last.line + _BODY[last.grows]]) + "\n"
            head = replace(head, text=head.text + opening)
        else:
            head = self._head
        blocks = self._merged(pieces)
        self._certain += blocks[:-1]
        self._open = blocks[-1:]
        body = self._merged(self._pieces("".join(f"{text}\n" for text in lines[self._head.lines : line])))[-1]
        self._drop(line, lines)
        self._head, self._carried = head, body
        return True

    def _force(self, text: str) -> None:
        """Nothing becomes certain by itself: cut where a line ends, or in the middle of one."""
        end = text.rfind("\n", len(text) // 2) + 1 or len(text)
        pieces = self._pieces(text[:end])
        lines = (self._head.text + text[:end]).split("\n")
        blocks = self._merged(pieces)
        head, carried = None, None
        if pieces:
            last = pieces[-1]
            line, around = _cut(last)
            head = _make_head(around, max(line, 0), lines) if last.line >= self._head.lines else replace(self._head)
            if head is not None and last.grows == "fence" and last.line < len(lines) - 1 and line == last.line:
                if last.line >= self._head.lines:
                    head = replace(head, text=f"{head.text}{lines[last.line]}\n")
                carried = blocks.pop()
            elif last.line < self._head.lines:
                head = None
        self._certain += blocks
        self._rest = self._rest[end:]
        self._head, self._carried, self._open = head or _Head(), carried, [carried] if carried else []

    def _merged(self, pieces: list[Piece]) -> list[Block]:
        """The blocks of ``pieces``, the first of them joined to what has been carried."""
        blocks = [piece.block for piece in pieces]
        if self._carried is None:
            return blocks
        first = blocks[0] if blocks else None
        carried = self._carried
        if isinstance(carried, Code) and isinstance(first, Code):
            return [replace(carried, text=carried.text + first.text), *blocks[1:]]
        if isinstance(carried, Table) and isinstance(first, Table):
            return [replace(carried, rows=carried.rows + first.rows), *blocks[1:]]
        return [carried, *blocks]

    def _drop(self, line: int, lines: list[str]) -> None:
        """Take the lines before ``line`` (counted with the head) from the rest."""
        self._rest = self._rest[sum(len(text) + 1 for text in lines[self._head.lines : line]) :]


def _decided(text: str) -> str:
    """``text`` without a last line that may still become anything."""
    begin = text.rfind("\n") + 1
    return text[:begin] if _UNDECIDED.fullmatch(text, begin) else text


def _is_stub(piece: Piece) -> bool:
    return isinstance(piece.block, Text) and plain(piece.block.runs) == _STUB


def _cut(piece: Piece) -> tuple[int, tuple[Enclosing, ...]]:
    """The line before which to cut so that ``piece`` is read anew, and the list items around that line; the last of
    them begins there if it is not the first of its list."""
    line = piece.anew
    around = piece.enclosing
    quotes = [depth for depth, container in enumerate(around) if container.kind == "quote"]
    if quotes:
        around = around[: quotes[0]]
    while around and around[-1].line == line and around[-1].first:
        around = around[:-1]
    return line, around


def _make_head(around: tuple[Enclosing, ...], line: int, lines: list[str]) -> _Head | None:
    """Lines that open the items ``around``; None where that is not possible."""
    made: list[str] = []
    numbers: list[int | None] = []
    index = 0
    while index < len(around):
        begin = around[index].line
        count = sum(item.line == begin for item in around)
        stub = _stub(lines[begin], count)
        if stub is None:
            return None
        if begin == line and count > 1:
            return None
        for item in around[index : index + count]:
            before = begin == line and item.number is not None
            numbers.append(item.number - 1 if before and item.number is not None else item.number)
        made.append(f"{stub}\n\n")
        index += count
    return _Head("".join(made), len(made), tuple(numbers))


def _stub(line: str, items: int) -> str | None:
    """A line that begins the same ``items`` list items as ``line``, as wide as they are, with a single word."""
    at = 0
    for _ in range(items):
        marker = _MARKER.match(line, at)
        if marker is None:
            return None
        space = _SPACE.match(line, marker.end())
        end = space.end() if space else marker.end()
        width = len(line[:end].expandtabs(4)) - len(line[: marker.end()].expandtabs(4))
        if end == len(line) or not 1 <= width <= 4:
            line, end = f"{line[: marker.end()]} {line[end:]}", marker.end() + 1
        at = end
    return line[:at] + _STUB
