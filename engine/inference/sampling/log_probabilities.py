"""Log probabilities that an answer reports beside its tokens. Pure; nothing is computed for who does not ask.

They are natural logarithms of the softmax of the model's own logits, in float64: before penalties, bias, constraint and
temperature, so that they say what the model thought and not how the draw was set up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_TOP = 20
"""Most alternatives that one token is reported with."""
_AT_ONCE = 1 << 17  # logits looked at together: half a megabyte stays in the second-level cache


def log_probabilities(
    row: NDArray[np.float32], token: int, count: int, top_ids: NDArray[np.int64] | None = None
) -> tuple[float, tuple[tuple[int, float], ...]]:
    """Log probability of ``token``, and the ``count`` most probable ids with theirs: falling, equal ones by rising id.

    ``row``: [vocabulary] logits, the highest finite; ``top_ids``: ids of the row's highest logits in this order, where
    they are known already.
    """
    highest = np.float64(row.max())
    # -inf minus a finite maximum is -inf, whose exponential is 0.
    normaliser = highest + np.log(np.exp(row - highest, dtype=np.float64).sum())
    if top_ids is None or top_ids.size < min(count, row.size):
        top_ids = highest_ids(row, count)
    best = tuple((int(one), float(row[one] - normaliser)) for one in top_ids[:count])
    return float(row[token] - normaliser), best


def log_probability(row: NDArray[np.float32], token: int) -> float:
    """Log probability of ``token`` alone, as a verifier wants it of every token: exponentials in float32, added up in
    float64, for a tenth of the time. It differs from that of :func:`log_probabilities` by less than a millionth."""
    highest = row.max()
    total = np.exp(row - highest).sum(dtype=np.float64)
    return float(np.float64(row[token]) - np.float64(highest) - np.log(total))


def log_probabilities_of(rows: NDArray[np.float32], tokens: Sequence[int]) -> list[float]:
    """``log_probability`` of ``tokens[k]`` in ``rows[k]`` [tokens, vocabulary], for all of them at once."""
    found = np.empty(len(rows))
    step = max(1, _AT_ONCE // rows.shape[1])
    for begin in range(0, len(rows), step):
        part = rows[begin : begin + step]
        highest = part.max(axis=1)
        totals = np.exp(part - highest[:, None]).sum(axis=1, dtype=np.float64)
        own = part[np.arange(len(part)), tokens[begin : begin + step]]
        found[begin : begin + step] = own.astype(np.float64) - highest.astype(np.float64) - np.log(totals)
    values: list[float] = found.tolist()
    return values


def highest_ids(row: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Ids of the ``count`` highest values, falling, equal ones by rising id."""
    count = min(count, row.size)
    if count == 0:
        return np.empty(0, dtype=np.int64)
    border = np.partition(row, row.size - count)[row.size - count]
    ids = np.flatnonzero(row >= border)
    return ids[np.argsort(-row[ids], kind="stable")][:count]
