"""From an offer to an open link, in both directions: everything that happens before two nodes are neighbours.

Owns the attempts of one mesh. What becomes of an open link is the table's business, whom to dial and when the mesh's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.errors import LinkError, WireError
from engine.ids import NetworkId, NodeId, short_id
from engine.transport.attempt import Attempt
from engine.transport.dialling import DialPlan
from engine.transport.handshake import OfferTerms, check_answer, check_offer, make_answer, make_offer
from engine.transport.limits import OfferGate
from engine.transport.link import Channel
from engine.transport.link_table import LinkTable
from engine.transport.mesh_configuration import MeshConfiguration, MeshStatistics
from engine.transport.rtc import CONNECT_TIMEOUT, DIRECT_HEAD_START, RtcConfiguration, RtcConnection, RtcObserver
from engine.transport.sdp import Session
from engine.transport.signal_router import SignalRouter
from engine.wire.codec import encode
from engine.wire.signaling import LinkOffer, LinkRefusal, signal_payload_decoder

logger = logging.getLogger(__name__)

YIELD_AFTER = 3.0
"""Seconds after which our own unanswered offer no longer stands against the peer's."""
HALF_OPEN_SECONDS = 3.0
"""When all places for offers are taken, one that has come no further in this time makes room: otherwise a few dozen
strangers who never finish would keep everybody out."""

AcceptPolicy = Callable[[NodeId, bool], str | None]
"""``accept(peer, peer_is_client)``: None to take the peer's link, else the reason for which it is refused."""
Connect = Callable[[RtcConfiguration, RtcObserver], RtcConnection]


@dataclass(frozen=True, slots=True)
class Self:
    """Who makes the links, and in which network."""

    identity: Identity
    network_id: NetworkId
    clock: Clock
    random_bytes: Callable[[int], bytes]

    @property
    def node_id(self) -> NodeId:
        return self.identity.node_id


