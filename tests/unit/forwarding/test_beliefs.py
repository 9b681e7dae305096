"""Capacity is believed as far as it is measured. The queue model is the simplest there is: every member reads one
prompt after the other at its true rate, writes each answer at its true rate, and states its load once a second."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.forwarding.beliefs import LEAST_TRUST, LEAST_WRITTEN, MEASUREMENTS, MOST_OPEN, Beliefs
from engine.forwarding.members import Load, Member
from engine.forwarding.policies.cost import Cost
from engine.forwarding.policies.interface import Asked
from engine.forwarding.policies.usual import usual_of, within_reason
from engine.ids import NodeId
from tests.support.forwarding import PretendedGroup, node_id

ASKED = Asked(prompt_tokens=1000, output_tokens=50)


@dataclass
class Machine:
    """One member as it is, and as it says that it is (``boast`` times as fast, and idle if it boasts)."""

    index: int
    read_rate: float = 2000.0
    write_rate: float = 50.0
    boast: float = 1.0
    round_trip: float = 0.02
    busy_until: float = 0.0
    ends: list[float] = field(default_factory=list)
    served: list[tuple[float, float]] = field(default_factory=list)  # (when asked, seconds to the first token)
    stated: float = -1.0
    load: Load = field(default_factory=Load)
    sent: int = 0

    def state(self, now: float) -> None:
        self.ends = [end for end in self.ends if end > now]
        queue = 0 if self.boast > 1 else round(max(self.busy_until - now, 0.0) * self.read_rate)
        self.load = Load(
            queue_tokens=queue,
            running=0 if self.boast > 1 else len(self.ends),
            output_tokens=0 if self.boast > 1 else 25 * len(self.ends),
            slots=1000,
            prefill_rate=self.read_rate * self.boast,
            decode_rate=self.write_rate * self.boast * max(len(self.ends), 1),
            decode_rate_alone=self.write_rate * self.boast,
        )
        self.stated, self.sent = now, 0

    def seen(self, trust: float) -> Member:
        return Member(
            node_id=node_id(self.index),
            load=self.load,
            heard=self.stated,
            round_trip=self.round_trip,
            trust=trust,
            sent_tokens=1000 * self.sent,
            sent_requests=self.sent,
            sent_output_tokens=50 * self.sent,
        )

    def serve(self, now: float) -> tuple[float, float]:
        """When the first token and the last one are there."""
        self.busy_until = max(self.busy_until, now + self.round_trip / 2) + 1000 / self.read_rate
        first = self.busy_until + self.round_trip / 2
        self.ends.append(first + 49 / self.write_rate)
        self.served.append((now, first - now))
        self.sent += 1
        return first, self.ends[-1]


def play(machines: list[Machine], rate: float, seconds: float, seed: int = 1, *, believing: bool = True) -> Beliefs:
    """Poisson arrivals at one entry node, forwarded by ``cost``; ``rate`` requests a second."""
    random, beliefs, policy = Random(seed), Beliefs(), Cost()
    happenings: list[tuple[float, int, bool]] = []  # (when, request, whether it is the end)
    now, key = 0.0, 0
    for machine in machines:
        machine.state(0.0)
    while now < seconds:
        now += random.expovariate(rate)
        key += 1
        for at, request, ended in sorted(one for one in happenings if one[0] <= now):
            if ended:
                beliefs.finished(request, 50, at)
            else:
                beliefs.first_token(request, at)
        happenings = [one for one in happenings if one[0] > now]
        for machine in machines:
            if now >= machine.stated + 1.0:
                machine.state(now - (now - machine.stated) % 1.0)
        members = [
            machine.seen(beliefs.trust(node_id(machine.index), now) if believing else 1.0) for machine in machines
        ]
        if believing:  # as the views of a group do
            usual = usual_of(members)
            members = [within_reason(member, usual) for member in members]
        choice = policy.choose(ASKED, PretendedGroup(members, myself=999), now, random)
        if choice.target is None:
            continue
        chosen = next(machine for machine in machines if node_id(machine.index) == choice.target)
        beliefs.sent(key, members[machines.index(chosen)], ASKED, 0, now)
        first, last = chosen.serve(now)
        happenings += [(first, key, False), (last, key, True)]
    return beliefs


def share(machines: list[Machine], index: int, since: float = 0.0) -> float:
    counts = Counter({m.index: sum(at >= since for at, _ in m.served) for m in machines})
    return counts[index] / counts.total()


@pytest.mark.parametrize("load", [0.98, 1.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_with_equal_caches_twice_the_capacity_draws_twice_the_traffic(load, seed):
    """When there is enough to do: a group that is half idle asks its faster members first."""
    machines = [Machine(index, read_rate=4000.0 if index % 2 else 2000.0) for index in range(4)]
    play(machines, load * 12, 180, seed)
    fast = share(machines, 1) + share(machines, 3)
    assert fast / (1 - fast) == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_tenfold_overstatement_is_corrected_within_thirty_seconds(seed):
    """One of four equal machines says that it is ten times as fast, and always idle."""

    def machines():
        return [Machine(index, boast=10.0 if index == 2 else 1.0) for index in range(4)]

    group = machines()
    beliefs = play(group, 6.0, 120, seed)
    assert share(group, 2, since=30.0) < 0.25 * 1.15
    assert beliefs.trust(node_id(2), 120.0) < 0.2
    assert all(beliefs.trust(node_id(index), 120.0) > 0.9 for index in (0, 1, 3))
    late = [seconds for m in group for at, seconds in m.served if at >= 30.0]
    assert sum(late) / len(late) < 3.0

    believed = machines()
    play(believed, 6.0, 120, seed, believing=False)
    assert share(believed, 2, since=30.0) > 0.5  # what it would draw if it were believed


@settings(deadline=None, max_examples=12)
@given(st.floats(1.0, 8.0), st.sets(st.integers(0, 4), min_size=1, max_size=2), st.integers(1, 1000))
@example(8.0, {2}, 1)
@example(5.0, {1, 3}, 2)
def test_any_overstatement_of_a_minority_is_corrected_within_thirty_seconds(magnitude, liars, seed):
    """Of five equal machines one or two say that they are ten to a hundred million times as fast, and always idle."""
    machines = [Machine(index, boast=10**magnitude if index in liars else 1.0) for index in range(5)]
    beliefs = play(machines, 7.5, 90, seed)
    assert sum(share(machines, index, since=30.0) for index in liars) < 0.2 * len(liars) * 1.15
    assert all(beliefs.trust(node_id(index), 90.0) > 0.9 for index in range(5) if index not in liars)


def measured(beliefs: Beliefs, seconds: float, at: float, key: int, member: Member) -> None:
    beliefs.sent(key, member, ASKED, 0, at)
    beliefs.first_token(key, at + seconds)


def seen(**values) -> Member:
    return replace(Machine(1).seen(1.0), load=Load(slots=8, prefill_rate=2000.0, decode_rate_alone=50.0), **values)


def test_an_honest_member_is_not_punished_for_a_burst():
    """Half of a burst's requests come late by seconds: others had sent there at the same moment."""
    beliefs = Beliefs()
    for key in range(20):
        measured(beliefs, 6.0 if key % 2 else 0.6, 0.2 * key, key, seen(heard=0.2 * key))
    assert beliefs.trust(node_id(1), 4.0) == 1.0


