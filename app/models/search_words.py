"""Where the words of a search stand in a text, as the search of the engine finds them: capitals and accents do not
matter, the ends of words may be missing, words in double quotes stand next to each other."""

from __future__ import annotations

import re
import unicodedata

MOST_MARKS = 500
"""Places of one text that are found."""
_PART = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]+")


class _Plain(dict[int, int]):
    """For ``str.translate``: each character without accents and capitals, as one character, so that places stay."""

    def __missing__(self, code: int) -> int:
        plain = unicodedata.normalize("NFD", chr(code)).casefold()
        self[code] = ord(plain[0]) if plain else code
        return self[code]


_PLAIN = _Plain()


def marks(text: str, query: str) -> list[tuple[int, int]]:
    """First character of each place, and the one behind its last."""
    terms: list[str] = []
    for quoted, plain in _PART.findall(query.translate(_PLAIN)):
        words = _WORD.findall(quoted or plain)
        terms += [r"[\W_]+".join(words)] if quoted and words else words
    if not terms:
        return []
    longest_first = "|".join(sorted(terms, key=len, reverse=True))
    found = re.compile(rf"(?<![^\W_])(?:{longest_first})[^\W_]*")
    places = []
    for match in found.finditer(text.translate(_PLAIN)):
        places.append(match.span())
        if len(places) == MOST_MARKS:
            break
    return places
