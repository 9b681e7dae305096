"""Texts of a conversation that spell a special token, kept apart from the tokens that the chat template writes. Pure.

A message that holds ``<|im_end|>`` would otherwise end its own turn and could go on in the name of another role. What a
user, a tool or a document says is text: a mark is put behind the first character of such a word before the template
sees it, and the tokenizer, which knows the mark as a token of its own, neither finds the special token there nor keeps
the mark. A conversation that spells none has no mark in it and the same token ids as ever.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection
from typing import Any

MARK = "\ufdd0"
"""A noncharacter, which Unicode keeps for use inside of programs; no text that is exchanged needs it."""
_LOOKED_AT = 256
"""Characters of a token; a text that spells as much of one is parted as well."""


class SpelledTokens:
    """Finds ``tokens`` in texts. One of a single character cannot be parted and stays what it is."""

    def __init__(self, tokens: Collection[str]) -> None:
        self._tokens: list[str] = []
        for token in sorted(token[:_LOOKED_AT] for token in tokens if len(token) > 1):
            if not self._tokens or not token.startswith(self._tokens[-1]):  # the shorter one is found wherever both are
                self._tokens.append(token)
        self._longest = max(map(len, self._tokens), default=0)
        beginnings = "|".join(sorted({re.escape(token[:2]) for token in self._tokens}))
        self._places = re.compile(f"(?={beginnings}).", re.DOTALL) if beginnings else None

    def parted(self, value: Any) -> Any:
        """The same text, or the same JSON value with all texts in it, with a mark in every token that is spelled."""
        if isinstance(value, str):
            return value if self._places is None else self._places.sub(self._part, value)
        if isinstance(value, dict):
            return {self.parted(name): self.parted(inner) for name, inner in value.items()}
        return [self.parted(inner) for inner in value] if isinstance(value, list) else value

    def _part(self, place: re.Match[str]) -> str:
        """No token begins another, so only the last one that does not come after the text can begin it."""
        text, start = place.string, place.start()
        before = bisect_right(self._tokens, text[start : start + self._longest])
        spelled = before > 0 and text.startswith(self._tokens[before - 1], start)
        return place[0] + MARK if spelled else place[0]
