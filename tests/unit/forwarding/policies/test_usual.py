"""What is usual in a group is nothing that a few of its members can say."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.forwarding.policies.usual import MOST_TIMES, Usual, usual_of, within_reason
from tests.support.forwarding import member, node_id

rates = st.floats(1, 1e5)
lies = st.floats(0, 4.3e8)


def saying(index: int, reads: float, writes: float, running: int = 0, slots: int = 16, **rest):
    rates = {"prefill_rate": reads, "decode_rate": writes, "decode_rate_alone": writes}
    return member(index, running=running, slots=slots, **rates, **rest)


@given(
    honest=st.lists(st.tuples(rates, rates, st.integers(0, 16)), min_size=2, max_size=12),
    lying=st.lists(st.tuples(lies, lies, st.integers(0, 2**32)), max_size=11),
    strangers=st.lists(st.tuples(lies, lies), max_size=30),
)
def test_no_minority_with_standing_and_nobody_without_moves_it_beyond_what_the_others_say(honest, lying, strangers):
    lying = lying[: len(honest) - 1]
    members = [saying(index, *one) for index, one in enumerate(honest)]
    members += [saying(100 + index, one[0], one[1], one[2], 4096) for index, one in enumerate(lying)]
    members += [saying(200 + index, *one, established=False) for index, one in enumerate(strangers)]
    found = usual_of(members)
    for value, said in zip(found, zip(*((one[0], one[1], one[2] / 16) for one in honest), strict=True), strict=True):
        assert min(said) <= value <= max(said)
    assert found == usual_of(members[: len(honest) + len(lying)])


def test_where_it_is_half_of_the_group_who_overstates_does_not_move_it():
    found = usual_of([saying(0, 2_000, 50, 8), saying(1, 4e8, 4e8, 0, 4096)])
    assert found == Usual(2_000, 50, 0.5)


def test_one_knows_oneself_without_standing_and_nothing_of_nobody():
    alone = saying(0, 2_000, 50, 8, established=False)
    assert usual_of([alone], node_id(0)) == Usual(2_000, 50, 0.5)
    assert usual_of([alone]) == Usual()


def test_what_is_measured_counts_and_not_what_is_said():
    assert usual_of([saying(0, 20_000, 500, trust=0.1)]).reading == pytest.approx(2_000)


@pytest.mark.parametrize("what", ["prefill_rate", "decode_rate_alone"])
def test_a_claim_counts_within_reason_and_what_is_too_much_is_taken_off_all_rates(what):
    usual, honest = Usual(2_000, 50, 0.0), saying(1, 2_000, 50)
    assert within_reason(honest, usual) is honest
    fast = replace(honest, load=replace(honest.load, **{what: MOST_TIMES * getattr(honest.load, what)}))
    assert within_reason(fast, usual) is fast
    boasting = replace(honest, load=replace(honest.load, **{what: 4e8}))
    believed = within_reason(boasting, usual).load
    share = getattr(believed, what) / 4e8
    assert getattr(believed, what) == pytest.approx(MOST_TIMES * getattr(honest.load, what))
    assert believed.decode_rate == pytest.approx(50 * share)
