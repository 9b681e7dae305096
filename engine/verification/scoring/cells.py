"""Margins counted in cells: what calibrations and likelihoods are made of. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

MILLION = 1_000_000
_SIZES = (100, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
BOUNDS = (*(-size for size in reversed(_SIZES)), 0, *_SIZES, 10_000_000)
"""Upper ends of all cells but the last, in millionths of a logit. Up to 0 the token is the one that the reference
draws: in the first cells surely, in the later ones by a hair's breadth."""
DRAWN = BOUNDS.index(0)
"""The last cell of tokens that the reference draws."""
CELLS = len(BOUNDS) + 1


def cell_of(margin: float, bounds: Sequence[int] = BOUNDS) -> int:
    """The cell of a margin (logits; what is no number lies in the last)."""
    if not margin < bounds[-1] / MILLION:
        return len(bounds)
    return bisect_left(bounds, margin * MILLION)


def count_cells(margins: Iterable[float], bounds: Sequence[int] = BOUNDS) -> tuple[int, ...]:
    """How many margins lie in each cell."""
    counts = [0] * (len(bounds) + 1)
    for margin in margins:
        counts[cell_of(margin, bounds)] += 1
    return tuple(counts)
