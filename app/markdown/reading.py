"""From the parser's tokens to blocks: pieces that know from which lines they came, and in which containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it.token import Token

from app.markdown.blocks import Alignment, Block, Code, Container, Maths, Place, Rule, Run, Runs, Style, Table, Text
from app.markdown.links import bare_addresses
from app.markdown.maths import readable
from app.markdown.parser import MAX_NESTING, normal_address, parse
from app.models.safe_text import visible

MAX_COLUMNS = 15
"""Columns of a table; one with more is shown as it was written: each would have room for a few letters."""
MAX_CONTAINERS = 12
"""Lists and quotes around a block that are shown."""
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_BULLET = "•"
_STYLES = {"strong": Style.BOLD, "em": Style.ITALIC, "s": Style.STRIKE}
# Letters that are not seen at all; in code they are never there for a good reason.
_UNSEEN = {
    code: f"[U+{code:04X}]"
    for code in (0xAD, 0x61C, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0x2061, 0x2062, 0x2063, 0xFEFF)
}


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A container around a piece: a quote, or a list item with its first line and its number in an ordered list."""

    kind: Container
    line: int
    first: bool = True  # of its list
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A block, the lines [``line``, ``end``) that it came from, what encloses it, the line from which it can be read
    anew (where a quote or item begins whose first it is), and whether its lines go on until something ends it ("fence",
    "table")."""

    block: Block
    line: int
    end: int
    enclosing: tuple[Enclosing, ...]
    anew: int
    grows: str = ""


def read(source: str, numbers: Sequence[int | None] = ()) -> list[Piece]:
    """The pieces of ``source``. ``numbers`` are those of the first items of its first lists, from the outside in, where
    they are other than written."""
    tokens = parse(source)
    if any(token.level >= MAX_NESTING - 2 for token in tokens):
        lines = source.count("\n") + 1
        return [Piece(Text(Place(), (Run(visible(source.strip("\n"))),)), 0, lines, (), 0)]
    return list(_Walk(tokens, source, list(numbers)).pieces())


def literal(source: str) -> list[Piece]:
    """``source`` as one paragraph that is shown as it was written."""
    return [Piece(Text(Place(), (Run(visible(source.strip("\n"))),)), 0, source.count("\n") + 1, (), 0)]


class _Walk:
    """One walk over the tokens of a text."""

    def __init__(self, tokens: list[Token], source: str, numbers: list[int | None]) -> None:
        self._tokens = tokens
        self._lines = source.split("\n")
        self._numbers = numbers
        self._enclosing: list[Enclosing] = []
        self._next: list[int | None] = []  # the number of the next item of each open list
        self._firsts: list[bool] = []
        self._begun = 0  # how many of the enclosing containers have a piece already
        self._marker = ""

    def pieces(self) -> Iterator[Piece]:
        """All pieces in order."""
        index = 0
        while index < len(self._tokens):
            token = self._tokens[index]
            if token.type in ("bullet_list_open", "ordered_list_open"):
                self._open_list(token)
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self._next.pop()
                self._firsts.pop()
            elif token.type == "list_item_open":
                self._open_item(token)
            elif token.type == "blockquote_open":
                self._enclosing.append(Enclosing("quote", _begin(token)))
            elif token.type in ("list_item_close", "blockquote_close"):
                if token.type == "list_item_close" and self._marker:
                    item = self._enclosing[-1]  # one with nothing in it
                    yield self._piece(Text(self._place(), ()), [item.line, item.line + 1])
                self._enclosing.pop()
                self._begun = min(self._begun, len(self._enclosing))
            elif token.type == "table_open":
                end = next(i for i in range(index, len(self._tokens)) if self._tokens[i].type == "table_close")
                yield self._table(self._tokens[index : end + 1])
                index = end
            elif (piece := self._leaf(token, self._tokens[index + 1 : index + 2])) is not None:
                yield piece
            index += 1

    def _open_list(self, token: Token) -> None:
        number: int | None = None
        if token.type == "ordered_list_open":
            number = int(token.attrs.get("start", 1))
            said = self._numbers.pop(0) if self._numbers else None
            number = number if said is None else said
        elif self._numbers:
            self._numbers.pop(0)
        self._next.append(number)
        self._firsts.append(True)

    def _open_item(self, token: Token) -> None:
        number = self._next[-1]
        self._enclosing.append(Enclosing("item", _begin(token), self._firsts[-1], number))
        self._firsts[-1] = False
        self._marker = _BULLET
        if number is not None:
            self._marker = f"{number}."
            self._next[-1] = number + 1

    def _place(self) -> Place:
        marker, self._marker = self._marker, ""
        return Place(tuple(container.kind for container in self._enclosing[:MAX_CONTAINERS]), marker)

    def _piece(self, block: Block, lines: list[int] | None, grows: str = "") -> Piece:
        line, end = lines or [0, 0]
        anew = line
        for depth, container in reversed(list(enumerate(self._enclosing))):
            if container.kind == "quote" or depth >= self._begun:
                anew = container.line
        self._begun = len(self._enclosing)
        return Piece(block, line, end, tuple(self._enclosing), anew, grows)

    def _leaf(self, token: Token, following: list[Token]) -> Piece | None:
        match token.type:
            case "paragraph_open" | "heading_open":
                level = int(token.tag[1]) if token.type == "heading_open" else 0
                return self._piece(self._text(following[0], level), token.map)
            case "fence" | "code_block":
                language = token.info.strip().split(" ")[0][:40] if token.info else ""
                code = Code(self._place(), visible(language), visible(token.content).translate(_UNSEEN))
                return self._piece(code, token.map, "fence" if _is_open(token) else "")
            case "maths_block":
                return self._piece(Maths(self._place(), readable(visible(token.content))), token.map)
            case "hr":
                return self._piece(Rule(self._place()), token.map)
        return None

    def _text(self, inline: Token, heading: int) -> Text:
        runs = _runs(inline)
        place = self._place()
        if place.marker == _BULLET and runs and (task := _TASK.match(runs[0].text)) and not runs[0].style:
            place = replace(place, marker="☐" if task.group(1) == " " else "☑")
            rest = replace(runs[0], text=runs[0].text[task.end() :])
            runs = (rest, *runs[1:]) if rest.text else runs[1:]
        return Text(place, runs, heading)

    def _table(self, tokens: list[Token]) -> Piece:
        lines = tokens[0].map or [0, 0]
        if sum(token.type == "th_open" for token in tokens) > MAX_COLUMNS:
            text = "\n".join(self._lines[lines[0] : lines[1]])
            return self._piece(Code(self._place(), "", visible(text).translate(_UNSEEN)), lines)
        rows: list[list[Runs]] = []
        alignments: list[Alignment] = []
        for index, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                rows[-1].append(_runs(tokens[index + 1]))
                if token.type == "th_open":
                    alignments.append(_alignment(token))
        table = Table(self._place(), tuple(alignments), tuple(rows[0]), tuple(tuple(row) for row in rows[1:]))
        return self._piece(table, lines, "table")


def _is_open(token: Token) -> bool:
    """Whether this is a fence without its last line."""
    if token.type != "fence" or token.map is None:
        return False
    ended = not token.content or token.content.endswith("\n")
    return not (ended and token.content.count("\n") == token.map[1] - token.map[0] - 2)


def _begin(token: Token) -> int:
    return token.map[0] if token.map else 0


def _alignment(token: Token) -> Alignment:
    style = str(token.attrs.get("style", ""))
    return "center" if "center" in style else "right" if "right" in style else "left"


def _runs(inline: Token) -> Runs:
    """The runs of one paragraph, heading or cell."""
    if inline.type == "verbatim":
        return (Run(visible(inline.content)),) if inline.content else ()
    found: list[Run] = []
    styles = [Style.PLAIN]
    link = ""
    for token in inline.children or ():
        style = styles[-1]
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name in _STYLES:
            styles.append(styles[-1] | _STYLES[name]) if token.nesting > 0 else styles.pop()
        elif name == "link":
            link = str(token.attrs.get("href", "")) if token.nesting > 0 else ""
        elif token.type in ("softbreak", "hardbreak"):
            _add(found, Run("\n", style, link))
        elif token.type == "code_inline":
            _add(found, Run(visible(token.content).translate(_UNSEEN), style | Style.CODE, link))
        elif token.type == "maths_inline":
            _add(found, Run(readable(visible(token.content)), style | Style.MATHS, link))
        elif token.type == "image":
            _add(found, _image(token, style))
        elif token.content:
            for run in _linked(visible(token.content), style, link):
                _add(found, run)
    return tuple(found)


def _add(found: list[Run], run: Run) -> None:
    if not run.text:
        return
    if found and found[-1].style == run.style and found[-1].link == run.link:
        run = replace(run, text=found.pop().text + run.text)
    found.append(run)


def _image(token: Token, style: Style) -> Run:
    words = "".join(child.content for child in token.children or ()).strip()
    address = str(token.attrs.get("src", ""))
    return Run(visible(words) or address, style | Style.IMAGE, address)


def _linked(text: str, style: Style, link: str) -> Iterator[Run]:
    """``text`` with the web addresses in it made links, unless it is in one."""
    done = 0
    for start, end in bare_addresses(text) if not link and "://" in text else ():
        address = normal_address(text[start:end])
        if address:
            yield Run(text[done:start], style)
            yield Run(text[start:end], style, address)
            done = end
    yield Run(text[done:], style, link)
