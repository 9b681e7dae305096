"""Whose turn it is, compared with a naive account of what is fair, and what a bandwidth allows."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from itertools import islice

import pytest

from engine.paths.fair_sharing import BURST_SECONDS, SATURATED_SECONDS, Bandwidth, FairQueue, Saturation


def naive_shares(wanted: list[int], total: int) -> list[int]:
    """Max-min fair shares of ``total`` equal pieces: one piece each, round after round, while there are any."""
    got = [0] * len(wanted)
    while total and any(w > g for w, g in zip(wanted, got, strict=True)):
        for flow, want in enumerate(wanted):
            if total and got[flow] < want:
                got[flow] += 1
                total -= 1
    return got


@pytest.mark.parametrize("seed", range(60))
def test_shares_are_those_of_the_naive_reference(seed: int) -> None:
    source = random.Random(seed)
    wanted = [source.choice((0, 1, 3, 40, 400)) for _ in range(source.randrange(1, 9))]
    total = source.randrange(0, sum(wanted) + 5)
    queue: FairQueue[str, int] = FairQueue()
    waiting = list(wanted)
    for flow, want in enumerate(wanted):
        if want:
            queue.add("link", flow)
    got = [0] * len(wanted)
    for _, flow in queue.turns(lambda _: total):
        got[flow] += 1
        waiting[flow] -= 1
        if waiting[flow]:
            queue.add("link", flow)
    assert got == naive_shares(wanted, total)
    assert len(queue) == sum(left > 0 for left in waiting)


@pytest.mark.parametrize("seed", range(40))
def test_links_take_turns_flows_of_a_link_too_and_no_link_gets_more_than_its_room(seed: int) -> None:
    """Random arrivals and random stops; the reference keeps each link's line as a plain list."""
    source = random.Random(seed)
    queue: FairQueue[int, int] = FairQueue()
    lines: dict[int, list[int]] = {link: [] for link in range(4)}
    for _ in range(30):
        for _ in range(source.randrange(12)):
            link, flow = source.randrange(4), source.randrange(6)
            queue.add(link, flow)
            if flow not in lines[link]:
                lines[link].append(flow)
        room = {link: source.choice((0, 1, 2, 50)) for link in lines}
        served: defaultdict[int, list[int]] = defaultdict(list)
        order: list[int] = []
        for link, flow in islice(queue.turns(room.__getitem__), source.randrange(1, 40)):
            order.append(link)
            served[link].append(flow)
            assert flow == lines[link].pop(0)
            if source.random() < 0.5:
                queue.add(link, flow)
                lines[link].append(flow)
        assert all(len(flows) <= room[link] for link, flows in served.items())
        for link, count in Counter(order).items():  # nobody is passed twice while it could have gone
            if lines[link] and count < room[link]:
                assert all(other - count <= 1 for other in Counter(order).values())
        assert len(queue) == sum(map(len, lines.values()))


def test_a_link_that_was_first_once_is_not_first_for_ever() -> None:
    queue: FairQueue[str, int] = FairQueue()
    first = []
    for link in ("a", "b", "c"):
        queue.add(link, 0)
    for _ in range(6):
        (link, flow) = next(queue.turns(lambda _: 10))
        first.append(link)
        queue.add(link, flow)
    assert first == ["a", "b", "c", "a", "b", "c"]


@pytest.mark.parametrize("seed", range(20))
def test_no_stretch_of_time_gets_more_than_the_bandwidth_and_one_burst(seed: int) -> None:
    source = random.Random(seed)
    rate, now, size = 10_000.0, 5.0, 1160
    bucket = Bandwidth(rate, 0.0)
    sent: list[tuple[float, int]] = []
    for _ in range(400):
        now += source.choice((0.0, 0.001, 0.05, 3.0))
        if bucket.may_send(now):
            bucket.spend(size)
            sent.append((now, size))
        else:
            now = bucket.next_at(now) + 1e-9  # it says when to come back
            assert bucket.may_send(now)
    for start in range(len(sent)):
        for end in range(start, len(sent)):
            allowed = rate * (sent[end][0] - sent[start][0] + BURST_SECONDS) + size
            assert sum(size for _, size in sent[start : end + 1]) <= allowed + 1e-6


def test_a_relay_that_is_never_idle_uses_all_of_its_bandwidth() -> None:
    bucket = Bandwidth(10_000.0, 0.0)
    now, total = 0.0, 0
    while now < 100.0:
        while bucket.may_send(now):
            bucket.spend(1160)
            total += 1160
        now = max(now + 0.005, bucket.next_at(now))
    assert total == pytest.approx(1_000_000, rel=0.01)
    assert bucket.use(now) == pytest.approx(1.0, rel=0.05)
    assert bucket.use(now + 300.0) < 0.001
    assert Bandwidth(None, 0.0).use(now) == 0.0


def test_saturation_changes_seldom() -> None:
    saturation = Saturation()
    assert not saturation.look(0.7, 0.0)
    assert [saturation.look(0.9, 1.0), saturation.holds] == [True, True]
    assert [saturation.look(0.1, 2.0), saturation.holds] == [False, True]
    later = 1.0 + SATURATED_SECONDS
    assert not saturation.look(0.6, later)
    assert [saturation.look(0.4, later), saturation.holds] == [True, False]
    changes = sum(saturation.look(load, later + i) for i, load in enumerate([0.9, 0.1] * 300))
    assert changes <= 600 / SATURATED_SECONDS + 1
