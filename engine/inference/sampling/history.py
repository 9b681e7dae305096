"""Which tokens an answer's prompt and the answer itself hold: what the penalties look at. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Counts = NDArray[np.float64]


class _Tally:
    """Distinct ids and how often the answer holds each: first those of ``known``, which the answer does not hold yet,
    then others in the order of their appearance."""

    def __init__(self, known: Sequence[int] = ()) -> None:
        self._known: Ids = np.unique(np.array(known, dtype=np.int64))
        self._index: dict[int, int] = {}
        self._size = self._known.size
        self._ids = np.concatenate((self._known, np.empty(64, dtype=np.int64)))
        self._counts = np.zeros(self._ids.size, dtype=np.float64)

    def add(self, token: int, times: int = 1) -> None:
        place = self._index.get(token)
        if place is None:
            place = self._index[token] = self._place_of(token)
        self._counts[place] += times

    def _place_of(self, token: int) -> int:
        place = int(self._known.searchsorted(token))
        if place < self._known.size and self._known[place] == token:
            return place
        if self._size == self._ids.size:
            self._ids = np.concatenate((self._ids, np.empty_like(self._ids)))
            self._counts = np.concatenate((self._counts, np.zeros_like(self._counts)))
        self._ids[self._size] = token
        self._size += 1
        return self._size - 1

    def view(self) -> tuple[Ids, Counts]:
        return self._ids[: self._size], self._counts[: self._size]


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
        self._answer.add(token)
        if self._seen is not None:
            self._seen.add(token)

    def seen(self) -> tuple[Ids, Counts]:
        """The distinct ids of prompt and answer, and how often each stands in the answer (0: in the prompt only).

        Views that the next :meth:`append` may change; in no particular order.
        """
        if self._seen is None:
            self._seen = _Tally(self._prompt)
            ids, counts = self._answer.view()
            for token, count in zip(ids.tolist(), counts.tolist(), strict=True):
                self._seen.add(token, int(count))
            self._prompt = ()
        return self._seen.view()

    def answered(self) -> tuple[Ids, Counts]:
        """The distinct ids of the answer and how often each stands in it; views like those of :meth:`seen`."""
        return self._answer.view()
