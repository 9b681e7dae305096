"""Who is listed and who is away follows from what was heard, and when."""

from __future__ import annotations

import pytest

from engine.bootstrap.limits import TokenBucket
from engine.bootstrap.registry import (
    DROPPED_SECONDS,
    HOURS,
    LEFT_OUT_SECONDS,
    MARKS_PER_TICK,
    REFRESH_SECONDS,
    SILENT_SECONDS,
    Registry,
)
from engine.directory.marks import check_mark
from engine.directory.snapshot import ChainPoint, SnapshotVerifier
from engine.errors import DirectoryError
from engine.wire.records import Parameters
from tests.support.records import NOW, SERVER, descriptor, genesis, identity

GENESIS = genesis(Parameters(snapshot_seconds=10, beacon_seconds=3600))
NETWORK = GENESIS.network_id


class Net:
    """A registry whose two clocks move together."""

    def __init__(self, maximum_nodes: int = 20_000) -> None:
        self.time = 0.0
        self.registry = Registry(GENESIS, SERVER, ChainPoint(), [], 0.0, maximum_nodes)
        self.verifier = SnapshotVerifier(GENESIS)

    @property
    def wall(self) -> float:
        return NOW + self.time

    def publish(self, number: int, prefix: str = "10.0.0.0/16", **more) -> None:
        signed = descriptor(identity(number), NETWORK, self.wall, **more)
        self.registry.accept(signed, prefix, self.wall, self.time)

    def heard(self, number: int) -> None:
        self.registry.heard(identity(number).node_id, self.time)

    def tick(self) -> list[tuple[bytes, bool]]:
        marks = self.registry.tick(self.wall, self.time)
        for marked in marks:
            check_mark(GENESIS, marked.mark, marked.key, marked.signature)
        away = [(name, True) for marked in marks for name in marked.mark.away]
        return away + [(name, False) for marked in marks for name in marked.mark.back]

    def snapshot(self):
        make, content = self.registry.build(self.wall)
        signed, point = make()
        self.registry.commit(point, content, self.time)
        return self.verifier.accept(signed, self.wall)

    def due(self) -> bool:
        return self.registry.due(self.wall, self.time)


def test_a_silent_node_is_away_and_comes_back():
    net = Net()
    net.publish(1)
    net.time = SILENT_SECONDS
    assert net.tick() == []
    net.time += 1
    assert net.tick() == [(identity(1).node_id, True)]
    assert net.tick() == []
    assert [marked.mark.away for marked in net.registry.away_marks(net.wall)] == [(identity(1).node_id,)]
    net.heard(1)
    assert net.tick() == [(identity(1).node_id, False)]
    assert net.registry.away_marks(net.wall) == []


def test_a_dropped_connection_counts_sooner():
    net = Net()
    net.publish(1)
    net.registry.dropped(identity(1).node_id, 0.0)
    net.time = DROPPED_SECONDS
    assert net.tick() == []
    net.time += 1
    assert net.tick() == [(identity(1).node_id, True)]


def test_after_a_restart_nodes_have_time_to_come_back():
    net = Net()
    net.publish(1)
    restarted = Registry(GENESIS, SERVER, ChainPoint(), net.registry.members.values(), 1000.0)
    for member in restarted.members.values():
        member.connected = False
    assert restarted.tick(net.wall, 1000.0 + SILENT_SECONDS - 1) == []
    assert len(restarted.tick(net.wall, 1000.0 + SILENT_SECONDS + 1)) == 1


def test_who_is_away_for_long_leaves_the_snapshots_and_comes_back_with_a_mark():
    net = Net()
    for number in (1, 2, 3):
        net.publish(number)
    net.snapshot()
    net.time = LEFT_OUT_SECONDS
    net.heard(2)
    net.heard(3)
    net.tick()
    assert len(net.snapshot()) == 3
    net.time += 10
    net.tick()
    assert net.due()
    assert identity(1).node_id not in net.snapshot()
    assert not net.due()
    net.time += 10
    assert net.tick() == []
    net.heard(1)
    assert net.tick() == [(identity(1).node_id, False)]  # for readers that have not seen the snapshots in between
    assert net.due()
    assert identity(1).node_id in net.snapshot()


def test_nobody_leaves_the_snapshots_while_most_are_away():
    net = Net()
    for number in range(5):
        net.publish(number)
    net.snapshot()
    net.time = 2 * LEFT_OUT_SECONDS
    net.heard(0)
    net.heard(1)
    net.tick()
    assert len(net.snapshot()) == 5
    net.heard(2)
    net.tick()
    assert len(net.snapshot()) == 3


def test_who_was_not_here_since_the_start_stays_until_its_descriptor_ends():
    net = Net()
    for number in (1, 2, 3):
        net.publish(number)
    net.registry = Registry(GENESIS, SERVER, net.registry.point, net.registry.members.values(), 0.0)
    net.time = 2 * LEFT_OUT_SECONDS
    net.heard(2)
    net.heard(3)
    net.tick()
    assert len(net.registry.listed(net.wall)) == 3


def test_who_was_left_out_before_a_restart_stays_out_until_it_is_heard():
    net = Net()
    for number in (1, 2, 3):
        net.publish(number)
    net.time = 2 * LEFT_OUT_SECONDS
    net.heard(2)
    net.heard(3)
    net.tick()
    listed = {node.node_id for node in net.snapshot().nodes()}
    assert len(listed) == 2
    net.registry = Registry(GENESIS, SERVER, net.registry.point, net.registry.members.values(), net.time, listed=listed)
    net.tick()
    assert len(net.registry.listed(net.wall)) == 2
    net.heard(1)
    assert len(net.registry.listed(net.wall)) == 3


