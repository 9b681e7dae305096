"""What users type as a query, as FTS5 takes it; marks in its snippets; titles of chats. Pure."""

from __future__ import annotations

import re
import unicodedata

MAX_TERMS = 16
MAX_TITLE = 60
MARK_BEGIN, MARK_END = "\x02", "\x03"
"""Around a word that was found; control characters, so that hardly a text has them."""
_PART = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]+")


def match_expression(query: str) -> str:
    """An FTS5 expression for all words of ``query`` (each may go on), "" when there is none.

    Every word stands in double quotes, where FTS5 knows no operators: no text of a user is a syntax error.
    """
    terms = []
    for quoted, plain in _PART.findall(unicodedata.normalize("NFC", query)):
        words = _WORD.findall(quoted or plain)
        if quoted and words:
            terms.append(" ".join(words))
        else:
            terms += words
    return " ".join(f'"{term}"*' for term in terms[:MAX_TERMS])


def marked(snippet: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A snippet without its marks, and where they were: first character, and the one after the last."""
    pieces: list[str] = []
    marks: list[tuple[int, int]] = []
    length, begun = 0, -1
    for piece in re.split(f"([{MARK_BEGIN}{MARK_END}])", snippet):
        if piece == MARK_BEGIN:
            begun = length
        elif piece == MARK_END:
            if 0 <= begun < length:
                marks.append((begun, length))
            begun = -1
        else:
            pieces.append(piece)
            length += len(piece)
    return "".join(pieces), tuple(marks)


def title_from(question: str) -> str:
    """A title for a chat: the beginning of its first question, in one line, cut between words."""
    line = " ".join(
        "".join(letter if letter.isprintable() else " " for letter in question[: 20 * MAX_TITLE]).split()
    ).strip("#*>-`_ ")
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    whole = cut.rsplit(" ", 1)[0]
    return f"{whole if len(whole) > MAX_TITLE // 2 else cut}…"


def clean(text: str) -> str:
    """Text without what neither a database nor JSON can hold."""
    cleaned = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return text if text == cleaned else cleaned


def one_line(text: str) -> str:
    """A title or name without line breaks."""
    return " ".join(clean(text).split())


def fence_for(text: str) -> str:
    """A fence that is longer than every one in ``text``."""
    if "```" not in text:
        return "```"
    longest = max((len(found) for found in re.findall(r"`{3,}", text)), default=2)
    return "`" * (longest + 1)
