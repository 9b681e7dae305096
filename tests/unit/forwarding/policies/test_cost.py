"""Our own policy: what it weighs, what it remembers, when it refuses, and how it looks at a large group."""

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from math import inf
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


def test_what_members_without_standing_say_they_hold_counts_as_no_copy():
    """Forty of them say that they hold everything, and the first copy is still made in one place."""
    members = [member(index, round_trip=0.02) for index in range(8)]
    members += [member(index, established=False) for index in range(100, 140)]
    held = dict.fromkeys(range(100, 140), 2_000)
    targets = {
        plain(small_group=64).choose(PUBLIC, PretendedGroup(members, held, myself=entry), 0.0, Random(entry)).target
        for entry in range(8)
    }
    assert len(targets) == 1


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


def test_thousands_of_places_that_one_claims_to_have_make_nobody_elses_free():
    nearly_full = [member(index, slots=16, running=15, output_tokens=900, decode_rate=900) for index in range(2)]
    free = member(2, slots=32, running=15, output_tokens=900, decode_rate=900, round_trip=0.05)
    liar = member(3, slots=4096, round_trip=60.0)
    assert first(plain(), PretendedGroup([*nearly_full, free, liar])) == node_id(2)


def test_near_equals_are_drawn_by_lot():
    group = PretendedGroup([member(index, queue_tokens=10 * index) for index in range(4)])
    counts = [plain().choose(ASKED, PretendedGroup(group.members), 0.0, Random(seed)).target for seed in range(400)]
    assert min(Counter(counts).values()) > 60


def asked_often(members, now, requests, **parameters):
    """An entry node that was asked so many requests in the last second, and has sent nothing anywhere lately."""
    policy, random = plain(**parameters), Random(1)
    for step in range(requests):
        at = now - 1 + step / requests
        policy.choose(ASKED, PretendedGroup([replace(one, heard=at) for one in members]), at, random)
    policy._sent.clear()
    return policy


def entries(members, now, requests=20, count=200, **parameters):
    """Whom each of many entry nodes sends its next request to. All have the same news of the ``members``, and are too
    busy to serve it themselves."""
    group = PretendedGroup([*members, member(99, queue_tokens=160_000, heard=now)], myself=99)
    policy = asked_often(group.members, now, requests, **parameters)
    chosen: Counter[NodeId | None] = Counter()
    for seed in range(count):
        chosen[deepcopy(policy).choose(ASKED, group, now, Random(seed)).target] += 1
    return chosen


def test_nobody_is_run_over_because_it_had_least_to_do_a_moment_ago():
    members = [member(index, running=8, output_tokens=800, decode_rate=400, heard=10.0) for index in range(8)]
    members[5] = member(5, running=4, output_tokens=400, decode_rate=220, heard=10.0)
    fresh, old = entries(members, 10.0), entries(members, 10.5)
    assert fresh[node_id(5)] == 200
    assert old[node_id(5)] < 120
    assert len(old) >= 6


def test_who_speaks_often_gets_no_more_than_quiet_equals():
    """One has spoken 20 ms ago, six others have had nothing to say for seconds, and nobody has anything to do."""
    members = [member(index, heard=8.0 + 0.3 * index, silence=0.25, round_trip=0.02) for index in range(6)]
    members.append(member(6, heard=9.98, silence=0.25, round_trip=0.02))
    chosen = entries(members, 10.0)
    assert len(chosen) == 7
    assert chosen[node_id(6)] < 200 / 7 * 1.5


def test_silence_tells_that_nothing_came_where_everybody_is_heard_at_once():
    """One has had nothing to do for seconds, the other has a tenth of a second of reading."""

    def chosen(silence: float) -> Counter[NodeId | None]:
        first = member(0, heard=2.0, silence=silence)
        return entries([first, member(1, heard=9.95, queue_tokens=1_200, silence=silence)], 10.0, 4)

    assert chosen(0.25) == {node_id(0): 200}
    assert chosen(inf)[node_id(1)] > 0


def test_a_flood_through_one_entry_node_does_not_level_what_it_knows_of_the_others():
    """Four thousand requests in a second, and the news is a quarter of a second old."""
    members = [member(index, running=4, output_tokens=400, decode_rate=220, queue_tokens=24_000) for index in range(8)]
    members[5] = member(5, running=4, output_tokens=400, decode_rate=220)
    moved = [replace(one, heard=9.75) for one in members]
    assert entries(moved, 10.0, 4_000, count=50) == {node_id(5): 50}


@pytest.mark.parametrize("established", [False, True])
def test_what_a_few_claim_changes_nothing_of_what_copies_and_gaps_are_worth(established):
    """One member claims 400 million tokens a second and thousands of places; what an entry node does with the others
    stays the same. (It has no place free, so that it is not chosen itself.)"""
    liar = member(
        7,
        prefill_rate=4e8,
        decode_rate=4e8,
        decode_rate_alone=4e8,
        slots=4096,
        established=established,
        round_trip=5.0 if established else 0.0,
    )

    def held_and_spread(members):
        policy, random = Cost(newcomer_share=0.5), Random(1)
        for step in range(200):
            policy.choose(ASKED, PretendedGroup(members), step / 40, random)
        policy.newcomer_share = 0.0
        now = 5.5
        moved = [replace(one, heard=now) for one in members]
        moved[0] = replace(moved[0], load=replace(moved[0].load, queue_tokens=6_000))
        holder = policy.choose(PUBLIC, PretendedGroup(moved, {0: 1800}), now, random).target
        return holder, policy._usual, policy._traffic.reading

    equal = [member(index, running=4, output_tokens=400, decode_rate=220, round_trip=0.02) for index in range(7)]
    holder, usual, reading = held_and_spread([*equal, replace(equal[0], node_id=node_id(7))])
    assert holder == node_id(0)
    found = held_and_spread([*equal, liar])
    assert found[0] == holder
    assert found[1] == usual
    assert found[2] == pytest.approx(reading, rel=0.05)


def test_without_what_decision_0069_added_it_still_chooses():
    members = [member(index, queue_tokens=4_000 * index, heard=9.9) for index in range(4)]
    assert entries(members, 10.0, count=20, unseen=0.0, batch_weight=1.0, places_weight=1.0) == {node_id(0): 20}


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
