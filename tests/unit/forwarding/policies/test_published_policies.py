"""The policies that ours is compared with do what their sources say, faults included."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from engine.errors import ConfigurationError
from engine.forwarding.policies.interface import Asked
from engine.forwarding.policies.registry import by_name
from tests.support.forwarding import PretendedGroup, member, node_id

ASKED = Asked(prompt_tokens=1000, public_tokens=800, prefix=b"system prompt", output_tokens=100)


def chosen(policy, group, asked=ASKED, count=200, seed=1):
    random = Random(seed)
    return Counter(policy.choose(asked, group, 0.0, random).target for _ in range(count))


class TestPlanetServe:
    def test_the_holder_with_the_lowest_load_factor(self):
        members = [
            member(0),
            member(1, running=4, first_token_seconds=1.0, slots=16),
            member(2, running=4, first_token_seconds=0.5, slots=16),
            member(3, running=4, first_token_seconds=0.5, slots=8),
        ]
        group = PretendedGroup(members, {1: 800, 2: 800, 3: 800})
        assert chosen(by_name("planetserve"), group) == {node_id(2): 200}

    def test_a_match_of_less_than_the_depth_is_none(self):
        members = [member(0), member(1, running=4, first_token_seconds=1.0)]
        assert set(chosen(by_name("planetserve"), PretendedGroup(members, {1: 99}))) == {node_id(0)}
        assert set(chosen(by_name("planetserve"), PretendedGroup(members, {1: 100}))) == {node_id(1)}
        assert set(chosen(by_name("planetserve", depth=20), PretendedGroup(members, {1: 199}))) == {node_id(0)}

    def test_a_holder_of_low_reputation_is_not_chosen_for_its_cache(self):
        members = [member(0), member(1, standing=0.3, running=4, first_token_seconds=1.0)]
        assert set(chosen(by_name("planetserve"), PretendedGroup(members, {1: 800}))) == {node_id(0)}

    def test_a_shared_prefix_of_100_tokens_sends_everything_to_its_only_holder(self):
        """The released code's fault, which is the published rule's."""
        members = [
            member(0, queue_tokens=90_000, running=16, waiting=40, first_token_seconds=20.0),
            member(1),
            member(2),
        ]
        assert chosen(by_name("planetserve"), PretendedGroup(members, {0: 100})) == {node_id(0): 200}


class TestSGLang:
    def test_the_longest_match_above_the_threshold(self):
        members = [member(0), member(1, running=5), member(2, running=9)]
        assert chosen(by_name("sglang"), PretendedGroup(members, {1: 400, 2: 800})) == {node_id(2): 200}

    def test_out_of_balance_the_shortest_queue(self):
        members = [member(0, running=1), member(1, running=4), member(2, running=16, waiting=60)]
        assert chosen(by_name("sglang"), PretendedGroup(members, {2: 800})) == {node_id(0): 200}
        assert chosen(by_name("sglang", balance_absolute=80), PretendedGroup(members, {2: 800})) == {node_id(2): 200}

    def test_out_of_balance_means_both_thresholds(self):
        members = [member(0, running=16, waiting=200), member(1, running=16, waiting=280)]
        assert chosen(by_name("sglang"), PretendedGroup(members, {1: 800})) == {node_id(1): 200}

    def test_on_a_miss_the_smallest_tree(self):
        policy = by_name("sglang")
        group = PretendedGroup([member(0), member(1), member(2)], {2: 200})
        counts = chosen(policy, group, count=300)
        # Who has some of it grows by less, so it gets more of them.
        assert counts[node_id(2)] == pytest.approx(300 / (1 + 2 * 0.8), abs=3)

    def test_since_a_later_version_on_a_miss_the_least_load(self):
        members = [member(0, running=3), member(1, running=1), member(2, running=2)]
        assert chosen(by_name("sglang", on_miss="load"), PretendedGroup(members)) == {node_id(1): 200}
        with pytest.raises(ConfigurationError, match="by tree or by load"):
            by_name("sglang", on_miss="luck")

    def test_sglang_14305_on_a_miss_the_smallest_tree_although_overloaded(self):
        """The fault that the pull request describes."""
        policy, random = by_name("sglang"), Random(1)
        calm = PretendedGroup([member(0), member(1)], {1: 900})
        for _ in range(5):
            policy.choose(replace(ASKED, prompt_tokens=5000), PretendedGroup(calm.members[1:], myself=1), 0.0, random)
        overloaded = PretendedGroup([member(0, running=16, waiting=40), member(1)])
        assert policy.choose(ASKED, overloaded, 0.0, random).target == node_id(0)


class TestProductionStack:
    def test_a_full_hit_is_worth_twice_the_mean_load(self):
        def target(running):
            members = [member(0, running=running), member(1, running=20 - running)]
            group = PretendedGroup(members, {0: 1000})
            return set(chosen(by_name("production-stack"), group))

        assert target(14) == {node_id(0)}  # 1 - 0.4 against 0 + 0.4
        assert target(16) == {node_id(1)}  # 1 - 0.6 against 0 + 0.6

    def test_beta_is_the_price_of_load(self):
        group = PretendedGroup([member(0, running=14), member(1, running=6)], {0: 1000})
        assert set(chosen(by_name("production-stack", beta=2.0), group)) == {node_id(1)}
        assert set(chosen(by_name("production-stack", beta=0.0), group)) == {node_id(0)}


class TestConsistentHash:
    def test_a_prefix_keeps_its_member_and_prefixes_spread(self):
        group = PretendedGroup([member(index) for index in range(8)])
        policy = by_name("consistent-hash")
        owners: Counter[bytes | None] = Counter()
        for index in range(400):
            (owner,) = chosen(policy, group, replace(ASKED, prefix=index.to_bytes(2, "big")), count=3)
            owners[owner] += 1
        assert len(owners) == 8
        assert max(owners.values()) < 1.6 * 50

    def test_who_comes_takes_only_its_own_share(self):
        before = PretendedGroup([member(index) for index in range(8)])
        after = PretendedGroup([member(index) for index in range(9)])
        policy, random, moved = by_name("consistent-hash"), Random(1), 0
        prefixes = [replace(ASKED, prefix=index.to_bytes(2, "big")) for index in range(400)]
        owners = [policy.choose(asked, before, 0.0, random).target for asked in prefixes]
        for asked, owner in zip(prefixes, owners, strict=True):
            target = policy.choose(asked, after, 2.0, random).target
            if target != owner:
                assert target == node_id(8)
                moved += 1
        assert 15 < moved < 90

    def test_nobody_gets_more_than_the_bound(self):
        members = [member(index) for index in range(4)]
        policy, random = by_name("consistent-hash"), Random(1)
        loads: Counter[bytes | None] = Counter()
        for _ in range(100):
            group = PretendedGroup([replace(m, sent_requests=loads[m.node_id]) for m in members])
            loads[policy.choose(ASKED, group, 0.0, random).target] += 1
        assert max(loads.values()) <= 1.25 * 100 / 4 + 1

    def test_without_a_bound_one_prefix_has_one_member(self):
        members = [member(index, running=10 * index) for index in range(4)]
        assert len(chosen(by_name("consistent-hash", load_factor=0.0), PretendedGroup(members))) == 1

    def test_without_a_public_part_the_least_loaded(self):
        members = [member(0, running=2), member(1), member(2, running=1)]
        private = Asked(prompt_tokens=500)
        assert set(chosen(by_name("consistent-hash"), PretendedGroup(members), private)) == {node_id(1)}
