"""The winner of a draw from a whole vocabulary, without noise for every token. Pure.

A token wins with score + noise. For each token two things are cheap to know: whether its score lies above a border
(the leaders' scores are known exactly), and the upper 16 bits of its noise, which bound the noise. Once some token's
sum is known, a token below the border can only win with noise above (sum - border): a handful, of which the sums are
then made exactly. Top-p is tested on the winner alone: it only has to be known how much probability comes before it.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from engine.inference.sampling.gumbel import Ids, Scores, gumbel
from engine.inference.sampling.noise import Uppers, ceilings, upper_bits
from engine.inference.sampling.row import Leaders, Row
from engine.wire.answer import Sampling

_FEW = 256  # so many noises are made sooner than bounds of all
_DOUBT = 1e-9  # relative; sums of 2^20 numbers, in whatever order, differ by less than 1e-9
_CHUNK = 16_384

Place = tuple[float, int]
"""Score and id: the order of falling score, then rising id."""


class Contest:
    """One draw from ``row``, whose ``leaders`` lie above a border."""

    def __init__(self, row: Row, leaders: Leaders, sampling: Sampling, position: int) -> None:
        self._row = row
        self._leaders = leaders
        self._sampling = sampling
        self._position = position
        self._uppers: Uppers | None = None
        self._best = row.best / sampling.temperature
        self._floor = self._best + float(np.log(sampling.min_p)) if sampling.min_p > 0 else -np.inf
        with np.errstate(over="ignore"):  # those far below become -inf, which is no candidate
            self._changed: Scores = row.logits / sampling.temperature
        self._weights: tuple[Scores, Scores] | None = None

    def winner(self) -> int | None:
        """The token drawn, or None where rounding decides whether top-p keeps it: then the slow way has to say."""
        limit: Place | None = None
        while True:
            token, score = self._strongest(limit)
            if self._sampling.top_p >= 1:
                return token
            inside = self._in_nucleus((score, token))
            if inside is None or inside:
                return token if inside else None
            limit = (score, token)  # everything from this place on is outside the nucleus as well

    # --------------------------------------------------------------------------------------------- the highest sum

    def _strongest(self, limit: Place | None) -> tuple[int, float]:
        """The candidate with the highest score + noise, before ``limit``; and its score."""
        leaders = self._leaders
        ids, scores = self._kept(leaders.ids, leaders.scores, limit)
        token, score, total = self._compare(ids, scores, (-1, -np.inf, -np.inf))
        if self._floor > leaders.border or leaders.border == -np.inf or (limit and limit[0] > leaders.border):
            return token, score
        uppers = self._upper_bits()
        bounds = ceilings()
        least = bisect_left(range(bounds.size), total, key=lambda upper: leaders.border + bounds[upper])
        if least < bounds.size:
            ids, scores = self._kept(*self._lucky(uppers, np.uint16(least)), limit)
            token, score, total = self._compare(ids, scores, (token, score, total))
        return token, score

    def _lucky(self, uppers: Uppers, least: np.uint16) -> tuple[Ids, Scores]:
        """All tokens with upper bits from ``least`` on, and their scores."""
        row = self._row
        plain = np.flatnonzero(uppers >= least)  # changed tokens stand among them with -inf
        with np.errstate(over="ignore"):
            scores = row.values[plain].astype(np.float64) / self._sampling.temperature
        if not row.ids.size:
            return plain, scores
        changed = uppers[row.ids] >= least
        return np.concatenate((plain, row.ids[changed])), np.concatenate((scores, self._changed[changed]))

    def _kept(self, ids: Ids, scores: Scores, limit: Place | None) -> tuple[Ids, Scores]:
        kept = scores >= self._floor if self._sampling.min_p > 0 else scores > -np.inf
        if limit is not None:
            kept &= (scores > limit[0]) | ((scores == limit[0]) & (ids < limit[1]))
        return ids[kept], scores[kept]

    def _compare(self, ids: Ids, scores: Scores, best: tuple[int, float, float]) -> tuple[int, float, float]:
        """Token, score and sum of the strongest of ``best`` and ``ids``; of equal sums the lowest id."""
        if ids.size > _FEW:
            bounds = scores + ceilings()[self._upper_bits()[ids]]
            first = int(bounds.argmax())
            best = self._exact(ids[first : first + 1], scores[first : first + 1], best)
            kept = bounds >= best[2]
            ids, scores = ids[kept], scores[kept]
        return self._exact(ids, scores, best)

    def _exact(self, ids: Ids, scores: Scores, best: tuple[int, float, float]) -> tuple[int, float, float]:
        if not ids.size:
            return best
        sums = scores + gumbel(self._sampling.seed, self._position, ids)
        total = float(sums.max())
        token = int(ids[sums == total].min())
        if total > best[2] or (total == best[2] and token < best[0]):
            return token, float(scores[ids == token][0]), total
        return best

    def _upper_bits(self) -> Uppers:
        if self._uppers is None:
            self._uppers = upper_bits(self._sampling.seed, self._position, self._row.values.size)
        return self._uppers

    # --------------------------------------------------------------------------------------------------- top-p

    def _in_nucleus(self, place: Place) -> bool | None:
        """Whether less than ``top_p`` of the probability comes before ``place``; None if it is too close to say."""
        leaders = self._leaders
        if place[0] > leaders.border:
            shares = np.exp(leaders.scores - self._best)
            before = float(shares[_before(leaders.ids, leaders.scores, place)].sum())
            if _clearly_less(before, self._sampling.top_p * float(shares.sum())):
                return True  # the other tokens can only add to the whole
            everything = sum(float(part.sum()) for part in self._all_weights())
        else:
            plain, changed = self._all_weights()
            before = float(plain[self._plain_before(place)].sum())
            before += float(changed[_before(self._row.ids, self._changed, place)].sum())
            everything = float(plain.sum()) + float(changed.sum())
        wanted = self._sampling.top_p * everything
        if _clearly_less(before, wanted):
            return True
        return False if _clearly_less(wanted, before) else None

    def _plain_before(self, place: Place) -> NDArray[np.bool_]:
        """Which unchanged tokens come before ``place``."""
        values, temperature = self._row.values, self._sampling.temperature
        # Around the place itself the comparison has to be made with exact scores.
        near = np.float32(place[0] * temperature)
        margin = np.float32(max(abs(float(near)) * 1e-6, 1e-30))
        with np.errstate(over="ignore"):
            before = values > near + margin
            close = np.flatnonzero(np.abs(values - near) <= margin)
        before[close] = _before(close, values[close].astype(np.float64) / temperature, place)
        return before

    def _all_weights(self) -> tuple[Scores, Scores]:
        """exp(score - best) of the unchanged tokens, [vocabulary], and of the changed ones."""
        if self._weights is None:
            values, temperature = self._row.values, self._sampling.temperature
            plain = np.empty(values.size)
            with np.errstate(over="ignore"):
                for first in range(0, values.size, _CHUNK):
                    part = plain[first : first + _CHUNK]
                    np.divide(values[first : first + _CHUNK], temperature, out=part, dtype=np.float64)
                    np.subtract(part, self._best, out=part)
                    np.exp(part, out=part)
            self._weights = plain, np.exp(self._changed - self._best)
        return self._weights


def _before(ids: Ids, scores: Scores, place: Place) -> NDArray[np.bool_]:
    before: NDArray[np.bool_] = (scores > place[0]) | ((scores == place[0]) & (ids < place[1]))
    return before


def _clearly_less(one: float, other: float) -> bool:
    return one * (1 + _DOUBT) < other * (1 - _DOUBT)
