"""Scores of one node added up: Page's test (Page 1954, "Continuous inspection schemes"). Pure; whole numbers.

Each score is the logarithm of a likelihood ratio, below zero on average for honest nodes. The sum is held at zero from
below, so that a node that turns after a thousand good answers is noticed as fast as a new one.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.verification.reputation.page import OURS
from engine.wire.verification import Score

EXCLUDED_AT = OURS.limit
"""Thousandths of suspicion at which a node is excluded: e^12 = 160,000 answers of an honest node on average."""


def suspicion_after(suspicion: int, score: Score) -> int:
    """The suspicion (thousandths, never negative) after one more epoch with this score alone."""
    return OURS.suspicion_after(suspicion, [[score]])


def excluded_after(scores: Iterable[Score], suspicion: int = 0) -> int | None:
    """After how many of the scores the node is excluded; None if never."""
    for number, score in enumerate(scores, 1):
        suspicion = suspicion_after(suspicion, score)
        if suspicion >= EXCLUDED_AT:
            return number
    return None
