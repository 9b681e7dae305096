"""One tool call as a JSON object, read character by character. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_HELD = 65_536
"""Characters of a call that are held until it is clear what it is."""
MAX_NESTING = 64
MAX_NAME = 256

_KEYS = r'"(?:name|type|id|function|arguments|parameters)"'
_STRING = r'"(?:[^"\\]|\\.)*"'
_ASIDE = rf'(?:"(?:type|id)"\s*:\s*{_STRING}\s*,\s*)*'
_FIRST_KEY = re.compile(rf"\{{\s*{_KEYS}\s*:")
_HEADER = re.compile(rf'\{{\s*{_ASIDE}"name"\s*:\s*({_STRING})\s*,\s*{_ASIDE}"(?:arguments|parameters)"\s*:', re.DOTALL)
_OUTSIDE_STRINGS = frozenset(' \t\r\n{}[],:"+-.0123456789eE' + "truefalsn")


class Malformed(Exception):  # noqa: N818 - not an error of anybody's: the text is no call
    """What was read is no call."""


class JsonCall:
    """A JSON object with "name" and "arguments" (or "parameters").

    :meth:`push` takes one character after the other, the first one "{". Once the name is known and the arguments begin
    as an object, their text comes as it is read; in any other order everything comes at the end. With ``name`` the
    object is the arguments alone. ``complete``: a name without arguments is no call.

    Raises :class:`Malformed` for what is no call (the character that shows it is not among ``held``); not any more when
    the arguments have begun, which are then given as they are, as far as they could be JSON.
    """

    def __init__(self, name: str = "", *, complete: bool = False) -> None:
        self.name = name  # "" until it is known
        self.done = False
        self.streaming = self._arguments_open = bool(name)
        self._complete = complete
        self._outermost = 0 if name else 1  # depth around the arguments
        self._held: list[str] = []
        self._depth = 0
        self._in_string = self._escaped = False
        self._keys = 0  # read at the outermost level
        self._value_next = False  # the arguments' value comes next

    @property
    def held(self) -> str:
        """What was read and not given out."""
        return "".join(self._held)

    def push(self, character: str) -> str:
        """The arguments' text that this character adds."""
        outside = not self._in_string
        if outside and character not in _OUTSIDE_STRINGS:
            raise Malformed
        if not self.streaming and (len(self._held) >= MAX_HELD or self._depth > MAX_NESTING):
            raise Malformed
        self._count(character)
        self.done = self._depth == 0
        if self.streaming:
            return self._streamed(character, outside)
        self._held.append(character)
        try:
            if self.done:
                self.name, arguments = _call(self.held, self._complete)
                return arguments
            return self._look_ahead(character) if outside else ""
        except Malformed:
            self._held.pop()
            raise

    def _count(self, character: str) -> None:
        if self._in_string:
            if self._escaped:
                self._escaped = False
            elif character == "\\":
                self._escaped = True
            elif character == '"':
                self._in_string = False
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1

    def _look_ahead(self, character: str) -> str:
        """Whether the arguments begin here, after the name."""
        if self._value_next and character not in " \t\r\n":
            self._value_next = False
            if character == "{":
                self.streaming = self._arguments_open = True
                self._held.clear()
                return character
            self.name = ""
        if len(self._held) > 1 and self._keys == 0 and character not in ' \t\r\n:"':
            raise Malformed
        if character == ":" and self._depth == 1:
            self._keys += 1
            text = self.held
            if self._keys == 1 and not _FIRST_KEY.fullmatch(text):
                raise Malformed
            header = _HEADER.fullmatch(text)
            if header:
                self.name = _name(json.loads(header[1], strict=False))
                self._value_next = True
        return ""

    def _streamed(self, character: str, outside: bool) -> str:
        if not self._arguments_open:
            return ""
        self._arguments_open = not (outside and self._depth == self._outermost)
        return character


def _call(text: str, complete: bool) -> tuple[str, str]:
    """Name and arguments of a whole call."""
    try:
        parsed = json.loads(text, strict=False)
    except ValueError as error:
        raise Malformed from error
    inner = parsed.get("function") if isinstance(parsed, dict) else None
    call = inner if isinstance(inner, dict) else parsed
    if complete and not call.keys() & {"arguments", "parameters"}:
        raise Malformed
    return _name(call.get("name")), _arguments(call.get("arguments", call.get("parameters")))


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not _is_unicode(value):
        raise Malformed
    return value


def _arguments(value: Any) -> str:
    """The text of an object; some models write it into a string, or leave it out."""
    if isinstance(value, str):
        try:
            value = json.loads(value, strict=False)
        except (ValueError, RecursionError) as error:
            raise Malformed from error
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise Malformed
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError as error:  # a number beyond all floats
        raise Malformed from error
    return text if _is_unicode(text) else json.dumps(value)


def _is_unicode(text: str) -> bool:
    """Whether there are no halves of surrogate pairs in it, which JSON can write but UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
