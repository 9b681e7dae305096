"""Which relays are linked with which: computed by everybody from the directory alone, chosen by nobody.

Up to ``mesh_relays`` relays everyone is linked with everyone. Above that there are ``rings`` rings. In each a relay has
a place that follows from a beacon which nobody could know when the relay was listed (:mod:`engine.directory.beacons`),
and is linked with the next relay on either side; relays that are away are skipped. A relay therefore cannot choose its
neighbours, and its word about them is never asked.

``tests/support/naive_graph.py`` is the slow reference.
"""

from __future__ import annotations

import heapq
import struct
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice

import numpy as np

from engine.directory.beacons import NOT_ADMITTED, beacons_per_day, placing_number
from engine.directory.directory import Directory
from engine.ids import NodeId
from engine.wire.records import Parameters

REACH = 3
"""A relay takes links of those that are at most so many places away in one ring: views of who is away differ."""
SETTLE_SECONDS = 10.0
"""In which relays make the links of a change, before clients draw along them."""
FEW_LINKS = 4
"""A relay that has fewer of its links, and no server, makes others: it may know nobody who knows its neighbours."""
_PER_DIGEST = 4
_REBUILD_SHARE = 0.03
"""When more than this share of the places changes, sorting anew is cheaper than moving one by one: among 20,000 relays
it takes 7 µs for each of them, against 210 µs for each that has moved (among 2,000 it is 6 against 50)."""


