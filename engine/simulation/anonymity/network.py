"""A network to draw from: a directory of relays that never were, and the links that the graph's rule gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.directory.directory import Directory, DirectoryNode
from engine.directory.graph import ring_positions
from engine.directory.sampling import choose_guards, choose_paths, random_below
from engine.errors import TooFewRelaysError
from engine.ids import NodeId
from engine.wire import PROTOCOL_VERSION
from engine.wire.records import Descriptor, OnionKey, Parameters

NOW = 1_750_000_000
Indexes = NDArray[np.int64]
Path = tuple[int, ...]


@dataclass(frozen=True)
class RelayNetwork:
    """Relays by number. ``neighbours``: for each relay the numbers of those that it is linked with, -1 behind the last;
    empty in a mesh, where everyone is linked with everyone."""

    directory: Directory
    numbers: dict[NodeId, int]
    neighbours: Indexes
    parameters: Parameters = field(default_factory=Parameters)

    @property
    def size(self) -> int:
        """Relays."""
        return len(self.numbers)

    @property
    def is_mesh(self) -> bool:
        """Whether everyone is linked with everyone."""
        return self.neighbours.size == 0

    def guards(self, count: int, random_bytes: Callable[[int], bytes]) -> list[int]:
        """A client's ordered list, drawn as clients draw it."""
        return [self.numbers[name] for name in choose_guards(self.directory, random_bytes, NOW, count=count)]

    def paths(
        self, guards: Sequence[int], random_bytes: Callable[[int], bytes], used: Sequence[int] = ()
    ) -> list[Path]:
        """One path from each of ``guards``, disjoint and apart from ``used``; in a mesh by the production's drawing."""
        if not self.is_mesh:
            return self._along_links(guards, random_bytes, set(used))
        names = self._names
        drawn = choose_paths(
            self.directory,
            [names[guard] for guard in guards],
            len(guards),
            self.parameters.k,
            self.parameters.path_length,
            self.parameters,
            (),
            random_bytes,
            NOW,
            used=[names[relay] for relay in used],
        )
        return [tuple(self.numbers[node.node_id] for node in path) for path in drawn]

    def _along_links(self, guards: Sequence[int], random_bytes: Callable[[int], bytes], used: set[int]) -> list[Path]:
        """Every set of paths that the links allow is as likely as every other one: whole draws are thrown away."""
        width = self.neighbours.shape[1]
        for _ in range(10_000):
            paths, met = [], used | set(guards)
            for guard in guards:
                path = [guard]
                while len(path) < self.parameters.path_length:
                    relay = int(self.neighbours[path[-1], random_below(width, random_bytes)])
                    if relay < 0 or relay in met:
                        break
                    met.add(relay)
                    path.append(relay)
                paths.append(tuple(path))
            if all(len(path) == self.parameters.path_length for path in paths):
                return paths
        raise TooFewRelaysError("The links of this network leave no room for separate paths.")

    @property
    def _names(self) -> list[NodeId]:
        return list(self.numbers)


def make_network(size: int, seed: int) -> RelayNetwork:
    """``size`` relays, each in a network and a family of its own, all of them usable as guards."""
    parameters = Parameters()
    label = seed.to_bytes(8, "big") + size.to_bytes(8, "big")
    names = [
        NodeId(hashlib.sha256(b"relay" + label + number.to_bytes(8, "big")).digest()[:20]) for number in range(size)
    ]
    nodes = [listed_relay(name, number) for number, name in enumerate(names)]
    directory = Directory(nodes, parameters=parameters, created=NOW, epoch=1, issued=NOW, digest=bytes(32))
    links = np.empty((size, 0), dtype=np.int64)
    if size > parameters.mesh_relays:
        links = ring_neighbours(names, hashlib.sha256(b"beacon" + label).digest(), parameters.rings)
    return RelayNetwork(directory, {name: number for number, name in enumerate(names)}, links, parameters)


def ring_neighbours(names: Sequence[bytes], beacon: bytes, rings: int) -> Indexes:
    """For each relay those next to it in any of the rings, by number and ascending; -1 fills the rows up.

    The places are those of :mod:`engine.directory.graph`; here all neighbours are found at once, as one array.
    """
    size = len(names)
    sides = np.empty((size, 2 * rings), dtype=np.int64)
    places = np.array([ring_positions(beacon, NodeId(name), rings) for name in names], np.uint64)
    for ring in range(rings):
        order = np.argsort(places[:, ring], kind="stable")
        sides[order, 2 * ring] = np.roll(order, -1)
        sides[order, 2 * ring + 1] = np.roll(order, 1)
    sides.sort(axis=1)
    sides[:, 1:][sides[:, 1:] == sides[:, :-1]] = size  # twice a neighbour: kept once
    sides.sort(axis=1)
    sides[sides == size] = -1
    return sides


def listed_relay(name: NodeId, number: int) -> DirectoryNode:
    """A relay in a network and a family of its own."""
    descriptor = Descriptor(
        suite=1,
        network_id=bytes(32),
        identity_key=name + bytes(12),
        issued=NOW,
        expires=NOW + 1800,
        started=NOW,
        minimum_version=PROTOCOL_VERSION,
        maximum_version=PROTOCOL_VERSION,
        relay=True,
        onion_keys=(OnionKey(suite=1, key=bytes(32), expires=NOW + 86_400),),
        seal_keys=(),
        models=(),
        relay_bandwidth=1_000_000,
        family="",
        software="",
    )
    return DirectoryNode(name, descriptor, f"network-{number}", NOW, NOW, 0.0, 1.0)
