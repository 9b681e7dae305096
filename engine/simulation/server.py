"""The bootstrap server of a simulated network: its real registry, and the time that news takes to reach everybody."""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import partial
from typing import Protocol

from engine.bootstrap.registry import Registry
from engine.crypto.identity import Identity
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord, make_genesis
from engine.directory.graph import RelayGraph
from engine.directory.marks import AwayMarks
from engine.directory.snapshot import ChainPoint, SnapshotVerifier
from engine.ids import NodeId
from engine.transport.scheduler import ManualScheduler
from engine.wire.records import Parameters, Signed

TICK_SECONDS = 1.0
RENEW_SECONDS = 600.0
NEWS_SECONDS = 1.0
"""A reader has a new snapshot or mark after at most so long."""


class Reader(Protocol):
    """Who is connected with the server."""

    def directory_changed(self, directory: Directory) -> None:
        """A newer directory is there."""


class Publisher(Reader, Protocol):
    """A reader that is listed."""

    prefix: str

    def descriptor(self) -> Signed:
        """What is published of it now."""


class SimulatedServer:
    """Snapshots, away and back marks as the real server makes them, every second. Snapshots and descriptors are signed
    and verified; verification, belief in marks and the graph of relays are computed once for all readers, who get the
    same."""

    def __init__(self, scheduler: ManualScheduler, source: random.Random, parameters: Parameters) -> None:
        self._scheduler = scheduler
        self._random = source
        identity = Identity.from_seed(source.randbytes(32))
        wall = scheduler.clock.wall()
        self.genesis: GenesisRecord = make_genesis("simulated", identity.public_key, parameters, wall, source.randbytes)
        self._registry = Registry(
            self.genesis, identity, ChainPoint(), (), scheduler.now(), random_bytes=source.randbytes
        )
        self._verifier = SnapshotVerifier(self.genesis)
        self._publishers: dict[NodeId, Publisher] = {}
        self._published: dict[NodeId, float] = {}
        self._readers: dict[NodeId, Reader] = {}
        self._directory: Directory | None = None
        self.graph = RelayGraph(parameters)
        """Of the newest directory, which is what readers get."""
        self._marks = AwayMarks()
        self._away: frozenset[NodeId] = frozenset()
        self.tick()

    # Who is there

    def join(self, node_id: NodeId, publisher: Publisher) -> None:
        """Log in and publish: listed in the next snapshot, or marked back where it is listed still."""
        self._publishers[node_id] = publisher
        self._publish(node_id, publisher)
        self.read(node_id, publisher)

    def read(self, node_id: NodeId, reader: Reader) -> None:
        """Log in without publishing, as clients do; a reader gets what there is."""
        self._readers[node_id] = reader
        if self._directory is not None:
            self._tell([node_id])

    def vanish(self, node_id: NodeId, *, connection_ends: bool) -> None:
        """A node died. Where its operating system lives the connection ends at once, else nobody tells the server."""
        self._publishers.pop(node_id, None)
        self._published.pop(node_id, None)
        self._readers.pop(node_id, None)
        if connection_ends:
            self._registry.dropped(node_id, self._scheduler.now())

    def away(self) -> frozenset[NodeId]:
        """Who is taken for away by readers."""
        return self._away

    def _publish(self, node_id: NodeId, publisher: Publisher) -> None:
        now, wall = self._scheduler.now(), self._scheduler.clock.wall()
        self._registry.accept(publisher.descriptor(), publisher.prefix, wall, now)
        self._registry.heard(node_id, now)
        self._published[node_id] = now

    # Time

    def tick(self) -> None:
        """What the server does every second."""
        now, wall = self._scheduler.now(), self._scheduler.clock.wall()
        for node_id, publisher in self._publishers.items():
            self._registry.heard(node_id, now)
            if now > self._published[node_id] + RENEW_SECONDS:
                self._publish(node_id, publisher)
        changed = False
        for news in self._registry.tick(wall, now):
            changed |= self._marks.add(news.mark)
        if self._registry.due(wall, now):
            make, content = self._registry.build(wall)
            signed, point = make()
            self._registry.commit(point, content, now)
            self._directory = self._verifier.accept(signed, wall)
            self._marks.keep_only(self._directory)
            changed = True
        if changed and self._directory is not None:
            self._away = self._marks.believed(self._directory, lambda _: False)
            self._directory = self._directory.with_away(self._away)
            self.graph.update(self._directory)
            self._tell(self._readers)
        self._scheduler.call_later(TICK_SECONDS, self.tick)

    def _tell(self, readers: Iterable[NodeId]) -> None:
        """Each reader hears of it a moment later, not all at once."""
        for node_id in readers:
            delay = self._random.uniform(0.05, NEWS_SECONDS)
            self._scheduler.call_later(delay, partial(self._deliver, node_id, self._readers[node_id]))

    def _deliver(self, node_id: NodeId, reader: Reader) -> None:
        if self._readers.get(node_id) is reader and self._directory is not None:
            reader.directory_changed(self._directory)