def ring_positions(beacon: bytes, node_id: NodeId, rings: int) -> tuple[int, ...]:
    """The places of a relay: in ring r the (r mod 4)-th 8 bytes (big-endian) of SHA-256(beacon, r div 4 as one byte,
    node id)."""
    positions: list[int] = []
    for block in range((rings + _PER_DIGEST - 1) // _PER_DIGEST):
        positions += struct.unpack(">4Q", sha256(beacon + bytes((block,)) + node_id).digest())
    return tuple(positions[:rings])


class RelayGraph:
    """The graph of one directory; :meth:`update` moves it on to another one at the cost of what differs."""

    def __init__(self, parameters: Parameters) -> None:
        self._mesh_relays = parameters.mesh_relays
        self._ring_count = parameters.rings
        self._per_day = beacons_per_day(parameters)
        self._digest: bytes | None = None
        self._placed: dict[NodeId, bytes] = {}  # the beacon that each relay's places follow from
        self._rings: list[_Ring] = []
        self._mesh: dict[NodeId, None] = {}
        self._waiting: frozenset[NodeId] = frozenset()
        self._present: frozenset[NodeId] = frozenset()
        self._known: dict[NodeId, tuple[NodeId, ...]] = {}

    @property
    def is_mesh(self) -> bool:
        """Whether everyone is linked with everyone."""
        return not self._rings

    @property
    def has_room(self) -> bool:
        """Whether one more relay would be part of the mesh."""
        return self.is_mesh and len(self._mesh) < self._mesh_relays

    @property
    def ring_count(self) -> int:
        """Rings above the mesh."""
        return self._ring_count

    @property
    def degree(self) -> int:
        """The most neighbours that a relay can have."""
        return max(1, len(self._mesh) - 1) if self.is_mesh else 2 * self._ring_count

    def __len__(self) -> int:
        return len(self._mesh) if self.is_mesh else len(self._placed)

    def __contains__(self, node_id: NodeId) -> bool:
        """Whether this relay has a place, away or not."""
        return node_id in self.placed()

    def placed(self) -> Collection[NodeId]:
        """The relays that have a place, away or not: a view, not to be kept."""
        return (self._mesh if self.is_mesh else self._placed).keys()

    def place(self, node_id: NodeId) -> bytes | None:
        """The beacon that a relay's place follows from; None without a place of its own, as in a mesh."""
        return None if self.is_mesh else self._placed.get(node_id)

    def members(self) -> list[NodeId]:
        """The relays that have a place and are not away."""
        return [node_id for node_id in self.placed() if node_id in self._present]

    def update(self, directory: Directory) -> None:
        """From now on this is the graph of ``directory``."""
        self._known.clear()
        self._present = frozenset(node.node_id for node in directory.relays())
        if directory.digest == self._digest:
            return  # other away marks only
        self._digest = directory.digest
        admissions = {node.node_id: node.admission for node in directory.nodes() if node.descriptor.relay}
        placed = self._places(directory, admissions)
        if len(placed) > self._mesh_relays:
            self._mesh, self._waiting = {}, frozenset()
            self._move(placed)
            return
        self._rings, self._placed = [], placed
        # Who was there first stays; nobody has to give way to a newcomer before that one's place is known.
        order = sorted(admissions, key=lambda name: (admissions[name] == NOT_ADMITTED, admissions[name], name))
        self._mesh = dict.fromkeys(order[: self._mesh_relays])
        self._waiting = frozenset(order[self._mesh_relays : self._mesh_relays + REACH])

    def _places(self, directory: Directory, admissions: Mapping[NodeId, int]) -> dict[NodeId, bytes]:
        beacons, of_admission = directory.beacons, dict[int, bytes]()
        for admission in set(admissions.values()):
            number = placing_number(admission, beacons.newest, self._per_day)
            beacon = None if number is None else beacons.get(number)
            if beacon is not None:
                of_admission[admission] = beacon
        return {name: of_admission[admission] for name, admission in admissions.items() if admission in of_admission}

    def _move(self, placed: dict[NodeId, bytes]) -> None:
        before = self._placed if self._rings else {}
        gone = [name for name, beacon in before.items() if placed.get(name) != beacon]
        new = [name for name, beacon in placed.items() if before.get(name) != beacon]
        if len(gone) + len(new) > _REBUILD_SHARE * len(placed):
            self._rings = _sorted_rings(placed, self._ring_count)
        else:
            for name in gone:
                for ring, position in zip(self._rings, self._positions(before, name), strict=True):
                    ring.remove(position, name)
            for name in new:
                for ring, position in zip(self._rings, self._positions(placed, name), strict=True):
                    ring.insert(position, name)
        self._placed = placed

    def _positions(self, placed: Mapping[NodeId, bytes], node_id: NodeId) -> tuple[int, ...]:
        return ring_positions(placed[node_id], node_id, self._ring_count)

    # ------------------------------------------------------------------------------------------------------- questions

    def neighbours(self, node_id: NodeId) -> tuple[NodeId, ...]:
        """The relays that ``node_id`` is linked with, none of them away, sorted; itself is taken for present. Empty for
        who has no place."""
        known = self._known.get(node_id)
        if known is None:
            found = self._find_neighbours(node_id) if node_id in self else ()
            known = self._known[node_id] = tuple(sorted(found))
        return known

    def _find_neighbours(self, node_id: NodeId) -> Iterable[NodeId]:
        if self.is_mesh:
            return (other for other in self._mesh if other != node_id and other in self._present)
        found: set[NodeId] = set()
        for ring, position in zip(self._rings, self._positions(self._placed, node_id), strict=True):
            for direction in (1, -1):
                for other in ring.walk(position, node_id, direction):
                    if other in self._present:
                        found.add(other)
                        break
        return found

    def are_linked(self, one: NodeId, other: NodeId) -> bool:
        """Whether these two relays are neighbours, both taken for present."""
        return other in self.neighbours(one) or one in self.neighbours(other)

    def near(self, node_id: NodeId) -> frozenset[NodeId]:
        """The relays at most ``REACH`` places away in any ring, which take links from ``node_id``: some three times as
        many as its neighbours. Empty in a mesh, and for who has no place."""
        found: set[NodeId] = set()
        if self.is_mesh or node_id not in self._placed:
            return frozenset()
        for ring, position in zip(self._rings, self._positions(self._placed, node_id), strict=True):
            for direction in (1, -1):
                present = (name for name in ring.walk(position, node_id, direction) if name in self._present)
                found.update(islice(present, REACH))
        return frozenset(found)

    def is_near(self, node_id: NodeId, caller: NodeId) -> bool:
        """Whether ``node_id`` takes a link from ``caller``, who may have a slightly different view: at most ``REACH``
        places away in one ring, or, about where the mesh ends, anybody who has a place or gets one next."""
        if node_id == caller:
            return False
        if self.is_mesh or len(self._placed) <= self._mesh_relays + REACH:
            return caller in self or caller in self._waiting
        if node_id not in self._placed or caller not in self._placed:
            return False
        for ring, position in zip(self._rings, self._positions(self._placed, node_id), strict=True):
            for direction in (1, -1):
                passed = 0
                for other in ring.walk(position, node_id, direction):
                    if other == caller:
                        return True
                    passed += other in self._present
                    if passed >= REACH:
                        break
        return False


class SettledGraph:
    """The graph that a client draws from. Links that rings do not have yet take a moment to be made, so a change counts
    ``SETTLE_SECONDS`` after it was announced; links that are no longer part of the graph work on for longer than that.
    In a mesh, where only newcomers are not linked yet, everything counts at once."""

    def __init__(self, parameters: Parameters) -> None:
        self._graph = RelayGraph(parameters)
        self._newest: Directory | None = None
        self._waiting: tuple[float, Directory] | None = None

    def announce(self, directory: Directory, now: float) -> None:
        """``directory`` came at ``now`` (monotonic)."""
        self._newest = directory
        if self._graph.is_mesh:
            self._graph.update(directory)
        elif self._waiting is None:
            self._waiting = (now, directory)

    def at(self, now: float) -> RelayGraph:
        """The graph to draw from at ``now``."""
        if self._waiting is not None and now >= self._waiting[0] + SETTLE_SECONDS:
            settled, newest = self._waiting[1], self._newest
            self._graph.update(settled)
            self._waiting = (now, newest) if newest is not None and newest is not settled else None
        return self._graph


def wanted_links(graph: RelayGraph, directory: Directory, node_id: NodeId, *, relays: bool) -> frozenset[NodeId]:
    """Whom a node keeps linked. In a mesh: relays each other and the model nodes, model nodes all relays; a relay that
    the directory does not list yet has those links already that it will have. In rings: relays their neighbours, model
    nodes their introducers; proxies dial model nodes when a clove for one comes."""
    found: set[NodeId] = set()
    serves = _serves(directory, node_id)
    if not graph.is_mesh:
        found |= set(graph.neighbours(node_id)) if relays else set()
        found |= set(introducers(graph, node_id)) if serves or not relays else set()
        return frozenset(found)
    if serves or not relays:
        found |= set(graph.members())
    if relays and (node_id in graph or graph.has_room):
        models = {node.node_id for node in directory.nodes() if node.descriptor.models and not node.away}
        found |= models | set(graph.members())
    return frozenset(found - {node_id})


def stepping_stones(graph: RelayGraph, node_id: NodeId, linked: Collection[NodeId]) -> frozenset[NodeId]:
    """Whom else a relay dials that has come back without the server and has few links: the near ones that those it is
    linked with can introduce it to. Of two relays in a large graph, one often knows no neighbour of the other; through
    these it gets to its own."""
    neighbours = set(graph.neighbours(node_id))
    relays = [one for one in linked if one in graph]
    if not relays or len(neighbours.intersection(relays)) >= FEW_LINKS:
        return frozenset()
    known = {name for one in relays for name in graph.neighbours(one)}
    return graph.near(node_id) & known - neighbours


def introducers(graph: RelayGraph, node_id: NodeId) -> list[NodeId]:
    """The relays that a model node above the mesh keeps linked with, so that others can be introduced to it: as many as
    there are rings, those with the smallest SHA-256(node id, relay's id). Paths are not drawn with regard to them."""
    members = (name for name in graph.members() if name != node_id)
    return heapq.nsmallest(graph.ring_count, members, key=lambda name: sha256(node_id + name).digest())


def refusal(graph: RelayGraph, directory: Directory, node_id: NodeId, caller: NodeId) -> str | None:
    """Why ``node_id`` takes no link from the node ``caller``, None if it does. Of whom the directory does not list
    (yet) links are taken; they get the limits of clients."""
    known = directory.get(caller)
    if known is None or known.descriptor.models or _serves(directory, node_id) or graph.is_near(node_id, caller):
        return None
    if not known.descriptor.relay or not (node_id in graph and caller in graph):
        return None  # one of them has no place (yet), or the other's directory is older
    return "your place in the graph of relays is not next to mine"


def _serves(directory: Directory, node_id: NodeId) -> bool:
    node = directory.get(node_id)
    return node is not None and bool(node.descriptor.models)


class _Ring:
    """Relays in the order of their places."""

    def __init__(self, positions: array[int], names: list[NodeId]) -> None:
        self._positions = positions
        self._names = names

    def _index(self, position: int, name: NodeId) -> int:
        index = bisect_left(self._positions, position)
        while index < len(self._names) and self._positions[index] == position and self._names[index] < name:
            index += 1  # two relays in one place: never by chance
        return index

    def insert(self, position: int, name: NodeId) -> None:
        index = self._index(position, name)
        self._positions.insert(index, position)
        self._names.insert(index, name)

    def remove(self, position: int, name: NodeId) -> None:
        index = self._index(position, name)
        del self._positions[index], self._names[index]

    def walk(self, position: int, name: NodeId, direction: int) -> Iterator[NodeId]:
        """All others, from the place of ``name`` on."""
        start, count = self._index(position, name), len(self._names)
        for step in range(1, count):
            yield self._names[(start + direction * step) % count]


def _sorted_rings(placed: Mapping[NodeId, bytes], rings: int) -> list[_Ring]:
    """All rings at once, as whoever joins a large network needs them: what :func:`ring_positions` says of each relay,
    without a call and a tuple for each."""
    names = sorted(placed)
    blocks = range((rings + _PER_DIGEST - 1) // _PER_DIGEST)
    begun = {beacon: [beacon + bytes((block,)) for block in blocks] for beacon in set(placed.values())}
    digests = b"".join([sha256(begin + name).digest() for name in names for begin in begun[placed[name]]])
    table = np.frombuffer(digests, dtype=">u8").reshape(len(names), len(blocks) * _PER_DIGEST).T[:rings]
    objects = np.empty(len(names), dtype=object)
    objects[:] = names
    made = []
    for row in table.astype(np.uint64):
        order = np.argsort(row)
        positions = row[order]
        if (positions[1:] == positions[:-1]).any():  # two relays in one place, never by chance: in the order of names
            order = np.argsort(row, kind="stable")
        made.append(_Ring(array("Q", positions.tobytes()), objects[order].tolist()))
    return made