def test_an_honest_member_is_not_punished_for_a_slow_network():
    beliefs = Beliefs()
    for key in range(20):
        measured(beliefs, 0.5 + 1.5 + 0.8, 2.0 * key, key, seen(heard=2.0 * key, round_trip=1.5))
    assert beliefs.trust(node_id(1), 40.0) == 1.0


def test_what_it_says_of_its_queue_is_part_of_the_promise():
    beliefs = Beliefs()
    waiting = replace(seen(), load=replace(seen().load, queue_tokens=20_000))
    for key in range(10):
        measured(beliefs, 10.5, 2.0 * key, key, replace(waiting, heard=2.0 * key))
    assert beliefs.trust(node_id(1), 20.0) == 1.0


def test_slow_writing_counts_too():
    beliefs = Beliefs()
    for key in range(6):
        beliefs.sent(key, seen(heard=float(key)), ASKED, 0, float(key))
        beliefs.first_token(key, key + 0.5)
        beliefs.finished(key, 50, key + 0.5 + 49 / 5)  # 5 tokens a second instead of 50
    assert beliefs.trust(node_id(1), 6.0) == pytest.approx(0.1, rel=0.05)


def test_a_slow_spell_is_forgiven():
    beliefs = Beliefs()
    for key in range(MEASUREMENTS):
        measured(beliefs, 5.0, float(key), key, seen(heard=float(key)))
    low = beliefs.trust(node_id(1), 20.0)
    assert low < 0.2
    # Nothing new: the doubt fades.
    assert low < beliefs.trust(node_id(1), 150.0) < beliefs.trust(node_id(1), 400.0)
    assert beliefs.trust(node_id(1), 1200.0) > 0.99
    # New measurements replace the old ones at once.
    for key in range(100, 100 + MEASUREMENTS // 2):
        measured(beliefs, 0.5, 25.0 + key / 100, key, seen(heard=25.0 + key / 100))
    assert beliefs.trust(node_id(1), 27.0) == 1.0


def test_a_few_measurements_are_luck():
    beliefs = Beliefs()
    for key in range(2):
        measured(beliefs, 50.0, float(key), key, seen(heard=float(key)))
    assert beliefs.trust(node_id(1), 3.0) == 1.0
    measured(beliefs, 50.0, 2.0, 2, seen(heard=2.0))
    assert LEAST_TRUST <= beliefs.trust(node_id(1), 3.0) < 0.1


def test_a_refusal_says_nothing_of_speed_and_strange_calls_are_ignored():
    beliefs = Beliefs()
    for key in range(10):
        beliefs.sent(key, seen(), ASKED, 0, 0.0)
        beliefs.failed(key)
        beliefs.first_token(key, 100.0)
        beliefs.finished(key, 50, 200.0)
    assert beliefs.trust(node_id(1), 200.0) == 1.0
    assert beliefs.trust(NodeId(b"somebody else" + bytes(7)), 200.0) == 1.0


def test_what_it_remembers_is_bounded():
    beliefs = Beliefs()
    for key in range(MOST_OPEN + 100):
        member = replace(seen(), node_id=node_id(key))
        beliefs.sent(key, member, ASKED, 0, 0.0)
        beliefs.first_token(key, 1.0)
    assert len(beliefs._open) <= MOST_OPEN
    assert len(beliefs._measured) <= 4096
    beliefs.forget(node_id(MOST_OPEN + 99))
    assert node_id(MOST_OPEN + 99) not in beliefs._measured


def test_a_first_token_that_is_claimed_early_makes_the_whole_late():
    """Too few tokens for the writing to count by itself."""
    beliefs = Beliefs()
    for key in range(3):
        beliefs.sent(key, seen(heard=float(key)), ASKED, 0, float(key))
        beliefs.first_token(key, float(key))
        beliefs.finished(key, LEAST_WRITTEN - 1, key + 8.0)
    assert beliefs.trust(node_id(1), 12.0) == pytest.approx((0.5 + 0.02 + 15 / 50) / (8.0 - 0.29), rel=0.05)


@pytest.mark.parametrize("begun", [False, True])
def test_what_never_came_is_late_once_its_time_is_over(begun):
    beliefs = Beliefs()

    def stop(key: int, after: float) -> None:
        beliefs.sent(key, seen(heard=float(key)), ASKED, 0, float(key))
        if begun:
            beliefs.first_token(key, key + 0.5)
        beliefs.unfinished(key, 50, key + after)

    for key in range(6):
        stop(key, 0.9)
    assert beliefs.trust(node_id(1), 7.0) == 1.0
    for key in range(6, 9):
        stop(key, 30.0)
    assert beliefs.trust(node_id(1), 39.0) < 0.1


def test_a_long_answer_that_is_stopped_is_not_late():
    beliefs = Beliefs()
    for key in range(6):
        beliefs.sent(key, seen(heard=float(key)), ASKED, 0, float(key))
        beliefs.first_token(key, key + 0.5)
        beliefs.unfinished(key, 1000, key + 20.0)  # at 50 tokens a second
    assert beliefs.trust(node_id(1), 26.0) == 1.0


# ----------------------------------------------------------------------------------------------------------- caches

LONG = Asked(prompt_tokens=4_000, public_tokens=4_000, output_tokens=10)
HOLDER = Member(node_id=node_id(1), load=Load(prefill_rate=1_000.0, decode_rate=50.0, slots=8), heard=0.0)


def answer_of(beliefs: Beliefs, number: int, first_token: float, *, says: float | None = None, cached: int = 3_800):
    """The holder answers, ``first_token`` seconds after it was asked (``says``: as it says itself)."""
    sent = 100.0 * number
    member = replace(HOLDER, heard=sent)
    beliefs.sent(number, member, LONG, cached, sent)
    beliefs.first_token(number, sent + (first_token if says is None else says))
    return beliefs.finished(number, 10, sent + first_token + 0.2)


@pytest.mark.parametrize("says", [None, 0.1])
def test_who_is_always_as_late_as_without_its_cache_does_not_hold_it(says: float | None) -> None:
    beliefs = Beliefs()
    assert [answer_of(beliefs, number, 4.2, says=says) for number in range(6)] == [False, False, True, True, True, True]


def test_a_prompt_answer_shows_that_the_cache_is_there_and_other_requests_show_nothing() -> None:
    beliefs = Beliefs()
    late = [4.2, 4.2, 0.3, 4.2, 4.2, 0.3, 4.2]
    assert not any(answer_of(beliefs, number, seconds) for number, seconds in enumerate(late))
    assert not answer_of(beliefs, 10, 20.0, cached=0)
    assert not answer_of(beliefs, 11, 4.2)
    assert not answer_of(beliefs, 12, 0.3, cached=0)
    assert answer_of(beliefs, 13, 4.2)


def test_a_little_late_is_not_without_a_cache() -> None:
    beliefs = Beliefs()
    assert not any(answer_of(beliefs, number, 1.5) for number in range(10))


def test_who_says_nothing_of_its_answers_is_measured_by_their_end() -> None:
    beliefs, found = Beliefs(), []
    for number in range(4):
        beliefs.sent(number, replace(HOLDER, heard=9.0 * number), LONG, 3_800, 9.0 * number)
        found.append(beliefs.unfinished(number, 10, 9.0 * number + 4.5))
    assert found == [False, False, True, True]
