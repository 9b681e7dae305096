"""A network with a coalition in it, as the bootstrap server lists it after the coalition has done what it could."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from engine.bootstrap.admission import ABSENCE_SECONDS
from engine.directory.directory import Directory
from engine.directory.graph import RelayGraph
from engine.ids import NodeId
from engine.simulation.coalition.attempts import Attempt
from engine.simulation.coalition.placement import Places, best_together, grind, places
from engine.simulation.self_organisation.server import Server
from engine.wire.records import Parameters

GRINDING_TRIES = 100
"""Keys that are made for each one that is used."""
_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Network:
    """Who is there, who is linked with whom, and who is hostile."""

    directory: Directory
    graph: RelayGraph
    hostile: frozenset[NodeId]
    parameters: Parameters


class DeclaredGraph(RelayGraph):
    """The same links, but a relay's word about its own is believed: those of the coalition name only each other."""

    def __init__(self, parameters: Parameters, hostile: Sequence[NodeId], source: random.Random) -> None:
        super().__init__(parameters)
        self._declared: dict[NodeId, tuple[NodeId, ...]] = {}
        for name in hostile:
            friends = [other for other in hostile if other != name]
            self._declared[name] = tuple(sorted(source.sample(friends, min(len(friends), self.most))))

    @property
    def most(self) -> int:
        """Neighbours that a relay can have in rings."""
        return 2 * self.ring_count

    def neighbours(self, node_id: NodeId) -> tuple[NodeId, ...]:
        """What the relay says."""
        return self._declared.get(node_id) or super().neighbours(node_id)


def make_network(attempt: Attempt, relays: int, share: float, parameters: Parameters, seed: int) -> Network:
    """``relays`` relays, of which the ``share`` is hostile. The honest ones were there before; all that are awake at
    the end have their places."""
    return _Founding(attempt, relays, share, parameters, seed).network()


class _Founding:
    def __init__(self, attempt: Attempt, relays: int, share: float, parameters: Parameters, seed: int) -> None:
        self._attempt = attempt
        self._parameters = parameters
        self._random = random.Random(seed)
        self._server = Server(parameters, random.Random(seed + 1))
        self._now = 0.0
        self._count = round(share * relays)
        self._honest = [self._new_id() for _ in range(relays - self._count)]
        for name in self._honest:
            self._server.join(name, 0.0, long_ago=True)

    def network(self) -> Network:
        """See :func:`make_network`."""
        attempt, server = self._attempt, self._server
        stock = self._identities(self._count * attempt.spare_identities)
        for name in stock:
            server.join(name, self._now)
            if attempt.rules == "known beacon":
                server.members[name].admission.number = server.beacons.newest
        self._until_admitted()
        hostile = stock
        if attempt.spare_identities > 1:
            hostile = self._choose(stock)
        if attempt.rules == "declared":
            graph: RelayGraph = DeclaredGraph(self._parameters, hostile, self._random)
        else:
            graph = RelayGraph(self._parameters)
        graph.update(server.directory)
        return Network(server.directory, graph, frozenset(hostile), self._parameters)

    def _identities(self, count: int) -> list[NodeId]:
        if not self._attempt.grinds:
            return [self._new_id() for _ in range(count)]
        beacon = self._server.beacons.values[-1]
        return grind(self._places(self._honest), beacon, count, GRINDING_TRIES, self._new_id)

    def _choose(self, stock: list[NodeId]) -> list[NodeId]:
        """All have been seen where they stand; those that stood best are used from now on, the others sleep."""
        server, sleeps = self._server, self._attempt.sleeps
        best = best_together(self._places(self._honest), self._places(stock), self._count)
        used = {stock[row]: server.members[stock[row]].admission.number for row in best}
        for name in stock:
            if sleeps or name not in used:
                server.leave(name, self._now, connection_ends=True)
        self._pass(1.5 * ABSENCE_SECONDS)  # long enough to be no longer listed
        for name, admission in used.items() if sleeps else ():
            server.join(name, self._now)
            if self._attempt.rules == "no readmission":
                server.members[name].admission.number = admission
        self._until_admitted()
        return list(used)

    def _until_admitted(self) -> None:
        self._pass(3 * self._parameters.beacon_seconds + self._parameters.snapshot_seconds)

    def _pass(self, seconds: float) -> None:
        end = self._now + seconds
        while self._now < end:
            self._now += _LOOK_SECONDS
            self._server.tick(self._now)

    def _places(self, names: Sequence[NodeId]) -> Places:
        graph = RelayGraph(self._parameters)
        graph.update(self._server.directory)
        return places(names, [graph.place(name) or b"" for name in names], self._parameters.rings)

    def _new_id(self) -> NodeId:
        return NodeId(self._random.randbytes(20))
