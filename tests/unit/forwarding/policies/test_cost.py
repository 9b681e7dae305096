"""Our own policy: what it weighs, what it remembers, when it refuses, and how it looks at a large group."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from engine.forwarding.policies.cost import Cost
from engine.forwarding.policies.interface import Asked
from engine.ids import NodeId
from tests.support.forwarding import PretendedGroup, member, node_id

ASKED = Asked(prompt_tokens=2000, output_tokens=100)
PUBLIC = Asked(prompt_tokens=2000, public_tokens=1800, prefix=b"system prompt", output_tokens=100)


def plain(**parameters):
    return Cost(newcomer_share=0.0, **parameters)


def chosen(policy, group, asked=ASKED, count=300, seed=1):
    random = Random(seed)
    return Counter(policy.choose(asked, group, 0.0, random).target for _ in range(count))


def first(policy, group, asked=ASKED, now=0.0):
    return policy.choose(asked, group, now, Random(1)).target


def test_a_holder_of_the_prefix_is_worth_a_short_queue_and_not_a_long_one():
    short = PretendedGroup([member(0), member(1, queue_tokens=1000)], {1: 1800})
    long = PretendedGroup([member(0), member(1, queue_tokens=80_000)], {1: 1800})
    assert first(plain(), short, PUBLIC) == node_id(1)
    assert first(plain(), long, PUBLIC) == node_id(0)


def test_a_faster_member_is_worth_a_longer_way():
    near = [member(0, prefill_rate=500), member(1, prefill_rate=8000, round_trip=0.2)]
    assert first(plain(), PretendedGroup(near)) == node_id(1)
    far = [member(0, prefill_rate=500), member(1, prefill_rate=8000, round_trip=8.0)]
    assert first(plain(), PretendedGroup(far)) == node_id(0)


def test_long_answers_go_to_who_writes_fast_and_long_prompts_to_who_reads_fast():
    group = PretendedGroup(
        [
            member(0, prefill_rate=20_000, decode_rate=20, decode_rate_alone=20),
            member(1, prefill_rate=2_000, decode_rate=80, decode_rate_alone=80),
        ]
    )
    assert first(plain(), group, Asked(prompt_tokens=30_000, output_tokens=20)) == node_id(0)
    assert first(plain(), group, Asked(prompt_tokens=100, output_tokens=2000)) == node_id(1)


def test_who_has_no_free_place_is_passed_over_although_its_queue_is_empty():
    full = member(0, slots=4, running=4, output_tokens=4000, decode_rate=100)
    assert first(plain(), PretendedGroup([full, member(1, queue_tokens=2000, round_trip=0.1)])) == node_id(1)


def test_who_has_no_free_memory_is_passed_over_although_it_has_places():
    full = member(0, running=4, output_tokens=4000, context_tokens=98_000, kv_free=1000, decode_rate=100)
    assert first(plain(), PretendedGroup([full, member(1, queue_tokens=2000, round_trip=0.1)])) == node_id(1)


def test_what_was_sent_since_the_statement_counts():
    group = PretendedGroup([member(0, sent_tokens=4000, sent_requests=2, sent_output_tokens=200), member(1)])
    assert first(plain(), group) == node_id(1)


def test_work_done_since_the_statement_counts():
    """The older statement says more, and by now it must be less."""
    group = PretendedGroup([member(0, queue_tokens=9000, heard=8.5), member(1, queue_tokens=5000, heard=9.9)])
    assert first(plain(), group, now=10.0) == node_id(0)


def test_the_second_request_with_a_new_prefix_follows_the_first():
    """No news says yet who holds it; the machine itself has just sent it there."""
    policy = plain()
    group = PretendedGroup([member(index) for index in range(8)])
    target = first(policy, group, PUBLIC)
    index = int.from_bytes(target, "big")
    sent = [
        replace(m, sent_tokens=2000, sent_requests=1, sent_output_tokens=100) if m.node_id == target else m
        for m in group.members
    ]
    later = PretendedGroup(sent)
    assert first(policy, later, PUBLIC, now=0.05) == target
    assert first(policy, later, replace(PUBLIC, prefix=b"another"), now=0.05) != node_id(index)


def test_every_entry_node_brings_a_new_prefix_to_the_same_member():
    members = [member(index, round_trip=0.02) for index in range(8)]
    targets = {
        Cost(newcomer_share=0.0).choose(PUBLIC, PretendedGroup(members, myself=entry), 0.0, Random(entry)).target
        for entry in range(8)
    }
    assert len(targets) == 1


def test_different_prefixes_have_different_homes():
    group = PretendedGroup([member(index) for index in range(8)])
    homes = Counter(first(plain(), group, replace(PUBLIC, prefix=bytes([index]))) for index in range(200))
    assert len(homes) == 8
    assert max(homes.values()) < 200 / 8 * 2.5


def test_entry_nodes_make_the_second_copy_in_one_place_too():
    members = [member(index, round_trip=0.02) for index in range(8)]
    holder = int.from_bytes(first(plain(), PretendedGroup(members), PUBLIC), "big")
    members[holder] = member(holder, queue_tokens=40_000)
    targets = {
        plain().choose(PUBLIC, PretendedGroup(members, {holder: 1800}, myself=entry), 0.0, Random(entry)).target
        for entry in range(8)
        if entry != holder
    }
    assert len(targets) == 1
    assert targets != {node_id(holder)}


def test_a_popular_prefix_gets_a_further_copy_sooner():
    """The holder has the same queue both times."""
    busy = [member(0, queue_tokens=8_000), *(member(index) for index in range(1, 8))]
    group, policy, random = PretendedGroup(busy, {0: 1800}), plain(), Random(1)
    targets = [policy.choose(PUBLIC, group, 0.01 * index, random).target for index in range(12)]
    assert targets[0] == node_id(0)
    assert targets[-1] != node_id(0)


def test_the_last_free_places_are_kept():
    """Nobody would wait, and everybody writes equally fast; but more are to come."""
    nearly_full = member(0, slots=16, running=15, output_tokens=900, decode_rate=900)
    group = PretendedGroup([nearly_full, member(1, slots=16, running=15, output_tokens=900, decode_rate=900)])
    free = member(2, slots=32, running=15, output_tokens=900, decode_rate=900, round_trip=0.05)
    assert first(plain(), PretendedGroup([*group.members, free])) == node_id(2)
    assert first(plain(places_weight=0.0), PretendedGroup([*group.members, free])) != node_id(2)


def test_near_equals_are_drawn_by_lot():
    group = PretendedGroup([member(index, queue_tokens=10 * index) for index in range(4)])
    counts = [plain().choose(ASKED, PretendedGroup(group.members), 0.0, Random(seed)).target for seed in range(400)]
    assert min(Counter(counts).values()) > 60


def entries(members, seconds, seen):
    """Whom each of many entry nodes sends one request to, all with the same news of everybody, ``seconds`` old, that
    have been asked ``seen`` requests a second themselves."""
    chosen: Counter[NodeId | None] = Counter()
    for seed in range(200):
        policy = plain()
        for step in range(20):
            policy.choose(ASKED, PretendedGroup(members), seconds - 1 + step / seen, Random(seed))
        after = max(seconds, seconds - 1 + 20 / seen)
        moved = [replace(one, heard=after - seconds) for one in members]
        chosen[policy.choose(ASKED, PretendedGroup(moved, myself=99), after, Random(seed)).target] += 1
    return chosen


def test_nobody_is_run_over_because_it_had_least_to_do_a_moment_ago():
    members = [member(index, running=8, output_tokens=800, decode_rate=400) for index in range(8)]
    members[5] = member(5, running=4, output_tokens=400, decode_rate=220)
    fresh, old = entries(members, 0.0, 20), entries(members, 0.5, 20)
    assert fresh[node_id(5)] == 200
    assert old[node_id(5)] < 120
    assert len(old) >= 6


def test_one_clearly_best_member_is_taken_every_time():
    members = [member(index, queue_tokens=8000, running=10, output_tokens=900) for index in range(8)]
    members[5] = member(5)
    targets = {plain().choose(ASKED, PretendedGroup(members), 0.0, Random(seed)).target for seed in range(200)}
    assert targets == {node_id(5)}


def test_when_all_would_take_too_long_it_refuses_and_says_who_would_be_soonest():
    members = [member(index, queue_tokens=400_000 + 8000 * index) for index in range(6)]
    choice = plain().choose(ASKED, PretendedGroup(members, myself=1), 0.0, Random(1))
    assert choice.target is None
    assert choice.alternatives == (node_id(0), node_id(2), node_id(3))
    assert choice.estimate == pytest.approx(50.25, abs=0.1)
    assert "about 50 s" in choice.reason


def test_a_prompt_that_fits_nowhere_is_refused_with_that_reason():
    choice = plain().choose(Asked(prompt_tokens=200_000), PretendedGroup([member(0), member(1)]), 0.0, Random(1))
    assert choice.target is None
    assert "no room" in choice.reason.lower() or "has room" in choice.reason
    assert choice.alternatives == ()


def test_what_must_not_be_forwarded_stays_or_is_refused():
    here = replace(ASKED, may_forward=False)
    busy = PretendedGroup([member(0, queue_tokens=100_000), member(1)])
    assert first(plain(), busy, here) == node_id(0)
    flooded = PretendedGroup([member(0, queue_tokens=1_000_000), member(1)])
    assert first(plain(), flooded, here) is None


def test_a_silent_member_is_less_and_less_attractive():
    assert first(plain(), PretendedGroup([member(0, heard=70.0), member(1, heard=99.0)]), now=100.0) == node_id(1)


def test_believed_times_trust():
    boaster = member(1, prefill_rate=80_000, trust=0.05)
    assert first(plain(), PretendedGroup([member(0), boaster])) == node_id(0)


def test_in_a_large_group_it_finds_a_holder_and_an_idle_member_without_looking_at_all():
    size = 1000
    busy = [member(index, queue_tokens=30_000, running=8, output_tokens=2000) for index in range(size)]
    holding = list(busy)
    holding[700] = member(700)
    assert first(plain(), PretendedGroup(holding, {700: 1800}), PUBLIC) == node_id(700)

    # A tenth is idle: once a few choices have found some of them, they are remembered.
    idle = [member(index) if index % 10 == 3 else busy[index] for index in range(size)]
    policy, random = plain(), Random(3)
    targets = [policy.choose(ASKED, PretendedGroup(idle), 0.0, random).target for _ in range(50)]
    assert all(int.from_bytes(target, "big") % 10 == 3 for target in targets[5:])


def test_what_it_remembers_is_bounded():
    policy, random = plain(), Random(3)
    group = PretendedGroup([member(index) for index in range(40)])
    for index in range(2200):
        policy.choose(replace(PUBLIC, prefix=index.to_bytes(4, "big")), group, float(index), random)
    assert len(policy._warming) <= 2048
    assert len(policy._sent) <= 2 * 40 + 16
    assert len(policy._least) <= 6
