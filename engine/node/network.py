"""An engine's presences in a network: one for its node identity, one for its client identity, sharing nothing.

Each is a bootstrap session, a mesh of WebRTC links and the machines behind it, owned by one ``run``.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import logging
import math
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine import __version__
from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.crypto.onion import REPLAY_MEMORY
from engine.directory.descriptor import make_descriptor
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.directory.graph import RelayGraph, introducers, refusal, wanted_links
from engine.directory.guards import Retired
from engine.directory.shapes import NOTHING_WEAKER, Accepted
from engine.errors import StorageError
from engine.ids import NetworkId, NodeId, short_id
from engine.inference.types import InferenceBackend, ModelInfo
from engine.node.keys import NodeKeys
from engine.node.overlay_client import OverlayClient
from engine.node.overlay_peer import OverlayPeer
from engine.node.saved_guards import load_guards, save_guards
from engine.node.saved_offer import load_offer, save_offer
from engine.node.serving_role import ServingRole
from engine.paths.relay_limits import RelayLimits
from engine.paths.setup import ReplayCache
from engine.storage.replay_log import ReplayLog
from engine.transport.addresses import LOOPBACK_ADDRESS
from engine.transport.bootstrap_client import BootstrapClient, BootstrapState, Phase
from engine.transport.connectivity import Connectivity
from engine.transport.ice_servers import OfferedServers
from engine.transport.link import LinkHandler
from engine.transport.mesh import Mesh
from engine.transport.mesh_configuration import MeshConfiguration
from engine.wire.records import Parameters, ServedModel, Signed

logger = logging.getLogger(__name__)
SOFTWARE = f"gentorrent {__version__}"
KEY_CHECK_SECONDS = 600.0
MAXIMUM_EXPELLED = 1_000
"""Former members of a private network whose offers are refused."""
SETTLE_SECONDS = 3.0
DEFAULT_RELAY_BANDWIDTH = 2_500_000
"""Bytes per second that a relay passes on at most, which it advertises."""
SAVE_GUARDS_SECONDS = 600.0
"""The guard list is written when it changes, and this often for its times and counts."""
RATES_CHANGED = 1.5
"""A model's advertised rate is published anew when it is off by this factor."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Which network, and where its state lies. ``urls``: its servers, the preferred one first. ``changed`` hears that
    something in the state may have changed."""

    urls: tuple[str, ...]
    network_id: NetworkId | None
    networks: Path
    clock: Clock
    changed: Callable[[], None]
    notice: Callable[[str], None]
    connectivity: Connectivity
    accepted: Accepted = NOTHING_WEAKER
    relayed_only: bool = False


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
        self.directory_changed(directory)
        self._membership.changed()

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
        self._servers_changed()
        if not self._membership.relayed_only:  # offers over a connection of our own would show our address
            self.mesh.offer_direct_signaling(self._listener_of, self._listen())
        return self.mesh

    def _refuse(self, _caller: NodeId, _is_client: bool) -> str | None:
        """Why this identity takes no link from a caller with whom nothing else is wrong; None if it does."""
        return None

    def _listen(self) -> tuple[str, int] | None:
        """Where this identity listens for offers, if it does."""
        return None

    def _listener_of(self, peer: NodeId) -> str | None:
        """Where ``peer`` listens for offers, as the directory says."""
        node = self.bootstrap.directory.get(peer) if self.bootstrap.directory is not None else None
        return node.descriptor.signaling if node is not None else None


class PeerPresence(Presence):
    """Relay, proxy and model node under the node identity; what it is goes into its descriptor."""

    def __init__(
        self,
        membership: Membership,
        keys: NodeKeys,
        backend: InferenceBackend,
        *,
        relays: bool,
        max_tokens_per_second: float | None,
        bandwidth: int = DEFAULT_RELAY_BANDWIDTH,
        signaling_address: str = "",
    ) -> None:
        super().__init__(membership, keys.identity, client_only=False)
        self._keys = keys
        self.bootstrap.announce(keys.succession, keys.succession_told)
        self._backend = backend
        self._relays = relays
        self._bandwidth = bandwidth
        self._signaling_address = signaling_address if relays and not membership.relayed_only else ""
        self._limit = max_tokens_per_second
        self._offered: frozenset[str] = frozenset()
        self._started = math.ceil(membership.clock.wall())
        self._published: tuple[ServedModel, ...] = ()
        self._graph: RelayGraph | None = None
        self._replay_log: ReplayLog | None = None
        self.peer: OverlayPeer | None = None
        self.serving: ServingRole | None = None

    @property
    def node_id(self) -> NodeId:
        """Of the node identity."""
        return self._identity.node_id

    def offer(self, models: frozenset[str]) -> None:
        """Serve exactly these models to others from now on, and say so in the directory."""
        self._offered = models
        if self.serving is not None:
            self.serving.offered = models
        self.refresh()

    def refresh(self) -> None:
        """Publish again if what would be published has changed noticeably."""
        if self.peer is not None and _noticeably_different(self._models(), self._published):
            self.bootstrap.publish(self._descriptor)

    async def run(self) -> None:
        """Until cancelled; then the node is withdrawn from the directory politely."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.bootstrap.run())
                genesis = await self.genesis()
                await self.reachable(genesis)
                peer, serving = self._assemble(genesis)
                assert self.mesh is not None
                for part in (self.mesh, peer.relay_loop, peer.serving_loop, serving):
                    tasks.create_task(part.run())
                self.bootstrap.publish(self._descriptor)
                tasks.create_task(self._rotate_keys())
                try:
                    await asyncio.Event().wait()
                finally:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(2.0):
                            await asyncio.shield(self.bootstrap.withdraw())
        finally:
            self.mesh = self.peer = self.serving = None
            if self._replay_log is not None:
                self._replay_log.close()

    def _assemble(self, genesis: GenesisRecord) -> tuple[OverlayPeer, ServingRole]:
        clock, network_id = self._membership.clock, genesis.network_id
        self._graph = RelayGraph(genesis.parameters)
        peer = OverlayPeer(
            self.node_id,
            network_id,
            self._keys.onion_private,
            self._keys.sealing,
            clock,
            os.urandom,
            parameters=genesis.genesis.parameters,
            started=float(self._started),
            relays=self._relays,
            bandwidth=float(self._bandwidth),
            replays=self._set_ups_taken(network_id),
        )
        peer.saturation_changed = lambda: self.bootstrap.publish(self._descriptor)
        serving = ServingRole(
            self._identity, network_id, self._backend, clock, peer.push, peer.serving.paused, self._limit
        )
        serving.offered = self._offered
        peer.start, peer.cancel = serving.start, serving.cancel
        peer.head, peer.heard_head = lambda: self.bootstrap.head, self.bootstrap.heard_head
        peer.sender = self.make_mesh(network_id, genesis.genesis.parameters, peer)
        peer.dial = peer.sender.dial
        peer.sender.introducers = partial(self._introducers, peer.sender.introducers)
        self.peer, self.serving = peer, serving
        if self.bootstrap.directory is not None:
            self.directory_changed(self.bootstrap.directory)
        return peer, serving

    def _set_ups_taken(self, network_id: NetworkId) -> ReplayCache:
        """Those of earlier runs included: onion keys live for two days, whatever is restarted."""
        clock = self._membership.clock
        path = self._membership.networks / network_id.hex() / "set-ups"
        self._replay_log = log = ReplayLog(path, REPLAY_MEMORY, clock.wall)
        now = clock.monotonic()
        kept = ((now + seconds, tag) for seconds, tag in log.load())
        return ReplayCache(RelayLimits().replay_tags, kept, log.append)

    def directory_changed(self, directory: Directory) -> None:
        """Keep linked whom the graph says; of two the lower id dials. Links to who is no neighbour any more stay until
        nothing goes over them."""
        if self.peer is None or self.mesh is None or self._graph is None:
            return
        self.peer.update_directory(directory)
        self._graph.update(directory)
        ids = wanted_links(self._graph, directory, self.node_id, relays=self._relays)
        mutual = ids if self._graph.is_mesh else ids & set(self._graph.neighbours(self.node_id))
        lower = {node_id for node_id in mutual if node_id < self.node_id}
        # Who comes back without a server has to dial: nobody else hears of it.
        self.mesh.want(ids - lower, expected=lower)

    def _introducers(self, linked: Callable[[NodeId], Collection[NodeId]], peer: NodeId) -> Collection[NodeId]:
        """Of the linked nodes those that the graph links with ``peer``; where there is none, all."""
        everybody = linked(peer)
        if self._graph is None or self._graph.is_mesh:
            return everybody
        near = self._graph.neighbours(peer) or introducers(self._graph, peer)
        return frozenset(everybody).intersection(near) or everybody

    def _refuse(self, caller: NodeId, is_client: bool) -> str | None:
        """A relay takes links from its neighbours in the graph, and others as ``refusal`` says."""
        directory = self.bootstrap.directory
        if is_client or directory is None or self._graph is None:
            return None
        return refusal(self._graph, directory, self.node_id, caller)

    def _models(self) -> tuple[ServedModel, ...]:
        return tuple(_served_model(info) for info in self._backend.models() if info.model_id in self._offered)

    def _descriptor(self) -> Signed:
        genesis = self.bootstrap.genesis
        assert genesis is not None
        self._published = self._models()
        return make_descriptor(
            self._identity,
            genesis.network_id,
            self._membership.clock.wall(),
            started=self._started,
            lifetime=genesis.genesis.parameters.descriptor_seconds,
            relay=self._relays,
            onion_keys=self._keys.onion_records() if self._relays else (),
            seal_keys=self._keys.seal_records() if self._published else (),
            models=self._published,
            relay_bandwidth=self._bandwidth if self._relays else 0,
            spare_capacity=self.peer is None or not self.peer.saturated,
            software=SOFTWARE,
            signaling=self._signaling_address,
        )

    def _listen(self) -> tuple[str, int] | None:
        """On the port that others are told, on all interfaces of that family."""
        if not self._signaling_address:
            return None
        host, _, port = self._signaling_address.rpartition(":")
        everywhere = "::" if host.startswith("[") else "0.0.0.0"  # noqa: S104 - it is there to be reached
        return (host if host == LOOPBACK_ADDRESS else everywhere), int(port)

    async def _rotate_keys(self) -> None:
        while True:
            await asyncio.sleep(KEY_CHECK_SECONDS)
            try:
                changed = self._keys.rotate()
            except StorageError as error:
                # Yesterday's keys still open what arrives; the next attempt comes soon.
                self._membership.notice(f"The keys of the day could not be made. {error}")
                continue
            if changed:
                self.bootstrap.publish(self._descriptor)


