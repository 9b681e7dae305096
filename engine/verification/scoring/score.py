"""One answer's margins as a score: likelihood, credit, verdict. Pure; whole numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.verification.reputation.rule import FAIL, FAILS_ABOVE, INCONCLUSIVE, PASS, PASSES_BELOW
from engine.verification.scoring.calibration import Calibration, likelihoods
from engine.verification.scoring.cells import cell_of
from engine.wire.challenges import Score

LARGEST = 5_000
"""Thousandths: what one answer says at most, for or against its node."""
LARGEST_OF_SHORT = 1_000
"""Thousandths: what an answer that is too short to pass or fail says at most."""
LEAST_TOKENS = 16
"""Of an answer that can pass or fail."""
LEAST_PROBABILITY = 1e-5
"""What the published credit counts a less probable token as (arXiv 2504.20101)."""
PROVEN = frozenset({"vocabulary", "end", "length", "min_tokens"})
"""Reasons of ``TokenScores.impossible`` that contradict the request by themselves, whatever a model computes. That a
form does not permit a token is not among them: two versions of the grammar library may disagree, so that counts as the
largest margin."""


def score_answer(
    margins: Sequence[float], logprobs: Sequence[float], calibration: Calibration | None, impossible: str = ""
) -> Score:
    """The score of an answer (or of several, joined) from ``TokenScores``; ``calibration`` None: none fits."""
    credit = perplexity_credit(logprobs)
    if impossible in PROVEN:
        return contradiction(len(margins), credit)
    tokens = len(margins) + (impossible != "")
    if calibration is None:
        return Score(tokens, 0, credit, INCONCLUSIVE)
    bound = LARGEST if tokens >= LEAST_TOKENS else LARGEST_OF_SHORT
    likelihood = max(-bound, min(bound, round(answer_likelihood(margins, calibration, impossible) / 1000)))
    if PASSES_BELOW <= likelihood <= FAILS_ABOVE:
        return Score(tokens, likelihood, credit, INCONCLUSIVE)
    return Score(tokens, likelihood, credit, FAIL if likelihood > 0 else PASS)


def answer_likelihood(margins: Sequence[float], calibration: Calibration, impossible: str = "") -> int:
    """The logarithm of the likelihood ratio, cheat by honest, in millionths and without bound."""
    steps = likelihoods(calibration)
    total = sum(steps[cell_of(margin, calibration.bounds)] for margin in margins)
    return total + (steps[-1] if impossible else 0)


def contradiction(tokens: int, credit: int = 0) -> Score:
    """The score of an answer whose signer has contradicted itself: another prompt than the request's, or tokens that
    the settings forbid."""
    return Score(tokens, LARGEST, credit, FAIL)


def perplexity_credit(logprobs: Sequence[float]) -> int:
    """The published credit 1/PPL = exp(mean ln p), in millionths; 0 without a token."""
    if not logprobs:
        return 0
    least = math.log(LEAST_PROBABILITY)
    mean = math.fsum(max(least, min(0.0, value)) for value in logprobs) / len(logprobs)
    return min(1_000_000, round(1_000_000 * math.exp(mean)))
