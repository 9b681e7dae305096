"""Texts that end an answer, as people write them: one on each line, line breaks as ``\\n``."""

from __future__ import annotations

from app.i18n import tr

MOST_STOPS = 16
LONGEST_STOP = 500
_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"))
_MEANT = {"n": "\n", "t": "\t", "\\": "\\"}


def written_stops(stops: tuple[str, ...]) -> str:
    """The lines for ``stops``."""
    return "\n".join(map(_escaped, stops))


def read_stops(text: str) -> tuple[tuple[str, ...], str]:
    """What the lines mean, and what is wrong with them ("" for nothing)."""
    stops = tuple(dict.fromkeys(_meant(line) for line in text.split("\n") if line))
    if len(stops) > MOST_STOPS:
        return (), tr("At most %Ln texts can end an answer.", "", MOST_STOPS)
    if any(len(stop) > LONGEST_STOP for stop in stops):
        return (), tr("A text that ends an answer has %Ln characters at most.", "", LONGEST_STOP)
    return stops, ""


def _escaped(stop: str) -> str:
    for letter, written in _ESCAPES:
        stop = stop.replace(letter, written)
    return stop


def _meant(line: str) -> str:
    letters, rest = [], iter(line)
    for letter in rest:
        if letter == "\\":
            following = next(rest, "")
            letters.append(_MEANT.get(following, letter + following))
        else:
            letters.append(letter)
    return "".join(letters)
