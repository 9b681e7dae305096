"""A whole network in one process and in simulated time, made of the classes that real nodes run.

Time passes in :meth:`SimulatedNetwork.run` alone. The same seed gives the same run; ciphertexts differ, but nothing
depends on them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from engine.directory.graph import RelayGraph
from engine.ids import NodeId
from engine.simulation.client import SimulatedClient
from engine.simulation.node import NodeKeys, Pace, SimulatedNode
from engine.simulation.server import SimulatedServer
from engine.transport.memory import MemoryInternet
from engine.transport.memory_links import Conditions
from engine.transport.memory_routers import Router
from engine.transport.scheduler import ManualScheduler
from engine.wire.records import Parameters

PREFIXES = 250
"""Address prefixes that relays are spread over."""


class SimulatedNetwork:
    """Relays, model nodes and clients around one bootstrap server."""

    def __init__(
        self,
        relays: int,
        *,
        models: int = 1,
        pace: Pace | None = None,
        seed: int = 1,
        conditions: Conditions | None = None,
        parameters: Parameters | None = None,
        routers: Sequence[Router] = (Router.FULL_CONE,),
    ) -> None:
        """``routers``: what each node is behind is drawn from these."""
        self.random = random.Random(seed)
        self.random_bytes = self.random.randbytes
        self._routers = routers
        self.scheduler = ManualScheduler()
        conditions = conditions or Conditions(delay=0.02, jitter=0.02)
        self.internet = MemoryInternet(self.scheduler, self.random, conditions)
        self.server = SimulatedServer(self.scheduler, self.random, parameters or Parameters())
        self.genesis = self.server.genesis
        self.pace = pace or Pace(words=40, interval=0.5)
        self.relays: dict[NodeId, SimulatedNode] = {}
        self.models = [self._start(self._new_keys(), "models", self.pace) for _ in range(models)]
        self.clients: list[SimulatedClient] = []
        for _ in range(relays):
            self.join()

    def graph(self) -> RelayGraph:
        """Who is linked with whom in the newest directory."""
        return self.server.graph

    def router(self) -> Router:
        """What the next node is behind."""
        return self._routers[0] if len(self._routers) == 1 else self.random.choice(self._routers)

    def now(self) -> float:
        """Seconds of simulated time."""
        return self.scheduler.now()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.scheduler.advance(seconds)

    def until(self, condition: Callable[[], bool], limit: float, step: float = 0.25) -> bool:
        """Let time pass until ``condition`` holds; False if it does not within ``limit`` seconds."""
        end = self.now() + limit
        while not condition():
            if self.now() >= end:
                return False
            self.run(step)
        return True

    # Who comes and goes

    def join(self, keys: NodeKeys | None = None, prefix: str = "") -> SimulatedNode:
        """A relay starts: a new one, or with ``keys`` one that was here before."""
        prefix = prefix or f"10.{self.random.randrange(PREFIXES)}.0.0/16"
        relay = self._start(keys or self._new_keys(), prefix, None)
        self.relays[relay.node_id] = relay
        return relay

    def kill(self, relay: SimulatedNode, *, connection_ends: bool = True) -> None:
        """A relay dies without a word; see :meth:`SimulatedServer.vanish`."""
        del self.relays[relay.node_id]
        relay.die()
        self.server.vanish(relay.node_id, connection_ends=connection_ends)

    def add_client(self) -> SimulatedClient:
        """A client starts."""
        client = SimulatedClient(self)
        self.clients.append(client)
        self.server.read(client.node_id, client)
        return client

    def _new_keys(self) -> NodeKeys:
        return NodeKeys(self.random_bytes)

    def _start(self, keys: NodeKeys, prefix: str, pace: Pace | None) -> SimulatedNode:
        node = SimulatedNode(self, keys, prefix, pace)
        self.server.join(node.node_id, node)
        return node
