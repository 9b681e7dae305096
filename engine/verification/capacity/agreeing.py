"""What is believed of a claimed speed after many measurements by several members."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WHOLE = 1_000
"""Thousandths."""
KEPT = 32
"""Newest moments of each member that count."""
LEAST_MEASURED = 3
"""So many calm ones of a member before its word counts: one bad moment is nobody's fault."""
MARGIN = 1.25
"""A node that reads at four fifths of what it claims is believed in full."""
LEAST = 31
"""Thousandths that are left to everybody."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One moment: measured over claimed speed, and whether the node was not busy then."""

    share: float
    calm: bool


def word_of(measured: Sequence[Measured]) -> float | None:
    """What one member says: the median of the calm moments among its newest ones, oldest first. None while they are too
    few; who has had so many moments and hardly a calm one is judged by all."""
    newest = measured[-KEPT:]
    calm = [one.share for one in newest if one.calm]
    if len(calm) >= LEAST_MEASURED:
        return statistics.median(calm)
    return statistics.median(one.share for one in newest) if len(newest) == KEPT else None


def agreed_capacity(by_member: Mapping[bytes, Sequence[Measured]], faulty: int) -> int:
    """How much of what a node claims is believed, in thousandths: the median of the members' words (of an even number
    the one more in the node's favour), rounded down to a power of a half. All of it until more members have a word than
    2 ``faulty``: so fewer than half of the words are lies."""
    words = sorted(word for measured in by_member.values() if (word := word_of(measured)) is not None)
    if len(words) <= 2 * faulty:
        return WHOLE
    return coarse(words[len(words) // 2])


def coarse(share: float) -> int:
    """A share as it is said in public: 1, 1/2, 1/4 and so on, in thousandths."""
    believed = WHOLE
    while believed > LEAST and share * MARGIN * WHOLE < believed:
        believed //= 2
    return max(believed, LEAST)
