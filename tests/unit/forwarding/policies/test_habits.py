"""What an entry node remembers of requests and of members' batches."""

import pytest

from engine.forwarding.policies.habits import MOST_PREFIXES, POPULAR_SECONDS, Habits
from tests.support.forwarding import member


def test_a_prefix_is_as_popular_as_it_was_asked_for_here_times_the_members():
    habits = Habits()
    found = [habits.popularity(b"prefix", float(second), 8) for second in range(3)]
    assert found[0] == 0
    assert found[1:] == [pytest.approx(8, rel=0.05), pytest.approx(16, rel=0.05)]
    assert habits.popularity(b"another", 3.0, 8) == 0


def test_popularity_fades_and_the_number_of_prefixes_is_bounded():
    habits = Habits()
    habits.popularity(b"prefix", 0.0, 8)
    assert habits.popularity(b"prefix", 5 * POPULAR_SECONDS, 8) < 0.1
    for index in range(MOST_PREFIXES + 100):
        habits.popularity(index.to_bytes(4, "big"), 400.0, 8)
    assert len(habits._prefixes) == MOST_PREFIXES
    assert habits.popularity(b"prefix", 400.0, 8) == 0


def test_what_one_more_answer_costs_is_a_mean_over_half_a_minute():
    habits = Habits()
    small = habits.slope(member(1, running=11, decode_rate=330, heard=0.0))
    assert small == pytest.approx((11 / 330 - 1 / 60) / 10)
    large = habits.slope(member(1, running=11, decode_rate=110, heard=3.0))
    assert small < large < small + 0.2 * ((11 / 110 - 1 / 60) / 10 - small)


def test_a_statement_from_the_midst_of_reading_says_nothing_of_it():
    """Who reads has a place and counts as running, and writes nothing: three seem to write as slowly as one."""
    habits = Habits()
    before = habits.slope(member(1, running=3, decode_rate=170, heard=0.0))
    assert habits.slope(member(1, running=3, decode_rate=60, queue_tokens=4000, heard=60.0)) == before
    unknown = habits.slope(member(2, running=3, decode_rate=60, queue_tokens=4000))
    assert unknown == pytest.approx(0.02 / 60)
