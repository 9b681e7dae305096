"""Heartbeats and the end of silence."""

import pytest

from engine.transport.heartbeat import (
    FOLLOWER_INTERVAL,
    MAXIMUM_PINGS_PER_INTERVAL,
    PING_INTERVAL,
    SILENCE_LIMIT,
    Heartbeat,
)
from engine.transport.mesh import WATCH_INTERVAL
from engine.wire.link import Ping, Pong


def test_leader_pings_every_two_seconds() -> None:
    heartbeat = Heartbeat(100.0, leads=True)
    times = [now / 4 for now in range(400, 480) if heartbeat.tick(now / 4) is not None]
    assert times == [100.0 + PING_INTERVAL * number for number in range(10)]


def test_follower_pings_seldom_while_the_leader_pings_and_often_when_it_does_not() -> None:
    heartbeat = Heartbeat(0.0, leads=False)
    pings = []
    for quarter in range(120):
        now = quarter / 4
        if now % PING_INTERVAL == 0:
            heartbeat.ping(Ping(sent_us=1), now)
        if heartbeat.tick(now) is not None:
            pings.append(now)
    assert pings == [0.0, FOLLOWER_INTERVAL, 2 * FOLLOWER_INTERVAL]
    silent = [now / 4 for now in range(120, 160) if heartbeat.tick(now / 4) is not None]
    assert len(silent) >= 4


def test_dead_after_the_limit_and_in_time_with_the_watch() -> None:
    heartbeat = Heartbeat(0.0, leads=True)
    heartbeat.heard(10.0)
    assert not heartbeat.is_dead(10.0 + SILENCE_LIMIT)
    assert heartbeat.is_dead(10.01 + SILENCE_LIMIT)
    assert SILENCE_LIMIT + WATCH_INTERVAL < 8.0


def test_own_standstill_is_not_the_peers_silence() -> None:
    heartbeat = Heartbeat(0.0, leads=True)
    heartbeat.excuse(60.0)
    assert not heartbeat.is_dead(61.0)
    assert heartbeat.is_dead(60.1 + SILENCE_LIMIT)


def test_round_trip_is_measured_and_cannot_be_forged() -> None:
    heartbeat = Heartbeat(5.0, leads=True)
    heartbeat.pong(Pong(sent_us=1), 9.0)
    ping = heartbeat.tick(5.0)
    assert ping is not None
    heartbeat.pong(Pong(sent_us=ping.sent_us), 5.1)
    assert heartbeat.round_trip == pytest.approx(0.1)
    heartbeat.pong(Pong(sent_us=ping.sent_us), 5.9)
    assert heartbeat.round_trip == pytest.approx(0.1), "each ping is answered once"


def test_flood_of_pings_is_not_answered() -> None:
    heartbeat = Heartbeat(0.0, leads=True)
    answers = [heartbeat.ping(Ping(sent_us=1), 0.0) for _ in range(MAXIMUM_PINGS_PER_INTERVAL + 1)]
    assert answers[0] == Pong(sent_us=1)
    assert answers[-1] is None
