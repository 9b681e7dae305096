"""Who keeps its place in the graph and who is given another one."""

from __future__ import annotations

import msgspec

from engine.bootstrap.admission import ABSENCE_SECONDS, Admission
from engine.bootstrap.registry import Registry
from engine.directory.beacons import beacons_per_day
from engine.directory.snapshot import ChainPoint, SnapshotVerifier, beacons_of
from engine.wire.records import Parameters, snapshot_decoder
from tests.support.records import NOW, SERVER, descriptor, genesis, identity, seeded

PARAMETERS = Parameters(snapshot_seconds=1, beacon_seconds=100.0, descriptor_seconds=86_400)
GENESIS = genesis(PARAMETERS)


class Net:
    """A registry and a reader of its snapshots, second by second."""

    def __init__(self) -> None:
        self.time = 0.0
        self.skew = 0.0  # of the server's clock
        self.registry = Registry(GENESIS, SERVER, ChainPoint(), [], 0.0, random_bytes=seeded(1))
        self.verifier = SnapshotVerifier(GENESIS)
        self.record = b""

    @property
    def wall(self) -> float:
        return NOW + self.time + self.skew

    def publish(self, number: int, *, relay: bool = True) -> None:
        signed = descriptor(identity(number), GENESIS.network_id, NOW + self.time, relay=relay, lifetime=86_400)
        self.registry.accept(signed, "10.0.0.0/16", self.wall, self.time)

    def pass_time(self, seconds: float, *silent: int) -> None:
        """All members but these are there for so long."""
        end = self.time + seconds
        while self.time < end:
            self.time = min(end, self.time + 1.0)
            for name in self.registry.members:
                if name not in [identity(number).node_id for number in silent]:
                    self.registry.heard(name, self.time)
            self.registry.tick(self.wall, self.time)

    def admission(self, number: int) -> int:
        make, content = self.registry.build(self.wall)
        signed, point = make()
        self.registry.commit(point, content, self.time)
        self.record = signed.record
        node = self.verifier.accept(signed, self.wall).get(identity(number).node_id)
        assert node is not None
        return node.admission

    def drop(self, number: int) -> None:
        self.registry.dropped(identity(number).node_id, self.time)


def test_a_relay_is_admitted_with_a_beacon_that_is_yet_to_come():
    net = Net()
    net.pass_time(150)
    net.publish(1)
    net.publish(2, relay=False)
    assert (net.admission(1), net.admission(2)) == (3, 0)
    net.pass_time(500)
    assert net.admission(1) == 3
    assert net.verifier.beacons.newest == 6
    net.publish(2)
    assert net.admission(2) == 8


def test_every_beacon_is_worth_a_snapshot():
    net = Net()
    net.publish(1)
    net.admission(1)
    net.pass_time(99)
    assert not net.registry.due(net.wall, net.time)
    net.pass_time(2)
    assert net.registry.due(net.wall, net.time)


def test_short_absence_changes_nothing_and_long_absence_costs_the_place():
    net = Net()
    net.publish(1)
    net.publish(2)
    net.drop(1)
    net.pass_time(1000, 1)
    net.pass_time(10)
    assert net.admission(1) == 2
    net.drop(1)
    net.pass_time(1000, 1)
    net.pass_time(10)
    assert net.admission(1) == 22  # absence adds up
    assert net.admission(2) == 2


def test_absence_is_forgiven_within_a_day():
    standing = Admission(number=2)
    standing.relaying(5, 1700.0)
    for second in range(1700, 1700 + 86_400):
        standing.relaying(5, float(second))
    assert (standing.number, standing.absence) == (2, 0.0)
    standing.relaying(5, standing.seen + ABSENCE_SECONDS)
    assert standing.number == 2


def test_who_stops_relaying_is_absent():
    net = Net()
    net.publish(1)
    net.pass_time(10)
    net.publish(1, relay=False)
    assert net.admission(1) == 0
    net.pass_time(2000)
    net.publish(1)
    assert net.admission(1) == 22


def test_nobody_is_blamed_for_the_absence_of_the_server():
    net = Net()
    net.publish(1)
    net.pass_time(300)
    assert net.admission(1) == 2
    beacons = beacons_of(snapshot_decoder.decode(net.record))
    net.time += 20_000
    members = net.registry.members.values()
    net.registry = Registry(
        GENESIS, SERVER, net.registry.point, members, net.time, beacons=beacons, random_bytes=seeded(2)
    )
    net.publish(1)
    assert net.admission(1) == 2
    assert net.verifier.beacons.get(3) == beacons.get(3)
    assert net.verifier.beacons.newest == 203


def test_absence_before_the_server_went_away_counts():
    net = Net()
    net.publish(1)
    net.drop(1)
    net.pass_time(1500, 1)
    net.admission(1)
    net.registry = Registry(GENESIS, SERVER, net.registry.point, net.registry.members.values(), net.time)
    net.pass_time(400, 1)
    net.pass_time(5)
    assert net.registry.members[identity(1).node_id].admission.number == 21


def test_a_clock_that_was_hours_ahead_does_not_keep_relays_out():
    net = Net()
    net.publish(1)
    net.skew = 5 * 3600.0
    net.publish(2)
    make, content = net.registry.build(net.wall)
    _, point = make()
    net.registry.commit(point, content, net.time)
    ahead = net.registry.members[identity(2).node_id].admission.number
    net.skew = 0.0
    net.pass_time(110)
    assert net.admission(2) == 2 < ahead
    assert net.verifier.beacons.newest == 1


def test_a_day_of_beacons_is_what_a_snapshot_holds():
    net = Net()
    net.publish(1)
    net.time = 200_000.0
    net.publish(1)
    net.admission(1)
    assert len(net.verifier.beacons.values) == beacons_per_day(PARAMETERS) == 864
    assert len(net.record) < 864 * 34 + 2000
    assert msgspec.structs.asdict(snapshot_decoder.decode(net.record))["beacon"] == 2000
