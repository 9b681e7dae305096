"""How well two kinds of answers are told apart: area under the ROC curve with its lower bound, and detection against
tokens seen. Pure; from recorded margins, so that it is quick and gives the same every time.

A sample is a run of so many tokens, which may span answers; its statistic is the sum of its tokens' likelihoods,
without the bound that one answer's score has.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from msgspec import Struct

from engine.verification.reputation.page import PageRule
from engine.verification.scoring.calibration import Calibration, likelihoods
from engine.verification.scoring.cells import cell_of

MILLION = 1_000_000
_NORMAL = 1.959964
"""Two-sided 95 %."""
_REPEATS = 1_000


class Separation(Struct, frozen=True):
    """``auc``: how often a cheat's sample looks worse than an honest one (ties count half), with the lower ends of its
    95 % intervals by DeLong et al. 1988 and by bootstrap over samples. Where no sample of one kind lies among the other
    both intervals have no width; ``gap`` is then the distance between them in thousandths of a natural logarithm (below
    0: they overlap)."""

    honest: int
    cheat: int
    auc: float
    auc_low95: float
    auc_low95_bootstrap: float
    gap: int


def token_likelihoods(margins: Iterable[int], calibration: Calibration) -> list[int]:
    """The likelihood (millionths) of each token, from its margin in millionths."""
    steps = likelihoods(calibration)
    return [steps[cell_of(margin / MILLION, calibration.bounds)] for margin in margins]


def samples(answers: Iterable[Sequence[int]], size: int) -> list[list[int]]:
    """The answers' tokens, one answer behind the other, cut into runs of ``size``; what is left over is dropped."""
    tokens = [token for answer in answers for token in answer]
    return [tokens[begin : begin + size] for begin in range(0, len(tokens) - size + 1, size)]


def separation(honest: Sequence[int], cheat: Sequence[int], seed: int = 1) -> Separation:
    """Of statistics (thousandths); larger ones speak against their makers."""
    auc, deviation = _de_long(honest, cheat)
    return Separation(
        len(honest),
        len(cheat),
        auc,
        max(0.0, auc - _NORMAL * deviation),
        _bootstrap(honest, cheat, random.Random(seed)),
        min(cheat) - max(honest),
    )


def _de_long(honest: Sequence[int], cheat: Sequence[int]) -> tuple[float, float]:
    """The area and its standard deviation, from mid-ranks (Sun and Xu 2014)."""
    m, n = len(cheat), len(honest)
    together = mid_ranks([*cheat, *honest])
    above = [(rank - own) / n for rank, own in zip(together[:m], mid_ranks(cheat), strict=True)]
    below = [1 - (rank - own) / m for rank, own in zip(together[m:], mid_ranks(honest), strict=True)]
    return sum(above) / m, math.sqrt(_variance(above) / m + _variance(below) / n)


def mid_ranks(values: Sequence[int]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    begin = 0
    while begin < len(order):
        end = begin
        while end < len(order) and values[order[end]] == values[order[begin]]:
            end += 1
        for place in order[begin:end]:
            ranks[place] = (begin + end + 1) / 2
        begin = end
    return ranks


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)


def _bootstrap(honest: Sequence[int], cheat: Sequence[int], dice: random.Random) -> float:
    """The 2.5th percentile of the area over resampled samples. Only those that meet the other kind change it."""
    if min(cheat) > max(honest):
        return 1.0
    areas = sorted(area(_again(honest, dice), _again(cheat, dice)) for _ in range(_REPEATS))
    return areas[int(_REPEATS * 0.025)]


def _again(values: Sequence[int], dice: random.Random) -> list[int]:
    return dice.choices(values, k=len(values))


def area(honest: Sequence[float], cheat: Sequence[float]) -> float:
    """How often a value of ``cheat`` is the larger one of a pair; ties count half."""
    ordered = sorted(honest)
    below = equal = wins = 0
    for value in sorted(cheat):
        while below < len(ordered) and ordered[below] < value:
            below += 1
        equal = max(equal, below)
        while equal < len(ordered) and ordered[equal] == value:
            equal += 1
        wins += below + equal
    return wins / (2 * len(honest) * len(cheat))


def detected(
    honest: Sequence[Sequence[int]], cheat: Sequence[Sequence[int]], tokens: Sequence[int], false_alarms: float = 0.01
) -> dict[int, float]:
    """The share of the cheat's samples that are worse than all but ``false_alarms`` of the honest ones, after so many
    tokens of them. Samples are token likelihoods (millionths)."""
    found = {}
    for count in tokens:
        fair = sorted(sum(sample[:count]) for sample in honest)
        border = fair[min(len(fair) - 1, math.ceil(len(fair) * (1 - false_alarms)) - 1)]
        found[count] = sum(sum(sample[:count]) > border for sample in cheat) / len(cheat)
    return found


def tokens_until_excluded(stream: Sequence[int], limit: int = PageRule().limit) -> Iterator[int]:
    """How many tokens (likelihoods in millionths) it takes Page's sum to reach ``limit`` (thousandths), again and again
    through a stream; each time from zero. Here tokens count one by one, not answer by answer."""
    suspicion = count = 0
    for value in stream:
        count += 1
        suspicion = max(0, suspicion + value)
        if suspicion >= limit * 1000:
            yield count
            suspicion = count = 0


def running_sums(sample: Sequence[int]) -> list[int]:
    """The statistic after each token."""
    return list(accumulate(sample))
