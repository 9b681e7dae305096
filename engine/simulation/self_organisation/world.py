"""Relays, what each of them knows and whom it is linked with, in simulated time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from engine.directory.directory import Directory
from engine.directory.graph import RelayGraph, refusal, stepping_stones, wanted_links
from engine.ids import NodeId
from engine.simulation.self_organisation.server import Server
from engine.transport.dialling import DialPlan
from engine.transport.heartbeat import SILENCE_LIMIT
from engine.transport.mesh_configuration import MeshConfiguration
from engine.transport.scheduler import ManualScheduler
from engine.wire.records import Parameters

NEWS_SECONDS = (0.05, 3.0)
"""Snapshots and marks reach everybody after between so many seconds, each after another time."""
DIAL_SECONDS = (0.2, 0.8)
RELAYED_SECONDS = 1.0
"""More for a pair that only a TURN server can link."""
GONE_SECONDS = 0.2
"""Until a dial of who is not there fails: the server, or who is asked to introduce, says so."""
UNREACHABLE_SECONDS = 10.0
"""Until a dial of a pair that cannot be linked fails."""
UNWANTED_SECONDS = MeshConfiguration().idle_timeout
"""A link that is no longer wanted is closed when nothing has gone over it for so long."""


@dataclass(eq=False)
class Relay:
    """One run of one relay."""

    node_id: NodeId
    plan: DialPlan
    begun: float
    links: set[NodeId] = field(default_factory=set)
    dialling: set[NodeId] = field(default_factory=set)
    wanted: frozenset[NodeId] = frozenset()
    view: int = -1
    look_at: float = float("inf")
    alive: bool = True
    relays_at: float | None = None
    """Since when it has two links, so that a path can go through it."""
    useful_at: float | None = None
    """Since when it has half of the links that it wants."""


class World:
    """``unreachable`` and ``relayed`` are shares of the pairs: those that nothing can link, and those that only a TURN
    server can."""

    def __init__(self, parameters: Parameters, seed: int, *, unreachable: float = 0.0, relayed: float = 0.0) -> None:
        self.parameters = parameters
        self.random = random.Random(seed)
        self.scheduler = ManualScheduler()
        self.start = self.scheduler.now()
        self._unreachable, self._relayed = unreachable, relayed
        self._salt = self.random.getrandbits(64)
        self.server = Server(parameters, random.Random(seed + 1))
        self.server_up = True
        self.graph = RelayGraph(parameters)
        self.relays: dict[NodeId, Relay] = {}
        self.wants: dict[NodeId, frozenset[NodeId]] = {}
        self.version = 0
        self.in_use: dict[frozenset[NodeId], int] = {}
        """Links that circuits go over, with how many."""
        self.unwanted_since: dict[frozenset[NodeId], float] = {}
        self.readers: list[Callable[[Directory], None]] = []
        self._maximum_dials = MeshConfiguration().maximum_dials
        self._maximum_links = MeshConfiguration().maximum_links

    def now(self) -> float:
        """Seconds since the beginning."""
        return self.scheduler.now() - self.start

    def run(self, seconds: float) -> None:
        """Let time pass, in steps of a second."""
        end = self.now() + seconds
        while self.now() < end:
            self.scheduler.advance(min(1.0, end - self.now()))
            if self.server_up and self.server.tick(self.now()):
                self._announce()

    # ---------------------------------------------------------------------------------------------- who comes and goes

    def settled(self, count: int) -> None:
        """``count`` relays that were admitted at some time of the last day and have all their links."""
        for _ in range(count):
            node_id = self.new_id()
            self.server.join(node_id, self.now(), long_ago=True)
            self._begin(node_id)
        self.scheduler.advance(self.parameters.snapshot_seconds)
        self.server.tick(self.now())
        self._update_wants()
        for relay in self.relays.values():
            self._learn(relay, self.version, self.wants[relay.node_id])
            for peer in sorted(relay.wanted):
                if not self.cannot_link(relay.node_id, peer):
                    self._link(relay, self.relays[peer])

    def new_id(self) -> NodeId:
        """Of a relay that never was."""
        return NodeId(self.random.randbytes(20))

    def join(self, node_id: NodeId | None = None) -> Relay:
        """A new relay starts, or with an id one that was here before."""
        node_id = node_id or self.new_id()
        relay = self._begin(node_id)
        if self.server_up:
            self.server.join(node_id, self.now())
            # Whoever is not in the next snapshot yet hears of it then.
            wanted = wanted_links(self.graph, self.server.directory, node_id, relays=True)
            self.wants[node_id] = wanted
            self.scheduler.call_later(
                self.random.uniform(*NEWS_SECONDS), partial(self._learn, relay, self.version, wanted)
            )
        return relay

    def _begin(self, node_id: NodeId) -> Relay:
        relay = self.relays[node_id] = Relay(node_id, DialPlan(random.Random(self.random.random())), self.now())
        return relay

    def leave(self, node_id: NodeId) -> None:
        """A relay dies without a word; its neighbours notice by their heartbeats."""
        relay = self.relays.pop(node_id)
        relay.alive = False
        if self.server_up:
            self.server.leave(node_id, self.now(), connection_ends=self.random.random() < 0.5)
        for other in [self.relays[peer] for peer in sorted(relay.links) if peer in self.relays]:
            delay = self.random.uniform(SILENCE_LIMIT - 2.0, SILENCE_LIMIT)
            self.scheduler.call_later(delay, partial(self._lost, other, relay))
        relay.links = set()

    def _lost(self, relay: Relay, gone: Relay) -> None:
        again = self.relays.get(gone.node_id)
        if relay.alive and gone.node_id in relay.links and (again is None or relay.node_id not in again.links):
            relay.links.discard(gone.node_id)
            relay.plan.failed(gone.node_id, self.scheduler.now())
            self._look(relay)

    # ------------------------------------------------------------------------------------------------------------ news

    def _announce(self) -> None:
        directory = self.server.directory
        for node_id in self._update_wants():
            relay = self.relays.get(node_id)
            if relay is not None:
                delay = self.random.uniform(*NEWS_SECONDS)
                learn = partial(self._learn, relay, self.version, self.wants[node_id])
                self.scheduler.call_later(delay, learn)
        for reader in self.readers:
            self.scheduler.call_later(self.random.uniform(*NEWS_SECONDS), partial(reader, directory))

    def _update_wants(self) -> list[NodeId]:
        """Bring the graph up to date; whose neighbours are others now. Only who stood or stands beside a relay that
        came, went or moved is looked at: nobody else's neighbours change."""
        graph, directory = self.graph, self.server.directory
        was_mesh, before = graph.is_mesh, {name: graph.place(name) for name in graph.members()}
        graph.update(directory)
        self.version += 1
        after = {name: graph.place(name) for name in graph.members()}
        if was_mesh or graph.is_mesh:
            beside: Iterable[NodeId] = list(self.relays)
        else:
            moved = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            looked = set(moved)
            for name in moved:
                looked |= self.wants.get(name, frozenset())
                looked |= set(graph.neighbours(name))
            beside = looked
        changed = []
        for name in sorted(beside):
            wanted = wanted_links(graph, directory, name, relays=True)
            if name in self.relays and self.wants.get(name) != wanted:
                changed.append(name)
            self.wants[name] = wanted
        return changed

    def _learn(self, relay: Relay, version: int, wanted: frozenset[NodeId]) -> None:
        if not relay.alive or version <= relay.view:
            return
        relay.view = version
        for peer in relay.wanted - wanted:
            self.unwanted_since.setdefault(frozenset((relay.node_id, peer)), self.now())
        for peer in wanted:
            self.unwanted_since.pop(frozenset((relay.node_id, peer)), None)
        relay.wanted = wanted
        self._want(relay)
        self._look(relay)

    def _want(self, relay: Relay) -> None:
        lower = {peer for peer in relay.wanted if peer < relay.node_id}
        more = frozenset() if self.server_up else stepping_stones(self.graph, relay.node_id, relay.links)
        relay.plan.want((relay.wanted - lower) | more, self.scheduler.now(), lower, unheard=not self.server_up)

    def close_unused(self) -> None:
        """Links that nobody wants and no circuit uses are closed after a while."""
        for pair, since in list(self.unwanted_since.items()):
            if self.now() < since + UNWANTED_SECONDS or self.in_use.get(pair):
                continue
            del self.unwanted_since[pair]
            one, other = (self.relays.get(name) for name in pair)
            if one is not None and other is not None and other.node_id not in one.wanted | {one.node_id}:
                one.links.discard(other.node_id)
                other.links.discard(one.node_id)

    # ----------------------------------------------------------------------------------------------------------- links

    def cannot_link(self, one: NodeId, other: NodeId) -> bool:
        """Whether nothing links this pair."""
        return self._luck(one, other) < self._unreachable

    def _luck(self, one: NodeId, other: NodeId) -> float:
        mixed = int.from_bytes(one[:8], "big") ^ int.from_bytes(other[:8], "big") ^ self._salt
        return (mixed * 0x9E3779B97F4A7C15 >> 11) % 2**53 / 2**53

    def _look(self, relay: Relay) -> None:
        """Dial who is due, and look again when the next one is."""
        now = self.scheduler.now()
        busy = relay.links | relay.dialling
        room = self._maximum_dials - len(relay.dialling)
        for peer in relay.plan.due(now, busy.__contains__, room):
            self._dial(relay, peer)
        if len(relay.dialling) < self._maximum_dials:
            due = relay.plan.next_deadline((relay.links | relay.dialling).__contains__)
            if due is not None and due < relay.look_at:
                relay.look_at = max(due, now + 0.05)
                self.scheduler.call_at(relay.look_at, partial(self._look_again, relay, relay.look_at))

    def _look_again(self, relay: Relay, at: float) -> None:
        if relay.alive and relay.look_at == at:
            relay.look_at = float("inf")
            self._look(relay)

    def _dial(self, relay: Relay, peer: NodeId) -> None:
        relay.dialling.add(peer)
        other = self.relays.get(peer)
        luck = self._luck(relay.node_id, peer)
        if other is None or not self._can_signal(relay, other):
            delay = GONE_SECONDS
        elif luck < self._unreachable:
            delay = UNREACHABLE_SECONDS
        else:
            delay = self.random.uniform(*DIAL_SECONDS)
            delay += RELAYED_SECONDS if luck < self._unreachable + self._relayed else 0.0
        self.scheduler.call_later(delay, partial(self._dialled, relay, peer, delay == GONE_SECONDS))

    def _can_signal(self, relay: Relay, other: Relay) -> bool:
        """Through the server, or by introduction of a common neighbour."""
        return self.server_up or not relay.links.isdisjoint(other.links)

    def _dialled(self, relay: Relay, peer: NodeId, gone: bool) -> None:
        relay.dialling.discard(peer)
        if not relay.alive:
            return
        other = self.relays.get(peer)
        if gone or other is None or not self._takes(other, relay.node_id):
            relay.plan.failed(peer, self.scheduler.now())
        else:
            self._link(relay, other)
        self._look(relay)

    def _takes(self, relay: Relay, caller: NodeId) -> bool:
        if self.cannot_link(relay.node_id, caller) or len(relay.links) >= self._maximum_links:
            return False
        known = caller in relay.wanted
        return known or refusal(self.graph, self.server.directory, relay.node_id, caller) is None

    def _link(self, one: Relay, other: Relay) -> None:
        now = self.scheduler.now()
        for relay, peer in ((one, other), (other, one)):
            relay.links.add(peer.node_id)
            relay.plan.linked(peer.node_id, now)
            if not self.server_up:
                self._want(relay)
                if 2 * len(relay.links & relay.wanted) < len(relay.wanted):
                    relay.plan.bring_forward(now)
                self._look(relay)
            own = len(relay.links & relay.wanted)  # paths are drawn along these alone
            if relay.relays_at is None and own >= 2:
                relay.relays_at = self.now()
            living = [name for name in relay.wanted if name in self.relays]
            if relay.useful_at is None and 2 * own >= len(living) > 0:
                relay.useful_at = self.now()

    def return_through(self, relay: Relay, wanted: frozenset[NodeId], neighbour: Relay) -> None:
        """A relay that knows the last snapshot is back and has found one neighbour."""
        self._learn(relay, self.version + 1, wanted)
        self._link(relay, neighbour)

    def components(self) -> list[int]:
        """Sizes of the parts that the relays with a place fall into, the largest first. Relays that have just started
        and are no neighbours of anybody yet are no part."""
        left = {name for name, relay in self.relays.items() if name in self.graph and (relay.links or relay.useful_at)}
        sizes = []
        while left:
            reached, border = 1, [left.pop()]
            while border:
                near = self.relays[border.pop()].links & left
                left -= near
                reached += len(near)
                border += near
            sizes.append(reached)
        return sorted(sizes, reverse=True)
