"""Backoff of dials."""

import random

import pytest

from engine.ids import NodeId
from engine.transport import dialling
from engine.transport.dialling import EXPECTED_DELAY, FIRST_DELAY, LONGEST_DELAY, STABLE_AFTER, DialPlan

PEERS = [NodeId(bytes([number]) * 20) for number in range(5)]


def nobody(_peer: NodeId) -> bool:
    return False


def delays(plan: DialPlan, rounds: int) -> list[float]:
    now, seen = 0.0, []
    for _ in range(rounds):
        assert plan.due(now, nobody, 8) == [PEERS[0]]
        plan.failed(PEERS[0], now)
        deadline = plan.next_deadline(nobody)
        assert deadline is not None
        seen.append(deadline - now)
        now = deadline
    return seen


def test_failures_double_the_delay_up_to_a_minute_with_jitter() -> None:
    plan = DialPlan(random.Random(1))
    plan.want([PEERS[0]], 0.0)
    seen = delays(plan, 12)
    for number, delay in enumerate(seen):
        full = min(2.0**number, LONGEST_DELAY)
        assert full / 2 <= delay <= full
    other = DialPlan(random.Random(2))
    other.want([PEERS[0]], 0.0)
    assert delays(other, 12) != seen


def test_short_lived_links_count_as_failures_and_stable_ones_forgive() -> None:
    plan = DialPlan(random.Random(1))
    plan.want([PEERS[0]], 0.0)
    now = 0.0
    for _ in range(6):
        plan.linked(PEERS[0], now)
        plan.failed(PEERS[0], now + 0.1)
        now = plan.next_deadline(nobody) or 0.0
    plan.linked(PEERS[0], now)
    plan.failed(PEERS[0], now + 0.1)
    assert (plan.next_deadline(nobody) or 0.0) - now > 10
    now = plan.next_deadline(nobody) or 0.0
    plan.linked(PEERS[0], now)
    plan.failed(PEERS[0], now + STABLE_AFTER)
    assert (plan.next_deadline(nobody) or 0.0) - now - STABLE_AFTER <= 1.0


def test_limit_and_busy_peers_are_respected() -> None:
    plan = DialPlan(random.Random(1))
    plan.want(PEERS, 0.0)
    assert len(plan.due(0.0, nobody, 3)) == 3
    assert plan.due(0.0, nobody, 0) == []
    assert set(plan.due(0.0, lambda peer: peer == PEERS[1], 9)) == set(PEERS) - {PEERS[1]}
    assert plan.next_deadline(lambda _peer: True) is None


def test_no_longer_wanted_is_forgotten_and_a_single_dial_is_tried_once() -> None:
    plan = DialPlan(random.Random(1))
    plan.want(PEERS[:2], 0.0)
    plan.dial(PEERS[4], 0.0)
    plan.want(PEERS[:1], 1.0)
    assert set(plan.due(1.0, nobody, 9)) == {PEERS[0], PEERS[4]}
    plan.failed(PEERS[4], 1.0)
    assert plan.due(1e9, nobody, 9) == [PEERS[0]]


def test_hurry_forgets_failures_and_spreads_the_dials_over_a_second() -> None:
    plan = DialPlan(random.Random(1))
    plan.want(PEERS, 0.0)
    for _ in range(6):
        for peer in PEERS:
            plan.failed(peer, 0.0)
    assert plan.due(10.0, nobody, 9) == []
    plan.hurry(10.0)
    assert set(plan.due(11.0, nobody, 9)) == set(PEERS)
    assert plan.due(10.0, nobody, 9) == [], "not all at once"


def test_expected_peer_has_time_to_dial_first() -> None:
    plan = DialPlan(random.Random(1))
    plan.want(PEERS[:1], 0.0, expected=PEERS[1:2])
    assert plan.due(0.0, lambda _: False, 9) == [PEERS[0]]
    assert plan.due(EXPECTED_DELAY, lambda _: False, 9) == [PEERS[0]]
    assert set(plan.due(1.5 * EXPECTED_DELAY, lambda _: False, 9)) == set(PEERS[:2])
    assert plan.wanted == set(PEERS[:2])
    plan.linked(PEERS[1], 10.0)
    plan.failed(PEERS[1], 100.0)
    assert PEERS[1] not in plan.due(100.0 + EXPECTED_DELAY, lambda _: False, 9)
    assert PEERS[1] in plan.due(100.0 + EXPECTED_DELAY + FIRST_DELAY, lambda _: False, 9)


def test_expected_peer_that_cannot_have_heard_of_us_is_dialled_at_once() -> None:
    plan = DialPlan(random.Random(1))
    plan.want(PEERS[:1], 0.0, expected=PEERS[1:2], unheard=True)
    assert set(plan.due(0.0, nobody, 9)) == set(PEERS[:2])
    plan.linked(PEERS[1], 0.0)
    plan.failed(PEERS[1], 100.0)  # a link that both had: the other side dials first, as ever
    assert PEERS[1] not in plan.due(100.0 + EXPECTED_DELAY, nobody, 9)


def test_who_comes_and_goes_keeps_its_backoff() -> None:
    plan = DialPlan(random.Random(1))
    now, dials = 0.0, 0
    while now < 300.0:  # listed and delisted every second, and never there
        plan.want(PEERS[:1], now)
        if plan.due(now, lambda _: False, 9):
            dials += 1
            plan.failed(PEERS[0], now)
        plan.want((), now + 0.5)
        now += 1.0
    assert dials < 15


def test_memory_of_the_past_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "REMEMBERED", 16)
    plan = DialPlan(random.Random(1))
    for number in range(200):
        peer = NodeId(number.to_bytes(20, "big"))
        plan.want([peer], 0.0)
        plan.failed(peer, 0.0)
        plan.want((), 0.0)
    assert len(plan._past) <= 16
    assert len(plan._peers) == 0


def test_who_left_long_ago_is_forgotten() -> None:
    plan = DialPlan(random.Random(1))
    plan.want(PEERS[:1], 0.0)
    plan.failed(PEERS[0], 0.0)
    plan.want((), 1.0)
    assert list(plan._past) == [PEERS[0]]
    plan.want(PEERS[1:2], FIRST_DELAY + LONGEST_DELAY + 1.0)
    assert not plan._past
