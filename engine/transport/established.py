"""One open link: what lies between the data channels and the protocol machines (heartbeats, farewells, slow peers)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from engine.clock import Clock
from engine.errors import WireError
from engine.ids import NodeId, short_id
from engine.transport.heartbeat import Heartbeat
from engine.transport.link import Channel, LinkHandler
from engine.transport.quality import LinkQuality
from engine.transport.rtc import BUFFER_LIMIT, RtcConnection
from engine.wire.codec import MAX_LINK_MESSAGE, encode
from engine.wire.link import CloseLink, Introduce, NotIntroduced, Ping, Pong, ResumeLink, link_decoder

logger = logging.getLogger(__name__)

DRAIN_TIMEOUT = 10.0
"""Seconds that a peer may leave our buffer full before it is cut."""
STANDSTILL = 1.0
"""A pause of this process from which on the peers are not blamed for the silence."""
PROBE_SECONDS = 1.5
"""So long a peer may take to answer a probe before a new connection to it is tried."""
_HELD_LIMIT = 1024 * 1024
"""Bytes held in each direction while a link moves to another connection."""
_OWN_TAGS = frozenset((1, 2, 3, 14, 15, 16))  # second byte of their encoding
_OF_ONE_CONNECTION = frozenset((1, 2, 3, 14))  # heartbeats, farewells, ResumeLink: mean nothing on a later one

SignalTaker = Callable[[NodeId, Introduce | NotIntroduced], None]


class EstablishedLink:
    """A link to ``peer`` over ``connection``, which is open. ``dialled``: we made the offer. ``name``: the nonce of
    that offer, which both ends know and nobody else needs to. ``on_signal`` hears what the peer says of
    introductions."""

    __slots__ = (
        "_clock",
        "_full_since",
        "_handler",
        "_heartbeat",
        "_held",
        "_held_bytes",
        "_moving_at",
        "_on_signal",
        "_probed_at",
        "_to_send",
        "_to_send_bytes",
        "_used",
        "connection",
        "dialled",
        "name",
        "peer",
        "peer_is_client",
        "quality",
    )

    def __init__(
        self,
        peer: NodeId,
        connection: RtcConnection,
        handler: LinkHandler,
        clock: Clock,
        on_signal: SignalTaker,
        *,
        name: bytes,
        dialled: bool,
        peer_is_client: bool,
    ) -> None:
        now = clock.monotonic()
        self.peer = peer
        self.connection = connection
        self.name = name
        self.dialled = dialled
        self.peer_is_client = peer_is_client
        self.quality = LinkQuality()
        self._handler = handler
        self._clock = clock
        self._on_signal = on_signal
        self._heartbeat = Heartbeat(now, leads=dialled)
        self._full_since: float | None = None
        self._used = now
        self._probed_at: float | None = None
        self._moving_at: int | None = None
        self._held: list[bytes] = []
        self._to_send: list[tuple[Channel, bytes]] = []
        self._held_bytes = 0
        self._to_send_bytes = 0

    @property
    def round_trip(self) -> float | None:
        """Smoothed round-trip time in seconds."""
        return self._heartbeat.round_trip

    @property
    def moving(self) -> bool:
        """Whether another connection is about to take the place of this one."""
        return self._moving_at is not None

    def idle(self, now: float) -> float:
        """Seconds since a message other than a heartbeat crossed the link."""
        return now - self._used

    def silence(self, now: float) -> float:
        """Seconds since anything came."""
        return self._heartbeat.silence(now)

    # ------------------------------------------------------------------------------------------------------- messages

    def send(self, channel: Channel, data: bytes) -> bool:
        """See ``LinkSender.send``."""
        if self.connection.send(channel, data):
            self._used = self._clock.monotonic()
            return True
        if self.moving and not self.connection.is_open:
            return self._keep_for_successor(channel, data)
        if self._full_since is None and self.connection.is_open and len(data) <= MAX_LINK_MESSAGE:
            self._full_since = self._clock.monotonic()
        return False

    def received(self, channel: Channel, data: bytes) -> None:
        """A message of the peer: heartbeats, farewells and introductions end here, the rest goes to the handler."""
        if channel is Channel.CONTROL and self._moving_at is not None:
            self._hold(data)
            return
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

    def watch(self, now: float, standstill: float, *, expected: bool = False) -> None:
        """Send the heartbeat that is due; end the link if the peer is dead, too slow or ignores its limits.
        ``expected``: the peer is known to live and to be about to move to a newer connection."""
        heartbeat = self._heartbeat
        if standstill > STANDSTILL:
            heartbeat.excuse(standstill)
        if self.moving:
            return
        self.connection.forget_delivered()
        if heartbeat.is_dead(now) and not expected:
            self.connection.end(f"the peer has been silent for {heartbeat.silence(now):.0f} s")
        elif self.connection.is_overdrawn():
            self.leave("the peer sends more than its receive window allows")
        elif self._is_stuck(now):
            self.leave(f"the peer took too little for {DRAIN_TIMEOUT:.0f} s")
        else:
            ping = heartbeat.tick(now)
            if ping is not None:
                self.connection.send_urgent(encode(ping))

    def probe(self, now: float) -> None:
        """Ask the peer for a sign of life now, as our own network may have changed."""
        if self.connection.is_open and not self.moving:
            self._probed_at = now
            self.connection.send_urgent(encode(self._heartbeat.probe(now)))

    def needs_replacement(self, now: float) -> bool:
        """Whether a new connection should be tried while this one still counts as alive."""
        if self.moving:
            return False
        if self._probed_at is not None and now - self._probed_at >= PROBE_SECONDS:
            return True
        return self.quality.is_stalled(self.silence(now), now, leads=self.dialled) or self.quality.is_decayed(now)

    def replacement_tried(self, now: float) -> None:
        """A new connection is being tried."""
        self._probed_at = None
        self.quality.tried(now)

    def leave(self, reason: str) -> None:
        """End the link and tell the peer why; nothing if it has ended."""
        if self.connection.is_open:
            self.connection.send_urgent(encode(CloseLink(reason=reason[:300])))
            logger.debug("link with %s closed: %s", short_id(self.peer), reason)
        self.connection.end(reason)

    # --------------------------------------------------------------------------------- moving to another connection

    def begin_move(self) -> int:
        """From now on control messages wait; how many were received before."""
        if self._moving_at is None:
            self._moving_at = self.connection.control.received
        return self._moving_at

    def abandon_move(self) -> None:
        """The other connection came to nothing: what waited is handled now."""
        self._moving_at = None
        held, self._held, self._held_bytes = self._held, [], 0
        self._to_send, self._to_send_bytes = [], 0
        for data in held:
            self.received(Channel.CONTROL, data)

    def succeed(self, older: EstablishedLink, received: int) -> bool:
        """Take the place of ``older``, of whose control messages the peer has received so many: send again what it
        lacks. False: that cannot be known, so nothing goes on."""
        control = older.connection.control.after(received)
        if control is None:
            return False
        missing = [(Channel.CONTROL, data) for data in control if len(data) < 2 or data[1] not in _OF_ONE_CONNECTION]
        missing += [(Channel.CELLS, data) for data in older.connection.undelivered_cells()]
        self.quality = older.quality
        self._used = older._used
        # All of it fitted the buffer of the older connection; that of this one is empty.
        return all(self.connection.send_again(channel, data) for channel, data in missing + older._to_send)

    def _hold(self, data: bytes) -> None:
        self._held_bytes += len(data)
        if self._held_bytes > _HELD_LIMIT:
            self.connection.end("too much came while the link was moving to another connection")
        else:
            self._held.append(data)

    def _keep_for_successor(self, channel: Channel, data: bytes) -> bool:
        if len(data) > MAX_LINK_MESSAGE or self._to_send_bytes + len(data) > BUFFER_LIMIT:
            return False
        self._to_send_bytes += len(data)
        self._to_send.append((channel, data))
        return True

    # ------------------------------------------------------------------------------------------------------- internals

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
        match message:
            case Ping():
                pong = self._heartbeat.ping(message, now)
                if pong is None:
                    self.leave("the peer sends too many heartbeats")
                else:
                    self.connection.send_urgent(encode(pong))
            case Pong():
                sample = self._heartbeat.pong(message, now)
                if sample is not None:
                    self.quality.sample(sample, now)
                    # Only this shows that the peer still hears us: what came after the probe may have been sent before.
                    if self._probed_at is not None and message.sent_us >= int(self._probed_at * 1_000_000):
                        self._probed_at = None
            case CloseLink():
                self.connection.end(f"the peer closed the link: {message.reason}")
            case Introduce() | NotIntroduced():
                self._used = now
                self._on_signal(self.peer, message)
            case ResumeLink():
                self.leave("the peer named a connection to replace after the first message")
