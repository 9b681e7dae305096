"""``filled`` beside pouring drop by drop."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.forwarding.policies.unseen import filled

members = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), min_size=1, max_size=12)
DROPS = 2_000


def poured(loads, capacities):
    """Each drop goes to whoever has least to do by then."""
    level = list(loads)
    for _ in range(DROPS):
        least = min(range(len(level)), key=level.__getitem__)
        level[least] += capacities[least] / DROPS
    return level


@settings(deadline=None, max_examples=60)
@given(members)
def test_it_is_what_pouring_comes_to(found):
    loads, capacities = [one[0] for one in found], [one[1] for one in found]
    level = filled(loads, capacities)
    for load, expected in zip(loads, poured(loads, capacities), strict=True):
        assert max(load, level) == pytest.approx(expected, abs=max(capacities) / DROPS + 1e-4)


@settings(deadline=None, max_examples=100)
@given(members)
def test_everything_that_was_sent_has_gone_somewhere(found):
    loads, capacities = [one[0] for one in found], [max(one[1], 1e-6) for one in found]
    level = filled(loads, capacities)
    gone = sum(max(level - load, 0.0) / one for load, one in zip(loads, capacities, strict=True))
    assert gone == pytest.approx(1, rel=1e-3)


@settings(deadline=None, max_examples=100)
@given(members, st.floats(1, 10))
def test_the_more_was_sent_the_higher_the_level(found, factor):
    loads, capacities = [one[0] for one in found], [one[1] for one in found]
    assert filled(loads, [factor * one for one in capacities]) >= filled(loads, capacities) - 1e-9


@settings(deadline=None, max_examples=100)
@given(members, st.data())
def test_who_cannot_have_been_sent_anything_holds_the_level_down(found, data):
    known = data.draw(st.integers(0, len(found) - 1))
    loads = [one[0] for one in found]
    capacities = [0.0 if place == known else one[1] for place, one in enumerate(found)]
    assert filled(loads, capacities) <= loads[known] + 1e-5
