"""A session with the bootstrap server and real links to relays, by the same classes that an engine uses."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.doctor.facts import LinkFact
from engine.ids import NodeId, short_id
from engine.sentences import say
from engine.transport.bootstrap_client import BootstrapClient
from engine.transport.bootstrap_state import BootstrapAddress, Phase
from engine.transport.ice_servers import IceServers, OfferedServers
from engine.transport.link import Channel
from engine.transport.mesh import Mesh
from engine.transport.mesh_configuration import MeshConfiguration

LOGIN_SECONDS = 12.0
NEWS_SECONDS = 5.0
"""For the list of STUN and TURN servers and for the directory, after the login."""
LINK_SECONDS = 15.0
LINKS = 3
"""Relays that are linked for a moment."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """As whom the doctor logs in. ``networks`` is where genesis files and invitations lie; ``avoid`` are node ids of
    this machine itself, which would prove nothing."""

    identity: Identity
    networks: Path
    avoid: frozenset[NodeId] = frozenset()


class Session:
    """One login of a client that relays nothing and asks nothing; ``client.run`` has to run meanwhile."""

    def __init__(self, address: BootstrapAddress, visitor: Visitor, clock: Clock) -> None:
        self._clock = clock
        self._visitor = visitor
        self._news = asyncio.Event()
        self._told = False
        self.client = BootstrapClient(
            address.url,
            address.network_id,
            visitor.identity,
            data=visitor.networks,
            clock=clock,
            client_only=True,
            on_state=lambda _: self._news.set(),
            on_directory=lambda _: self._news.set(),
            on_ice=self._take_ice,
        )

    def _take_ice(self, _offered: OfferedServers) -> None:
        self._told = True
        self._news.set()

    async def log_in(self) -> str:
        """Why not; empty once logged in and told of servers and relays."""
        await self._until(lambda: self.client.state.phase is not Phase.CONNECTING, LOGIN_SECONDS)
        if not self.client.connected:
            return self.client.state.reason or say("probe.silent", seconds=LOGIN_SECONDS)
        await self._until(lambda: self._told and self.client.directory is not None, NEWS_SECONDS)
        return ""

    async def links(self, servers: IceServers, tls: ssl.SSLContext | None, relayed_only: bool) -> tuple[LinkFact, ...]:
        """Link up to ``LINKS`` relays, drawn at random, all at once, and close the links again."""
        directory, genesis = self.client.directory, self.client.genesis
        if directory is None or genesis is None:
            return ()
        relays = [node.node_id for node in directory.relays() if node.node_id not in self._visitor.avoid]
        chosen = random.SystemRandom().sample(relays, min(LINKS, len(relays)))
        if not chosen:
            return ()
        configuration = MeshConfiguration(
            is_client=True, allow_loopback=genesis.genesis.parameters.allow_loopback, relayed_only=relayed_only
        )
        heard = _Heard()
        mesh = Mesh(self._visitor.identity, genesis.network_id, heard, self.client, self._clock, configuration)
        mesh.set_ice_servers(servers, tls)
        async with running(mesh.run()):
            return tuple(await asyncio.gather(*(self._link(mesh, peer, heard) for peer in chosen)))

    async def _link(self, mesh: Mesh, peer: NodeId, heard: _Heard) -> LinkFact:
        opened = heard.wanted[peer] = asyncio.Event()
        began = self._clock.monotonic()
        mesh.want(heard.wanted.keys())  # dialled again if the first try fails, as an engine does
        try:
            async with asyncio.timeout(LINK_SECONDS):
                await opened.wait()
        except TimeoutError:
            return LinkFact(node=short_id(peer), opened=False, error=f"no link within {LINK_SECONDS:.0f} s")
        seconds = round(self._clock.monotonic() - began, 2)
        return LinkFact(node=short_id(peer), opened=True, seconds=seconds, relayed=bool(mesh.is_relayed(peer)))

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    self._news.clear()
                    await self._news.wait()


class _Heard:
    """Hears which of the wanted links are up."""

    def __init__(self) -> None:
        self.wanted: dict[NodeId, asyncio.Event] = {}

    def link_up(self, peer: NodeId, _peer_is_client: bool) -> None:
        if peer in self.wanted:
            self.wanted[peer].set()

    def link_down(self, peer: NodeId, reason: str) -> None:
        """What was measured stands."""

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        """A neighbour says what it has to say to everybody; nothing is asked here."""


@contextlib.asynccontextmanager
async def running(endless: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run it meanwhile; whatever it raises ends the block."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(endless)
        try:
            yield
        finally:
            task.cancel()
