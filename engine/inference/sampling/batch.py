"""The next tokens of a whole step: exactly what ``gumbel.choose`` gives row by row. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError
from engine.inference.sampling.gumbel import (
    Allowed,
    Ids,
    candidates,
    check_numbers,
    choose,
    drawn,
    edited,
    gumbel,
    is_greedy,
    nothing_left,
    suppress,
)
from engine.inference.sampling.history import TokenHistory
from engine.inference.sampling.listed import Wish, draw_listed, is_only_top_k
from engine.inference.sampling.log_probabilities import log_probabilities
from engine.inference.sampling.row import (
    Leaders,
    Row,
    Values,
    first_listed,
    highest,
    leaders_above,
    leaders_listed,
    leaders_near,
    prepare,
)
from engine.inference.sampling.winner import Contest
from engine.wire.answer import Sampling

MAX_TOP_K = 1024
"""Longest list of highest logits that is asked of the runtime."""
SMALL = 4096
"""Vocabularies up to here are searched whole: that is as fast."""
_NO_IDS: Ids = np.empty(0, dtype=np.int64)

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
    return max((_wanted(draw) for draw in draws), default=0)


def _wanted(draw: Draw) -> int:
    sampling = draw.sampling
    count = draw.top_logprobs or 0
    if sampling.temperature > 0 and 0 < sampling.top_k <= MAX_TOP_K:
        # Tokens that penalties or a constraint push out of the list have to be made up for.
        changing = draw.mask is not None or sampling.logit_bias or _penalties(sampling)
        count = max(count, sampling.top_k + min(len(draw.suppressed), 64) + (64 if changing else 0))
    return count


def _penalties(sampling: Sampling) -> bool:
    return sampling.repetition_penalty != 1 or sampling.presence_penalty != 0 or sampling.frequency_penalty != 0


def choose_batch(
    draws: Sequence[Draw],
    logits: Values,
    top_values: Values | None = None,
    top_ids: Ids | None = None,
) -> list[Choice | InferenceError]:
    """The choice of every row, or the error that ends its answer; other rows are not touched by it.

    ``logits``: [rows, vocabulary]; ``top_values`` and ``top_ids``: [rows, any], the highest logits of each row,
    falling, equal ones by rising id.
    """
    # NumPy's argmax stops at a value that is not a number, so the peak tells whether there is one.
    peaks: list[int] = (logits.argmax(axis=1) if logits.size else np.zeros(len(draws), dtype=np.int64)).tolist()
    bests = [float(row[peak]) if row.size else -np.inf for row, peak in zip(logits, peaks, strict=True)]
    drawn_already: dict[int, int] = {}
    if top_values is not None and top_ids is not None:
        drawn_already = draw_listed(_listed(draws, bests, top_ids.shape[1]), top_values, top_ids)
    results: list[Choice | InferenceError] = []
    for index, draw in enumerate(draws):
        known = None if top_values is None or top_ids is None else (top_values[index], top_ids[index])
        try:
            check_numbers(bests[index])
            token = drawn_already.get(index)
            if token is None:
                token = _token(draw, logits[index], peaks[index], known)
            results.append(_choice(draw, logits[index], token, known))
        except InferenceError as error:
            results.append(error)
    return results


def _listed(draws: Sequence[Draw], bests: Sequence[float], longest: int) -> list[Wish]:
    """The draws that need nothing but the lists."""
    return [
        Wish(index, draw.sampling, draw.position)
        for index, (draw, best) in enumerate(zip(draws, bests, strict=True))
        if np.isfinite(best)
        and is_only_top_k(draw.sampling, longest)
        and _unchanged(draw)
        and not is_greedy(best, draw.sampling.temperature)
    ]


def _unchanged(draw: Draw) -> bool:
    """Whether the draw is from the model's own values, all of them."""
    return draw.mask is None and not (draw.suppressed or draw.sampling.logit_bias or _penalties(draw.sampling))


