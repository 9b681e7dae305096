"""Draws from lists of highest logits, all rows of a step at once: the common case of top-k and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.inference.sampling.gumbel import Ids
from engine.inference.sampling.noise import gumbel_rows
from engine.inference.sampling.row import Values
from engine.wire.answer import Sampling


@dataclass(frozen=True, slots=True)
class Wish:
    """A draw at ``position`` with temperature and top-k alone, no more than the list is long. ``row``: its number."""

    row: int
    sampling: Sampling
    position: int


def is_only_top_k(sampling: Sampling, longest: int) -> bool:
    """Whether steps 6 and 7 of docs/sampling.md keep everything and a list of ``longest`` holds all candidates."""
    few = 0 < sampling.top_k <= longest
    return few and sampling.temperature > 0 and sampling.top_p >= 1 and sampling.min_p == 0


def draw_listed(wishes: Sequence[Wish], values: Values, ids: Ids) -> dict[int, int]:
    """The token of each wish by the number of its row. ``values`` and ``ids``: [rows, any], each row's highest logits,
    falling, equal ones by rising id; the first one finite even when divided by the temperature."""
    if not wishes:
        return {}
    rows = [wish.row for wish in wishes]
    longest = max(wish.sampling.top_k for wish in wishes)
    ids = ids[rows, :longest]
    temperatures = np.array([[wish.sampling.temperature] for wish in wishes])
    with np.errstate(over="ignore"):  # those far below become -inf, which never wins
        scores = values[rows, :longest].astype(np.float64) / temperatures
    limits = np.array([[wish.sampling.top_k] for wish in wishes])
    scores[np.arange(longest) >= limits] = -np.inf
    sums = scores + gumbel_rows([(wish.sampling.seed, wish.position) for wish in wishes], ids)
    # Of equal sums the lowest id.
    winners = np.where(sums == sums.max(axis=1, keepdims=True), ids, np.iinfo(np.int64).max).min(axis=1)
    return dict(zip(rows, winners.tolist(), strict=True))
