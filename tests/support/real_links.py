"""Meshes with real WebRTC links on 127.0.0.1, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from engine.clock import SystemClock
from engine.crypto.identity import Identity
from engine.ids import NetworkId, NodeId
from engine.transport.mesh import AcceptPolicy, Mesh, MeshConfiguration
from engine.transport.rtc import RtcConnection
from tests.support.links import LocalSignaling, RecordingHandler

NETWORK = NetworkId(bytes(range(32)))
LOOPBACK = MeshConfiguration(allow_loopback=True)


class Node:
    """A mesh with its handler."""

    def __init__(
        self,
        signaling: LocalSignaling,
        seed: int,
        configuration: MeshConfiguration = LOOPBACK,
        accept: AcceptPolicy | None = None,
        **options: Any,
    ) -> None:
        self.identity = Identity.from_seed(bytes([seed]) * 32)
        self.id = self.identity.node_id
        self.handler = RecordingHandler()
        self.port = signaling.port(self.id)
        clock = SystemClock()
        self.mesh = Mesh(
            self.identity, NETWORK, self.handler, self.port, clock, configuration, accept=accept, **options
        )

    def connection(self, peer: NodeId) -> RtcConnection:
        return self.mesh._links[peer].connection

    def kill(self) -> None:
        """Close every UDP socket without a word, as a crash would."""
        for link in self.mesh._links.values():
            sctp = link.connection._peer_connection.sctp
            assert sctp is not None
            for protocol in sctp.transport.transport._connection._protocols:
                protocol.transport.abort()


@asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[None]:
    """All meshes run inside; afterwards nothing of them is left."""
    before = asyncio.all_tasks()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(node.mesh.run()) for node in nodes]
        await asyncio.sleep(0)
        yield
        for task in tasks:
            task.cancel()
    # Attempts that were given up in the middle of ICE end with the library's next look, 20 ms later.
    for _ in range(100):
        if asyncio.all_tasks() == before:
            break
        await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before


async def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def link(dialler: Node, other: Node) -> None:
    dialler.mesh.want({other.id})
    await until(lambda: other.id in dialler.mesh.links() and dialler.id in other.mesh.links())


def pair(signaling: LocalSignaling, **options: Any) -> tuple[Node, Node]:
    """Two nodes, the lower id first."""
    nodes = sorted((Node(signaling, 1, **options), Node(signaling, 2, **options)), key=lambda node: node.id)
    return nodes[0], nodes[1]