def _choice(draw: Draw, logits: Values, token: int, known: tuple[Values, Ids] | None) -> Choice:
    if draw.top_logprobs is None:
        return Choice(token)
    return Choice(token, *log_probabilities(logits, token, draw.top_logprobs, None if known is None else known[1]))


def _token(draw: Draw, logits: Values, peak: int, known: tuple[Values, Ids] | None) -> int:
    sampling = draw.sampling
    if _unchanged(draw) and sampling.temperature == 0:
        return peak
    allowed = None if draw.mask is None else unpacked(draw.mask, logits.size)
    if logits.size <= SMALL:
        return choose(logits, sampling, draw.position, draw.history, draw.suppressed, allowed)
    suppressed = _known_ids(draw.suppressed, logits.size)
    if allowed is not None and np.count_nonzero(allowed) <= SMALL:
        return _among_few(draw, logits, np.flatnonzero(allowed), suppressed)
    row = prepare(logits, peak, sampling, draw.history, suppressed, allowed)
    if is_greedy(row.best, sampling.temperature):
        return peak if row.plain else highest(row)
    if 0 < sampling.top_k < logits.size:
        token = _among_top(draw, row, known)
    else:
        token = Contest(row, leaders_near(row, sampling.temperature), sampling, draw.position).winner()
    if token is None:
        return choose(logits, sampling, draw.position, draw.history, draw.suppressed, allowed)
    return token


def _among_few(draw: Draw, logits: Values, ids: Ids, suppressed: Ids) -> int:
    """The draw where a constraint allows few tokens, ``ids``: the plain way with these alone."""
    if not ids.size:
        raise nothing_left()
    scores = logits[ids].astype(np.float64)
    changed, values = edited(logits, draw.sampling, draw.history)
    places = np.minimum(np.searchsorted(ids, changed), ids.size - 1)
    found = ids[places] == changed
    scores[places[found]] = values[found]
    suppress(scores, np.flatnonzero(np.isin(ids, suppressed)).tolist())
    return drawn(ids, scores, draw.sampling, draw.position)


def _among_top(draw: Draw, row: Row, known: tuple[Values, Ids] | None) -> int | None:
    """The draw with top-k, if the leaders certainly hold all of the ``k``."""
    sampling = draw.sampling
    if known is not None and known[0].size >= sampling.top_k:
        if row.plain:
            return _drawn_from(first_listed(sampling, *known), sampling, draw.position)
        leaders = leaders_listed(row, sampling.temperature, *known)
        if leaders.hold(sampling.top_k):
            return _drawn_from(leaders, sampling, draw.position)
    leaders = leaders_above(row, sampling.temperature, 2 * sampling.top_k)
    return _drawn_from(leaders, sampling, draw.position) if leaders.hold(sampling.top_k) else None


def _drawn_from(leaders: Leaders, sampling: Sampling, position: int) -> int:
    """Steps 5 to 8 among ``leaders``, which hold the ``top_k`` highest."""
    places = candidates(leaders.scores, sampling)
    ids = leaders.ids[places]
    return int(ids[(leaders.scores[places] + gumbel(sampling.seed, position, ids)).argmax()])


def _known_ids(tokens: Collection[int], vocabulary: int) -> Ids:
    if not tokens:
        return _NO_IDS
    ids = np.fromiter(tokens, dtype=np.int64, count=len(tokens))
    return np.unique(ids[(ids >= 0) & (ids < vocabulary)])


def unpacked(mask: Bitmask, vocabulary: int) -> Allowed:
    """[vocabulary] truth values of a bit mask."""
    bits = np.unpackbits(mask, count=min(vocabulary, mask.size * 8), bitorder="little").view(np.bool_)
    if bits.size < vocabulary:
        bits = np.concatenate((bits, np.zeros(vocabulary - bits.size, dtype=np.bool_)))
    return bits
