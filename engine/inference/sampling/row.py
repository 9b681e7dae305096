"""One row of a step, prepared so that few of its tokens have to be looked at. Pure.

Penalties, bias and suppression change single tokens; a constraint may exclude most. A :class:`Row` keeps the changed
ones apart in float64 and everything else as the float32 values that came from the model, in which a hundred thousand
tokens are searched in microseconds. A :class:`Leaders` is the part of a row that can matter: every token above a
border, so that what is proved about the border holds for all tokens below it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.inference.sampling.gumbel import Allowed, Ids, Scores, edited, nothing_left
from engine.inference.sampling.history import TokenHistory
from engine.wire.answer import Sampling

Values = NDArray[np.float32]

_SAMPLE = 2048  # values looked at to guess a border
_SHARE = 1 / 100  # of the vocabulary that should lie above it
_LARGEST = float(np.finfo(np.float32).max)
_FAR = 12.0  # this far below the best, in units of the temperature, a token needs more luck than most draws hold


@dataclass(slots=True)
class Row:
    """``values``: [vocabulary] logits, -inf for tokens that are changed or not allowed; ``ids`` and ``logits``: the
    changed tokens, in no order, and their logits; ``best``: the highest logit of all, finite; ``plain``: nothing is
    changed or excluded."""

    values: Values
    ids: Ids
    logits: Scores
    best: float
    plain: bool = False


@dataclass(slots=True)
class Leaders:
    """``ids`` (rising) and ``scores`` (divided by the temperature): every token before the border, perhaps some after
    it. Of the other tokens none comes before (``border``, ``border_id``) in the order of falling score, then rising
    id. ``border`` -inf: there are no others."""

    ids: Ids
    scores: Scores
    border: float
    border_id: int

    def hold(self, count: int) -> bool:
        """Whether the ``count`` tokens that come first are certainly among them."""
        if self.border == -np.inf:
            return True
        certain = (self.scores > self.border) | ((self.scores == self.border) & (self.ids <= self.border_id))
        return int(np.count_nonzero(certain)) >= count


def prepare(
    logits: Values,
    peak: int,
    sampling: Sampling,
    history: TokenHistory,
    suppressed: Ids,
    allowed: Allowed | None,
) -> Row:
    """Steps 2 and 3 of docs/sampling.md. ``peak``: where ``logits`` are highest; ``suppressed``: ids of the vocabulary.

    Raises :class:`InferenceError` when nothing may be drawn.
    """
    ids, changed = edited(logits, sampling, history)
    if suppressed.size:
        row = _assemble(logits, peak, *_without(ids, changed, suppressed), allowed)
        if row.best > -np.inf:
            return row
    row = _assemble(logits, peak, ids, changed, allowed)
    if row.best == -np.inf:
        raise nothing_left()
    return row


def _without(ids: Ids, changed: Scores, suppressed: Ids) -> tuple[Ids, Scores]:
    kept = ~np.isin(ids, suppressed)
    return np.concatenate((ids[kept], suppressed)), np.concatenate((changed[kept], np.full(suppressed.size, -np.inf)))


def _assemble(logits: Values, peak: int, ids: Ids, changed: Scores, allowed: Allowed | None) -> Row:
    if allowed is not None:
        values = np.where(allowed, logits, np.float32(-np.inf))
        changed = np.where(allowed[ids], changed, -np.inf)
    elif ids.size:
        values = logits.copy()
    else:
        return Row(logits, ids, changed, float(logits[peak]), plain=True)
    values[ids] = -np.inf
    best = max(float(values.max()), float(changed.max(initial=-np.inf)))
    return Row(values, ids, changed, best)


def highest(row: Row) -> int:
    """The token with the highest logit; of equal ones the lowest id."""
    plain = int(row.values.argmax())
    equal = row.ids[row.logits == row.best]
    if float(row.values[plain]) < row.best:
        return int(equal.min())
    return min(plain, int(equal.min(initial=plain)))


def leaders_above(row: Row, temperature: float, count: int) -> Leaders:
    """About ``count`` leaders or one in a hundred tokens, whichever is more, found by guessing a border."""
    border = _guess(row, count)
    near = np.flatnonzero(row.values > border)
    return _leaders(row, temperature, near, float(border), -1)


def leaders_near(row: Row, temperature: float) -> Leaders:
    """The leaders of a draw from the whole vocabulary: one in a hundred tokens, or fewer where most are far below."""
    # One step down: rounding to float32 must not put the border above the best.
    far = np.nextafter(np.float32(min(row.best, _LARGEST) - _FAR * temperature), np.float32(-np.inf))
    border = max(_guess(row, 0), far)
    near = np.flatnonzero(row.values > border)
    return _leaders(row, temperature, near, float(border), -1)


def leaders_listed(row: Row, temperature: float, values: Values, ids: Ids) -> Leaders:
    """The leaders out of a list of the model's highest logits, falling, equal ones by rising id."""
    near = np.sort(ids)
    near = near[row.values[near] > -np.inf]  # without those that are changed or not allowed
    if ids.size >= row.values.size:
        return _leaders(row, temperature, near, -np.inf, -1)
    return _leaders(row, temperature, near, float(values[-1]), int(ids[-1]))


def first_listed(sampling: Sampling, values: Values, ids: Ids) -> Leaders:
    """The ``top_k`` first of such a list, where nothing is changed or excluded."""
    ids = ids[: sampling.top_k]
    order = ids.argsort()
    with np.errstate(over="ignore"):
        scores = values[: sampling.top_k].astype(np.float64) / sampling.temperature
    return Leaders(ids[order], scores[order], -np.inf, -1)


def _guess(row: Row, count: int) -> np.float32:
    """A logit above which about ``count`` tokens lie, at least one in a hundred of those that are candidates."""
    sample = row.values[:: max(1, row.values.size // _SAMPLE)]
    place = max(int(sample.size * _SHARE), int(count * sample.size / row.values.size) + 8)
    if place >= sample.size:
        return np.float32(-np.inf)
    return np.float32(np.partition(sample, sample.size - place)[sample.size - place])


def _leaders(row: Row, temperature: float, near: Ids, border: float, border_id: int) -> Leaders:
    with np.errstate(over="ignore"):  # those far below become -inf, which is no candidate
        scores = row.values[near].astype(np.float64) / temperature
        low = float(np.float64(border) / temperature)
        if not row.ids.size:
            return Leaders(near, scores, low, border_id)
        changed = row.logits / temperature
    kept = (changed >= low) & (changed > -np.inf)
    ids = np.concatenate((near, row.ids[kept]))
    order = np.argsort(ids)
    return Leaders(ids[order], np.concatenate((scores, changed[kept]))[order], low, border_id)
