"""Canonical sampling ``gumbel-1``: which token comes next, reproducible by anybody who knows the seed. Pure.

docs/sampling.md is the specification of every step below; golden vectors stand in
tests/vectors/sampling_gumbel_1.json.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError
from engine.wire.answer import Sampling

NAME = "gumbel-1"
"""The sampler's name in receipts and descriptors."""

Logits = NDArray[np.float32] | NDArray[np.float64]
Ids = NDArray[np.int64]

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_HALF = 1 << 52
_TOP = (1 << 53) - 1
_SCALE = 2.0**-53


class TokenHistory:
    """What the penalties look at: which ids the prompt holds, and how often the answer holds each."""

    def __init__(self, prompt_ids: Sequence[int], answer_ids: Sequence[int] = ()) -> None:
        self._prompt = frozenset(prompt_ids)
        self._answer: dict[int, int] = {}
        for token in answer_ids:
            self.append(token)

    def append(self, token: int) -> None:
        """Count one more token of the answer."""
        self._answer[token] = self._answer.get(token, 0) + 1

    def seen(self) -> Ids:
        """The distinct ids of prompt and answer."""
        return np.array(sorted(self._prompt | self._answer.keys()), dtype=np.int64)

    def answered(self) -> tuple[Ids, NDArray[np.float64]]:
        """The distinct ids of the answer and how often each stands in it."""
        ids = np.fromiter(self._answer.keys(), dtype=np.int64, count=len(self._answer))
        counts = np.fromiter(self._answer.values(), dtype=np.float64, count=len(self._answer))
        return ids, counts


def choose(
    logits: Logits, sampling: Sampling, position: int, history: TokenHistory, suppressed: Collection[int] = ()
) -> int:
    """The next token id.

    ``logits``: [vocabulary], as the model gives them; ``position``: index of the token within the answer, from 0;
    ``suppressed``: ids that may not be chosen now (end-of-turn tokens below ``min_tokens``). Raises
    :class:`InferenceError` when the logits are not numbers.
    """
    scores = penalised(logits, sampling, history)
    if suppressed:
        known = [token for token in suppressed if 0 <= token < scores.size]
        scores[known] = -np.inf
    best = float(scores.max(initial=-np.inf))
    if not np.isfinite(best) or np.isnan(scores).any():
        raise InferenceError(
            "The model computed values that are not numbers, so no token can be chosen. The model's files are damaged "
            "or do not fit this processor: verify the download, or choose another variant of the model."
        )
    # A request may name any temperature: one so small that the division overflows means what 0 means.
    if sampling.temperature == 0 or not np.isfinite(best / sampling.temperature):
        return int(scores.argmax())
    with np.errstate(over="ignore"):  # those far below become -inf, which is no candidate
        scores /= sampling.temperature
    ids = candidates(scores, sampling)
    return int(ids[(scores[ids] + gumbel(sampling.seed, position, ids)).argmax()])


def penalised(logits: Logits, sampling: Sampling, history: TokenHistory) -> NDArray[np.float64]:
    """A float64 copy of the logits after repetition, presence and frequency penalty (step 2)."""
    scores = np.array(logits, dtype=np.float64)
    if sampling.repetition_penalty != 1:
        seen = history.seen()
        seen = seen[seen < scores.size]
        value = scores[seen]
        scores[seen] = np.where(value > 0, value / sampling.repetition_penalty, value * sampling.repetition_penalty)
    if sampling.presence_penalty or sampling.frequency_penalty:
        ids, counts = history.answered()
        ids, counts = ids[ids < scores.size], counts[ids < scores.size]
        scores[ids] -= sampling.presence_penalty + sampling.frequency_penalty * counts
    return scores


def candidates(scores: NDArray[np.float64], sampling: Sampling) -> Ids:
    """The ids that may be drawn, ascending, after top-k, top-p and min-p (steps 5 to 7).

    ``scores``: [vocabulary] logits already divided by the temperature; -inf is never a candidate.
    """
    ids: Ids = np.flatnonzero(scores > -np.inf).astype(np.int64)
    if 0 < sampling.top_k < ids.size:
        ids = _highest(scores, ids, sampling.top_k)
    if sampling.top_p < 1:
        ids = _nucleus(scores, ids, sampling.top_p)
    if sampling.min_p > 0:
        ids = ids[scores[ids] >= scores[ids].max() + np.log(sampling.min_p)]
    return np.sort(ids)


def _highest(scores: NDArray[np.float64], ids: Ids, count: int) -> Ids:
    """The ``count`` ids with the highest scores; of equal ones the lower ids. ``ids`` ascending."""
    values = scores[ids]
    border = np.partition(values, values.size - count)[values.size - count]
    above = ids[values > border]
    equal = ids[values == border][: count - above.size]
    return np.sort(np.concatenate((above, equal)))


def _nucleus(scores: NDArray[np.float64], ids: Ids, share: float) -> Ids:
    """The shortest run of most probable ids that holds ``share`` of the probability; at least one."""
    ordered = ids[np.argsort(-scores[ids], kind="stable")]
    sums = np.cumsum(np.exp(scores[ordered] - scores[ordered[0]]))
    count = int(np.searchsorted(sums, share * sums[-1], side="left")) + 1
    return ordered[:count]


def gumbel(seed: int, position: int, ids: Ids) -> NDArray[np.float64]:
    """Standard Gumbel noise for token ``ids`` at ``position``; finite for every input (step 8)."""
    start = _mix(_mix((seed + _GAMMA) & _MASK) + (position + 1) * _GAMMA & _MASK)
    with np.errstate(over="ignore"):
        state = np.uint64(start) + (ids.astype(np.uint64) + np.uint64(1)) * np.uint64(_GAMMA)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
        bits = (state ^ (state >> np.uint64(31))) >> np.uint64(11)
    low = bits < _HALF
    # u = (bits + 1/2) / 2^53 needs 54 bits above one half: there ln(u) is taken from 1 - u, which is exact.
    near = np.where(low, bits, _TOP - bits).astype(np.float64)
    part = (near + 0.5) * _SCALE
    exponential = -np.where(low, np.log(part), np.log1p(-part))
    noise: NDArray[np.float64] = -np.log(exponential)
    return noise


def _mix(state: int) -> int:
    """SplitMix64's output function on one 64-bit number."""
    state = (state ^ (state >> 30)) * _FIRST & _MASK
    state = (state ^ (state >> 27)) * _SECOND & _MASK
    return state ^ (state >> 31)
