"""An answer's text taken apart as it comes: what is said, what is reasoned, which tools are called. Pure.

Whitespace around marks belongs to the marks. What looks like a call and is none comes out as content, exactly as the
model wrote it.
"""

from __future__ import annotations

from engine.inference.text.call_notations import NOTATIONS
from engine.inference.text.call_reader import BLANK, MAX_BLANK, CallReader
from engine.inference.text.decoder import beginning
from engine.inference.text.parts import Content, Part, Reasoning, ToolArguments, ToolCall, merged
from engine.inference.types import AnswerStyle

__all__ = ["AnswerParser", "Content", "Part", "Reasoning", "ToolArguments", "ToolCall"]


class AnswerParser:
    """Takes the text of one answer in any pieces; the parts are the same however it is cut.

    ``tools``: whether the request has any; otherwise nothing is taken for a call. Arguments are JSON as the model wrote
    it and come as they are made where it writes the tool's name first. Only a call whose arguments have begun can end
    up incomplete: when the answer ends inside, or they go on as no JSON can.
    """

    def __init__(self, style: AnswerStyle, tools: bool) -> None:
        self._notation = NOTATIONS.get(style.tool_calls) if tools else None
        self._begins = () if self._notation is None else self._notation.begins
        self._bare = self._notation is not None and self._notation.bare
        reasons = bool(style.reasoning_begin and style.reasoning_end)
        self._reasoning_begin = style.reasoning_begin if reasons else ""
        self._reasoning_end = style.reasoning_end if reasons else ""
        self._reasoning = reasons and style.reasoning_open
        self._reader: CallReader | None = None
        self._pending = ""  # read, but not yet clear what it is
        self._fresh = True  # nothing was said since the beginning or the last mark
        self._skipped = BLANK if self._reasoning else ""  # characters that belong to the mark before
        self._calls = 0

    @property
    def calls(self) -> int:
        """How many calls are complete."""
        return self._calls

    def push(self, text: str) -> list[Part]:
        """The parts that ``text`` adds; may be fewer than it has, as marks may be coming."""
        self._pending += text
        parts: list[Part] = []
        while self._step(parts):
            pass
        return merged(parts)

    def flush(self) -> list[Part]:
        """What is left when the answer has ended."""
        rest = self._pending
        self._pending = ""
        if self._reader is not None:
            parts = self._reader.flush()
            self._reader = None
            return merged(parts)
        return merged([Reasoning(rest) if self._reasoning else Content(rest)])

    def _step(self, parts: list[Part]) -> bool:
        """One piece of what is pending; False when more text is needed."""
        if self._reader is not None:
            return self._read_calls(self._reader, parts)
        if self._skipped:
            self._pending = self._pending.lstrip(self._skipped)
            if not self._pending:
                return False
            self._skipped = ""
        return self._reason(parts) if self._reasoning else self._say(parts)

    def _read_calls(self, reader: CallReader, parts: list[Part]) -> bool:
        for place, character in enumerate(self._pending, start=1):
            parts += reader.push(character)
            self._calls = reader.index
            if reader.finished:
                self._pending = reader.rest + self._pending[place:]
                self._reader = None
                self._fresh = reader.called
                self._skipped = (BLANK + ";" if self._bare else BLANK) if reader.called else ""
                return True
        self._pending = ""
        return False

    def _reason(self, parts: list[Part]) -> bool:
        place = self._pending.find(self._reasoning_end)
        if place < 0:
            parts.append(Reasoning(self._released((self._reasoning_end,))))
            return False
        parts.append(Reasoning(self._pending[: self._blank_before(place)]))
        self._pending = self._pending[place + len(self._reasoning_end) :]
        self._reasoning, self._fresh, self._skipped = False, True, BLANK
        return True

    def _say(self, parts: list[Part]) -> bool:
        start = len(self._pending) - len(self._pending.lstrip(BLANK))
        if self._fresh and start < len(self._pending):
            first = self._pending[start:]
            if self._reasoning_begin and first.startswith(self._reasoning_begin):
                parts.append(Content(self._pending[: self._blank_before(start)]))
                self._pending = first[len(self._reasoning_begin) :]
                self._reasoning, self._skipped = True, BLANK
                return True
            if self._reasoning_begin.startswith(first):
                return False
            if self._bare and first.startswith("{"):
                self._begin_calls(start, "", parts)
                return True
        found = [(place, mark) for mark in self._begins if (place := self._pending.find(mark)) >= 0]
        if found:
            self._begin_calls(*min(found), parts)
            return True
        said = self._released(self._begins)
        self._fresh = self._fresh and not said.strip(BLANK)
        parts.append(Content(said))
        return False

    def _begin_calls(self, place: int, mark: str, parts: list[Part]) -> None:
        assert self._notation is not None
        border = self._blank_before(place)
        parts.append(Content(self._pending[:border]))
        self._reader = CallReader(self._notation, self._pending[border : place + len(mark)], self._calls)
        self._pending = self._pending[place + len(mark) :]

    def _released(self, marks: tuple[str, ...]) -> str:
        """Take what is no part of a mark that may be coming, nor of the whitespace before one."""
        border = self._blank_before(len(self._pending) - beginning(self._pending, marks))
        released, self._pending = self._pending[:border], self._pending[border:]
        return released

    def _blank_before(self, place: int) -> int:
        """Where the whitespace that ends at ``place`` begins."""
        border = len(self._pending[:place].rstrip(BLANK))
        return max(border, place - MAX_BLANK)
