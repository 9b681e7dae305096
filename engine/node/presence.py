"""What an engine's two presences in a network share: a bootstrap session, and a mesh of WebRTC links.

One is of its node identity (:mod:`engine.node.peer_presence`), one of its client identity
(:mod:`engine.node.client_presence`); they have no session, link or certificate in common.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from engine import __version__
from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.shapes import NOTHING_WEAKER, Accepted
from engine.directory.standing import StandingBook
from engine.ids import NetworkId, NodeId
from engine.node.contradictions import ContradictionsFollower
from engine.node.saved_offer import load_offer, save_offer
from engine.node.standings import StandingsFollower
from engine.sentences import say
from engine.transport.bootstrap_client import BootstrapClient, BootstrapState, Phase
from engine.transport.connectivity import Connectivity
from engine.transport.ice_servers import OfferedServers
from engine.transport.link import LinkHandler
from engine.transport.mesh import Mesh
from engine.transport.mesh_configuration import MeshConfiguration
from engine.wire.records import Parameters

SOFTWARE = f"gentorrent {__version__}"
MAXIMUM_EXPELLED = 1_000
"""Former members of a private network whose offers are refused."""
SETTLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Membership:
    """Which network, and where its state lies. ``urls``: its servers, the preferred one first. ``changed`` hears that
    something in the state may have changed, ``links_changed`` that links have come or gone."""

    urls: tuple[str, ...]
    network_id: NetworkId | None
    networks: Path
    clock: Clock
    changed: Callable[[], None]
    notice: Callable[[str], None]
    connectivity: Connectivity
    accepted: Accepted = NOTHING_WEAKER
    relayed_only: bool = False
    links_changed: Callable[[], None] = lambda: None


class Presence(abc.ABC):
    """What both presences share: the bootstrap session and, once the genesis is known, the mesh."""

    def __init__(self, membership: Membership, identity: Identity, *, client_only: bool) -> None:
        self._membership = membership
        self._identity = identity
        self._client_only = client_only
        self._news = asyncio.Event()
        self._was_connected = False
        self._expelled: dict[NodeId, None] = {}
        self.mesh: Mesh | None = None
        self.standings: StandingsFollower | None = None
        self.bootstrap = BootstrapClient(
            membership.urls,
            membership.network_id,
            identity,
            data=membership.networks,
            clock=membership.clock,
            client_only=client_only,
            software="" if client_only else SOFTWARE,
            on_directory=self._on_directory,
            on_state=self._on_state,
            on_notice=membership.notice,
            on_ice=self._on_ice,
            on_expelled=self._on_expelled,
            is_linked=self._is_linked,
        )
        self._holder = "client" if client_only else "node"
        membership.connectivity.listen(self._servers_changed)

    @property
    def connectivity(self) -> Connectivity:
        """Which STUN and TURN servers work here."""
        return self._membership.connectivity

    @property
    def links(self) -> int:
        """Open links now."""
        return len(self.mesh.links()) if self.mesh else 0

    @property
    def links_relayed(self) -> int:
        """Those of them that go through a TURN server."""
        return sum(bool(self.mesh.is_relayed(peer)) for peer in self.mesh.links()) if self.mesh else 0

    def _is_linked(self, peer: NodeId) -> bool:
        return self.mesh is not None and peer in self.mesh.links()

    def _refuse_ended(self, peer: NodeId) -> str | None:
        directory = self.bootstrap.directory
        return "this identity is over" if directory is not None and peer in directory.ended else None

    @abc.abstractmethod
    def directory_changed(self, directory: Directory) -> None:
        """A new snapshot, or other away marks."""

    def _on_directory(self, directory: Directory) -> None:
        self._news.set()
        if self.mesh is not None:
            for peer in directory.ended.intersection(self.mesh.links()):
                self.mesh.disconnect(peer, "this identity is over")
        if self.standings is not None:
            self.standings.look(directory)
        self.directory_changed(directory)
        self._membership.changed()

    async def follow_standings(self, genesis: GenesisRecord, changed: Callable[[StandingBook], None]) -> None:
        """Until cancelled: what the committee says of everybody, and who has contradicted itself; ``changed`` hears of
        it."""
        path = self._membership.networks / genesis.network_id.hex() / f"standings-{self._holder}"
        self.standings = standings = StandingsFollower(genesis, self.bootstrap.read, path, os.urandom)

        def told() -> None:
            changed(replace(standings.book, contradicted=contradictions.nodes))

        contradictions = ContradictionsFollower(genesis, self.bootstrap.read, os.urandom, told)
        standings.changed = lambda _: told()
        if self.bootstrap.directory is not None:
            standings.look(self.bootstrap.directory)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(standings.run())
            tasks.create_task(contradictions.run())

    def network_changed(self) -> None:
        """This machine's addresses are others, or it has slept."""
        self.bootstrap.reconnect()
        if self.mesh is not None:
            self.mesh.network_changed()

    def _on_state(self, state: BootstrapState) -> None:
        self._news.set()
        if self.mesh is not None and state.phase is Phase.CONNECTED and not self._was_connected:
            self.mesh.hurry()
        self._was_connected = state.phase is Phase.CONNECTED
        self._membership.changed()

    def _on_ice(self, offered: OfferedServers) -> None:
        genesis = self.bootstrap.genesis
        if genesis is None or genesis.genesis.parameters.allow_loopback:
            return  # a network on one machine asks nobody outside
        self._membership.connectivity.offer(self._holder, offered)
        save_offer(self._offer_path(genesis), offered)

    def _on_expelled(self, node: NodeId) -> None:
        """A private network's server says that somebody is a member no longer."""
        self._expelled[node] = None
        while len(self._expelled) > MAXIMUM_EXPELLED:
            del self._expelled[next(iter(self._expelled))]
        if self.mesh is not None and node in self.mesh.links():
            self.mesh.disconnect(node, "it is a member of this network no longer")

    def _accept_member(self, peer: NodeId, _peer_is_client: bool) -> str | None:
        """In a private network: the server passes on the offers of members alone, so what comes another way must come
        from a listed node."""
        if self.mesh is not None and self.mesh.router.from_server:
            self._expelled.pop(peer, None)  # it has been invited again
            return None
        directory = self.bootstrap.directory
        if peer in self._expelled or directory is None or peer not in directory:
            return "you are not listed in this private network"
        return None

    def _servers_changed(self) -> None:
        if self.mesh is not None:
            connectivity = self._membership.connectivity
            self.mesh.set_ice_servers(connectivity.servers(self._holder), connectivity.tls)
        self._membership.changed()

    def _offer_path(self, genesis: GenesisRecord) -> Path:
        return self._membership.networks / genesis.network_id.hex() / f"ice-{self._holder}.json"

    async def reachable(self, genesis: GenesisRecord) -> None:
        """Wait until it is known which STUN and TURN servers work here, but not long: links can be made without."""
        if genesis.genesis.parameters.allow_loopback:
            return
        saved = load_offer(self._offer_path(genesis), self._membership.clock.wall())
        if saved is not None and not self.bootstrap.connected:
            self._membership.connectivity.offer(self._holder, saved)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._membership.connectivity.settled()

    def end(self) -> None:
        """Nothing of the engine holds this presence any more: each turn of the switch makes another one."""
        self._membership.connectivity.unlisten(self._servers_changed)

    async def genesis(self) -> GenesisRecord:
        """Wait until the network is known."""
        while self.bootstrap.genesis is None:
            self._news.clear()
            await self._news.wait()
        return self.bootstrap.genesis

    def make_mesh(
        self,
        network_id: NetworkId,
        parameters: Parameters,
        handler: LinkHandler,
    ) -> Mesh:
        """The links of this identity."""
        configuration = MeshConfiguration(
            is_client=self._client_only,
            allow_loopback=parameters.allow_loopback,
            relayed_only=self._membership.relayed_only,
        )
        clock = self._membership.clock

        def takes(peer: NodeId, peer_is_client: bool) -> str | None:
            refused = self._refuse_ended(peer)
            if refused is None and parameters.invited_only:
                refused = self._accept_member(peer, peer_is_client)
            return self._refuse(peer, peer_is_client) if refused is None else refused

        self.mesh = Mesh(self._identity, network_id, handler, self.bootstrap, clock, configuration, accept=takes)
        self.mesh.links_changed = self._membership.links_changed
        self._servers_changed()
        if not self._membership.relayed_only:  # offers over a connection of our own would show our address
            self.mesh.offer_direct_signaling(self._listener_of, self._listen(), self._cannot_listen)
        return self.mesh

    def _refuse(self, _caller: NodeId, _is_client: bool) -> str | None:
        """Why this identity takes no link from a caller with whom nothing else is wrong; None if it does."""
        return None

    def _listen(self) -> tuple[str, int] | None:
        """Where this identity listens for offers, if it does."""
        return None

    def _cannot_listen(self, reason: str) -> None:
        """What :meth:`_listen` named cannot be had."""
        self._membership.notice(say("signaling.not_direct", problem=reason))

    def _listener_of(self, peer: NodeId) -> str | None:
        """Where ``peer`` listens for offers, as the directory says."""
        node = self.bootstrap.directory.get(peer) if self.bootstrap.directory is not None else None
        return node.descriptor.signaling if node is not None else None
