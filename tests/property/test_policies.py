"""Whatever a group looks like, no policy chooses who must not serve, and every refusal says why."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.forwarding.members import Load, Member
from engine.forwarding.policies.interface import Asked
from engine.forwarding.policies.registry import NAMES, by_name
from tests.support.forwarding import PretendedGroup, node_id

counts = st.integers(0, 2**40)
rates = st.one_of(st.just(0.0), st.floats(0, 1e9))
loads = st.builds(
    Load,
    queue_tokens=counts,
    waiting=counts,
    running=counts,
    output_tokens=counts,
    context_tokens=counts,
    kv_free=counts,
    kv_total=counts,
    slots=st.integers(0, 4096),
    prefill_rate=rates,
    decode_rate=rates,
    decode_rate_alone=rates,
    first_token_seconds=st.floats(0, 1e6),
)


@st.composite
def groups(draw) -> PretendedGroup:
    size = draw(st.integers(1, 12))
    members = [
        Member(
            node_id=node_id(index),
            load=draw(loads),
            heard=draw(st.floats(-1e6, 100)),
            round_trip=draw(st.floats(0, 10)),
            standing=draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])),
            established=draw(st.booleans()),
            accepts=draw(st.booleans()),
            trust=draw(st.floats(0.001, 1)),
            sent_tokens=draw(counts),
            sent_requests=draw(st.integers(0, 1000)),
            sent_output_tokens=draw(counts),
        )
        for index in range(size)
    ]
    # The tree may name who has left the group, and more tokens than the prompt has.
    cached = draw(st.dictionaries(st.integers(0, size + 2), st.integers(0, 10_000)))
    return PretendedGroup(members, cached, myself=draw(st.integers(0, size)))


requests = st.builds(
    Asked,
    prompt_tokens=st.integers(1, 100_000),
    public_tokens=st.integers(0, 5_000),
    prefix=st.binary(max_size=8),
    output_tokens=st.integers(0, 10_000),
    may_forward=st.booleans(),
    minimum_standing=st.sampled_from([0.0, 0.4, 0.9]),
)


@pytest.mark.parametrize("name", NAMES)
@given(group=groups(), asked=st.lists(requests, min_size=1, max_size=5), seed=st.integers(0, 2**32))
def test_only_who_may_serve_is_chosen(name, group, asked, seed):
    policy, random = by_name(name), Random(seed)
    for index, request in enumerate(asked):
        choice = policy.choose(request, group, 100.0 + index, random)
        for alternative in choice.alternatives:
            assert group.member(alternative) is not None
            assert group.member(alternative).accepts
        if choice.target is None:
            assert len(choice.reason) > 20
            continue
        chosen = group.member(choice.target)
        assert chosen is not None
        assert chosen.accepts
        assert chosen.standing >= request.minimum_standing
        assert request.may_forward or chosen.node_id == group.myself
        assert 0 <= choice.estimate < float("inf")


@pytest.mark.parametrize("name", NAMES)
@given(group=groups(), asked=requests, seed=st.integers(0, 2**32))
def test_the_same_randomness_chooses_the_same(name, group, asked, seed):
    first, second = (by_name(name).choose(asked, group, 100.0, Random(seed)) for _ in range(2))
    assert first == second
