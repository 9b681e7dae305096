"""The price of a place against the equation that it solves, and at its borders."""

import pytest

from engine.forwarding.places import PlacePrices


def mean_waiting(places: int, load: float) -> float:
    """Of the queue M/M/c, term by term."""
    weights, weight = [], 1.0
    for count in range(2000):
        weights.append(weight)
        weight *= load / min(count + 1, places)
    return sum(weight * max(count - places, 0) for count, weight in enumerate(weights)) / sum(weights)


@pytest.mark.parametrize(("places", "busy"), [(1, 0.5), (4, 0.2), (4, 0.9), (16, 0.7), (64, 0.9)])
def test_prices_solve_the_equation_of_relative_values(places, busy):
    """With d(n) = v(n + 1) - v(n): load d(n) - min(n, c) d(n - 1) + max(n - c, 0) is the mean number that waits."""
    prices, load = PlacePrices(busy), busy * places
    mean = mean_waiting(places, load)
    before = 0.0
    for answers in range(places + 10):
        price = prices.of(answers, places)
        assert load * price - min(answers, places) * before + max(answers - places, 0) == pytest.approx(mean, rel=1e-6)
        before = price


def test_the_last_places_are_the_dear_ones():
    prices = PlacePrices(0.8)
    found = [prices.of(answers, 32) for answers in range(40)]
    assert found == sorted(found)
    assert prices.of(31, 32) - prices.of(30, 32) > 20 * (prices.of(11, 32) - prices.of(10, 32))


def test_nonsense_costs_nothing_worse_than_a_number():
    for usual in (-1.0, 0.0, 1e-300, 0.5, 1e300):
        for answers in (-5, 0, 3, 2**40):
            for places in (-1, 0, 1, 2**40):
                assert 0.0 <= PlacePrices(usual).of(answers, places) < float("inf")
