"""By how much a token is, or misses being, the one that ``gumbel-1`` draws: what a verifier measures. Pure.

``margin_rows`` finds the same for many tokens at once where every token is a candidate.

The margin of a token is the best other candidate's score plus noise, less its own, times the temperature: how much the
model's logits would have to change for the draw to change. Below 0 the token is the one that is drawn, and the number
says how safely; above 0 another one is. A token that top-k, top-p or min-p leave out needs at least its distance to the
lowest candidate.

``token-difr`` of Karvonen et al. 2025 (arXiv 2511.20621) is this where it is above 0 and 0 elsewhere, in units of the
scores, and largest for everything outside the candidates. Its sign tells more: a token that would have been lost by the
slightest change and was not is a sign of honesty, one that was certain is a sign of nothing.
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
from engine.inference.sampling.margin_rows import LARGEST
from engine.inference.sampling.row import Values
from engine.wire.answer import Sampling

LEADERS = 1024
"""So many of the highest scores hold all candidates of nearly every draw with top-k or top-p."""
LEAST_TEMPERATURE = 1e-200
"""Any logit can be divided by this one and stays finite."""


def margin(draw: Draw, logits: Values, token: int) -> float | None:
    """The margin of ``token`` in units of the logits, -``LARGEST`` to ``LARGEST``; None where the settings forbid it
    (the constraint, or the end of the turn before ``min_tokens``).

    ``logits``: [vocabulary] of the model. :class:`InferenceError` when they are not numbers, or nothing may be drawn.
    """
    if _only_temperature(draw) and logits.size > LEADERS:
        return _among_everything(draw, logits, token)
    sampling = draw.sampling
    scores, best = _scores(draw, logits)
    if scores[token] == -np.inf:
        return LARGEST if logits[token] == -np.inf else None
    if is_greedy(best, sampling.temperature):
        own = float(scores[token])
        scores[token] = -np.inf
        return _bounded(float(scores.max()) - own)
    with np.errstate(over="ignore"):  # those far below become -inf, which is no candidate
        scores /= sampling.temperature
    return _bounded(sampling.temperature * _gap(scores, _candidates(scores, sampling), sampling, draw.position, token))


def _scores(draw: Draw, logits: Values) -> tuple[Scores, float]:
    """Steps 1 to 3 of docs/sampling.md, and the highest score."""
    check_numbers(float(logits.max()) if logits.size else -np.inf)
    scores = np.array(logits, dtype=np.float64)
    ids, values = edited(logits, draw.sampling, draw.history)
    scores[ids] = values
    if draw.mask is not None:
        scores[~unpacked(draw.mask, logits.size)] = -np.inf
    suppress(scores, draw.suppressed)
    best = float(scores.max())
    if best == -np.inf:
        raise nothing_left()
    return scores, best


def _gap(scores: Scores, places: Ids, sampling: Sampling, position: int, token: int) -> float:
    """The best other candidate's sum less the token's own; at least what the token lacks to be a candidate."""
    own = float(scores[token] + gumbel(sampling.seed, position, np.array([token], dtype=np.int64))[0])
    others = places[places != token]
    best = float((scores[others] + gumbel(sampling.seed, position, others)).max(initial=-np.inf))
    if others.size < places.size:
        return best - own
    return max(best - own, float(scores[places].min() - scores[token]))


def _candidates(scores: Scores, sampling: Sampling) -> Ids:
    """What ``gumbel.candidates`` gives; from the highest scores alone where these are certain to hold all."""
    if scores.size <= 2 * LEADERS or (sampling.top_p >= 1 and not 0 < sampling.top_k <= LEADERS):
        return candidates(scores, sampling)
    leaders = np.sort(np.argpartition(scores, scores.size - LEADERS)[-LEADERS:])
    lead = scores[leaders]
    if not 0 < sampling.top_k < LEADERS:
        best = float(lead.max())
        inside = np.exp(lead - best).sum()
        everything = np.exp(scores - best).sum()
        # The lowest leader has to lie clearly outside of the nucleus.
        if sampling.top_k or inside - np.exp(lead.min() - best) <= sampling.top_p * everything * (1 + 1e-9):
            return candidates(scores, sampling)
        sampling = _with_top_p(sampling, sampling.top_p * float(everything / inside))
    elif np.count_nonzero(scores == lead.min()) > 1:  # ties at the border are broken by the ids of all
        return candidates(scores, sampling)
    return leaders[candidates(lead, sampling)]


def _with_top_p(sampling: Sampling, top_p: float) -> Sampling:
    return Sampling(sampling.seed, top_p=min(1.0, top_p), min_p=sampling.min_p)


# ------------------------------------------------------------------------------------------------ the common case


def _only_temperature(draw: Draw) -> bool:
    """Whether every token is a candidate: none is cut off, also not by a temperature that leaves of it no number."""
    sampling = draw.sampling
    everything = not sampling.top_k and sampling.top_p >= 1 and sampling.min_p == 0
    everything = everything and not 0 < sampling.temperature < LEAST_TEMPERATURE
    return everything and draw.mask is None and not draw.suppressed


def _among_everything(draw: Draw, logits: Values, token: int) -> float:
    """The margin where every token is a candidate: two of them decide, and the draw without one finds the other."""
    sampling = draw.sampling
    winner = _drawn(draw, logits)
    second = winner
    if winner == token:
        draw = Draw(sampling, draw.position, draw.history, (token,))
        second = _drawn(draw, logits)
    ids = np.array([second, token], dtype=np.int64)
    scores = logits[ids].astype(np.float64)
    changed, values = edited(logits, sampling, draw.history)
    for place, one in enumerate(ids):
        found = np.flatnonzero(changed == one)
        if found.size:
            scores[place] = values[found[0]]
    # Where the highest score simply wins it is the winner's.
    if not is_greedy(float(scores[0 if winner != token else 1]), sampling.temperature):
        scores += sampling.temperature * gumbel(sampling.seed, draw.position, ids)
    if second == token:
        return -LARGEST  # there is no other
    return _bounded(float(scores[0] - scores[1]))


def _drawn(draw: Draw, logits: Values) -> int:
    (choice,) = choose_batch([draw], logits[None])
    if isinstance(choice, Exception):
        raise choice
    return choice.token


def _bounded(value: float) -> float:
    return min(LARGEST, max(-LARGEST, value))
