"""The simulated server lists, marks away and marks back when the real one does."""

from __future__ import annotations

import pytest

from engine.bootstrap.registry import DROPPED_SECONDS, SILENT_SECONDS
from engine.directory.directory import Directory
from engine.simulation.network import SimulatedNetwork
from engine.simulation.node import SimulatedNode
from engine.simulation.server import NEWS_SECONDS, TICK_SECONDS

SLACK = NEWS_SECONDS + TICK_SECONDS


class Reader:
    """Keeps what it was told last."""

    def __init__(self, network: SimulatedNetwork) -> None:
        self.directory: Directory | None = None
        network.server.read(b"reader".ljust(20, b"."), self)

    def directory_changed(self, directory: Directory) -> None:
        self.directory = directory

    def away(self) -> frozenset[bytes]:
        assert self.directory is not None
        return self.directory.away()


def start(relays: int = 13) -> tuple[SimulatedNetwork, Reader, SimulatedNode]:
    network = SimulatedNetwork(relays)
    reader = Reader(network)
    network.run(15.0)
    return network, reader, next(iter(network.relays.values()))


def test_everybody_is_listed_with_a_verified_descriptor() -> None:
    network, reader, _ = start()
    assert reader.directory is not None
    assert {node.node_id for node in reader.directory.nodes()} == {*network.relays, network.models[0].node_id}
    assert len({node.prefix for node in reader.directory.relays()}) > 1


def test_a_newcomer_is_in_the_next_snapshot() -> None:
    network, reader, _ = start()
    newcomer = network.join()
    assert reader.directory is not None
    assert newcomer.node_id not in reader.directory
    network.run(network.genesis.parameters.snapshot_seconds + SLACK)
    assert newcomer.node_id in reader.directory


@pytest.mark.parametrize(("connection_ends", "seconds"), [(True, DROPPED_SECONDS), (False, SILENT_SECONDS)])
def test_a_dead_relay_is_marked_away_when_its_silence_is_long_enough(connection_ends: bool, seconds: float) -> None:
    network, reader, relay = start()
    network.kill(relay, connection_ends=connection_ends)
    network.run(seconds - 2 * TICK_SECONDS)
    assert reader.away() == frozenset()
    network.run(2 * TICK_SECONDS + SLACK)
    assert reader.away() == {relay.node_id}


def test_a_relay_that_comes_back_is_marked_back_and_linked_again() -> None:
    network, reader, relay = start()
    network.kill(relay)
    network.run(30.0)
    back = network.join(relay.keys, relay.prefix)
    network.run(20.0)
    assert reader.away() == frozenset()
    others = {*network.relays, network.models[0].node_id} - {relay.node_id}
    assert back.endpoint.links() == others


def test_who_has_vanished_hears_nothing_more() -> None:
    network, _, relay = start()
    network.kill(relay)
    before = relay.peer._directory
    network.run(60.0)
    assert relay.peer._directory is before


def test_descriptors_are_renewed_before_they_expire() -> None:
    network, reader, _ = start()
    network.run(2 * network.genesis.parameters.descriptor_seconds)
    assert reader.directory is not None
    assert len(reader.directory.relays()) == 13


def test_the_dead_do_not_add_up_until_readers_doubt_all_marks() -> None:
    network, reader, _ = start()
    for _ in range(20):
        network.kill(next(iter(network.relays.values())))
        network.join()
        network.run(40.0)
    assert reader.directory is not None
    dead = {node.node_id for node in reader.directory.nodes()} - {*network.relays, network.models[0].node_id}
    assert 0 < len(dead) <= 4
    assert reader.away() == dead
