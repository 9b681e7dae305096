"""Rates and the share of a step."""

import pytest

from engine.inference.scheduling.rates import Rates
from engine.inference.scheduling.sequence import Sequence
from engine.inference.scheduling.sharing import oldest_share, step_budget, turns
from engine.inference.scheduling.submission import Submission


def reading(key, tokens, owner=False, fed=0):
    made = Sequence(key, Submission(tuple(range(tokens)), owner=owner), key, 10, 0.0)
    made.fed = fed
    return made


def test_rates_are_smoothed():
    rates = Rates()
    rates.prefilled(100, 0.5)
    rates.prefilled(100, 1.0)
    rates.decoded(4, 0.1)
    rates.decoded(0, 0.1)
    assert 100 < rates.prefill < 2 * 100 / 1.5  # the later half counts more
    assert rates.decode == 40


def test_short_pieces_change_what_long_ones_have_shown_by_little():
    rates = Rates()
    for _ in range(20):
        rates.prefilled(512, 0.1)
        rates.prefilled(30, 0.001)  # hidden behind the weights of a step with answers
    assert rates.prefill == pytest.approx(5120, rel=0.08)
    for _ in range(10):
        rates.prefilled(512, 0.4)
    assert rates.prefill == pytest.approx(1280, rel=0.35)


def test_a_mixed_step_counts_only_what_the_prompts_added():
    rates = Rates()
    rates.step(0, 8, 0.04)
    rates.step(64, 8, 0.24)
    assert rates.decode == 200
    assert rates.prefill == pytest.approx(320)
    rates.step(3, 8, 0.04)  # too few to say anything
    assert rates.prefill == pytest.approx(320)


def test_a_step_reads_what_its_time_affords():
    assert step_budget(512, None) == 512
    assert step_budget(512, 200) == 192
    assert step_budget(512, 3) == 64
    assert step_budget(512, 10_000) == 512
    assert step_budget(16, 10_000) == 16


def test_the_oldest_has_a_share_and_the_shortest_the_rest():
    long, middle, short, owners = reading(0, 500), reading(1, 90), reading(2, 20), reading(3, 300, owner=True)
    order = [(one.key, limited) for one, limited in turns([middle, short, owners, long], 0.0)]
    assert order == [(0, True), (3, False), (2, False), (1, False), (0, False)]
    assert [oldest_share(budget) for budget in (1, 5, 33, 64, 200, 512)] == [1, 2, 32, 32, 32, 128]
    assert list(turns([], 0.0)) == []


def test_what_is_fed_already_makes_a_prompt_short():
    order = [one.key for one, limited in turns([reading(0, 500, fed=490), reading(1, 90)], 0.0) if not limited]
    assert order == [0, 1]