class Connector:
    """The attempts of one mesh; implements ``SignalHandler`` and ``RtcObserver``. ``router`` and ``tasks`` are attached
    before anything runs; without ``tasks`` (the mesh does not run) offers are ignored."""

    def __init__(
        self,
        self_: Self,
        configuration: MeshConfiguration,
        rtc: RtcConfiguration,
        table: LinkTable,
        plan: DialPlan,
        statistics: MeshStatistics,
        wake: Callable[[], None],
        accept: AcceptPolicy,
        connect: Connect,
    ) -> None:
        self._self = self_
        self._configuration = configuration
        self.rtc = rtc
        self._table = table
        self._links = table.links
        self._plan = plan
        self._statistics = statistics
        self._wake = wake
        self._accept = accept
        self._connect = connect
        self._gate = OfferGate(configuration.offers_per_minute, configuration.maximum_answers)
        self.dialled: dict[NodeId, Attempt] = {}
        self.answered: dict[NodeId, Attempt] = {}
        self.attempts: dict[RtcConnection, Attempt] = {}
        self.router: SignalRouter
        self.tasks: asyncio.TaskGroup | None = None

    def attempt_with(self, peer: NodeId) -> Attempt | None:
        """The attempt that is under way with this peer, if there is one."""
        return self.dialled.get(peer) or self.answered.get(peer)

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
        attempt = self.dialled.get(peer)
        if attempt is None or attempt.terms is None or attempt.terms.nonce != message.nonce:
            return  # the answer to an offer that was given up
        if isinstance(message, LinkRefusal):
            self.router.refused(peer, f"the peer refused the link: {message.reason}")
            return
        try:
            session = check_answer(message, self._self.network_id, attempt.terms)
        except LinkError as error:
            self.router.refused(peer, str(error))
            return
        self.router.forget(peer)
        if not attempt.answer.done():
            attempt.answer.set_result(session)

    def on_signal_failed(self, peer: NodeId, reason: str) -> None:
        """See ``SignalHandler``."""
        attempt = self.dialled.get(peer)
        if attempt is not None and not attempt.answer.done():
            attempt.fail(reason)

    def _take_offer(self, peer: NodeId, offer: LinkOffer) -> None:
        """Check an offer and start to answer it, or refuse."""
        if self.tasks is None:
            return
        now = self._self.clock.monotonic()
        try:
            # Cheap limits first, so that a flood of offers costs no signature checks.
            self._make_room(now)
            self._gate.admit((peer, self.router.arriving), now, pending=len(self.answered))
            session, terms = check_offer(
                offer, self._self.network_id, peer, self._self.node_id, self._self.clock.wall()
            )
            if not self._gate.is_new(offer.nonce, now):
                self._statistics.offers_refused += 1
                return  # it came by two ways, or somebody repeats it: its answer is on its way, or was
            self._admit(peer, offer, now)
            connection = self._connect(self.rtc, self)
        except LinkError as error:
            self._refuse(peer, offer.nonce, str(error))
            return
        self._statistics.offers_taken += 1
        previous = self.answered.pop(peer, None)
        if previous is not None:
            previous.fail("the peer sent a newer offer")
        attempt = Attempt(peer, offer.dialler_client, connection, dialled=False, started=now, terms=terms)
        self.answered[peer] = attempt
        self.attempts[connection] = attempt
        self.tasks.create_task(self._answer(attempt, session, terms))

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
        if len(self.answered) >= self._configuration.maximum_answers:
            oldest = min(self.answered.values(), key=lambda attempt: attempt.started)
            if now - oldest.started >= HALF_OPEN_SECONDS:
                self._forget_attempt(oldest)
                oldest.fail("it took too long while others wait")

    def _check_admission(self, peer: NodeId, peer_is_client: bool, now: float) -> None:
        """Whether a link that ``peer`` offers is taken; raises :class:`LinkError` with the reason if not."""
        if self._configuration.is_client:
            raise LinkError("a client takes no links")
        if self.rtc.obstacle:
            raise LinkError(self.rtc.obstacle)
        own, answered = self.dialled.get(peer), self.answered.get(peer)
        if any(attempt is not None and attempt.connection.is_open for attempt in (own, answered)):
            # To the peer it may be a link already; ending it now would end the circuits that have moved to it.
            raise LinkError("a connection is just being made")
        if own is not None:
            # Both dialled at once: the offer of the lower id stands, unless it seems to have been lost.
            if self._self.node_id < peer and now - own.started < YIELD_AFTER:
                # It may have gone where the peer is no more (a link that is dead, a server that is away): a peer that
                # has started again would wait for an offer that never comes.
                self.router.repeat_offer(peer)
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

    def start_dial(self, peer: NodeId, now: float) -> None:
        assert self.tasks is not None
        attempt = Attempt(peer, False, self._connect(self.rtc, self), dialled=True, started=now)
        self._statistics.dials += 1
        self.dialled[peer] = attempt
        self.attempts[attempt.connection] = attempt
        self.tasks.create_task(self._dial(attempt))

    async def _dial(self, attempt: Attempt) -> None:
        """Offer, wait for the answer and the open channels, then serve the link to its end."""
        try:
            session = await attempt.connection.offer()
            offer, attempt.terms = make_offer(
                self._self.identity,
                self._self.network_id,
                attempt.peer,
                session,
                is_client=self._configuration.is_client,
                now=self._self.clock.wall(),
                random_bytes=self._self.random_bytes,
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
                answer = make_answer(self._self.identity, self._self.network_id, terms, own)
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
        ends = (attempt.opened, attempt.connection.closed)
        done, _ = await asyncio.wait(ends, timeout=DIRECT_HEAD_START, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            attempt.connection.try_relays()
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
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
                self._plan.failed(attempt.peer, self._self.clock.monotonic())
        self._wake()

    async def _drop(self, attempt: Attempt) -> None:
        """Forget an attempt and take its connection down."""
        self._forget_attempt(attempt)
        self._table.give_back(attempt)
        if attempt.connection in self._table.by_connection:  # it opened in the very moment of giving up
            await self._serve(attempt.connection, "given up")
        else:
            await attempt.connection.close()

    def _forget_attempt(self, attempt: Attempt) -> None:
        self.attempts.pop(attempt.connection, None)
        if self.dialled.get(attempt.peer) is attempt:
            self.router.forget(attempt.peer)
        for table in (self.dialled, self.answered):
            if table.get(attempt.peer) is attempt:
                del table[attempt.peer]

    # --------------------------------------------------------------------------------------------------- open channels

    def connection_open(self, connection: RtcConnection) -> None:
        """See ``RtcObserver``: the attempt becomes a link when the peer has said which connection it replaces."""
        attempt = self.attempts.get(connection)
        if attempt is None:
            connection.end("given up")
        else:
            self._table.greet(attempt)

    def connection_message(self, connection: RtcConnection, channel: Channel, data: bytes) -> None:
        """See ``RtcObserver``."""
        if self._table.message(connection, channel, data):
            return
        attempt = self.attempts.get(connection)
        if attempt is None:
            return
        if channel is Channel.CELLS:
            attempt.keep(channel, data)
        elif self._table.first_message(attempt, data):
            self._forget_attempt(attempt)
            for early in attempt.early:
                self._table.message(connection, *early)
            introducers = sum(not link.peer_is_client for link in self._links.values())
            if introducers == 1 and not attempt.peer_is_client:
                # Who had no way to anybody has one now. Failures still count: the one link may come and go.
                self._plan.bring_forward(self._self.clock.monotonic())
            self._wake()

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
