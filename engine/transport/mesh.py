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
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from aiortc import RTCIceServer

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.errors import LinkError, WireError
from engine.ids import NetworkId, NodeId, short_id
from engine.transport.attempt import Attempt
from engine.transport.dialling import DialPlan
from engine.transport.direct_signaling import DirectSignaling
from engine.transport.established import EstablishedLink
from engine.transport.handshake import OfferTerms, check_answer, check_offer, make_answer, make_offer
from engine.transport.introductions import Introductions
from engine.transport.limits import OfferGate
from engine.transport.link import Channel, LinkHandler
from engine.transport.link_table import LinkTable
from engine.transport.mesh_configuration import MeshConfiguration, MeshStatistics
from engine.transport.quality import STALLED_SECONDS
from engine.transport.rtc import CONNECT_TIMEOUT, RtcConfiguration, RtcConnection, RtcObserver
from engine.transport.sdp import Session
from engine.transport.signal_router import SignalRouter
from engine.transport.signaling import SignalingPort
from engine.wire.codec import encode
from engine.wire.link import Introduce, NotIntroduced
from engine.wire.signaling import LinkOffer, LinkRefusal, signal_payload_decoder

__all__ = ["AcceptPolicy", "Mesh", "MeshConfiguration", "MeshStatistics"]

logger = logging.getLogger(__name__)

WATCH_INTERVAL = 0.25
"""Seconds between two looks at all links (heartbeats, dead peers, slow peers)."""
YIELD_AFTER = 3.0
"""Seconds after which our own unanswered offer no longer stands against the peer's."""

HALF_OPEN_SECONDS = 3.0
"""When all places for offers are taken, one that has come no further in this time makes room: otherwise a few dozen
strangers who never finish would keep everybody out."""
MAXIMUM_REPLACEMENTS = 2
"""New connections tried at a time for links that have become worse."""

AcceptPolicy = Callable[[NodeId, bool], str | None]
"""``accept(peer, peer_is_client)``: None to take the peer's link, else the reason for which it is refused."""


