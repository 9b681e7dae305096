"""What users of other routers complain about, as tests that ``cost`` must pass. Each is named after where it was told.

Some of these faults are also shown on the published policy, in ``test_published_policies.py``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random

from engine.forwarding.policies.cost import Cost
from engine.forwarding.policies.interface import Asked, Policy
from engine.forwarding.policies.registry import by_name
from tests.support.forwarding import IDLE, PretendedGroup, member, node_id

PRIVATE = Asked(prompt_tokens=2000, output_tokens=100)


@dataclass
class Served:
    """A group that reads what it is sent at its rate; every statement is a second old at most."""

    size: int
    rate: float = 8000.0

    def __post_init__(self) -> None:
        self.busy_until = [0.0] * self.size
        self.cached: dict[tuple[int, bytes], int] = {}
        self.counts: Counter[int] = Counter()
        self.waits: list[float] = []
        self._stated = [0.0] * self.size
        self._queues = [0] * self.size
        self._sent = [(0, 0)] * self.size
        self._news: dict[tuple[int, bytes], int] = {}

    def group(self, asked: Asked, now: float) -> PretendedGroup:
        """As the entry node sees it."""
        for index in range(self.size):
            if now - self._stated[index] >= 1.0:
                self._stated[index] = now
                self._queues[index] = round(max(self.busy_until[index] - now, 0.0) * self.rate)
                self._sent[index] = (0, 0)
                self._news.update({key: tokens for key, tokens in self.cached.items() if key[0] == index})
        members = [
            member(
                index,
                IDLE,
                heard=self._stated[index],
                prefill_rate=self.rate,
                queue_tokens=self._queues[index],
                sent_tokens=self._sent[index][0],
                sent_requests=self._sent[index][1],
            )
            for index in range(self.size)
        ]
        cached = {index: tokens for (index, prefix), tokens in self._news.items() if prefix == asked.prefix}
        return PretendedGroup(members, cached, myself=999)  # the only one that asks

    def play(self, policy: Policy, requests: int, seconds_between: float, make, seed: int = 1) -> None:
        random, now = Random(seed), 0.0
        for _ in range(requests):
            now += random.expovariate(1 / seconds_between)
            asked = make(random)
            group = self.group(asked, now)
            index = int.from_bytes(policy.choose(asked, group, now, random).target, "big")
            known = group.cached(asked).get(node_id(index), 0)
            uncached = asked.prompt_tokens - self.cached.get((index, asked.prefix), 0)
            self.waits.append(max(self.busy_until[index] - now, 0.0) + uncached / self.rate)
            self.busy_until[index] = max(self.busy_until[index], now) + uncached / self.rate
            tokens, count = self._sent[index]
            self._sent[index] = (tokens + asked.prompt_tokens - known, count + 1)
            if asked.prefix:
                self.cached[index, asked.prefix] = asked.public_tokens
            self.counts[index] += 1


def cost() -> Cost:
    return Cost(newcomer_share=0.0)


def test_sglang_14305_a_miss_does_not_go_to_the_emptiest_cache_although_overloaded():
    overloaded = member(0, queue_tokens=60_000, running=16, waiting=8, output_tokens=3000, decode_rate=300)
    full_cache = member(1, running=1, output_tokens=50)
    group = PretendedGroup([overloaded, full_cache])
    assert {cost().choose(PRIVATE, group, 0.0, Random(seed)).target for seed in range(50)} == {node_id(1)}


def test_sglang_32983_at_low_concurrency_misses_spread_over_all_members():
    """One request at a time, each with another prefix: all caches fill, not one."""
    served, policy = Served(4), cost()
    number = iter(range(10_000))

    def make(_: Random) -> Asked:
        return Asked(prompt_tokens=1000, public_tokens=900, prefix=b"%d" % next(number), output_tokens=50)

    served.play(policy, 400, 2.0, make)
    assert min(served.counts.values()) > 400 / 4 * 0.4
    private = Served(4)
    private.play(cost(), 400, 2.0, lambda _: PRIVATE)
    assert min(private.counts.values()) > 400 / 4 * 0.6


def test_dynamo_737_a_shared_system_prompt_does_not_pin_one_member():
    """Everybody shares the first 800 of 2,000 tokens, and there is work for seven of eight members."""

    def make(_: Random) -> Asked:
        return Asked(prompt_tokens=2000, public_tokens=800, prefix=b"the system prompt", output_tokens=50)

    served = Served(8)
    served.play(cost(), 2000, 1200 / 8000 / 7, make)
    assert max(served.counts.values()) < 2000 / 8 * 1.5
    assert len(served.counts) == 8
    assert sum(served.waits) / len(served.waits) < 2.0


def test_smg_1621_load_is_not_a_number_of_requests():
    """One request with 30,000 tokens is more to do than six with 200 each."""
    one_long = member(0, waiting=1, queue_tokens=30_000)
    six_short = member(1, waiting=6, queue_tokens=1200)
    group = PretendedGroup([one_long, six_short])
    assert {cost().choose(PRIVATE, group, 0.0, Random(seed)).target for seed in range(50)} == {node_id(1)}
    assert by_name("least-load").choose(PRIVATE, group, 0.0, Random(1)).target == node_id(0)


def test_prime_rl_3255_load_and_cache_together_beat_hashing_that_is_blind_to_load():
    """Prefixes of very different popularity: hashing alone overloads who owns the popular ones."""

    def make(random: Random) -> Asked:
        prefix = b"%d" % int(40 * random.random() ** 5)
        return Asked(prompt_tokens=4000, public_tokens=3600, prefix=prefix, output_tokens=50)

    results = {}
    for name, policy in (("cost", cost()), ("blind", by_name("consistent-hash", load_factor=0.0))):
        served = Served(8)
        served.play(policy, 1500, 0.02, make)
        results[name] = sum(served.waits) / 1500
    assert results["cost"] < results["blind"] / 2


def test_planetserve_a_shared_prefix_of_100_tokens_does_not_send_everything_to_one_member():
    def make(_: Random) -> Asked:
        return Asked(prompt_tokens=1500, public_tokens=100, prefix=b"you are a helpful assistant", output_tokens=50)

    served = Served(8)
    served.play(cost(), 1500, 1400 / 8000 / 4, make)
    assert max(served.counts.values()) < 1500 * 0.25
    assert len(served.counts) == 8


def test_dynamo_4429_what_a_policy_remembers_does_not_grow_with_what_it_is_asked():
    policy, random = cost(), Random(1)
    group = PretendedGroup([member(index) for index in range(4)])
    for index in range(2500):
        asked = replace(PRIVATE, public_tokens=1000, prefix=b"%d" % index)
        policy.choose(asked, group, index / 100, random)
    assert len(policy._warming) <= 2048
    assert len(policy._sent) <= 24


def test_production_stack_590_a_history_of_prompts_is_not_taken_for_what_a_cache_holds():
    """It was sent there a minute ago, and the tree says that it is gone: so it is gone."""
    policy = cost()
    asked = Asked(prompt_tokens=2000, public_tokens=1800, prefix=b"system prompt", output_tokens=100)
    idle = PretendedGroup([member(index) for index in range(4)])
    target = policy.choose(asked, idle, 0.0, Random(1)).target
    later = [
        replace(one, heard=60.0, load=replace(one.load, queue_tokens=1500 if one.node_id == target else 0))
        for one in idle.members
    ]
    assert policy.choose(asked, PretendedGroup(later), 60.0, Random(1)).target != target
