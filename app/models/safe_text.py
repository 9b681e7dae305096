"""Text of strangers, made harmless to show: it stays text, and nothing in it is invisible.

Answers come from other people's machines. Widgets show them as plain text only; what is left is what plain text can do:
control characters, and the bidirectional overrides that make text read differently from what it says.
"""

from __future__ import annotations

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

LONGEST_LINE = 2_000
"""Characters of a line that are laid out as one."""


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {code: chr(0x2400 + code) for code in range(0x20)}  # control pictures
    table[0x7F] = "\N{SYMBOL FOR DELETE}"
    table.update(dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT))
    table.update(dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT))  # halves of characters
    # Text documents use these for their own structure.
    table.update(dict.fromkeys((*range(0xFDD0, 0xFDF0), 0xFFFC, 0xFFFE, 0xFFFF), _REPLACEMENT))
    # Embeddings, overrides and isolates: shown, not obeyed. Arabic and Hebrew need none of them.
    table.update({code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))})
    table.update({code: f"[U+{code:05X}]" for code in range(0xE0000, 0xE0080)})  # invisible tags
    table.update({ord("\n"): "\n", ord("\t"): "\t", ord("\r"): None})
    table.update({0x0B: "\n", 0x0C: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"})
    return table


_TABLE = _table()


def visible(text: str) -> str:
    """``text`` with everything that would act instead of being read replaced by something that can be read.

    Works character by character, so the pieces of a stream may be passed one by one.
    """
    return text.translate(_TABLE)


def short_lines(text: str, longest: int = LONGEST_LINE) -> list[str]:
    """The lines of ``text``, those of more than ``longest`` characters in pieces: Qt lays out a line in one go."""
    lines = []
    for line in text.split("\n"):
        lines += [line[at : at + longest] for at in range(0, max(1, len(line)), longest)]
    return lines
