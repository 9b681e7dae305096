"""Text of others on the owner's terminal: shown, never obeyed."""

from __future__ import annotations

import unicodedata


def harmless(text: str) -> str:
    """``text`` without what moves cursors, colours, sets titles or reverses reading (control and format characters,
    except line break and tab): an answer comes from a stranger's machine."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        for character in text.replace("\r\n", "\n")
        if character in "\n\t\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
    )
