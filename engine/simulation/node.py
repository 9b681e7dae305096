"""A relay or model node of a simulated network: the overlay classes of a real engine on the memory internet."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from engine.crypto.identity import Identity
from engine.crypto.sealing import SealingKey
from engine.directory.descriptor import make_descriptor
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.graph import RelayGraph, refusal, wanted_links
from engine.ids import NodeId, RequestId
from engine.node.overlay_peer import OverlayPeer
from engine.paths.serving import ExecutionStarted
from engine.simulation.loops import SimulatedLoop
from engine.transport.memory import MemoryEndpoint, MemoryInternet
from engine.transport.memory_routers import Router
from engine.transport.scheduler import ManualScheduler
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519, SUITE_ONION_X25519
from engine.wire.answer import Finished, FrameEvent, Tokens
from engine.wire.records import OnionKey, SealKey, ServedModel, Signed

MODEL = "model"
KEY_SECONDS = 2 * 86_400
RELAY_BANDWIDTH = 2_500_000
"""Bytes per second."""
RandomBytes = Callable[[int], bytes]


class World(Protocol):
    """What a node is put into."""

    genesis: GenesisRecord
    scheduler: ManualScheduler
    internet: MemoryInternet

    def random_bytes(self, n: int, /) -> bytes:
        """The source of all keys and draws."""
        ...

    def router(self) -> Router:
        """What the next node is behind."""
        ...

    def graph(self) -> RelayGraph:
        """Who is linked with whom in the directory that everybody gets now."""
        ...


class NodeKeys:
    """What a node keeps on disk: its identity and the keys of the day."""

    def __init__(self, random_bytes: RandomBytes) -> None:
        self.identity = Identity.from_seed(random_bytes(32))
        self.onion = random_bytes(32)
        suites = (SUITE_HPKE_X25519, SUITE_HPKE_MLKEM768_X25519)
        self.seal = [SealingKey.generate(suite, random_bytes) for suite in suites]


class Pace:
    """How a model node answers: ``words`` words, the first after ``first`` seconds, then one every ``interval``."""

    def __init__(self, words: int, interval: float, first: float = 0.2) -> None:
        self.words, self.interval, self.first = words, interval, first

    @property
    def seconds(self) -> float:
        """From the start of the answer to its last word."""
        return self.first + self.interval * (self.words - 1)

    def word(self, index: int) -> str:
        """Word ``index``, the same from every node."""
        return f"w{index} "


class SimulatedNode:
    """One run of an engine's node side: from its start until it dies without a word. With a ``pace`` it is a model
    node, otherwise a relay. A node that comes back is a new object with the old keys."""

    def __init__(self, world: World, keys: NodeKeys, prefix: str, pace: Pace | None = None) -> None:
        self._world = world
        self._scheduler = world.scheduler
        self.keys = keys
        self.prefix = prefix
        self.pace = pace
        self.alive = True
        self.cancelled: list[RequestId] = []
        self.answers = 0
        """Answers begun."""
        clock = world.scheduler.clock
        self.started = math.ceil(clock.wall())
        parameters = world.genesis.parameters
        self.peer = OverlayPeer(
            self.node_id,
            world.genesis.network_id,
            lambda: [keys.onion],
            lambda: keys.seal,
            clock,
            world.random_bytes,
            parameters=parameters,
            started=float(self.started),
            relays=self.relays,
            bandwidth=float(RELAY_BANDWIDTH),
        )
        self.peer.start, self.peer.cancel = self._begin_answer, self.cancelled.append
        self._directory: Directory | None = None
        self._loops = [
            SimulatedLoop(world.scheduler, self.peer.relay_loop),
            SimulatedLoop(world.scheduler, self.peer.serving_loop),
        ]
        self.peer.relay_loop, self.peer.serving_loop = self._loops
        self.endpoint: MemoryEndpoint = world.internet.endpoint(
            self.node_id, self.peer, accept=self._refuse, maximum_links=100_000, router=world.router()
        )
        self.peer.sender, self.peer.dial = self.endpoint, self.endpoint.dial

    @property
    def node_id(self) -> NodeId:
        """Of its identity."""
        return self.keys.identity.node_id

    @property
    def relays(self) -> bool:
        """Whether it passes on others' traffic."""
        return self.pace is None

    def descriptor(self) -> Signed:
        """What it publishes now."""
        now = self._scheduler.clock.wall()
        expires = int(now) + KEY_SECONDS
        onion = X25519PrivateKey.from_private_bytes(self.keys.onion).public_key().public_bytes_raw()
        served = ServedModel(MODEL, b"d" * 32, b"t" * 32, 4096, 64, 0.0, 0.0, 0, 0)
        return make_descriptor(
            self.keys.identity,
            self._world.genesis.network_id,
            now,
            started=self.started,
            lifetime=self._world.genesis.parameters.descriptor_seconds,
            relay=self.relays,
            onion_keys=(OnionKey(SUITE_ONION_X25519, onion, expires),) if self.relays else (),
            seal_keys=() if self.relays else tuple(SealKey(key.suite, key.public, expires) for key in self.keys.seal),
            models=() if self.relays else (served,),
            relay_bandwidth=RELAY_BANDWIDTH if self.relays else 0,
            spare_capacity=not self.peer.saturated,
        )

    def directory_changed(self, directory: Directory) -> None:
        """Keep linked whom the graph says, as ``PeerPresence`` does it; of two the lower id dials."""
        if not self.alive:
            return
        self.peer.update_directory(directory)
        self._directory, graph = directory, self._world.graph()
        ids = wanted_links(graph, directory, self.node_id, relays=self.relays)
        mutual = ids if graph.is_mesh else ids & set(graph.neighbours(self.node_id))
        lower = {node_id for node_id in mutual if node_id < self.node_id}
        self.endpoint.want(ids - lower, expected=lower)

    def _refuse(self, caller: NodeId, is_client: bool) -> str | None:
        if is_client or self._directory is None:
            return None
        return refusal(self._world.graph(), self._directory, self.node_id, caller)

    def die(self) -> None:
        """Vanish without a word."""
        self.alive = False
        for loop in self._loops:
            loop.alive = False
        self._world.internet.kill(self.node_id)

    # Answers

    def _begin_answer(self, started: ExecutionStarted) -> None:
        self.answers += 1
        self._say(started.request_id, 0)

    def _say(self, request_id: RequestId, index: int) -> None:
        """Word ``index`` is due; a full buffer makes it wait, as it makes the maker of real tokens wait."""
        pace = self.pace
        assert pace is not None
        delay = pace.first if index == 0 else pace.interval
        self._scheduler.call_later(delay, functools.partial(self._said, request_id, index))

    def _said(self, request_id: RequestId, index: int) -> None:
        pace = self.pace
        assert pace is not None
        if not self.alive or request_id not in self.peer.serving.running():
            return
        if self.peer.serving.paused(request_id):
            self._scheduler.call_later(0.05, functools.partial(self._said, request_id, index))
            return
        self._push(request_id, Tokens(index, (index,), pace.word(index)))
        if index + 1 < pace.words:
            self._say(request_id, index + 1)
        else:
            self._push(request_id, Finished("stop", 3, pace.words, b"", b"s" * 64))

    def _push(self, request_id: RequestId, event: FrameEvent) -> None:
        self.peer.push(request_id, event)
