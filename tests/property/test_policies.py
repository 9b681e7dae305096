"""Whatever a group looks like, no policy chooses who must not serve, and every refusal says why."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.forwarding.members import Load, Member
from engine.forwarding.policies.interface import Asked
from engine.forwarding.policies.registry import NAMES, by_name
from tests.support.forwarding import PretendedGroup, node_id

seeds = st.integers(0, 2**32)


def number(draw: Random) -> int:
    """Anything from nothing to nonsense."""
    return draw.choice((0, 1, draw.randrange(20), draw.randrange(5000), draw.randrange(2**40)))


def rate(draw: Random) -> float:
    return draw.choice((0.0, 1e-300, draw.random(), draw.uniform(1, 10_000), 1e300))


def any_member(index: int, draw: Random) -> Member:
    load = Load(
        queue_tokens=number(draw),
        waiting=number(draw),
        running=number(draw),
        output_tokens=number(draw),
        context_tokens=number(draw),
        kv_free=number(draw),
        kv_total=number(draw),
        slots=number(draw),
        prefill_rate=rate(draw),
        decode_rate=rate(draw),
        decode_rate_alone=rate(draw),
        first_token_seconds=rate(draw),
    )
    return Member(
        node_id=node_id(index),
        load=load,
        heard=draw.choice((100.0, 99.0, -1e9, 101.0)),
        round_trip=draw.choice((0.0, 0.05, 10.0)),
        standing=draw.choice((0.0, 0.3, 0.5, 1.0)),
        established=draw.random() < 0.7,
        accepts=draw.random() < 0.7,
        trust=draw.choice((1.0, 0.5, 0.001)),
        sent_tokens=number(draw),
        sent_requests=number(draw),
        sent_output_tokens=number(draw),
    )


def any_group(draw: Random) -> PretendedGroup:
    size = draw.choice((1, 2, 5, 12, 40))
    # The tree may name who has left the group, and more tokens than the prompt has; who chooses may have left, too.
    cached = {draw.randrange(size + 2): draw.randrange(10_000) for _ in range(draw.randrange(size + 1))}
    members = [any_member(index, draw) for index in range(size)]
    return PretendedGroup(members, cached, myself=draw.randrange(size + 1))


def any_request(draw: Random) -> Asked:
    public = draw.choice((0, draw.randrange(5000)))
    return Asked(
        prompt_tokens=public + 1 + draw.randrange(1000),
        public_tokens=public,
        prefix=bytes([draw.randrange(3)]) if public else b"",
        output_tokens=number(draw),
        may_forward=draw.random() < 0.8,
        minimum_standing=draw.choice((0.0, 0.4, 0.9)),
    )


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(seed=seeds)
def test_only_who_may_serve_is_chosen(name, seed):
    draw = Random(seed)
    group, policy = any_group(draw), by_name(name)
    for index in range(5):
        request = any_request(draw)
        choice = policy.choose(request, group, 100.0 + index, draw)
        for alternative in choice.alternatives:
            assert group.member(alternative).accepts
            assert alternative != group.myself
        if choice.target is None:
            assert len(choice.reason) > 20
            continue
        chosen = group.member(choice.target)
        assert chosen.accepts
        assert chosen.standing >= request.minimum_standing
        assert request.may_forward or chosen.node_id == group.myself
        assert 0 <= choice.estimate < float("inf")


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_the_same_randomness_chooses_the_same(name, seed):
    draw = Random(seed)
    group, asked = any_group(draw), any_request(draw)
    first, second = (by_name(name).choose(asked, group, 100.0, Random(seed)) for _ in range(2))
    assert first == second


@settings(deadline=None)
@given(seed=seeds)
def test_cost_takes_the_one_member_that_is_clearly_best(seed):
    draw = Random(seed)
    rates = {"prefill_rate": 2000.0, "decode_rate": 200.0, "decode_rate_alone": 50.0, "kv_total": 90_000}
    busy = Load(queue_tokens=20_000, running=8, waiting=2, output_tokens=2000, slots=8, kv_free=30_000, **rates)
    idle = Load(slots=8, kv_free=90_000, **rates)
    size, best = draw.randrange(2, 30), draw.randrange(2)
    members = [
        Member(node_id=node_id(index), load=idle if index == best else busy, heard=100.0, round_trip=0.05)
        for index in range(size)
    ]
    asked = Asked(prompt_tokens=1000, output_tokens=100)
    policy = by_name("cost", newcomer_share=0.0)
    assert policy.choose(asked, PretendedGroup(members), 100.0, draw).target == node_id(best)
