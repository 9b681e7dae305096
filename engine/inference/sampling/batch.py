"""The next tokens of a whole step: exactly what ``gumbel.choose`` gives row by row. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError
from engine.inference.sampling.gumbel import Allowed, choose
from engine.inference.sampling.history import TokenHistory
from engine.inference.sampling.log_probabilities import log_probabilities
from engine.wire.answer import Sampling

Bitmask = NDArray[np.uint8]
"""One bit for each token, the lowest bit of the first byte for token 0; tokens beyond its end are not allowed."""


@dataclass(slots=True)
class Draw:
    """One row's wish: ``position`` is the index of the token within the answer, ``suppressed`` the ids that may not be
    drawn now, ``mask`` what a constraint allows, ``top_logprobs`` None or how many alternatives are reported."""

    sampling: Sampling
    position: int
    history: TokenHistory
    suppressed: Collection[int] = ()
    mask: Bitmask | None = None
    top_logprobs: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The token of one row. ``logprob``, and (token, log probability) of the most probable tokens in ``top``, falling:
    natural logarithms of the softmax of the model's own logits; only where they were asked for."""

    token: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


def wanted_top(draws: Sequence[Draw]) -> int:
    """How many of each row's highest logits, with their ids, ``choose_batch`` likes to be given; 0 for none."""
    return 0


def choose_batch(
    draws: Sequence[Draw],
    logits: NDArray[np.float32],
    top_values: NDArray[np.float32] | None = None,
    top_ids: NDArray[np.int64] | None = None,
) -> list[Choice | InferenceError]:
    """The choice of every row, or the error that ends its answer; other rows are not touched by it.

    ``logits``: [rows, vocabulary]; ``top_values`` and ``top_ids``: [rows, any], the highest logits of each row,
    falling, equal ones by rising id.
    """
    results: list[Choice | InferenceError] = []
    for index, draw in enumerate(draws):
        try:
            results.append(_choose_row(draw, logits[index]))
        except InferenceError as error:
            results.append(error)
    return results


def _choose_row(draw: Draw, row: NDArray[np.float32]) -> Choice:
    allowed = None if draw.mask is None else unpacked(draw.mask, row.size)
    token = choose(row, draw.sampling, draw.position, draw.history, draw.suppressed, allowed)
    if draw.top_logprobs is None:
        return Choice(token)
    return Choice(token, *log_probabilities(row, token, draw.top_logprobs))


def unpacked(mask: Bitmask, vocabulary: int) -> Allowed:
    """[vocabulary] truth values of a bit mask."""
    bits = np.unpackbits(mask, count=min(vocabulary, mask.size * 8), bitorder="little").view(np.bool_)
    if bits.size < vocabulary:
        bits = np.concatenate((bits, np.zeros(vocabulary - bits.size, dtype=np.bool_)))
    return bits
