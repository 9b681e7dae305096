"""Guards: drawn once, kept, and replaced slowly, whatever the clock, the server or a hostile guard does."""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from engine.directory.directory import Directory
from engine.directory.guards import (
    DAY_SECONDS,
    LEAST_EVIDENCE,
    MAX_RETIRED,
    MOST_EVIDENCE,
    GuardList,
    GuardState,
    state_of,
)
from engine.ids import NodeId
from tests.support.records import NOW, directory_of, identity, seeded

OLD = NOW - 30 * DAY_SECONDS
HOUR = 3600.0
EVERYWHERE = frozenset(identity(number).node_id for number in range(100))


@functools.cache
def network(count: int = 40, *, created: float = OLD, without: frozenset[NodeId] = frozenset()) -> Directory:
    """Relays ``0 .. count - 1`` of a network that began at ``created``; ``without`` are not listed."""
    full = directory_of(count, created=created)
    kept = [node for node in full.nodes() if node.node_id not in without]
    return Directory(
        kept,
        parameters=full.parameters,
        created=full.created,
        epoch=full.epoch,
        issued=full.issued,
        digest=full.digest,
    )


def changed(directory: Directory, **more) -> Directory:
    """The same directory with other attributes."""
    view = copy.copy(directory)
    for name, value in more.items():
        setattr(view, name, value)
    return view


def look(
    guards: GuardList,
    directory: Directory,
    now: float,
    random_bytes: Callable[[int], bytes],
    linked: frozenset[NodeId] = frozenset(),
):
    """As in a mesh: every listed relay has a place."""
    placed = frozenset(node.node_id for node in directory.nodes())
    return guards.look(directory, placed, linked, now, random_bytes)


def steps(guards: GuardList, directory: Directory, days: float, linked: frozenset[NodeId] = frozenset(), seed: int = 2):
    """Look every hour for so many days; gives whom it retired."""
    random_bytes = seeded(seed)
    retired = []
    start = guards.state.looked or NOW
    for hour in range(1, int(days * 24) + 1):
        retired += look(guards, directory, start + hour * HOUR, random_bytes, linked)
    return retired


def drawn(directory: Directory, seed: int = 1, **options) -> GuardList:
    guards = GuardList(**options)
    look(guards, directory, NOW, seeded(seed))
    return guards


def test_a_list_is_drawn_uniformly_once_and_without_oneself():
    directory = network(12)
    counts: Counter[NodeId] = Counter()
    own = identity(3).node_id
    for seed in range(1500):
        guards = drawn(directory, seed, exclude=[own])
        assert len(set(guards.node_ids)) == 8
        counts.update(guards.node_ids)
    assert own not in counts
    assert len(counts) == 11
    expected = 1500 * 8 / 11
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 35.56  # chi-square, 99.99 %
    before = guards.node_ids
    steps(guards, directory, 5)
    assert guards.node_ids == before


def test_only_relays_that_were_there_most_of_the_week_are_drawn_unless_the_network_is_young():
    old = directory_of(10, availability=lambda n: n / 10, created=OLD)
    assert set(drawn(old).node_ids) == {identity(8).node_id, identity(9).node_id}
    young = directory_of(10, availability=lambda n: n / 10, created=NOW - 6 * DAY_SECONDS)
    assert len(drawn(young).node_ids) == 8


def test_an_absent_guard_returns_to_its_place_and_is_replaced_after_a_week():
    full = network()
    guards = drawn(full)
    first = guards.node_ids
    away = network(without=frozenset(first[:1]))
    steps(guards, away, 6.9)
    assert guards.node_ids == first
    assert guards.live(away, EVERYWHERE) == first[1:]
    steps(guards, full, 0.1)
    assert guards.live(full, EVERYWHERE) == first
    steps(guards, away, 6.9)
    assert guards.node_ids == first  # the absence began anew
    steps(guards, away, 0.2)
    assert first[0] not in guards.node_ids
    assert guards.node_ids[:7] == first[1:]
    assert len(guards.node_ids) == 8


