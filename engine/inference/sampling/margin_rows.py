"""The margins of many tokens of one answer at once, where every token of the vocabulary is a candidate. Pure.

The numbers are those of ``margin.margin``, found as ``winner`` finds a draw: exact sums of the tokens above a border,
then of the few below it whose noise could be large enough, which its upper bits alone tell.
What a verifier reads is mostly drawn so, and rows by themselves cost more than the numbers in them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.inference.sampling.noise import Ids, ceilings, gumbel_of, streams, upper_bits_of
from engine.inference.sampling.row import Values
from engine.wire.answer import Sampling

LARGEST = 20.0
"""What lies further away, on either side, is as far away as anything."""
Margins = NDArray[np.float64]

_AT_ONCE = 1 << 17  # logits looked at together: half a megabyte stays in the second-level cache
_SAMPLE = 256  # values of each row by which its border is guessed
_SHARE = 4  # of these lie above it
_FAR = 12.0  # this far below the best, in units of the temperature, a token needs more luck than most draws hold
_DOUBT = 1e-12  # relative; far above the rounding of a few sums


def takes_everything(sampling: Sampling) -> bool:
    """Whether these settings keep every token, change none, and do draw."""
    kept = not sampling.top_k and sampling.top_p >= 1 and sampling.min_p == 0
    changed = sampling.presence_penalty or sampling.frequency_penalty or sampling.logit_bias
    return kept and not changed and sampling.repetition_penalty == 1 and sampling.temperature > 0


def can_divide(logits: Values, temperature: float) -> bool:
    """Whether all rows' highest logits are numbers, also divided by the temperature."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(logits.max(axis=1).astype(np.float64) / temperature).all())


def margins(
    sampling: Sampling, position: int, logits: Values, tokens: Sequence[int], suppressed: Collection[int] = ()
) -> Margins:
    """Of each of ``tokens``, the first of which stands at ``position`` of the answer, the others behind it.

    ``logits``: [tokens, vocabulary] of the model, of which :func:`can_divide` is true; ``sampling`` is such that
    :func:`takes_everything`; ``suppressed``: ids that may not be drawn at these places, none of ``tokens``.
    """
    size = logits.shape[1]
    hidden = np.array(sorted(one for one in suppressed if 0 <= one < size), dtype=np.int64)
    chosen = np.array(tokens, dtype=np.int64)
    found = np.empty(len(logits))
    step = max(1, _AT_ONCE // size)
    for begin in range(0, len(logits), step):
        part = slice(begin, begin + step)
        block = _Block(sampling, position + begin, logits[part], chosen[part], hidden)
        found[part] = block.margins()
    return found


class _Block:
    """Some rows. ``chosen``: the token of each; ``hidden``: ids that no row may draw."""

    def __init__(self, sampling: Sampling, position: int, logits: Values, chosen: Ids, hidden: Ids) -> None:
        self._temperature = sampling.temperature
        self._logits, self._chosen, self._hidden = logits, chosen, hidden
        self._rows = np.arange(len(logits))
        self._starts = [streams(sampling.seed, one) for one in range(position, position + len(logits))]

    def margins(self) -> Margins:
        """[rows]."""
        border = self._border()
        best = self._best_of(self._logits > border[:, None])
        best = np.maximum(best, self._best_of(self._lucky(border, best)))
        own = self._sums(self._rows, self._chosen)
        with np.errstate(invalid="ignore"):  # neither can be drawn
            found = np.clip(self._temperature * (best - own), -LARGEST, LARGEST)
        return np.where(own == -np.inf, LARGEST, found)

    def _border(self) -> Values:
        """[rows] logits above which few tokens lie. Whatever it is, the result is the same."""
        logits = self._logits
        sample = logits[:, :: max(1, logits.shape[1] // _SAMPLE)]
        place = max(0, sample.shape[1] - _SHARE)
        guess = np.partition(sample, place, axis=1)[:, place]
        with np.errstate(over="ignore"):
            far = logits.max(axis=1) - np.float32(_FAR * self._temperature)
        border: Values = np.maximum(guess, np.nextafter(far, np.float32(-np.inf)))
        return border

    def _lucky(self, border: Values, best: Margins) -> NDArray[np.bool_]:
        """[rows, vocabulary] tokens whose noise may lift them from the border above ``best``."""
        uppers = upper_bits_of([one.upper for one in self._starts], self._logits.shape[1])
        with np.errstate(invalid="ignore"):  # no border and no best: any noise will do
            missing = best - border / np.float64(self._temperature)
        missing -= _DOUBT * np.abs(np.where(np.isfinite(best), best, 0.0))
        least = np.searchsorted(ceilings(), np.where(np.isnan(missing), -np.inf, missing))
        lucky: NDArray[np.bool_] = uppers >= np.minimum(least, ceilings().size - 1).astype(np.uint16)[:, None]
        lucky[least >= ceilings().size] = False
        return lucky

    def _best_of(self, chosen: NDArray[np.bool_]) -> Margins:
        """[rows] the highest sums of these tokens, the rows' own left out; -inf where there are none."""
        chosen[self._rows, self._chosen] = False
        chosen[:, self._hidden] = False
        rows, ids = np.divmod(np.flatnonzero(chosen), chosen.shape[1])
        best = np.full(len(self._logits), -np.inf)
        np.maximum.at(best, rows, self._sums(rows, ids))
        return best

    def _sums(self, rows: Ids, ids: Ids) -> Margins:
        """Score and noise of token ``ids[k]`` in row ``rows[k]``."""
        with np.errstate(over="ignore"):  # those far below become -inf, which is no candidate
            scores = self._logits[rows, ids].astype(np.float64) / self._temperature
        sums: Margins = scores + gumbel_of(self._starts, rows, ids)
        return sums
