"""All WebRTC links of one identity: dialling, accepting, heartbeats, closing.

Ways into a mesh: the protocol machines send over it (``LinkSender``), the composition root says whom to keep linked
(:meth:`Mesh.want`), the signaling port delivers offers and answers. Way out: the ``LinkHandler``. A client identity and
a node identity of one engine have two meshes with nothing in common, not even a certificate: every connection makes
its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import ssl
from collections.abc import Callable, Collection
from dataclasses import replace

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.ids import NetworkId, NodeId
from engine.transport.connector import AcceptPolicy, Connect, Connector, Self
from engine.transport.dialling import DialPlan
from engine.transport.direct_signaling import DirectSignaling
from engine.transport.established import EstablishedLink
from engine.transport.ice_servers import IceServers
from engine.transport.introductions import Introductions
from engine.transport.link import Channel, LinkHandler
from engine.transport.link_table import LinkTable
from engine.transport.mesh_configuration import MeshConfiguration, MeshStatistics
from engine.transport.quality import STALLED_SECONDS
from engine.transport.rtc import RtcConfiguration, RtcConnection
from engine.transport.signal_router import SignalRouter
from engine.transport.signaling import SignalingPort
from engine.wire.link import Introduce, NotIntroduced

__all__ = ["AcceptPolicy", "Mesh", "MeshConfiguration", "MeshStatistics"]

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 0.25
"""Seconds between two looks at all links (heartbeats, dead peers, slow peers)."""

MAXIMUM_REPLACEMENTS = 2
"""New connections tried at a time for links that have become worse."""


class Mesh:
    """The links of one identity; implements ``LinkSender``."""

    def __init__(
        self,
        identity: Identity,
        network_id: NetworkId,
        handler: LinkHandler,
        signaling: SignalingPort,
        clock: Clock,
        configuration: MeshConfiguration | None = None,
        *,
        accept: AcceptPolicy | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        jitter: random.Random | None = None,
        connect: Connect = RtcConnection,
    ) -> None:
        self._clock = clock
        self._configuration = configuration = configuration or MeshConfiguration()
        source = jitter or random.Random(random_bytes(8))
        self._plan = DialPlan(source)
        self._wake = asyncio.Event()
        self._statistics = MeshStatistics()
        wake = self._wake.set
        self._table = LinkTable(handler, clock, self._plan, self._statistics, self._heard_introduction, self._changed)
        self._links = self._table.links
        self._connector = Connector(
            Self(identity, network_id, clock, random_bytes),
            configuration,
            RtcConfiguration(loopback_only=configuration.allow_loopback, relayed_only=configuration.relayed_only),
            self._table,
            self._plan,
            self._statistics,
            wake,
            accept or _accept_all,
            connect,
        )
        self.node_id = identity.node_id
        """Whose links these are."""
        self.links_changed: Callable[[], None] = lambda: None
        """Hears that a link has come or gone."""
        self.introducers: Callable[[NodeId], Collection[NodeId]] = self._relays_linked
        """Which of the linked neighbours probably know a peer; by default all."""
        self.router = self._connector.router = SignalRouter(signaling, self._connector, source, self._introducers_of)
        self._introductions: Introductions | None = None
        if not configuration.is_client:
            self._introductions = Introductions(self._links, self.router, clock.monotonic)
        self.direct: DirectSignaling | None = None

    # ---------------------------------------------------------------------------------------------- what others call

    def want(self, peers: Collection[NodeId], expected: Collection[NodeId] = (), *, unheard: bool = False) -> None:
        """Keep exactly these peers linked: dialled now and again after a loss, with backoff; the ``expected`` ones only
        where they do not dial first (``unheard``: they cannot, as nobody tells them that we are here). Links that
        others dialled are not touched; links that we dialled to a peer no longer wanted are closed when idle for long.
        """
        own = {self.node_id}
        now = self._clock.monotonic()
        self._plan.want(frozenset(peers) - own, now, frozenset(expected) - own, unheard=unheard)
        self._wake.set()

    def dial(self, peer: NodeId) -> None:
        """Dial ``peer`` now, once (again and again only while it is wanted); nothing if there is a link."""
        if peer != self.node_id:
            self._plan.dial(peer, self._clock.monotonic())
            self._wake.set()

    def hurry(self) -> None:
        """Dial all wanted peers within a second, whatever has failed before: signaling or the network is back."""
        self._plan.hurry(self._clock.monotonic())
        self._wake.set()

    def bring_forward(self) -> None:
        """Dial all wanted peers within a second, but what has failed before still counts: somebody who may know them is
        linked now."""
        self._plan.bring_forward(self._clock.monotonic())
        self._wake.set()

    def set_ice_servers(self, servers: IceServers, tls: ssl.SSLContext | None = None) -> None:
        """STUN and TURN server for connections made from now on; ignored in a network on one machine."""
        self._connector.rtc = replace(self._connector.rtc, servers=servers, tls=tls)
        self._wake.set()

    def is_relayed(self, peer: NodeId) -> bool | None:
        """Whether the link of this peer goes through a TURN server; None without a link."""
        link = self._links.get(peer)
        return None if link is None else link.connection.is_relayed

    def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        """See ``LinkSender``; one synchronous call down to the library."""
        link = self._links.get(peer)
        if link is not None and link.send(channel, data):
            self._statistics.messages_sent += 1
            self._statistics.bytes_moved += len(data)
            return True
        self._statistics.sends_refused += 1
        return False

    def links(self) -> frozenset[NodeId]:
        """The peers with an open link."""
        return frozenset(self._links)

    def backlog(self, peer: NodeId) -> int:
        """Bytes that wait in the buffer of this peer's link; 0 without one."""
        link = self._links.get(peer)
        return 0 if link is None else link.connection.buffered

    def round_trip(self, peer: NodeId) -> float | None:
        """Smoothed round-trip time in seconds, None before the first heartbeat's return."""
        link = self._links.get(peer)
        return None if link is None else link.round_trip

    def heard_at(self, peer: NodeId) -> float | None:
        """When anything last came from this peer (monotonic seconds), None without a link."""
        link, now = self._links.get(peer), self._clock.monotonic()
        return None if link is None else now - link.silence(now)

    def probe(self, peer: NodeId) -> None:
        """Ask this peer for a sign of life now."""
        link = self._links.get(peer)
        if link is not None:
            link.probe(self._clock.monotonic())

    def disconnect(self, peer: NodeId, reason: str) -> None:
        """Close the link of this peer, telling it why; ``link_down`` follows."""
        attempt = self._connector.attempt_with(peer)
        if attempt is not None and attempt.replaces is not None:
            attempt.fail(reason)
        link = self._links.get(peer)
        if link is not None:
            link.leave(reason)

    def network_changed(self) -> None:
        """This machine's addresses are others, or it has slept: links that still work are kept, the others get a new
        connection at once, and what failed before is tried again."""
        now = self._clock.monotonic()
        for link in self._links.values():
            link.probe(now)
        self.hurry()

    def offer_direct_signaling(
        self,
        address_of: Callable[[NodeId], str | None],
        listen: tuple[str, int] | None = None,
        unavailable: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """Also signal straight to the listeners that peers name, and be such a listener; before :meth:`run`.
        ``unavailable`` hears why that cannot be."""
        self.direct = DirectSignaling(
            self.node_id,
            self.router,
            address_of,
            loopback_only=self._configuration.allow_loopback,
            listen=listen,
            unavailable=unavailable,
        )

    def statistics(self) -> MeshStatistics:
        """A copy of the counts."""
        return replace(self._statistics, links=len(self._links))

    async def run(self) -> None:
        """Own every link until cancelled; then all are closed politely."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._connector.tasks = tasks
                tasks.create_task(self._dial_loop())
                tasks.create_task(self._watch_loop())
                if self.direct is not None:
                    tasks.create_task(self.direct.run())
        finally:
            self._connector.tasks = None
            self.router.close()

    def _changed(self) -> None:
        self._wake.set()
        self.links_changed()

    def _heard_introduction(self, neighbour: NodeId, message: Introduce | NotIntroduced) -> None:
        if self._introductions is not None:
            self._statistics.introductions += 1
            self._introductions.take(neighbour, message)

    def _introducers_of(self, peer: NodeId) -> Collection[NodeId]:
        return [one for one in self.introducers(peer) if one in self._links]

    def _relays_linked(self, _peer: NodeId) -> Collection[NodeId]:
        now = self._clock.monotonic()
        return [
            link.peer
            for link in self._links.values()
            if not (link.peer_is_client or link.moving) and link.silence(now) < STALLED_SECONDS
        ]

    # --------------------------------------------------------------------------------------------------- making links

    async def _dial_loop(self) -> None:
        """Start the dials that are due, at most ``maximum_dials`` at a time."""
        while True:
            self._wake.clear()
            now = self._clock.monotonic()
            for peer in self._plan.due(now, self._is_busy, self._free_dials()):
                self._connector.start_dial(peer, now)
            # With all dials in use, or the table of links full, what is due waits for one to end.
            deadline = self._plan.next_deadline(self._is_busy) if self._free_dials() > 0 else None
            try:
                async with asyncio.timeout(None if deadline is None else max(0.01, deadline - now)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _free_dials(self) -> int:
        if self._connector.rtc.obstacle:
            return 0
        room = self._configuration.maximum_links - len(self._links) - len(self._connector.dialled)
        return max(0, min(self._configuration.maximum_dials - len(self._connector.dialled), room))

    def _is_busy(self, peer: NodeId) -> bool:
        return peer in self._links or self._connector.attempt_with(peer) is not None

    async def _watch_loop(self) -> None:
        """Heartbeats and limits of all links, in one task."""
        before = self._clock.monotonic()
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            now = self._clock.monotonic()
            standstill = now - before - WATCH_INTERVAL
            before = now
            worse = []
            for link in tuple(self._links.values()):
                attempt = self._connector.attempt_with(link.peer)
                link.watch(now, standstill, expected=attempt is not None and attempt.proven)
                unwanted = link.dialled and link.peer not in self._plan.wanted
                if unwanted and link.idle(now) > self._configuration.idle_timeout:
                    link.leave("idle")
                elif attempt is None and not link.peer_is_client and link.needs_replacement(now):
                    worse.append(link)
            self._replace(worse, now)

    def _replace(self, worse: list[EstablishedLink], now: float) -> None:
        """Try new connections for links that have become worse, a few at a time; the older ones work on meanwhile."""
        decayed = sum(link.quality.is_decayed(now) for link in worse)
        if decayed >= 4 and decayed * 2 > len(self._links):
            return  # everything has become slower: that is this machine or its network, and more load would not help
        under_way = sum(peer in self._links for peer in self._connector.dialled)
        room = min(self._free_dials(), MAXIMUM_REPLACEMENTS - under_way if decayed else self._free_dials())
        for link in worse[: max(0, room)]:
            link.replacement_tried(now)
            self._connector.start_dial(link.peer, now)


def _accept_all(_peer: NodeId, _peer_is_client: bool) -> str | None:
    """The policy of a mesh that was given none."""
    return None
