"""A block of tool calls, from the mark that begins it to its end, read character by character. Pure."""

from __future__ import annotations

import re

from engine.inference.text.call_notations import CallNotation
from engine.inference.text.json_call import MAX_NAME, JsonCall, Malformed
from engine.inference.text.parts import Content, Part, ToolArguments, ToolCall

BLANK = " \t\r\n"
_NAMED = re.compile(rf"([\w.-]{{1,{MAX_NAME}}})(?:\[CALL_ID\][\w.-]{{0,{MAX_NAME}}})?(?:\[ARGS\]|$)", re.ASCII)
_NAME_CHARACTER = re.compile(r"[\w.\[\]-]", re.ASCII)
_ARGUMENTS = "[ARGS]"
MAX_BLANK = 256
"""Characters of whitespace held back because a mark may follow, or between the marks of a call."""
MAX_NAMED = 3 * MAX_NAME
"""Characters of a name with its marks."""


class CallReader:
    """Reads what follows ``begun`` (the mark and the whitespace before it), whose calls count from ``index``.

    When ``finished``, ``rest`` is the text that was read too far, and ``called`` says whether there was a call. Text
    that is no call comes out as content.
    """

    def __init__(self, notation: CallNotation, begun: str, index: int) -> None:
        self.index = index
        self.finished = False
        self.rest = ""
        self._notation = notation
        self._held = begun  # comes out as content if it is no call
        self._named = ""  # what was read of a name, and of the end's mark
        self._in_array = False
        self.called = False  # there was a call
        self._call: JsonCall | None = None
        self._announced = False
        self._state = self._open

    def push(self, character: str) -> list[Part]:
        """What one more character of the text adds; not when finished."""
        try:
            return self._state(character)
        except Malformed:
            if self._call is not None and self._call.streaming:  # given out already: the call ends here
                self._after_call()
                self._state = self._close
                return self._close(character)
            self.finished, self.rest = True, character
            return [Content(self._unused())]

    def flush(self) -> list[Part]:
        """The answer ends here: what was held back as content."""
        self.finished = True
        unused = self._unused()
        return [] if self.called and not unused.strip(BLANK) else [Content(unused)]

    def _unused(self) -> str:
        """What was read and is no part of a call so far."""
        return self._held + (self._call.held if self._call is not None else "")

    # ------------------------------------------------------------------------------------------------- states

    def _open(self, character: str) -> list[Part]:
        """After the mark."""
        named = self._notation.body == "named"
        if named and _NAME_CHARACTER.fullmatch(character):
            self._state = self._name
            return self._name(character)
        if character == "[" and not self._in_array and not named:
            self._in_array = True
        elif character == "{" and not named:
            # Without a mark any JSON may stand here: people have names too.
            return self._begin(JsonCall(complete=not self._held.strip(BLANK)), character)
        elif character not in BLANK:
            raise Malformed
        self._hold(character)
        return []

    def _hold(self, character: str) -> None:
        if len(self._held) >= MAX_NAMED + MAX_BLANK:
            raise Malformed
        self._held += character

    def _name(self, character: str) -> list[Part]:
        """name[ARGS]{...}, with an id before [ARGS] where the model has ids."""
        if character == "{":
            named = _NAMED.fullmatch(self._named)
            if not named:
                raise Malformed
            return self._begin(JsonCall(named[1]), character)
        if character not in BLANK:
            self._named += character
        elif not self._named.endswith(_ARGUMENTS):
            raise Malformed
        if not _NAME_CHARACTER.fullmatch(character) and character not in BLANK:
            raise Malformed
        self._hold(character)
        return []

    def _begin(self, call: JsonCall, character: str) -> list[Part]:
        self._call, self._announced = call, False
        self._state = self._read
        return self._read(character)

    def _read(self, character: str) -> list[Part]:
        """Inside a call."""
        call = self._call
        assert call is not None
        text = call.push(character)
        parts: list[Part] = []
        if (call.streaming or call.done) and not self._announced:
            self._announced = True
            parts.append(ToolCall(self.index, call.name))
        parts.append(ToolArguments(self.index, text))
        if call.done:
            self._after_call()
            self._state = self._between if self._in_array else self._close
            if self._state == self._close:
                self._end_if_nothing_closes_it()
        elif call.streaming:
            self._held = ""
        return parts

    def _after_call(self) -> None:
        self._call = None
        self.called = True
        self._held = self._named = ""
        self.index += 1

    def _between(self, character: str) -> list[Part]:
        """After a call in an array."""
        if character == "]":
            self._state = self._close
            self._end_if_nothing_closes_it()
        elif character == ",":
            self._state = self._next
        elif character not in BLANK:
            raise Malformed
        return []

    def _next(self, character: str) -> list[Part]:
        """After a comma in an array."""
        if character == "{":
            return self._begin(JsonCall(), character)
        if character not in BLANK:
            raise Malformed
        return []

    def _end_if_nothing_closes_it(self) -> None:
        self.finished = not self._notation.end

    def _close(self, character: str) -> list[Part]:
        """After the calls: the mark that ends them, or another one."""
        end = self._notation.end
        if not self._held and character in BLANK:
            return []
        if not self._held and character == "{" and end:
            return self._begin(JsonCall(), character)
        if end and end.startswith(self._held + character):
            self._held += character
            self.finished = self._held == end
            return []
        self.finished, self.rest = True, self._held + character
        return []
