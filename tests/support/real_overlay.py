"""A whole overlay over real WebRTC links in one process, on wires with faults."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.directory.shapes import NOTHING_WEAKER
from engine.ids import NodeId
from engine.transport.link import LinkHandler
from engine.transport.mesh import Mesh
from engine.transport.mesh_configuration import MeshConfiguration
from engine.wire.records import Parameters
from tests.support.links import LocalSignaling
from tests.support.overlay import NETWORK, Collected, Member, Overlay
from tests.support.real_links import until
from tests.support.wires_with_faults import Faults, Wires


class RealTime:
    """The scheduler and clock of the machine."""

    def __init__(self) -> None:
        self.clock = SystemClock()

    def now(self) -> float:
        return self.clock.monotonic()

    def call_later(self, delay: float, action: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(delay, action)


class RealOverlay(Overlay):
    """``relays`` relays, ``models`` model nodes and a client as :class:`Overlay` has them, with a mesh each."""

    def __init__(
        self,
        relays: int,
        parameters: Parameters,
        *,
        models: int = 1,
        words: int = 40,
        pace: float = 0.05,
        seed: int = 1,
        faults: Faults | None = None,
    ) -> None:
        self.started_ago = 5.0
        self.scheduler: Any = RealTime()
        self.random_bytes: Any = os.urandom
        self.parameters = parameters
        self.accepted = NOTHING_WEAKER
        self.signaling = LocalSignaling()
        self.wires = Wires(seed, faults)
        self.internet: Any = self
        self._identities: dict[NodeId, Identity] = {}
        self.meshes: dict[NodeId, Mesh] = {}
        self.relays = [Member(self, f"relay-{index}", model=False, words=0, pace=0) for index in range(relays)]
        self.models = [
            Member(self, f"model-{index}", model=True, words=words, pace=pace, relay=False) for index in range(models)
        ]
        self.restart_client()

    def identify(self, name: str) -> NodeId:
        """An id with a key behind it."""
        identity = Identity.from_seed(name.encode().ljust(32, b"."))
        self._identities[identity.node_id] = identity
        return identity.node_id

    def endpoint(self, node_id: NodeId, handler: LinkHandler, *, is_client: bool = False) -> Mesh:
        """What the memory internet has, too."""
        configuration = MeshConfiguration(is_client=is_client, allow_loopback=True)
        mesh = self.meshes[node_id] = Mesh(
            self._identities[node_id],
            NETWORK,
            handler,
            self.signaling.port(node_id),
            SystemClock(),
            configuration,
            connect=self.wires.connect(node_id.hex()),
        )
        return mesh

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything runs inside."""
        async with asyncio.TaskGroup() as group:
            loops = [member.peer.relay_loop for member in self.members()]
            loops += [member.peer.serving_loop for member in self.members()]
            parts: list[Any] = [*self.meshes.values(), *loops, self.client.loop]
            tasks = [group.create_task(part.run()) for part in parts]
            await asyncio.sleep(0)
            self.announce()
            yield
            for task in tasks:
                task.cancel()

    async def all_linked(self, seconds: float = 40.0) -> None:
        """Every relay with every other, and the client with its guards."""
        least = len(self.relays) - 1
        await until(
            lambda: all(len(self.meshes[relay.node_id].links()) >= least for relay in self.relays) and self.ready(),
            seconds,
        )

    async def answered(self, answer: Collected, seconds: float) -> None:
        """The answer is complete."""
        await until(lambda: answer.finished or answer.error, seconds)
        if answer.error is not None:
            raise answer.error
