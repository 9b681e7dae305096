"""No forwarding, random, round-robin and least load, and what they have in common."""

from collections import Counter
from random import Random

import pytest

from engine.errors import ConfigurationError
from engine.forwarding.policies.interface import Asked
from engine.forwarding.policies.registry import NAMES, by_name, defaults
from tests.support.forwarding import PretendedGroup, member, node_id

ASKED = Asked(prompt_tokens=1000, output_tokens=100)


def chosen(policy, group, asked=ASKED, count=1000, seed=1):
    random = Random(seed)
    return Counter(policy.choose(asked, group, 0.0, random).target for _ in range(count))


def test_without_forwarding_the_entry_node_serves():
    group = PretendedGroup([member(0), member(1, running=16), member(2)], myself=1)
    assert chosen(by_name("none"), group) == {node_id(1): 1000}


def test_without_forwarding_an_owner_who_takes_nothing_refuses():
    group = PretendedGroup([member(0), member(1, accepts=False)], myself=1)
    choice = by_name("none").choose(ASKED, group, 0.0, Random(1))
    assert choice.target is None
    assert "forwarding is off" in choice.reason


def test_random_is_even():
    counts = chosen(by_name("random"), PretendedGroup([member(index) for index in range(4)]), count=4000)
    assert all(900 < counts[node_id(index)] < 1100 for index in range(4))


def test_round_robin_takes_turns():
    group = PretendedGroup([member(0), member(1), member(2, accepts=False), member(3)])
    policy, random = by_name("round-robin"), Random(5)
    order = [policy.choose(ASKED, group, 0.0, random).target for _ in range(9)]
    assert order[:3] == order[3:6] == order[6:]
    assert set(order) == {node_id(0), node_id(1), node_id(3)}


def test_a_request_that_must_stay_here_is_nobodys_turn():
    group = PretendedGroup([member(0), member(1), member(2)])
    policy, random = by_name("round-robin"), Random(5)
    here = Asked(prompt_tokens=1000, may_forward=False)
    turns = []
    for _ in range(6):
        turns.append(policy.choose(ASKED, group, 0.0, random).target)
        assert policy.choose(here, group, 0.0, random).target == node_id(0)
    assert turns[:3] == turns[3:]
    assert len(set(turns)) == 3


def test_least_load_counts_what_was_sent_since_the_statement():
    group = PretendedGroup(
        [member(0, running=2), member(1, running=0, sent_requests=3), member(2, running=2, waiting=1)]
    )
    assert chosen(by_name("least-load"), group) == {node_id(0): 1000}


def test_least_load_by_tokens():
    group = PretendedGroup([member(0, running=1, queue_tokens=9000), member(1, running=3, output_tokens=300)])
    assert set(chosen(by_name("least-load"), group)) == {node_id(0)}
    assert set(chosen(by_name("least-load", by="tokens"), group)) == {node_id(1)}


def test_equally_loaded_members_get_equal_shares():
    counts = chosen(by_name("least-load"), PretendedGroup([member(index) for index in range(4)]), count=4000)
    assert all(900 < counts[node_id(index)] < 1100 for index in range(4))


def test_two_choices_look_at_two_members():
    group = PretendedGroup([member(index, running=index) for index in range(10)])
    counts = chosen(by_name("least-load", sample=2), group, count=10_000)
    # Of two draws with replacement the lowest is the least loaded of ten with chance 1 - 0.9².
    assert counts[node_id(0)] == pytest.approx(1900, rel=0.1)
    assert counts[node_id(9)] == pytest.approx(100, rel=0.4)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_members_without_standing_get_a_small_share_whatever_they_say(name):
    """Three times as many newcomers as members, all with a thousandfold speed, empty queues and a full cache."""
    honest = [member(index, running=1, output_tokens=50) for index in range(4)]
    boasting = [
        member(index, established=False, prefill_rate=8e6, decode_rate=6e4, decode_rate_alone=6e4, slots=4000)
        for index in range(4, 16)
    ]
    group = PretendedGroup(honest + boasting, dict.fromkeys(range(4, 16), 1000))
    asked = Asked(prompt_tokens=1100, public_tokens=1000, prefix=b"p", output_tokens=100)
    counts = chosen(by_name(name), group, asked, count=4000)
    share = sum(counts[node_id(index)] for index in range(4, 16)) / 4000
    assert 0.01 < share < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_says_why(name):
    nobody = PretendedGroup([member(index, accepts=False) for index in range(3)])
    choice = by_name(name).choose(ASKED, nobody, 0.0, Random(1))
    assert choice.target is None
    assert "takes no new requests" in choice.reason or "takes new requests" in choice.reason


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_a_refusal_names_the_standing_that_is_missing(name):
    group = PretendedGroup([member(index, standing=0.2) for index in range(3)])
    choice = by_name(name).choose(Asked(prompt_tokens=10, minimum_standing=0.5), group, 0.0, Random(1))
    assert choice.target is None
    assert "standing" in choice.reason


def test_an_unknown_policy_or_parameter_is_named():
    with pytest.raises(ConfigurationError, match="no forwarding policy 'fastest'; there are: none, random"):
        by_name("fastest")
    with pytest.raises(ConfigurationError, match="least-load has no parameter 'smaple'; it has: by, sample"):
        by_name("least-load", smaple=2)
    with pytest.raises(ConfigurationError, match="random has no parameter 'x'; it has: none"):
        by_name("random", x=1)
    with pytest.raises(ConfigurationError, match="not by 'luck'"):
        by_name("least-load", by="luck")


def test_the_defaults_can_be_listed():
    assert defaults("least-load") == {"by": "requests", "sample": 0}
    assert defaults("random") == {}
