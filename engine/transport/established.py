"""One open link: what lies between the data channels and the protocol machines (heartbeats, farewells, slow peers)."""

from __future__ import annotations

import logging

from engine.clock import Clock
from engine.errors import WireError
from engine.ids import NodeId, short_id
from engine.transport.heartbeat import Heartbeat
from engine.transport.link import Channel, LinkHandler
from engine.transport.rtc import BUFFER_LIMIT, RtcConnection
from engine.wire.codec import MAX_LINK_MESSAGE, encode
from engine.wire.link import CloseLink, Ping, Pong, link_decoder

logger = logging.getLogger(__name__)

DRAIN_TIMEOUT = 10.0
"""Seconds that a peer may leave our buffer full before it is cut."""
STANDSTILL = 1.0
"""A pause of this process from which on the peers are not blamed for the silence."""
_OWN_TAGS = frozenset((1, 2, 3))  # Ping, Pong, CloseLink: second byte of their encoding


class EstablishedLink:
    """A link to ``peer`` over ``connection``, which is open. ``dialled``: we made the offer."""

    __slots__ = ("_clock", "_full_since", "_handler", "_heartbeat", "_used", "connection", "dialled", "peer")

    def __init__(
        self, peer: NodeId, connection: RtcConnection, handler: LinkHandler, clock: Clock, *, dialled: bool
    ) -> None:
        now = clock.monotonic()
        self.peer = peer
        self.connection = connection
        self.dialled = dialled
        self._handler = handler
        self._clock = clock
        self._heartbeat = Heartbeat(now, leads=dialled)
        self._full_since: float | None = None
        self._used = now

    @property
    def round_trip(self) -> float | None:
        """Smoothed round-trip time in seconds."""
        return self._heartbeat.round_trip

    def idle(self, now: float) -> float:
        """Seconds since a message other than a heartbeat crossed the link."""
        return now - self._used

    def send(self, channel: Channel, data: bytes) -> bool:
        """See ``LinkSender.send``."""
        if self.connection.send(channel, data):
            self._used = self._clock.monotonic()
            return True
        if self._full_since is None and self.connection.is_open and len(data) <= MAX_LINK_MESSAGE:
            self._full_since = self._clock.monotonic()
        return False

    def received(self, channel: Channel, data: bytes) -> None:
        """A message of the peer: heartbeats and farewells end here, the rest goes to the handler."""
        now = self._clock.monotonic()
        self._heartbeat.heard(now)
        if channel is Channel.CONTROL and len(data) >= 2 and data[1] in _OWN_TAGS:
            self._own_message(data, now)
            return
        self._used = now
        try:
            self._handler.link_message(self.peer, channel, data)
        except Exception:
            # A fault of ours, met through this peer's message: without this the library would end the link in silence.
            logger.exception("handling a message failed")
            self.leave("internal error")

    def watch(self, now: float, standstill: float) -> None:
        """Send the heartbeat that is due; end the link if the peer is dead, too slow or ignores its limits."""
        heartbeat = self._heartbeat
        if standstill > STANDSTILL:
            heartbeat.excuse(standstill)
        if heartbeat.is_dead(now):
            self.connection.end(f"the peer has been silent for {heartbeat.silence(now):.0f} s")
        elif self.connection.is_overdrawn():
            self.leave("the peer sends more than its receive window allows")
        elif self._is_stuck(now):
            self.leave(f"the peer took too little for {DRAIN_TIMEOUT:.0f} s")
        else:
            ping = heartbeat.tick(now)
            if ping is not None:
                self.connection.send_urgent(encode(ping))

    def leave(self, reason: str) -> None:
        """End the link and tell the peer why; nothing if it has ended."""
        if self.connection.is_open:
            self.connection.send_urgent(encode(CloseLink(reason=reason[:300])))
            logger.debug("link with %s closed: %s", short_id(self.peer), reason)
        self.connection.end(reason)

    def _is_stuck(self, now: float) -> bool:
        """Whether a full buffer has not drained to half within the time allowed."""
        if self._full_since is None:
            return False
        if self.connection.buffered <= BUFFER_LIMIT // 2:
            self._full_since = None
            return False
        return now - self._full_since > DRAIN_TIMEOUT

    def _own_message(self, data: bytes, now: float) -> None:
        try:
            message = link_decoder.decode(data)
        except WireError as error:
            self.leave(f"malformed message: {error}")
            return
        if isinstance(message, Ping):
            pong = self._heartbeat.ping(message, now)
            if pong is None:
                self.leave("the peer sends too many heartbeats")
            else:
                self.connection.send_urgent(encode(pong))
        elif isinstance(message, Pong):
            self._heartbeat.pong(message, now)
        elif isinstance(message, CloseLink):
            self.connection.end(f"the peer closed the link: {message.reason}")
