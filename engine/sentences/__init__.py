"""What the engine says to people: sentences with a code and values, so that a window can say them in its language.

``say("paths.some", paths=3, wanted=4)`` is a text like any other, in English, for logs, the command line and programs;
it also knows its code and values, which the control API sends beside it (``words``). Texts that are put together by
:func:`together` keep those of all their parts. A text of another machine has none, and what
people and models write is not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from engine.sentences.answers import ANSWERS
from engine.sentences.chats import CHATS
from engine.sentences.contributing import CONTRIBUTING
from engine.sentences.doctor import DOCTOR
from engine.sentences.folders import FOLDERS
from engine.sentences.hosting import HOSTING
from engine.sentences.machine import MACHINE
from engine.sentences.models import MODELS
from engine.sentences.network import NETWORK
from engine.sentences.values import VALUES

SAY_WORDS = "GENTORRENT_SAY_WORDS"
"""The environment variable that asks a program to write below its last words what they are made of."""
_LINE = "gentorrent-words: "


class Sentence(Struct, frozen=True):
    """One sentence. ``code`` "": the text ``values["text"]`` as it stands, from elsewhere. A value may itself be made
    of sentences; one that is called ``when`` is a time in seconds since 1970."""

    code: str
    values: dict[str, str | int | float | tuple[Sentence, ...]] = {}


class Said(str):
    """An English text that knows what it is made of."""

    __slots__ = ("parts",)
    parts: tuple[Sentence, ...]


def say(code: str, **values: str | int | float) -> Said:
    """The sentence of that code with its values."""
    shown = {name: _shown(name, value) for name, value in values.items()}
    said = Said(SENTENCES[code].format(**shown))
    said.parts = (Sentence(code, {name: _kept(value) for name, value in values.items()}),)
    return said


def said_again(text: str, parts: tuple[Sentence, ...]) -> str:
    """A text that was kept with what it is made of."""
    if not parts:
        return text
    said = Said(text)
    said.parts = parts
    return said


def together(*texts: str) -> Said:
    """Texts one after the other; empty ones are left out."""
    said = Said(" ".join(text for text in texts if text))
    said.parts = tuple(part for text in texts if text for part in parts_of(text))
    return said


def listed(code: str, texts: Sequence[str]) -> str:
    """Texts in a list, as the sentence of that code joins ``one`` and ``other``."""
    first, *others = texts
    for other in others:
        first = say(code, one=first, other=other)
    return first


def said_by(error: BaseException) -> str:
    """What an error says, with what that is made of."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Said) else str(error)


def plain(text: str) -> str:
    """A text without what it is made of, as encoders want it."""
    return "".join(text)


def words_of(text: str) -> tuple[Sentence, ...]:
    """What a text is made of, to be kept or sent beside it for :func:`said_again`; nothing for one from elsewhere."""
    return text.parts if isinstance(text, Said) else ()


def to_line(text: str) -> str:
    """What a text is made of, for the standard error of a program that was asked for it by ``SAY_WORDS``; "" for a
    text from elsewhere."""
    return f"{_LINE}{msgspec.json.encode(words).decode()}" if (words := words_of(text)) else ""


def from_lines(lines: Sequence[str]) -> str:
    """The last thing that a program has said on its standard error, with what it is made of where it says so."""
    if len(lines) < 2 or not lines[-1].startswith(_LINE):
        return lines[-1] if lines else ""
    try:
        words = msgspec.json.decode(lines[-1].removeprefix(_LINE), type=tuple[Sentence, ...])
    except (msgspec.DecodeError, RecursionError):
        words = ()
    return said_again(lines[-2], words)


def parts_of(text: str) -> tuple[Sentence, ...]:
    """What a text is made of."""
    if isinstance(text, Said):
        return text.parts
    return (Sentence("", {"text": str(text)}),)


def _shown(name: str, value: str | int | float) -> str:
    if name == "when":
        return datetime.fromtimestamp(float(value), UTC).strftime("%d %b %Y, %H:%M UTC")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kept(value: str | int | float) -> str | int | float | tuple[Sentence, ...]:
    return value.parts if isinstance(value, Said) else value


SENTENCES: Mapping[str, str] = {
    **ANSWERS,
    **CHATS,
    **CONTRIBUTING,
    **DOCTOR,
    **FOLDERS,
    **HOSTING,
    **MACHINE,
    **MODELS,
    **NETWORK,
    **VALUES,
}
"""All that the engine says with a code. Codes never change their meaning."""