def test_snapshots_come_when_something_changed_but_not_too_often():
    net = Net()
    assert net.due()
    assert net.registry.open_in(net.time) == 0
    assert len(net.snapshot()) == 0
    assert not net.due()
    assert net.registry.open_in(net.time) == 10
    net.publish(1)
    net.time = 9
    assert not net.due()
    assert net.registry.open_in(net.time) == 1
    net.time = 10
    assert net.due()
    assert net.registry.open_in(net.time) == 0
    assert len(net.snapshot()) == 1
    net.time += REFRESH_SECONDS - 1
    net.heard(1)
    assert not net.due()
    net.time += 1
    assert net.due()


def test_what_is_withdrawn_or_expired_is_not_listed():
    net = Net()
    net.publish(1)
    net.publish(2, lifetime=100)
    net.publish(3)
    net.registry.withdraw(identity(3).node_id)
    assert {node.node_id for node in net.snapshot().nodes()} == {identity(1).node_id, identity(2).node_id}
    net.time = 101
    assert net.due()
    assert {node.node_id for node in net.snapshot().nodes()} == {identity(1).node_id}


def test_a_withdrawn_descriptor_does_not_come_back_but_a_new_one_does():
    net = Net()
    signed = descriptor(identity(1), NETWORK)
    net.registry.accept(signed, "p", NOW, 0)
    net.registry.withdraw(identity(1).node_id)
    with pytest.raises(DirectoryError, match="withdrawn"):
        net.registry.accept(signed, "p", NOW, 0)
    net.time = 2
    net.publish(1)
    assert len(net.snapshot()) == 1


def test_an_older_descriptor_does_not_replace_a_newer_one():
    net = Net()
    old = descriptor(identity(1), NETWORK, NOW)
    net.time = 5
    net.publish(1)
    with pytest.raises(DirectoryError, match="newer"):
        net.registry.accept(old, "p", net.wall, net.time)


def test_the_server_attests_prefix_and_first_seen():
    net = Net()
    net.publish(1, "203.0.0.0/16")
    net.time = 500
    net.publish(1, "198.51.0.0/16")
    node = net.snapshot().get(identity(1).node_id)
    assert node is not None
    assert (node.prefix, node.first_seen, node.last_seen) == ("198.51.0.0/16", int(NOW), int(NOW) + 500)


def test_availability_is_the_share_of_the_last_week():
    net = Net()
    for hour in range(2 * HOURS):
        net.time = hour * 3600.0
        if hour % 2 == 0:
            net.publish(1, lifetime=1800)
        net.tick()
    member = net.registry.members[identity(1).node_id]
    assert member.availability(net.wall) == pytest.approx(0.5, abs=0.01)
    assert member.availability(net.wall + 84 * 3600) == pytest.approx(0.25, abs=0.01)
    assert member.availability(net.wall + 1000 * 3600) == 0


def test_a_full_directory_refuses_newcomers_only():
    net = Net(maximum_nodes=2)
    net.publish(1)
    net.publish(2)
    with pytest.raises(DirectoryError, match="full"):
        net.publish(3)
    net.time = 5
    net.publish(1)


def test_who_is_gone_for_a_month_is_forgotten():
    net = Net()
    net.publish(1)
    net.registry.dropped(identity(1).node_id, 0)
    assert net.registry.forgettable(NOW + 29 * 86_400) == []
    assert net.registry.forgettable(NOW + 31 * 86_400) == [identity(1).node_id]


def test_who_comes_back_while_it_is_being_forgotten_stays():
    net = Net()
    net.publish(1)
    net.registry.dropped(identity(1).node_id, 0)
    net.time = 31 * 86_400
    forgotten = net.registry.forgettable(net.wall)
    net.publish(1)
    net.registry.forget(forgotten, net.wall)
    assert identity(1).node_id in net.registry.members


def test_who_makes_room_is_deleted_from_the_database_too(monkeypatch):
    monkeypatch.setattr("engine.bootstrap.registry.MAXIMUM_REMEMBERED", 2)
    net = Net()
    for number in (1, 2):
        net.publish(number)
    with pytest.raises(DirectoryError, match="too many"):
        net.publish(3)
    net.registry.withdraw(identity(1).node_id)
    net.registry.dropped(identity(1).node_id, 0)
    net.publish(3)
    assert identity(1).node_id not in net.registry.members
    assert net.registry.forgettable(net.wall) == [identity(1).node_id]
    net.registry.forget([identity(1).node_id], net.wall)
    assert net.registry.forgettable(net.wall) == []


def test_a_crowd_that_goes_at_once_is_marked_bit_by_bit():
    net = Net()
    for number in range(MARKS_PER_TICK + 3):
        net.publish(number)
    net.time = SILENT_SECONDS + 1
    assert [len(net.tick()) for _ in range(3)] == [MARKS_PER_TICK, 3, 0]


def test_a_bucket_paces():
    bucket = TokenBucket(rate=10, burst=5, now=0)
    assert [bucket.wait(0) for _ in range(5)] == [0] * 5
    assert bucket.wait(0) == pytest.approx(0.1)
    assert bucket.wait(0) == pytest.approx(0.2)
    assert bucket.wait(100) == 0
    strict = TokenBucket(rate=1, burst=1, now=0)
    assert [strict.take(0), strict.take(0.5), strict.take(1.0)] == [True, False, True]