def test_a_guard_that_is_linked_is_there_whatever_the_server_says():
    guards = drawn(network())
    first = guards.node_ids
    unlisted = network(without=frozenset(first))
    steps(guards, unlisted, 20, linked=frozenset(first))
    assert guards.node_ids == first


def test_a_guard_serves_thirty_days():
    directory = network()
    guards = drawn(directory)
    first = guards.node_ids
    steps(guards, directory, 29.9)
    assert guards.node_ids == first
    steps(guards, directory, 0.3)
    assert len(set(first[:4]) & set(guards.node_ids)) == 2  # four have served, two may go now
    assert guards.node_ids[:2] == first[2:4]
    steps(guards, directory, 4)
    assert len(set(first[:4]) & set(guards.node_ids)) == 1


def test_a_server_that_unlists_guards_replaces_two_a_week_at_most():
    guards = drawn(network(60))
    met = set(guards.node_ids)
    for day in range(56):  # everybody who is a guard is hidden, for eight weeks
        steps(guards, network(60, without=frozenset(guards.node_ids)), 1, seed=day)
        met |= set(guards.node_ids)
    assert len(met) <= 8 + 2 + 2 * 8
    assert len(guards.node_ids) == 8


def test_a_server_that_marks_everybody_else_away_does_not_choose_the_next_guard():
    directory = network(30)
    guards = drawn(directory)
    friend = next(name for name in (identity(number).node_id for number in range(30)) if name not in guards.node_ids)
    marked = directory.with_away(frozenset(node.node_id for node in directory.nodes()) - {friend})
    chosen: Counter[bool] = Counter()
    for seed in range(40):
        state = msgspec.json.decode(msgspec.json.encode(guards.state), type=GuardState)
        other = GuardList(state)
        steps(other, marked, 7.2, seed=seed)
        new = set(other.node_ids) - set(guards.node_ids)
        assert len(new) == 2
        chosen[friend in new] += 1
    assert chosen[True] < 15  # 2 of 22 by chance


@pytest.mark.parametrize("jump", [400 * DAY_SECONDS, -400 * DAY_SECONDS])
def test_a_clock_that_jumps_retires_nobody(jump):
    full = network()
    guards = drawn(full)
    first = guards.node_ids
    away = network(without=frozenset(first))
    for turn in range(5):
        look(guards, away, NOW + (turn % 2) * jump + turn, seeded(turn))
    assert guards.node_ids == first


def test_in_a_young_network_others_stand_in_for_absent_guards_and_the_list_stays_bounded():
    full = network(created=NOW - DAY_SECONDS)
    guards = drawn(full)
    first = guards.node_ids
    without: set[NodeId] = set()
    for turn in range(12):
        without |= set(guards.node_ids[:2])
        look(guards, network(created=NOW - DAY_SECONDS, without=frozenset(without)), NOW + turn, seeded(turn))
        assert len(guards.node_ids) <= 16
        assert len(guards.live(network(created=NOW - DAY_SECONDS, without=frozenset(without)), EVERYWHERE)) == 8
    guards = GuardList(state_of(first))
    part = network(created=NOW - DAY_SECONDS, without=frozenset(first[:3]))
    look(guards, part, NOW, seeded(3))
    assert guards.node_ids[:8] == first
    assert guards.live(full, EVERYWHERE)[:8] == first


def judge(guards: GuardList, rates: list[float], paths: int) -> None:
    for name, rate in zip(guards.node_ids, rates, strict=False):
        failures = round(rate * paths)
        for number in range(paths):
            guards.count_path(name, number >= failures)


def test_a_guard_whose_paths_fail_far_more_than_the_others_is_retired_and_not_drawn_again():
    directory = network(12)
    guards = drawn(directory)
    bad = guards.node_ids[2]
    judge(guards, [0.05, 0.05, 0.6, 0.05, 0.1], 60)
    (retired,) = steps(guards, directory, 0.05)
    assert (retired.node_id, retired.failures, retired.paths) == (bad, 36, 60)
    assert retired.usual < 0.1
    steps(guards, directory, 40)
    assert bad not in guards.node_ids


