"""Scores: bounds, verdicts, contradictions, the published credit; and how they add up."""

import math
import random

import pytest

from engine.verification.reputation.page import PageRule
from engine.verification.reputation.rule import FAIL, INCONCLUSIVE, PASS
from engine.verification.scoring.score import (
    LARGEST,
    PROVEN,
    answer_likelihood,
    contradiction,
    perplexity_credit,
    score_answer,
)
from engine.wire.challenges import Score
from tests.support.calibrations import CHEAT, HONEST, calibration

_SIZES = (5e-5, 5e-4, 2e-3, 5e-3, 0.02, 0.05, 0.2, 0.5, 2.0, 5.0)
MIDDLES = (*(-size for size in reversed(_SIZES)), *_SIZES, 15.0)


def answers(condition, seed, tokens=100):
    """Endless answers with the condition's margins."""
    dice = random.Random(seed)
    while True:
        yield tuple(dice.choices(MIDDLES, weights=condition.cells, k=tokens))


def scores(condition, seed, count, tokens=100):
    made = answers(condition, seed, tokens)
    return [score_answer(next(made), (-1.0,) * tokens, calibration()) for _ in range(count)]


def test_honest_answers_pass_and_blatant_cheats_fail():
    assert score_answer((-5.0, -0.05) * 50, (-1.0,) * 100, calibration()).verdict == PASS
    blatant = score_answer((-5.0, 2.0) * 50, (-1.0,) * 100, calibration())
    assert (blatant.verdict, blatant.likelihood, blatant.tokens) == (FAIL, LARGEST, 100)
    assert score_answer((-0.05,) * 300, (), calibration()).likelihood == -LARGEST
    certain = score_answer((-9.0,) * 300, (-0.001,) * 300, calibration())
    assert (certain.verdict, certain.tokens) == (INCONCLUSIVE, 300)  # what was sure to come says nothing


def test_short_answers_and_unknown_models_say_nothing():
    assert score_answer((9.0,) * 15, (-1.0,) * 15, calibration()) == Score(15, 1_000, 367_879, INCONCLUSIVE)
    assert score_answer((9.0,) * 16, (-1.0,) * 16, calibration()).verdict == FAIL
    assert score_answer((-0.5,) * 20, (-1.0,) * 20, calibration()) == Score(20, -379, 367_879, INCONCLUSIVE)
    assert score_answer((9.0,) * 100, (-1.0,) * 100, None) == Score(100, 0, 367_879, INCONCLUSIVE)
    assert score_answer((), (), calibration()) == Score(0, 0, 0, INCONCLUSIVE)


@pytest.mark.parametrize("reason", sorted(PROVEN))
def test_what_the_settings_forbid_fails_with_the_bound_also_without_a_calibration(reason):
    for known in (calibration(), None):
        assert score_answer((0.0,) * 5, (-1.0,) * 5, known, reason) == Score(5, LARGEST, 367_879, FAIL)
    assert contradiction(7) == Score(7, LARGEST, 0, FAIL)


def test_a_token_against_the_form_counts_as_the_largest_margin():
    without = answer_likelihood((0.0,) * 30, calibration())
    assert answer_likelihood((0.0,) * 30, calibration(), "constraint") == without + 3_000_000
    assert score_answer((0.0,) * 30, (-1.0,) * 30, calibration(), "constraint").tokens == 31


def test_the_credit_is_the_inverse_perplexity():
    assert perplexity_credit(()) == 0
    assert perplexity_credit((0.0, 0.0)) == 1_000_000
    assert perplexity_credit((math.log(0.25), math.log(1.0))) == 500_000
    assert perplexity_credit((-9999.0,)) == 10  # epsilon 1e-5
    assert perplexity_credit((1e-9,)) == 1_000_000


def excluded_after(found):
    """After how many scores Page's test excludes their node; None if never."""
    rule, suspicion = PageRule(), 0
    for number, score in enumerate(found, 1):
        suspicion = rule.suspicion_after(suspicion, [[score]])
        if suspicion >= rule.limit:
            return number
    return None


def test_cheats_are_excluded_soon_and_honest_nodes_are_not():
    found = [excluded_after(scores(CHEAT, seed, 60)) for seed in range(20)]
    assert all(one is not None for one in found)
    assert sorted(one or 0 for one in found)[10] <= 6
    assert excluded_after(scores(HONEST, 1, 5_000, tokens=60)) is None


def test_a_node_that_turns_late_is_excluded_as_soon_as_a_new_one():
    late = scores(HONEST, 1, 200) + scores(CHEAT, 2, 60)
    assert (excluded_after(late) or 999) - 200 <= 12
