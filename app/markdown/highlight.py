"""Which parts of a piece of code are what, found by Pygments a few tokens at a time.

Code comes from strangers, so only languages of a chosen list are read, and only code of bounded length: a lexer is a
heap of regular expressions, and nobody has vouched for all of them.
"""

from __future__ import annotations

import bisect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from app.markdown.languages import LANGUAGES, loaded, wish

if TYPE_CHECKING:
    from pygments.lexer import Lexer

MAX_CODE = 20_000
"""Characters of a block of code that are coloured; the rest stays plain."""
MAX_LINE = 300
"""Characters of a line in code that is coloured: code with longer lines stays plain from there on."""
TOKENS = 250
"""Tokens that are read in one step (about 1 ms)."""
TOO_SLOW = 0.02
"""Seconds of a processor after which a step gives up: this code is made to keep its reader busy."""

Kind: TypeAlias = Literal["keyword", "name", "type", "string", "number", "comment", "mark", "added", "removed"]
_KINDS: tuple[tuple[str, Kind | None], ...] = (  # the first that a token's type begins with
    ("Comment", "comment"),
    ("Literal.String.Doc", "comment"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Literal.Date", "number"),
    ("Keyword.Type", "type"),
    ("Keyword.Constant", "number"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Name.Function", "name"),
    ("Name.Class", "type"),
    ("Name.Decorator", "mark"),
    ("Name.Builtin", "type"),
    ("Name.Exception", "type"),
    ("Name.Tag", "keyword"),
    ("Name.Attribute", "name"),
    ("Name.Constant", "number"),
    ("Name.Entity", "mark"),
    ("Generic.Deleted", "removed"),
    ("Generic.Inserted", "added"),
    ("Generic.Heading", "keyword"),
    ("Generic.Subheading", "keyword"),
    ("Generic.Prompt", "comment"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """``length`` characters of a line from ``start`` are of one kind."""

    start: int
    length: int
    kind: Kind


class Highlighter:
    """Reads one block of code, also while it is being written (:meth:`update`), some tokens at each :meth:`step`."""

    def __init__(self, language: str, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._language = LANGUAGES.get(language.lower(), "")
        self._lexer: Lexer | None = None
        self._text = ""
        self._reading = ""  # what the tokens on their way are of
        self._starts: list[int] = []  # of its lines
        self._tokens: Iterator[tuple[int, Any, str]] | None = None
        self._lines: dict[int, list[Span]] = {}
        self._line = 0
        self._kinds: dict[Any, Kind | None] = {}

    def update(self, text: str) -> None:
        """The code is ``text`` now."""
        self._text = colourable(text) if self._language else ""
        if self._text and not loaded(self._language):
            wish(self._language)

    @property
    def busy(self) -> bool:
        """Whether :meth:`step` would find something out."""
        return self._unread and loaded(self._language)

    @property
    def waiting(self) -> bool:
        """Whether the language is being loaded: there will be something to do for :meth:`step` a moment later."""
        return self._unread and not loaded(self._language)

    @property
    def _unread(self) -> bool:
        return self._tokens is not None or self._reading != self._text

    def step(self, tokens: int = TOKENS) -> list[tuple[int, tuple[Span, ...]]]:
        """Read at most ``tokens`` tokens; the lines that are known by now, each with all that is not plain in it. Where
        a step takes too long the rest stays plain, however it goes on."""
        if not self.busy:
            return []
        if self._lexer is None:
            from pygments.lexers import get_lexer_by_name

            self._lexer = get_lexer_by_name(self._language)
        if self._tokens is None:
            self._begin()
        assert self._tokens is not None
        before, began = self._line, self._clock()
        for _ in range(tokens):
            token = next(self._tokens, None)
            if token is None:
                self._tokens = None
                self._line = len(self._starts)
                break
            self._take(*token)
            if self._clock() - began > TOO_SLOW:
                self._give_up()
                break
        return [(line, tuple(self._lines.pop(line, ()))) for line in range(before, self._line)]

    def _give_up(self) -> None:
        self._language = self._text = self._reading = ""
        self._tokens = None

    def _begin(self) -> None:
        assert self._lexer is not None
        self._reading = self._text
        self._starts = [0, *(index + 1 for index, letter in enumerate(self._reading) if letter == "\n")]
        self._tokens = iter(self._lexer.get_tokens_unprocessed(self._reading))
        self._lines.clear()
        self._line = 0

    def _take(self, start: int, token: Any, value: str) -> None:
        """Note one token; one over several lines is several spans."""
        if token not in self._kinds:
            name = str(token).removeprefix("Token.")
            self._kinds[token] = next((kind for begin, kind in _KINDS if name.startswith(begin)), None)
        kind = self._kinds[token]
        line = bisect.bisect_right(self._starts, start) - 1
        self._line = max(self._line, line)
        if kind is None:
            return
        for part in value.split("\n"):
            if part:
                self._lines.setdefault(line, []).append(Span(start - self._starts[line], len(part), kind))
            start += len(part) + 1
            line += 1


def colourable(text: str) -> str:
    """The beginning of ``text`` that is coloured: whole lines, none of them too long."""
    text = text[: text.rfind("\n", 0, MAX_CODE) + 1] if len(text) > MAX_CODE else text
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if end - at > MAX_LINE:
            return text[:at]
        at = end + 1
    return text