class Mesh:
    """The links of one identity; implements ``LinkSender``, ``SignalHandler`` and ``RtcObserver``."""

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
        connect: Callable[[RtcConfiguration, RtcObserver], RtcConnection] = RtcConnection,
    ) -> None:
        self._identity = identity
        self._network_id = network_id
        self._handler = handler
        self._signaling = signaling
        self._clock = clock
        self._configuration = configuration or MeshConfiguration()
        self._accept = accept or _accept_all
        self._random_bytes = random_bytes
        self._connect = connect
        source = jitter or random.Random(random_bytes(8))
        self._plan = DialPlan(source)
        self._gate = OfferGate(self._configuration.offers_per_minute, self._configuration.maximum_answers)
        self._rtc = RtcConfiguration(
            loopback_only=self._configuration.allow_loopback, relayed_only=self._configuration.relayed_only
        )
        self._dialled: dict[NodeId, Attempt] = {}
        self._answered: dict[NodeId, Attempt] = {}
        self._attempts: dict[RtcConnection, Attempt] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._wake = asyncio.Event()
        self._statistics = MeshStatistics()
        self._table = LinkTable(handler, clock, self._plan, self._statistics, self._heard_introduction, self._wake.set)
        self._links = self._table.links
        self.introducers: Callable[[NodeId], Collection[NodeId]] = self._relays_linked
        """Which of the linked neighbours probably know a peer; by default all."""
        self.router = SignalRouter(signaling, self, source, self._introducers_of)
        self._introductions: Introductions | None = None
        if not self._configuration.is_client:
            self._introductions = Introductions(self._links, self.router, clock.monotonic)
        self.direct: DirectSignaling | None = None

    # ---------------------------------------------------------------------------------------------- what others call

    @property
    def node_id(self) -> NodeId:
        """Whose links these are."""
        return self._identity.node_id

    def want(self, peers: Collection[NodeId], expected: Collection[NodeId] = ()) -> None:
        """Keep exactly these peers linked: dialled now and again after a loss, with backoff; the ``expected`` ones only
        where they do not dial first. Links that others dialled are not touched; links that we dialled to a peer no
        longer wanted are closed when idle for long."""
        own = {self.node_id}
        self._plan.want(frozenset(peers) - own, self._clock.monotonic(), frozenset(expected) - own)
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

    def set_ice_servers(self, servers: Sequence[RTCIceServer]) -> None:
        """STUN and TURN servers for connections made from now on; ignored in a network on one machine."""
        self._rtc = replace(self._rtc, ice_servers=tuple(servers))

    def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        """See ``LinkSender``; one synchronous call down to the library."""
        link = self._links.get(peer)
        if link is not None and link.send(channel, data):
            self._statistics.messages_sent += 1
            return True
        self._statistics.sends_refused += 1
        return False

    def links(self) -> frozenset[NodeId]:
        """The peers with an open link."""
        return frozenset(self._links)

    def round_trip(self, peer: NodeId) -> float | None:
        """Smoothed round-trip time in seconds, None before the first heartbeat's return."""
        link = self._links.get(peer)
        return None if link is None else link.round_trip

    def disconnect(self, peer: NodeId, reason: str) -> None:
        """Close the link of this peer, telling it why; ``link_down`` follows."""
        for table in (self._dialled, self._answered):
            attempt = table.get(peer)
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
        self, address_of: Callable[[NodeId], str | None], listen: tuple[str, int] | None = None
    ) -> None:
        """Also signal straight to the listeners that peers name, and be such a listener; before :meth:`run`."""
        self.direct = DirectSignaling(
            self.node_id,
            self.router,
            address_of,
            loopback_only=self._configuration.allow_loopback,
            listen=listen,
        )

    def statistics(self) -> MeshStatistics:
        """A copy of the counts."""
        return replace(self._statistics, links=len(self._links))

    async def run(self) -> None:
        """Own every link until cancelled; then all are closed politely."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._dial_loop())
                tasks.create_task(self._watch_loop())
                if self.direct is not None:
                    tasks.create_task(self.direct.run())
        finally:
            self._tasks = None
            self.router.close()

    # ------------------------------------------------------------------------------------------------------- signaling

    def on_signal(self, peer: NodeId, payload: bytes) -> None:
        """See ``SignalHandler``."""
        try:
            message = signal_payload_decoder.decode(payload)
        except WireError:
            logger.debug("a malformed signal from %s was dropped", short_id(peer))
            return
        if isinstance(message, LinkOffer):
            self._take_offer(peer, message)
            return
        attempt = self._dialled.get(peer)
        if attempt is None or attempt.terms is None or attempt.terms.nonce != message.nonce:
            return  # the answer to an offer that was given up
        if isinstance(message, LinkRefusal):
            self.router.refused(peer, f"the peer refused the link: {message.reason}")
            return
        try:
            session = check_answer(message, self._network_id, attempt.terms)
        except LinkError as error:
            self.router.refused(peer, str(error))
            return
        self.router.forget(peer)
        if not attempt.answer.done():
            attempt.answer.set_result(session)

    def on_signal_failed(self, peer: NodeId, reason: str) -> None:
        """See ``SignalHandler``."""
        attempt = self._dialled.get(peer)
        if attempt is not None and not attempt.answer.done():
            attempt.fail(reason)

    def _take_offer(self, peer: NodeId, offer: LinkOffer) -> None:
        """Check an offer and start to answer it, or refuse."""
        if self._tasks is None:
            return
        now = self._clock.monotonic()
        try:
            # Cheap limits first, so that a flood of offers costs no signature checks.
            self._make_room(now)
            self._gate.admit(now, pending=len(self._answered))
            session, terms = check_offer(offer, self._network_id, peer, self.node_id, self._clock.wall())
            if not self._gate.is_new(offer.nonce, now):
                self._statistics.offers_refused += 1
                return  # it came by two ways, or somebody repeats it: its answer is on its way, or was
            self._admit(peer, offer, now)
            connection = self._connect(self._rtc, self)
        except LinkError as error:
            self._refuse(peer, offer.nonce, str(error))
            return
        self._statistics.offers_taken += 1
        previous = self._answered.pop(peer, None)
        if previous is not None:
            previous.fail("the peer sent a newer offer")
        attempt = Attempt(peer, offer.dialler_client, connection, dialled=False, started=now, terms=terms)
        self._answered[peer] = attempt
        self._attempts[connection] = attempt
        self._tasks.create_task(self._answer(attempt, session, terms))

    def _admit(self, peer: NodeId, offer: LinkOffer, now: float) -> None:
        """Whether a valid offer is taken; raises :class:`LinkError` with the reason if not."""
        try:
            self._gate.admit_peer(peer, now)
            self._check_admission(peer, offer.dialler_client, now)
        except LinkError:
            self._gate.forget(offer.nonce)
            raise

    def _make_room(self, now: float) -> None:
        """When all places are taken, the oldest half-open attempt ends."""
        if len(self._answered) >= self._configuration.maximum_answers:
            oldest = min(self._answered.values(), key=lambda attempt: attempt.started)
            if now - oldest.started >= HALF_OPEN_SECONDS:
                self._forget_attempt(oldest)
                oldest.fail("it took too long while others wait")

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

    def _check_admission(self, peer: NodeId, peer_is_client: bool, now: float) -> None:
        """Whether a link that ``peer`` offers is taken; raises :class:`LinkError` with the reason if not."""
        if self._configuration.is_client:
            raise LinkError("a client takes no links")
        own, answered = self._dialled.get(peer), self._answered.get(peer)
        if any(attempt is not None and attempt.connection.is_open for attempt in (own, answered)):
            # To the peer it may be a link already; ending it now would end the circuits that have moved to it.
            raise LinkError("a connection is just being made")
        if own is not None:
            # Both dialled at once: the offer of the lower id stands, unless it seems to have been lost.
            if self.node_id < peer and now - own.started < YIELD_AFTER:
                raise LinkError("both sides dialled; the other offer stands")
            own.fail("both sides dialled; the other offer stands")
        if len(self._links) >= self._configuration.maximum_links and peer not in self._links:
            raise LinkError("this node has as many links as it can hold")
        reason = self._accept(peer, peer_is_client)
        if reason is not None:
            raise LinkError(reason)

    def _refuse(self, peer: NodeId, nonce: bytes, reason: str) -> None:
        self._statistics.offers_refused += 1
        logger.debug("an offer of %s was refused: %s", short_id(peer), reason)
        self.router.send_reply(peer, encode(LinkRefusal(nonce=nonce, reason=reason[:300])))

    # --------------------------------------------------------------------------------------------------- making links

    async def _dial_loop(self) -> None:
        """Start the dials that are due, at most ``maximum_dials`` at a time."""
        while True:
            self._wake.clear()
            now = self._clock.monotonic()
            for peer in self._plan.due(now, self._is_busy, self._free_dials()):
                self._start_dial(peer, now)
            # With all dials in use, or the table of links full, what is due waits for one to end.
            deadline = self._plan.next_deadline(self._is_busy) if self._free_dials() > 0 else None
            try:
                async with asyncio.timeout(None if deadline is None else max(0.01, deadline - now)):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _free_dials(self) -> int:
        room = self._configuration.maximum_links - len(self._links) - len(self._dialled)
        return max(0, min(self._configuration.maximum_dials - len(self._dialled), room))

    def _is_busy(self, peer: NodeId) -> bool:
        return peer in self._links or peer in self._dialled or peer in self._answered

    def _start_dial(self, peer: NodeId, now: float) -> None:
        assert self._tasks is not None
        attempt = Attempt(peer, False, self._connect(self._rtc, self), dialled=True, started=now)
        self._statistics.dials += 1
        self._dialled[peer] = attempt
        self._attempts[attempt.connection] = attempt
        self._tasks.create_task(self._dial(attempt))

    async def _dial(self, attempt: Attempt) -> None:
        """Offer, wait for the answer and the open channels, then serve the link to its end."""
        try:
            session = await attempt.connection.offer()
            offer, attempt.terms = make_offer(
                self._identity,
                self._network_id,
                attempt.peer,
                session,
                is_client=self._configuration.is_client,
                now=self._clock.wall(),
                random_bytes=self._random_bytes,
            )
            async with asyncio.timeout(CONNECT_TIMEOUT):
                replacing = attempt.peer in self._links
                if not self.router.send_offer(attempt.peer, encode(offer), server_first=replacing):
                    raise LinkError("the signaling service is not connected")
                await attempt.connection.take_answer(await attempt.answer)
                await self._opened(attempt)
        except (LinkError, TimeoutError) as error:
            await self._give_up(attempt, error)
        except asyncio.CancelledError:
            await self._drop(attempt)
            raise
        else:
            await self._serve(attempt.connection)

    async def _answer(self, attempt: Attempt, session: Session, terms: OfferTerms) -> None:
        """Answer an offer, wait for the open channels, then serve the link to its end."""
        try:
            own = await attempt.connection.answer(session)
            async with asyncio.timeout(CONNECT_TIMEOUT):
                answer = make_answer(self._identity, self._network_id, terms, own)
                if not self.router.send_reply(attempt.peer, encode(answer)):
                    raise LinkError("the signaling service is not connected")
                await self._opened(attempt)
        except (LinkError, TimeoutError) as error:
            if isinstance(error, LinkError) and not attempt.connection.closed.done():
                self._refuse(attempt.peer, terms.nonce, str(error))
            await self._give_up(attempt, error)
        except asyncio.CancelledError:
            await self._drop(attempt)
            raise
        else:
            await self._serve(attempt.connection)

    async def _opened(self, attempt: Attempt) -> None:
        """Wait until the connection is open or has ended."""
        await asyncio.wait((attempt.opened, attempt.connection.closed), return_when=asyncio.FIRST_COMPLETED)
        if attempt.opened.done():
            attempt.opened.result()
        else:
            raise LinkError(attempt.connection.closed.result())

    async def _give_up(self, attempt: Attempt, error: Exception) -> None:
        """An attempt failed."""
        reason = str(error) or f"no connection within {CONNECT_TIMEOUT:.0f} s"
        logger.debug("no link with %s: %s", short_id(attempt.peer), reason)
        await self._drop(attempt)
        if attempt.dialled:
            self._statistics.dials_failed += 1
            if attempt.peer not in self._links:
                self._plan.failed(attempt.peer, self._clock.monotonic())
        self._wake.set()

    async def _drop(self, attempt: Attempt) -> None:
        """Forget an attempt and take its connection down."""
        self._forget_attempt(attempt)
        self._table.give_back(attempt)
        if attempt.connection in self._table.by_connection:  # it opened in the very moment of giving up
            await self._serve(attempt.connection, "given up")
        else:
            await attempt.connection.close()

    def _forget_attempt(self, attempt: Attempt) -> None:
        self._attempts.pop(attempt.connection, None)
        if self._dialled.get(attempt.peer) is attempt:
            self.router.forget(attempt.peer)
        for table in (self._dialled, self._answered):
            if table.get(attempt.peer) is attempt:
                del table[attempt.peer]

    # ---------------------------------------------------------------------------------------------------- living links

    def connection_open(self, connection: RtcConnection) -> None:
        """See ``RtcObserver``: the attempt becomes a link when the peer has said which connection it replaces."""
        attempt = self._attempts.get(connection)
        if attempt is None:
            connection.end("given up")
        else:
            self._table.greet(attempt)

    def connection_message(self, connection: RtcConnection, channel: Channel, data: bytes) -> None:
        """See ``RtcObserver``."""
        if self._table.message(connection, channel, data):
            return
        attempt = self._attempts.get(connection)
        if attempt is None:
            return
        if channel is Channel.CELLS:
            attempt.keep(channel, data)
        elif self._table.first_message(attempt, data):
            self._forget_attempt(attempt)
            for early in attempt.early:
                self._table.message(connection, *early)
            if len(self._links) == 1:
                # Who had no way to anybody has one now. Failures still count: the one link may come and go.
                self._plan.bring_forward(self._clock.monotonic())
            self._wake.set()

    async def _serve(self, connection: RtcConnection, end_now: str | None = None) -> None:
        """Hold an open link until it ends, then take it down and tell the handler."""
        link = self._table.by_connection[connection]
        try:
            if end_now is not None:
                link.leave(end_now)
            await asyncio.wait((connection.closed,))
        finally:
            link.leave("this node is shutting down")  # without effect on a link that has ended already
            self._table.lost(link, connection.closed.result())
            await connection.close()

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
                attempt = self._dialled.get(link.peer) or self._answered.get(link.peer)
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
        under_way = sum(peer in self._links for peer in self._dialled)
        room = min(self._free_dials(), MAXIMUM_REPLACEMENTS - under_way if decayed else self._free_dials())
        for link in worse[: max(0, room)]:
            link.replacement_tried(now)
            self._start_dial(link.peer, now)


def _accept_all(_peer: NodeId, _peer_is_client: bool) -> str | None:
    """The policy of a mesh that was given none."""
    return None