class ClientPresence(Presence):
    """Guards and anonymous paths under the client identity, which serves for nothing else."""

    def __init__(self, membership: Membership, keys: NodeKeys) -> None:
        super().__init__(membership, keys.client_identity, client_only=True)
        self._own = (keys.identity.node_id, keys.client_identity.node_id)
        self._saved_guards: list[NodeId] = []
        self._saved_at = -SAVE_GUARDS_SECONDS
        self.client: OverlayClient | None = None
        self.network_id: NetworkId | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.bootstrap.run())
                genesis = await self.genesis()
                await self.reachable(genesis)
                client = self._assemble(genesis)
                assert self.mesh is not None
                tasks.create_task(self.mesh.run())
                tasks.create_task(client.loop.run())
                await asyncio.Event().wait()
        finally:
            if self.client is not None:
                self._save_guards(self.client, self._membership.clock.monotonic())
            self.mesh = self.client = None

    def _assemble(self, genesis: GenesisRecord) -> OverlayClient:
        parameters = genesis.genesis.parameters
        client = OverlayClient(
            genesis.network_id,
            parameters,
            self._own,
            self._membership.clock,
            os.urandom,
            load_guards(self._guards_path(genesis.network_id)),
            self._membership.accepted,
        )
        client.guard_retired = self._guard_retired
        mesh = self.make_mesh(genesis.network_id, parameters, client)
        client.sender, client.want, client.changed = mesh, mesh.want, self._membership.changed
        client.heard_head = self.bootstrap.heard_head
        self.client, self.network_id = client, genesis.network_id
        if self.bootstrap.directory is not None:
            self.directory_changed(self.bootstrap.directory)
        return client

    def directory_changed(self, directory: Directory) -> None:
        """Keep the guard list, on disk too: changing guards at every start would meet a hostile one soon."""
        if self.client is None:
            return
        self.client.update_directory(directory)
        now = self._membership.clock.monotonic()
        if self.client.guards != self._saved_guards or now > self._saved_at + SAVE_GUARDS_SECONDS:
            self._save_guards(self.client, now)

    def _save_guards(self, client: OverlayClient, now: float) -> None:
        if self.network_id is None:
            return
        self._saved_guards, self._saved_at = client.guards, now
        try:
            save_guards(self._guards_path(self.network_id), client.guard_list.state)
        except StorageError as error:
            self._membership.notice(f"The list of guards could not be saved: {error}")

    def _guard_retired(self, retired: Retired) -> None:
        self._membership.notice(
            f"Relay {short_id(retired.node_id)} is no longer one of your guards: {retired.failures} of its last "
            f"{retired.paths} paths failed, {retired.usual:.0%} are usual. It may be overloaded, or it may have tried "
            "to choose the rest of your paths. Another one was drawn; you need not do anything."
        )

    def _guards_path(self, network_id: NetworkId) -> Path:
        return self._membership.networks / network_id.hex() / "guards.json"


