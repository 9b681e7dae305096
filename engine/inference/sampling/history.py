"""Which tokens an answer's prompt and the answer itself hold: what the penalties look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Counts = NDArray[np.float64]


class _Tally:
    """Distinct ids in the order of their first appearance, and how often the answer holds each."""

    def __init__(self) -> None:
        self._index: dict[int, int] = {}
        self._ids = np.empty(64, dtype=np.int64)
        self._counts = np.zeros(64, dtype=np.float64)

    def add(self, token: int, times: int) -> None:
        place = self._index.get(token)
        if place is None:
            place = self._index[token] = len(self._index)
            if place == self._ids.size:
                self._ids = np.concatenate((self._ids, np.empty_like(self._ids)))
                self._counts = np.concatenate((self._counts, np.zeros_like(self._counts)))
            self._ids[place] = token
        self._counts[place] += times

    def view(self) -> tuple[Ids, Counts]:
        return self._ids[: len(self._index)], self._counts[: len(self._index)]


class TokenHistory:
    """What the penalties look at: which ids the prompt holds, and how often the answer holds each.

    One more token costs the same whatever the length of prompt and answer. The prompt is read when it is asked for
    the first time, that is, only for requests with a repetition penalty.
    """

    def __init__(self, prompt_ids: Sequence[int], answer_ids: Sequence[int] = ()) -> None:
        self._prompt: Sequence[int] = prompt_ids
        self._answer = _Tally()
        self._seen: _Tally | None = None
        for token in answer_ids:
            self.append(token)

    def append(self, token: int) -> None:
        """Count one more token of the answer."""
        self._answer.add(token, 1)
        if self._seen is not None:
            self._seen.add(token, 1)

    def seen(self) -> tuple[Ids, Counts]:
        """The distinct ids of prompt and answer, and how often each stands in the answer (0: in the prompt only).

        Views that the next :meth:`append` may change; in no particular order.
        """
        if self._seen is None:
            self._seen = _Tally()
            for token in self._prompt:
                self._seen.add(token, 0)
            ids, counts = self._answer.view()
            for token, count in zip(ids.tolist(), counts.tolist(), strict=True):
                self._seen.add(token, int(count))
            self._prompt = ()
        return self._seen.view()

    def answered(self) -> tuple[Ids, Counts]:
        """The distinct ids of the answer and how often each stands in it; views like those of :meth:`seen`."""
        return self._answer.view()
