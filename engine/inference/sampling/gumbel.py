"""Canonical sampling ``gumbel-1``: which token comes next, reproducible by anybody who knows the seed. Pure.

docs/sampling.md is the specification of every step below; golden vectors stand in
tests/vectors/sampling_gumbel_1.json. This is the plain way, over the whole vocabulary; ``batch`` finds the same token
faster.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError
from engine.inference.sampling.history import Counts, TokenHistory
from engine.inference.sampling.noise import Ids, gumbel
from engine.wire.answer import Sampling

__all__ = ["NAME", "Allowed", "Ids", "Logits", "TokenHistory", "candidates", "choose", "gumbel"]

NAME = "gumbel-1"
"""The sampler's name in receipts and descriptors."""

Logits = NDArray[np.float32] | NDArray[np.float64]
Allowed = NDArray[np.bool_]
Scores = NDArray[np.float64]


def choose(
    logits: Logits,
    sampling: Sampling,
    position: int,
    history: TokenHistory,
    suppressed: Collection[int] = (),
    allowed: Allowed | None = None,
) -> int:
    """The next token id.

    ``logits``: [vocabulary], as the model gives them; ``position``: index of the token within the answer, from 0;
    ``suppressed``: ids that may not be chosen now (end-of-turn tokens below ``min_tokens``); ``allowed``: [vocabulary]
    what a constraint permits at this place, None without one. Raises :class:`InferenceError` when the logits are not
    numbers or nothing is allowed.
    """
    check_numbers(float(logits.max()) if logits.size else -np.inf)
    scores = np.array(logits, dtype=np.float64)
    ids, values = edited(logits, sampling, history)
    scores[ids] = values
    if allowed is not None:
        scores[~allowed] = -np.inf
    suppress(scores, suppressed)
    return drawn(np.arange(scores.size, dtype=np.int64), scores, sampling, position)


def drawn(ids: Ids, scores: Scores, sampling: Sampling, position: int) -> int:
    """Steps 4 to 8 for ``ids`` (rising), the only ones that may be drawn; ``scores`` is used up."""
    best = float(scores.max())
    if best == -np.inf:
        raise nothing_left()
    if is_greedy(best, sampling.temperature):
        return int(ids[scores.argmax()])
    with np.errstate(over="ignore"):  # those far below become -inf, which is no candidate
        scores /= sampling.temperature
    places = candidates(scores, sampling)
    return int(ids[places[(scores[places] + gumbel(sampling.seed, position, ids[places])).argmax()]])


def check_numbers(highest: float) -> None:
    """Refuse logits whose maximum is not a finite number (step 1); NumPy's maximum is NaN if any value is."""
    if not np.isfinite(highest):
        raise InferenceError(
            "The model computed values that are not numbers, so no token can be chosen. The model's files are damaged "
            "or do not fit this processor: verify the download, or choose another variant of the model."
        )


def nothing_left() -> InferenceError:
    """No token may be chosen (step 3)."""
    return InferenceError(
        "No token is left that may be chosen: what the answer must look like (response_format or a grammar) permits "
        "nothing at this place that the model can say. Loosen the constraint, or use another model."
    )


def is_greedy(best: float, temperature: float) -> bool:
    """Whether the highest score simply wins (step 4). A request may name any temperature: one so small that the
    division overflows means what 0 means."""
    if temperature == 0:
        return True
    with np.errstate(over="ignore"):
        return not np.isfinite(np.float64(best) / temperature)


def edited(logits: Logits, sampling: Sampling, history: TokenHistory) -> tuple[Ids, Scores]:
    """The distinct ids that penalties and bias touch, and their logits afterwards in float64 (step 2)."""
    ids, counts = _penalised(sampling, history)
    known = ids < logits.size
    if not known.all():
        ids, counts = ids[known], counts[known]
    if sampling.logit_bias:
        ids, counts, bias = _with_bias(ids, counts, sampling.logit_bias, logits.size)
    values = logits[ids].astype(np.float64)
    if sampling.repetition_penalty != 1:
        penalty, seen = sampling.repetition_penalty, counts >= 0
        values = np.where(seen, np.where(values > 0, values / penalty, values * penalty), values)
    if sampling.presence_penalty or sampling.frequency_penalty:
        values -= np.where(counts > 0, sampling.presence_penalty + sampling.frequency_penalty * counts, 0.0)
    if sampling.logit_bias:
        values += bias
    return ids, values


def _penalised(sampling: Sampling, history: TokenHistory) -> tuple[Ids, Counts]:
    if sampling.repetition_penalty != 1:
        return history.seen()
    if sampling.presence_penalty or sampling.frequency_penalty:
        return history.answered()
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)


def _with_bias(
    ids: Ids, counts: Counts, pairs: Sequence[tuple[int, float]], vocabulary: int
) -> tuple[Ids, Counts, Scores]:
    """Ids and counts with those of the bias added (count -1: not penalised), and the bias of each id."""
    total: dict[int, float] = {}
    for token, bias in pairs:
        if token < vocabulary:
            total[token] = total.get(token, 0.0) + bias
    biased = np.fromiter(total, dtype=np.int64, count=len(total))
    others = biased[~np.isin(biased, ids)]
    ids = np.concatenate((ids, others))
    counts = np.concatenate((counts, np.full(others.size, -1.0)))
    order = np.argsort(ids)
    added = np.zeros(ids.size)
    added[order[np.searchsorted(ids, biased, sorter=order)]] = np.fromiter(total.values(), dtype=np.float64)
    return ids, counts, added


def suppress(scores: Scores, suppressed: Collection[int]) -> None:
    """Take ``suppressed`` ids out of ``scores``, unless nothing would be left (step 3)."""
    known = np.fromiter((token for token in suppressed if 0 <= token < scores.size), dtype=np.int64)
    kept = scores[known]
    scores[known] = -np.inf
    if known.size and scores.max() == -np.inf:
        scores[known] = kept


def candidates(scores: Scores, sampling: Sampling) -> Ids:
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


def _highest(scores: Scores, ids: Ids, count: int) -> Ids:
    """The ``count`` ids with the highest scores; of equal ones the lower ids. ``ids`` ascending."""
    values = scores[ids]
    border = np.partition(values, values.size - count)[values.size - count]
    above = ids[values > border]
    equal = ids[values == border][: count - above.size]
    return np.sort(np.concatenate((above, equal)))


def _nucleus(scores: Scores, ids: Ids, share: float) -> Ids:
    """The shortest run of most probable ids that holds ``share`` of the probability; at least one."""
    ordered = ids[np.argsort(-scores[ids], kind="stable")]
    sums = np.cumsum(np.exp(scores[ordered] - scores[ordered[0]]))
    count = int(np.searchsorted(sums, share * sums[-1], side="left")) + 1
    return ordered[:count]
