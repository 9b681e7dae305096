"""When scores of one answer by several agree, and which score then follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from engine.errors import VerificationError
from engine.verification.reputation.rule import FAIL, FAILS_ABOVE, INCONCLUSIVE, PASS, PASSES_BELOW
from engine.wire.challenges import Score

TOLERANCE = 1_000
"""Thousandths by which likelihoods that agree may differ: less than what lies between a pass and a fail."""
BOUND = 5_000
LEAST_TOKENS = 16
T = TypeVar("T")


def check_score(score: Score) -> None:
    """Refuse a score whose verdict does not follow from its numbers."""
    if abs(score.likelihood) > BOUND:
        raise VerificationError(f"A likelihood of {score.likelihood} is out of bounds; at most ±{BOUND} are allowed.")
    said = score.verdict
    if (said == PASS and score.likelihood >= PASSES_BELOW) or (said == FAIL and score.likelihood <= FAILS_ABOVE):
        raise VerificationError("A verdict does not follow from its likelihood.")
    contradicted = said == FAIL and score.likelihood == BOUND  # proven by what was signed, however short it is
    if said != INCONCLUSIVE and score.tokens < LEAST_TOKENS and not contradicted:
        raise VerificationError(f"{score.tokens} tokens are too few for a verdict; {LEAST_TOKENS} are needed.")


def agree(scores: Sequence[Score]) -> bool:
    """Whether scores of one answer are the same within the tolerance."""
    likelihoods = [score.likelihood for score in scores]
    return max(likelihoods) - min(likelihoods) <= TOLERANCE and len({score.tokens for score in scores}) == 1


def median(scores: Sequence[Score]) -> Score:
    """The score with the median likelihood; of two the one nearer to zero, of equally near ones the lower."""
    ordered = sorted(scores, key=lambda score: (score.likelihood, score.verdict, score.credit))
    upper = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[upper]
    return min(ordered[upper - 1 : upper + 1], key=lambda score: abs(score.likelihood))


def most_that_agree(ordered: Sequence[T], score_of: Callable[[T], Score]) -> Sequence[T]:
    """Runs of neighbours are tried; ``ordered`` by likelihood, of equally long runs the first counts."""
    best: Sequence[T] = ()
    for begin in range(len(ordered)):
        for end in range(begin + len(best) + 1, len(ordered) + 1):
            run = ordered[begin:end]
            if not agree([score_of(one) for one in run]):
                break
            best = run
    return best
