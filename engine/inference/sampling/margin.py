"""By how much a token misses being the one that ``gumbel-1`` draws: what a verifier measures. Pure.

The margin of a token is 0 where the reference draws the same one. Otherwise it says how much the model's logits would
have to be wrong for it: the best candidate's score plus noise, less the token's own, times the temperature. A token
that top-k, top-p or min-p leave out needs at least its distance to the lowest candidate. (``token-difr`` of Karvonen
et al. 2025, arXiv 2511.20621, whose margin is in units of the scores and is largest for everything outside the
candidates: a token at their edge, where honest noise decides, would look like the worst cheat.)
"""

from __future__ import annotations

import numpy as np

from engine.inference.sampling.batch import Draw, choose_batch, unpacked
from engine.inference.sampling.gumbel import (
    Ids,
    Scores,
    candidates,
    check_numbers,
    edited,
    gumbel,
    is_greedy,
    nothing_left,
    suppress,
)
from engine.inference.sampling.row import Values
from engine.wire.answer import Sampling

LARGEST = 20.0
"""What lies further away is as far away as anything."""


def margin(draw: Draw, logits: Values, token: int) -> float | None:
    """How far ``token`` is from being drawn, in units of the logits, 0 to ``LARGEST``; None where the settings forbid
    it (the constraint, or the end of the turn before ``min_tokens``).

    ``logits``: [vocabulary] of the model. :class:`InferenceError` when they are not numbers, or nothing may be drawn.
    """
    (choice,) = choose_batch([draw], logits[None])
    if isinstance(choice, Exception):
        raise choice
    if choice.token == token:
        return 0.0
    if _only_temperature(draw):
        return _from_two(draw, logits, choice.token, token)
    return _from_all(draw, logits, token)


def _only_temperature(draw: Draw) -> bool:
    """Whether every token is a candidate."""
    sampling = draw.sampling
    everything = not sampling.top_k and sampling.top_p >= 1 and sampling.min_p == 0
    return everything and draw.mask is None and not draw.suppressed


def _from_two(draw: Draw, logits: Values, winner: int, token: int) -> float:
    """The margin where ``winner`` is drawn and both are candidates."""
    sampling, ids = draw.sampling, np.array([winner, token], dtype=np.int64)
    scores = logits[ids].astype(np.float64)
    changed, values = edited(logits, sampling, draw.history)
    for place, one in enumerate(ids):
        found = np.flatnonzero(changed == one)
        if found.size:
            scores[place] = values[found[0]]
    # Where the highest score simply wins it is the winner's.
    if not is_greedy(float(scores[0]), sampling.temperature):
        scores += sampling.temperature * gumbel(sampling.seed, draw.position, ids)
    return _bounded(float(scores[0] - scores[1]))


def _from_all(draw: Draw, logits: Values, token: int) -> float | None:
    """The margin by the steps of docs/sampling.md, one by one."""
    sampling = draw.sampling
    check_numbers(float(logits.max()) if logits.size else -np.inf)
    scores = np.array(logits, dtype=np.float64)
    ids, values = edited(logits, sampling, draw.history)
    scores[ids] = values
    if draw.mask is not None:
        scores[~unpacked(draw.mask, logits.size)] = -np.inf
    suppress(scores, draw.suppressed)
    best = float(scores.max())
    if best == -np.inf:
        raise nothing_left()
    if scores[token] == -np.inf:
        return LARGEST if logits[token] == -np.inf else None
    if is_greedy(best, sampling.temperature):
        return _bounded(best - float(scores[token]))
    with np.errstate(over="ignore"):
        scores /= sampling.temperature
    return _bounded(sampling.temperature * _gap(scores, candidates(scores, sampling), sampling, draw.position, token))


def _gap(scores: Scores, places: Ids, sampling: Sampling, position: int, token: int) -> float:
    best = float((scores[places] + gumbel(sampling.seed, position, places)).max())
    own = float(scores[token] + gumbel(sampling.seed, position, np.array([token], dtype=np.int64))[0])
    place = int(np.searchsorted(places, token))
    if place < places.size and places[place] == token:
        return best - own
    return max(best - own, float(scores[places].min() - scores[token]))


def _bounded(value: float) -> float:
    return min(LARGEST, max(0.0, value))
