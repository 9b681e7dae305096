"""Speeds as clients see them: who is asked at one moment, what it tells, and what the committee believes of a claim."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.verification.capacity.agreeing import (
    KEPT,
    LEAST,
    WHOLE,
    Measured,
    agreed_capacity,
    coarse,
    word_of,
)
from engine.verification.capacity.draw import (
    FIRST,
    LAST,
    MOST_TOGETHER,
    RATE_PARTS,
    Claimant,
    group_of,
    groups_of,
    instant,
    is_drawn,
)
from engine.verification.capacity.measuring import Probe, is_calm, measured_rate, measured_share, prompt_tokens
from tests.support.records import identity

MODEL, OTHER = b"m" * 32, b"o" * 32


def claimant(number: int, **changes: object) -> Claimant:
    values = {"model": MODEL, "prefix": f"10.{number}.0.0/16", "family": "", "first_seen": 100_000 * number}
    return Claimant(node_id=identity(number).node_id, **(values | changes))


# Who is asked


def test_nodes_that_may_be_one_machine_are_asked_together() -> None:
    first = claimant(1, family="ada")
    same_prefix = claimant(2, prefix=first.prefix)
    same_family = claimant(3, family="ada")
    same_hour = claimant(4, first_seen=first.first_seen + 3_600)
    strangers = [
        claimant(5),
        claimant(6, prefix=first.prefix, model=OTHER),
        claimant(7, first_seen=first.first_seen - 3_601),
    ]
    group = group_of(first, [first, same_prefix, same_family, same_hour, *strangers], b"y" * 64)
    assert group[0] == first
    assert set(group[1:]) == {same_prefix, same_family, same_hour}


def test_of_a_large_group_so_many_by_lot() -> None:
    nodes = [claimant(number, prefix="10.0.0.0/16") for number in range(60)]
    first = nodes[0]
    groups = [group_of(first, nodes, bytes((number,)) * 64) for number in range(40)]
    assert {len(group) for group in groups} == {MOST_TOGETHER}
    assert len({frozenset(group) for group in groups}) == 40
    counted = Counter(one for group in groups for one in group[1:])
    assert len(counted) == 59


def test_who_is_drawn_and_when_is_different_for_each_member_and_within_the_epoch() -> None:
    nodes, dice = [claimant(number) for number in range(8)], random.Random(3)
    drawn = 0
    for _ in range(500):
        output = dice.randbytes(64)
        found = groups_of(nodes, output)
        assert [at for at, _ in found] == sorted(at for at, _ in found)
        assert all(FIRST <= at <= LAST for at, _ in found)
        drawn += len(found)
        assert [is_drawn(output, one.node_id) for one in nodes].count(True) == len(found)
    assert 0.85 < drawn / (500 * 8 / RATE_PARTS) < 1.15
    moments = {instant(dice.randbytes(64), nodes[0].node_id) for _ in range(50)}
    assert len(moments) == 50


# What a moment tells


def probe(rate: float, tokens: int = 2_000, way: float = 0.2, waited: float = 0.0, said: float | None = None) -> Probe:
    seconds = way + waited + tokens / rate
    told = waited if said is None else said
    return Probe(tokens=tokens, short_seconds=way, long_seconds=seconds, waited_seconds=told)


@given(st.floats(10, 5_000), st.floats(0, 2), st.integers(256, 20_000))
def test_neither_the_way_nor_the_length_changes_the_rate(rate: float, way: float, tokens: int) -> None:
    found = measured_rate(probe(rate, tokens, way))
    assert found == pytest.approx(rate, rel=1e-3) or tokens / rate < 0.05


def test_a_wait_that_is_said_is_not_held_against_a_node_and_gains_a_liar_a_factor_of_two() -> None:
    assert measured_rate(probe(500.0, waited=1.0)) == pytest.approx(500.0)
    assert measured_rate(probe(500.0, said=3.9)) == pytest.approx(1_000.0)
    assert measured_rate(probe(500.0, said=1e9)) == pytest.approx(1_000.0)
    assert measured_rate(probe(500.0, said=-5.0)) == pytest.approx(500.0)
    assert is_calm(probe(500.0, waited=1.0))
    assert not is_calm(probe(500.0, waited=30.0))
    assert measured_share(probe(500.0), 5_000.0) == pytest.approx(0.1)
    assert measured_share(probe(500.0), 100.0) == 1.0
    assert measured_share(probe(500.0), 0.0) == 1.0, "who claims nothing claims nothing wrong"
    assert measured_share(Probe(tokens=100, short_seconds=9.0, long_seconds=1.0), 100.0) == 1.0


def test_prompts_are_as_long_as_the_claim_and_never_longer_than_the_context_allows() -> None:
    assert prompt_tokens(1_000.0, 32_768) == 4_000
    assert prompt_tokens(20.0, 32_768) == 256
    assert prompt_tokens(90_000.0, 4_096) == 3_072


# What is believed


def measured(*shares: float, calm: bool = True) -> list[Measured]:
    return [Measured(share, calm) for share in shares]


def test_a_member_has_a_word_after_three_calm_moments_or_after_many_without() -> None:
    assert word_of(measured(0.1, 0.1)) is None
    assert word_of(measured(0.1, 0.2, 0.9)) == 0.2
    assert word_of([*measured(*[0.1] * 20, calm=False), *measured(1.0, 1.0, 1.0)]) == 1.0
    assert word_of(measured(*[0.1] * (KEPT - 1), calm=False)) is None
    assert word_of(measured(*[0.1] * KEPT, calm=False)) == 0.1
    assert word_of([*measured(*[0.1] * 50), *measured(*[0.9] * KEPT)]) == 0.9, "old moments are forgotten"


@given(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3), st.floats(0.0, 1.0))
def test_a_lying_member_of_four_moves_a_claim_no_further_than_honest_words_reach(
    words: list[float], lie: float
) -> None:
    by_member = {bytes((number,)): measured(*[word] * 3) for number, word in enumerate([*words, lie])}
    found = agreed_capacity(by_member, 1)
    assert coarse(min(words)) <= found <= coarse(max(words))


def test_until_enough_members_have_a_word_the_claim_is_believed() -> None:
    low = measured(*[0.1] * 5)
    assert agreed_capacity({b"a": low, b"b": low}, 1) == WHOLE
    assert agreed_capacity({b"a": low, b"b": low, b"c": low}, 1) == 125
    assert agreed_capacity({}, 0) == WHOLE


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, 1_000), (0.8, 1_000), (0.79, 500), (0.4, 500), (0.39, 250), (0.1, 125), (0.02, 31), (0.0, LEAST)],
)
def test_shares_are_said_coarsely(share: float, said: int) -> None:
    assert coarse(share) == said
