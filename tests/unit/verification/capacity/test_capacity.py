"""Speeds as clients see them: who is asked at one moment, what it tells, and what the committee believes of a claim."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.verification.capacity.agreeing import (
    COUNTED,
    KEPT,
    LEAST_BUSY_SHARE,
    LEAST_SHARE,
    Moment,
    agreed_rate,
    least_calm,
    moment_of,
    word_of,
)
from engine.verification.capacity.draw import (
    FIRST,
    LAST,
    MOST_TOGETHER,
    USUAL,
    Claimant,
    Rates,
    group_of,
    groups_of,
    instant,
    is_drawn,
    is_known,
)
from engine.verification.capacity.measuring import is_calm, measured_rate, measured_share, prompt_tokens
from engine.wire.challenges import MAX_MEASURED, SpeedMeasured
from tests.support.records import identity

MODEL, OTHER = b"m" * 32, b"o" * 32
OFTEN = Rates(unknown=60.0, known=240.0)


def claimant(number: int, **changes: Any) -> Claimant:
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


@pytest.mark.parametrize("together", [1, 3, 40])
def test_a_node_is_asked_equally_often_alone_and_in_a_group(together: int) -> None:
    members, epochs, dice = 4, 600, random.Random(3)
    nodes = [claimant(number, prefix=f"10.{number // together}.0.0/16") for number in range(together)]
    asked = 0
    for _ in range(epochs):
        output = dice.randbytes(64)
        found = groups_of(nodes, output, members, 60.0, OFTEN)
        assert [at for at, _ in found] == sorted(at for at, _ in found)
        assert all(FIRST <= at <= LAST for at, _ in found)
        everybody = [one.node_id for _, group in found for one in group]
        assert len(everybody) == len(set(everybody)) <= MAX_MEASURED
        asked += len(everybody)
    assert 0.7 < asked / (epochs * together / members) < 1.3
    assert len({instant(dice.randbytes(64), nodes[0].node_id) for _ in range(50)}) == 50


def test_who_is_known_is_asked_more_rarely() -> None:
    dice, counts = random.Random(5), Counter[bool]()
    nodes = [claimant(number, known=number % 2 == 0) for number in range(20)]
    for _ in range(800):
        counts.update(one.known for _, group in groups_of(nodes, dice.randbytes(64), 4, 60.0, OFTEN) for one in group)
    assert 3 < counts[False] / counts[True] < 5.3
    assert USUAL.known > 10 * USUAL.unknown


@given(st.binary(min_size=64, max_size=64), st.integers(1, 1000))
def test_who_is_drawn_at_a_low_rate_is_drawn_at_any_higher_one(output: bytes, parts: int) -> None:
    nodes = [identity(number).node_id for number in range(30)]
    assert all(is_drawn(output, node, parts) for node in nodes if is_drawn(output, node, parts + 1))
    assert all(is_drawn(output, node, 1) for node in nodes)


def test_a_claim_is_known_after_enough_calm_moments_until_it_grows_or_is_contradicted() -> None:
    good = [Moment(epoch, 1_000, 950, True) for epoch in range(3)]
    assert is_known(good, 1_000.0, 1)
    assert not is_known(good[:2], 1_000.0, 1)
    assert not is_known([*good[:2], replace(good[2], calm=False)], 1_000.0, 1)
    assert is_known(good, 1_500.0, 1)
    assert not is_known(good, 1_501.0, 1)
    assert not is_known([*good, Moment(9, 1_000, 500, True)], 1_000.0, 1)
    assert is_known([*good, Moment(9, 1_000, 100, False)], 1_000.0, 1), "who was busy then has shown nothing"


# What a moment tells


def timed(
    rate: float, claimed: int, tokens: int = 2_000, way: float = 0.2, waited: float = 0.0, said: float | None = None
) -> SpeedMeasured:
    return SpeedMeasured(
        node=bytes(20),
        model=bytes(8),
        claimed=claimed,
        tokens=tokens,
        short_ms=round(way * 1000),
        long_ms=round((way + waited + tokens / rate) * 1000),
        waited_ms=round((waited if said is None else said) * 1000),
    )


@given(st.floats(10, 5_000), st.floats(0, 2), st.integers(256, 8_192))
def test_neither_the_way_nor_the_length_changes_the_rate(rate: float, way: float, tokens: int) -> None:
    found = measured_rate(timed(rate, 100, tokens, way))
    assert found == pytest.approx(rate, rel=0.05, abs=1.0) or tokens / rate < 0.06


def test_a_wait_that_is_said_is_not_held_against_a_node_and_gains_a_liar_a_factor_of_two() -> None:
    assert measured_rate(timed(500.0, 500, waited=1.0)) == 500
    assert measured_rate(timed(500.0, 500, said=3.9)) == 1_000
    assert measured_rate(timed(500.0, 500, said=1e6)) == 1_000
    assert is_calm(timed(500.0, 500, waited=1.0))
    assert not is_calm(timed(500.0, 500, waited=30.0))
    assert measured_share(timed(500.0, 5_000)) == 100
    assert measured_share(timed(500.0, 100)) == 1_000
    odd = SpeedMeasured(node=bytes(20), model=bytes(8), claimed=9, tokens=9, short_ms=9_000, long_ms=1, waited_ms=0)
    assert measured_share(odd) == 1_000


@given(*[st.integers(1, 0xFFFF_FFFF)] * 2, *[st.integers(0, 0xFFFF_FFFF)] * 3)
def test_whatever_a_member_reports_gives_a_share(claimed: int, tokens: int, short: int, long: int, wait: int) -> None:
    one = SpeedMeasured(
        node=bytes(20), model=bytes(8), claimed=claimed, tokens=tokens, short_ms=short, long_ms=long, waited_ms=wait
    )
    moment = moment_of(3, one)
    assert 0 <= measured_share(one) <= 1_000
    assert 0 <= moment.rate <= claimed
    assert moment.share == measured_share(one) or abs(moment.share - measured_share(one)) <= 1


def test_prompts_are_as_long_as_the_claim_and_never_longer_than_the_context_allows() -> None:
    assert prompt_tokens(1_000.0, 32_768) == 2_000
    assert prompt_tokens(20.0, 32_768) == 256
    assert prompt_tokens(90_000.0, 32_768) == 8_192
    assert prompt_tokens(90_000.0, 4_096) == 3_072
    assert prompt_tokens(90_000.0, 100) == 75
    assert prompt_tokens(90_000.0, -500) < 0


# What is believed


def measured(*shares: float, calm: bool = True, claimed: int = 1_000) -> list[Moment]:
    return [Moment(epoch, claimed, int(share * claimed), calm) for epoch, share in enumerate(shares)]


def share_of(moments: list[Moment], least: int = 3) -> float | None:
    word = word_of(moments, least)
    return None if word is None else word.share / 1_000


def test_a_member_has_a_word_after_three_calm_moments_or_after_many_without() -> None:
    assert share_of(measured(0.1, 0.1)) is None
    assert share_of(measured(0.1, 0.2, 0.9)) == 0.2
    assert share_of([*measured(*[0.1] * 20, calm=False), *measured(1.0, 1.0, 1.0)]) == 1.0
    assert share_of(measured(*[0.1] * (KEPT - 1), calm=False)) is None
    assert share_of(measured(*[0.1] * KEPT, calm=False)) == 0.1
    some = [*measured(*[0.1] * 28, calm=False), *measured(*[0.9] * 4)]
    assert share_of(some, 9) is None, "who has calm ones, and too few, is not judged by the others"
    assert share_of([*measured(*[0.1] * 50), *measured(*[0.9] * (COUNTED // 2 + 1))]) == 0.9, "new ones count"
    assert share_of(measured(0.1, 0.2, 0.9, 0.9)) == 0.9, "of two in the middle the better one"


@pytest.mark.parametrize(("members", "least"), [(1, 9), (4, 3), (7, 2), (10, 2), (13, 1), (64, 1)])
def test_all_members_together_have_seen_it_nine_times(members: int, least: int) -> None:
    faulty = (members - 1) // 3
    assert least_calm(faulty) == least
    assert (2 * faulty + 1) * least >= 9


@given(st.lists(st.integers(0, 1_000), min_size=3, max_size=3), st.integers(0, 1_000))
def test_a_lying_member_of_four_moves_a_claim_no_further_than_honest_words_reach(words: list[int], lie: int) -> None:
    by_member = {bytes((number,)): measured(*[word / 1_000] * 3) for number, word in enumerate([*words, lie])}
    found = agreed_rate(by_member, 1)
    if min(words) >= LEAST_SHARE:
        assert found is None
    elif max(words) < LEAST_SHARE:
        assert found is not None
        assert min(words) <= found <= max(1, *words)


@given(
    st.lists(st.tuples(st.integers(1, 1_000), st.booleans()), min_size=3, max_size=3),
    st.integers(0, 1_000),
    st.booleans(),
    st.sampled_from([1, 2, 10, 1_000, 4_000_000_000]),
)
def test_a_lying_member_names_any_claim_and_moves_nothing(
    words: list[tuple[int, bool]], lie: int, calm: bool, claimed: int
) -> None:
    honest = {bytes((number,)): measured(*[word / 1_000] * KEPT, calm=one) for number, (word, one) in enumerate(words)}
    found = agreed_rate(honest | {b"liar": measured(*[lie / 1_000] * KEPT, calm=calm, claimed=claimed)}, 1)
    slow = [word < (LEAST_SHARE if one else LEAST_BUSY_SHARE) for word, one in words]
    assert all(slow) <= (found is not None) <= any(slow)
    if found is not None:
        assert min(word for word, _ in words) <= found <= max(word for word, _ in words)


def test_until_enough_members_have_a_word_the_claim_is_believed() -> None:
    low = measured(*[0.1] * 5)
    assert agreed_rate({b"a": low, b"b": low}, 1) is None
    assert agreed_rate({b"a": low, b"b": low, b"c": low}, 1) == 100
    assert agreed_rate({b"a": low, b"b": low, b"c": low, b"d": measured(*[1.0] * 5)}, 1) == 100
    assert agreed_rate({b"a": low, b"b": low, b"c": measured(*[1.0] * 5), b"d": measured(*[1.0] * 5)}, 1) is None
    assert agreed_rate({}, 0) is None
    assert agreed_rate({b"a": measured(*[0.0] * 9)}, 0) == 1, "something is left to everybody"


@pytest.mark.parametrize(("share", "calm", "cut"), [(0.6, True, False), (0.59, True, True), (0.3, False, False)])
def test_who_comes_near_what_it_says_is_believed_in_full(share: float, calm: bool, cut: bool) -> None:
    moments = measured(*[share] * KEPT, calm=calm)
    assert (agreed_rate(dict.fromkeys((b"a", b"b", b"c"), moments), 1) is not None) == cut
