"""Areas, bounds, detection: against what is computed slowly or known."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bench.verification import telling_apart
from engine.bench.verification.telling_apart import (
    detected,
    mid_ranks,
    running_sums,
    samples,
    separation,
    token_likelihoods,
    tokens_until_excluded,
)
from engine.verification.scoring.calibration import likelihoods
from tests.support.calibrations import calibration
from tests.support.counts import examples

VALUES = st.lists(st.integers(-20, 20), min_size=2, max_size=40)


def slow_area(honest, cheat):
    pairs = list(itertools.product(honest, cheat))
    return sum((bad > good) + 0.5 * (bad == good) for good, bad in pairs) / len(pairs)


@given(VALUES, VALUES)
@settings(max_examples=examples(60), deadline=None)
def test_the_area_is_the_share_of_pairs_in_the_right_order(honest, cheat):
    found = separation(honest, cheat)
    assert found.auc == pytest.approx(slow_area(honest, cheat))
    assert 0 <= found.auc_low95 <= found.auc
    assert 0 <= found.auc_low95_bootstrap <= 1
    assert (found.honest, found.cheat, found.gap) == (len(honest), len(cheat), min(cheat) - max(honest))


def test_de_long_s_variance_is_the_one_of_its_definition():
    dice = random.Random(3)
    honest, cheat = [dice.randint(0, 30) for _ in range(40)], [dice.randint(10, 40) for _ in range(30)]
    above = [slow_area(honest, [value]) for value in cheat]
    below = [slow_area([value], cheat) for value in honest]

    def spread(values):
        mean = sum(values) / len(values)
        return sum((value - mean) ** 2 for value in values) / (len(values) - 1)

    expected = slow_area(honest, cheat) - 1.959964 * math.sqrt(spread(above) / 30 + spread(below) / 40)
    found = separation(honest, cheat)
    assert found.auc_low95 == pytest.approx(expected)
    assert found.auc_low95_bootstrap == pytest.approx(expected, abs=0.03)


def test_the_bound_holds_in_most_repetitions(monkeypatch):
    """Two normal distributions a standard deviation apart: the true area is 0.7602."""
    monkeypatch.setattr(telling_apart, "_REPEATS", 40)  # of the bootstrap, which is not looked at here
    dice = random.Random(5)
    held = 0
    for _ in range(60):
        honest = [round(1000 * dice.gauss(0, 1)) for _ in range(60)]
        cheat = [round(1000 * dice.gauss(1, 1)) for _ in range(60)]
        found = separation(honest, cheat)
        held += found.auc_low95 <= 0.7602
        assert found.auc_low95 < found.auc
    assert held >= 54


def test_equal_values_share_their_ranks():
    assert mid_ranks([5, 1, 5, 0]) == [3.5, 2, 3.5, 1]


def test_samples_span_answers_and_leave_the_rest():
    assert samples([(1, 2, 3), (4,), (5, 6, 7, 8)], 3) == [[1, 2, 3], [4, 5, 6]]
    assert running_sums([1, -2, 3]) == [1, -1, 2]


def test_detection_rises_with_tokens():
    dice = random.Random(1)
    honest = [[dice.choice((-100, -100, 90)) for _ in range(50)] for _ in range(200)]
    cheat = [[dice.choice((-100, 90, 90)) for _ in range(50)] for _ in range(200)]
    found = detected(honest, cheat, (5, 20, 50))
    assert found[5] < found[20] < found[50]
    assert found[50] > 0.5
    assert detected(honest, honest, (50,))[50] <= 0.01


def test_tokens_until_exclusion_are_counted_from_zero_each_time():
    assert list(tokens_until_excluded([5_000_000] * 7, 12_000)) == [3, 3]
    assert list(tokens_until_excluded([-1_000_000, 12_000_000, -3, 0], 12_000)) == [2]


def test_a_margin_has_the_likelihood_of_its_cell():
    steps = likelihoods(calibration())
    assert token_likelihoods([-9_000_000, 15_000_000], calibration()) == [steps[0], steps[-1]]
