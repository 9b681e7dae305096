"""A form that begins where the model's reasoning ends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.inference.sampling.constraint import Matcher

_WINDOW = 32
"""Tokens that a mark may be spread over."""


class AfterReasoning:
    """Like a :class:`Matcher`, but until ``mark`` has come any text is allowed (``free``: a mask that keeps the answer
    from ending there). ``decode`` is token ids to text."""

    def __init__(
        self, matcher: Matcher, free: NDArray[np.uint8], decode: Callable[[Sequence[int]], str], mark: str
    ) -> None:
        self._matcher = matcher
        self._free = free
        self._decode = decode
        self._mark = mark
        self._recent: list[int] = []
        self._reasoning = True

    def allowed(self) -> NDArray[np.uint8]:
        """The tokens that may come next."""
        return self._free if self._reasoning else self._matcher.allowed()

    def accept(self, token: int) -> None:
        """Go on by one token."""
        if not self._reasoning:
            self._matcher.accept(token)
            return
        self._recent = [*self._recent[1 - _WINDOW :], token]
        self._reasoning = self._mark not in self._decode(self._recent)

    def replay(self, tokens: Iterable[int]) -> None:
        """Go through the tokens of an answer that is continued."""
        waiting = iter(tokens)
        for token in waiting:
            self.accept(token)
            if not self._reasoning:
                self._matcher.replay(waiting)