def _served_model(info: ModelInfo) -> ServedModel:
    return ServedModel(
        model_id=info.model_id,
        digest=info.digest,
        tokenizer_digest=info.tokenizer_digest,
        context_length=info.context_length,
        slots=info.slots,
        prefill_rate=round(info.prefill_rate, 1),
        decode_rate=round(info.decode_rate, 1),
        kv_tokens_total=info.kv_tokens_total,
        kv_tokens_free=info.kv_tokens_free,
        seeds=info.seeds,
        token_ids=info.token_ids,
        logprobs=info.logprobs,
        constraints=info.constraints,
        tools=info.tools,
    )


def _identity(model: ServedModel) -> tuple[object, ...]:
    """What a client chooses by."""
    abilities = (model.seeds, model.token_ids, model.logprobs, model.constraints, model.tools)
    return model.model_id, model.digest, abilities


def _noticeably_different(new: Sequence[ServedModel], old: Sequence[ServedModel]) -> bool:
    """Models came or went, or a rate is off by half; small changes wait for the next renewal."""
    if [_identity(model) for model in new] != [_identity(model) for model in old]:
        return True
    return any(
        max(a, b) > RATES_CHANGED * max(min(a, b), 0.1)
        for one, other in zip(new, old, strict=True)
        for a, b in ((one.prefill_rate, other.prefill_rate), (one.decode_rate, other.decode_rate))
    )
