"""The open links of a mesh: how a connection becomes a link, takes the place of an older one, and ends.

The first message of both sides on every connection says which older connection of the same two nodes it replaces
(``ResumeLink``). When both name the same one, the link moves: the handler hears nothing, its circuits live on, and what
had not arrived is sent again. When they do not (one side restarted, or has given the older link up), it is a new link.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from engine.clock import Clock
from engine.errors import WireError
from engine.ids import NodeId, short_id
from engine.transport.attempt import Attempt
from engine.transport.dialling import DialPlan
from engine.transport.established import EstablishedLink, SignalTaker
from engine.transport.link import Channel, LinkHandler
from engine.transport.mesh_configuration import MeshStatistics
from engine.transport.rtc import RtcConnection
from engine.wire.codec import encode
from engine.wire.link import ResumeLink, link_decoder

logger = logging.getLogger(__name__)
_NONE = bytes(32)


class LinkTable:
    """``links`` by peer and ``by_connection``; changed by nobody else. ``on_signal`` hears of introductions."""

    def __init__(
        self,
        handler: LinkHandler,
        clock: Clock,
        plan: DialPlan,
        statistics: MeshStatistics,
        on_signal: SignalTaker,
        changed: Callable[[], None],
    ) -> None:
        """``changed`` hears that a link has come or gone."""
        self._handler = handler
        self._clock = clock
        self._plan = plan
        self._statistics = statistics
        self._on_signal = on_signal
        self._changed = changed
        self.links: dict[NodeId, EstablishedLink] = {}
        self.by_connection: dict[RtcConnection, EstablishedLink] = {}

    def greet(self, attempt: Attempt) -> None:
        """The attempt's channels are open: say which connection it replaces, if there is one."""
        older = attempt.replaces = self.links.get(attempt.peer)
        if older is not None and older.peer_is_client != attempt.peer_is_client:
            older = attempt.replaces = None
        previous, received = (_NONE, 0) if older is None else (older.name, older.begin_move())
        attempt.connection.send_urgent(encode(ResumeLink(previous=previous, received=received)))

    def first_message(self, attempt: Attempt, data: bytes) -> bool:
        """The peer's first control message: the attempt becomes a link. False: it has failed."""
        try:
            hello = link_decoder.decode(data)
        except WireError:
            hello = None
        if not isinstance(hello, ResumeLink):
            attempt.fail("the peer did not say which connection this one replaces")
            return False
        assert attempt.terms is not None
        older = self.links.get(attempt.peer)
        moves = older is not None and older is attempt.replaces and hello.previous == older.name
        link = EstablishedLink(
            attempt.peer,
            attempt.connection,
            self._handler,
            self._clock,
            self._on_signal,
            name=attempt.terms.nonce,
            dialled=attempt.dialled,
            peer_is_client=attempt.peer_is_client,
        )
        if moves and older is not None and not link.succeed(older, hello.received):
            older.connection.end("the two nodes disagree on what had arrived")
            attempt.fail("the two nodes disagree on what had arrived")
            return False
        self._put(link, older, moves=moves)
        attempt.opened.set_result(None)
        return True

    def _put(self, link: EstablishedLink, older: EstablishedLink | None, *, moves: bool) -> None:
        self.links[link.peer] = link
        self.by_connection[link.connection] = link
        self._plan.linked(link.peer, self._clock.monotonic())
        if moves and older is not None:
            self._statistics.links_moved += 1
            logger.debug("the link with %s has moved to a newer connection", short_id(link.peer))
            older.connection.end("moved to a newer connection")
            return
        self._statistics.links_opened += 1
        self._changed()
        self._handler.link_up(link.peer, link.peer_is_client)
        if older is not None:
            older.leave("replaced by a newer link")

    def give_back(self, attempt: Attempt) -> None:
        """The attempt has come to nothing: the link that it would have replaced goes on, or ends if it has ended."""
        older, attempt.replaces = attempt.replaces, None
        if older is None or self.links.get(older.peer) is not older or not older.moving:
            return
        older.abandon_move()
        if older.connection.closed.done():
            self._gone(older, older.connection.closed.result())

    def message(self, connection: RtcConnection, channel: Channel, data: bytes) -> bool:
        """A message on an open link; False if the connection is none."""
        link = self.by_connection.get(connection)
        if link is None:
            return False
        self._statistics.messages_received += 1
        self._statistics.bytes_moved += len(data)
        link.received(channel, data)
        return True

    def lost(self, link: EstablishedLink, reason: str) -> None:
        """A connection has ended. Unless another one has taken its place, or is about to, the peer is gone."""
        del self.by_connection[link.connection]
        if self.links.get(link.peer) is link and not link.moving:
            self._gone(link, reason)

    def _gone(self, link: EstablishedLink, reason: str) -> None:
        del self.links[link.peer]
        self._statistics.links_lost += 1
        logger.debug("the link with %s is lost: %s", short_id(link.peer), reason)
        self._plan.failed(link.peer, self._clock.monotonic())
        self._changed()
        self._handler.link_down(link.peer, reason)