def test_a_guard_that_fails_no_more_than_others_or_on_little_evidence_stays():
    directory = network()
    for rates, paths in (
        ([0.6] * 5, 100),  # a network where much fails
        ([0.05, 0.05, 1.0, 0.05], LEAST_EVIDENCE - 1),
        ([0.0, 0.0, 0.12, 0.0], 100),  # below three times what counts at least
        ([0.0, 1.0], 100),  # two are no median
    ):
        guards = drawn(directory)
        judge(guards, rates, paths)
        assert steps(guards, directory, 0.05) == []


def test_where_a_third_of_all_paths_fails_one_that_fails_nearly_always_is_still_retired():
    directory = network(12)
    guards = drawn(directory)
    bad = guards.node_ids[2]
    judge(guards, [0.36, 0.36, 0.9, 0.36, 0.4], 60)
    (retired,) = steps(guards, directory, 0.05)
    assert retired.node_id == bad
    guards = drawn(directory)
    judge(guards, [0.36, 0.36, 0.6, 0.36, 0.4], 60)
    assert steps(guards, directory, 0.05) == []


def test_chance_alone_retires_hardly_anybody():
    directory = network()
    retired = 0
    for seed in range(200):
        guards = drawn(directory, seed)
        dice = seeded(seed)
        for _ in range(60):
            for name in guards.node_ids:
                guards.count_path(name, dice(1)[0] >= 26)  # one path in ten fails
        retired += len(steps(guards, directory, 0.05))
    assert retired <= 2


def test_old_evidence_weighs_less_and_strangers_are_not_counted():
    guards = drawn(network())
    name = guards.node_ids[0]
    for _ in range(MOST_EVIDENCE):
        guards.count_path(name, True)
    guards.count_path(name, False)
    assert guards.state.guards[0].paths == MOST_EVIDENCE // 2
    before = msgspec.json.encode(guards.state)
    guards.count_path(NodeId(b"x" * 20), False)
    assert msgspec.json.encode(guards.state) == before


def test_a_revoked_guard_goes_at_once_and_for_good_and_its_place_costs_a_replacement():
    directory = network(10)
    guards = drawn(directory)
    name = guards.node_ids[1]
    look(guards, changed(directory, ended=frozenset([name])), NOW + 1, seeded(1))
    assert name not in guards.node_ids
    assert len(guards.node_ids) == 8
    assert guards.state.budget == pytest.approx(1, abs=0.1)
    steps(guards, directory, 40)
    assert name not in guards.node_ids


def test_those_who_left_for_good_are_remembered_up_to_a_bound():
    guards = GuardList(state_of([identity(number).node_id for number in range(60)]))
    gone = changed(network(), ended=frozenset(guards.node_ids))
    look(guards, gone, NOW, seeded(1))
    assert len(guards.state.retired) == MAX_RETIRED


def test_a_guard_with_a_new_key_keeps_its_place():
    directory = network()
    guards = drawn(directory)
    first = guards.node_ids
    new = next(name for name in EVERYWHERE if name not in first)
    look(guards, changed(directory, ended=frozenset(first[2:3]), successors={first[2]: new}), NOW + 1, seeded(1))
    assert guards.node_ids == [*first[:2], new, *first[3:]]


def test_it_says_when_too_few_are_there():
    directory = network()
    guards = drawn(directory)
    assert guards.shortage(directory, EVERYWHERE, 4) == ""
    few = network(without=frozenset(guards.node_ids[:5]))
    text = guards.shortage(few, EVERYWHERE, 4)
    assert "Only 3 of the 8" in text
    assert "Wait" in text
    assert guards.shortage(directory, set(guards.node_ids[:3]), 4) != ""  # the others have no place in the graph
    assert guards.shortage(few, EVERYWHERE, 2) == ""


def test_the_state_survives_the_disk():
    guards = drawn(network())
    judge(guards, [0.1], 30)
    saved = msgspec.json.encode(guards.state)
    assert msgspec.json.decode(saved, type=GuardState) == guards.state
    for wrong in (b'{"version": 2}', b'{"guards": [{"node_id": ""}]}', b'{"budget": 9}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(wrong, type=GuardState)
