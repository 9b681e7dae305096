"""One WebRTC peer connection with its two data channels: the only module that touches aiortc.

What aiortc does not do, or does by default, and this module does about it:

- it never offers 127.0.0.1: in a network on one machine the gatherer is told to offer that address and nothing else;
- it parses whatever the peer sends: it is only given descriptions that ``engine.transport.sdp`` wrote;
- with no ICE servers configured it would ask a public one: the list is always set, empty if need be;
- ``send`` never blocks and buffers without bound: buffered bytes are counted against a limit here;
- a peer may send fragments that never end, or open channels of its own: both end the connection.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aioice.ice import CandidatePair
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from engine.errors import LinkError
from engine.transport.addresses import LOOPBACK_ADDRESS
from engine.transport.ice_servers import IceServers
from engine.transport.link import Channel
from engine.transport.sdp import Session, parse_session
from engine.transport.unacknowledged import ControlLog, unacknowledged_cells
from engine.wire.codec import MAX_LINK_MESSAGE

logger = logging.getLogger(__name__)
# At INFO these write the addresses of every peer, which have no place in a log.
for _library in ("aioice", "aiortc"):
    logging.getLogger(_library).setLevel(logging.WARNING)

GATHER_TIMEOUT = 6.0
"""Seconds for finding our own addresses; an unreachable STUN server costs 5."""
CONNECT_TIMEOUT = 12.0
"""Seconds from the sent offer or answer to open channels; the library alone would take 64 s to give up."""
DIRECT_HEAD_START = 0.7
"""Seconds for which only direct ways are tried where there may be one: whichever way answers first is kept, and two
routers that both wait to be sent to let each other in at the second try, 0.5 s after the first."""
CLOSE_TIMEOUT = 3.0
"""Seconds for taking a connection down."""
BUFFER_LIMIT = 512 * 1024
"""Bytes waiting to be sent on one link, both channels together; beyond that ``send`` refuses."""
_RECEIVE_OVERDRAFT = -1024 * 1024
"""How far a peer may exceed the receive window that it was told (bytes below zero) before it is cut."""
_EARLY_LIMIT = 64
"""Messages kept that arrive before our own side has noticed that the channels are open."""
_CONTROL_ID = 0
_CELLS_ID = 1


@dataclass(frozen=True, slots=True)
class RtcConfiguration:
    """How connections of one mesh are made. ``loopback_only`` is a parameter of the genesis file: offer and accept
    127.0.0.1 and nothing else, and use no ICE server. ``relayed_only``: only candidates on our TURN server, so that
    neighbours do not see this machine's address. ``servers``: at most one STUN and one TURN server, known to work.
    ``tls``: certificate authorities for TURN over TLS (None: the system's)."""

    loopback_only: bool = False
    relayed_only: bool = False
    servers: IceServers = IceServers()
    tls: ssl.SSLContext | None = None

    @property
    def obstacle(self) -> str:
        """Why no link can be made now; "" where one can."""
        if self.relayed_only and not self.loopback_only and self.servers.turn is None:
            return "this node takes part over relayed links only, and has no TURN server that it can use"
        return ""


class RtcObserver(Protocol):
    """Hears of one connection; called on the event loop."""

    def connection_open(self, connection: RtcConnection) -> None:
        """Both channels are open and the peer's certificate is the signed one. Comes before any message."""
        ...

    def connection_message(self, connection: RtcConnection, channel: Channel, data: bytes) -> None:
        """A message of at most 65,536 bytes."""
        ...


class RtcConnection:
    """One peer connection, from offer to end. ``closed`` becomes done with the reason when it ends; whoever made the
    connection then calls :meth:`close`. Needs a running event loop."""

    def __init__(self, configuration: RtcConfiguration, observer: RtcObserver) -> None:
        self._configuration = configuration
        self._observer = observer
        self._open = False
        self._early: list[tuple[Channel, bytes]] = []
        self._relays_may_try = asyncio.Event()
        self.control = ControlLog()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._peer_connection = RTCPeerConnection(_rtc_configuration(configuration))
        # Both sides name the channels beforehand, so no message is spent on opening them.
        self._control = self._peer_connection.createDataChannel(
            "control", ordered=True, negotiated=True, id=_CONTROL_ID
        )
        self._cells = self._peer_connection.createDataChannel("cells", ordered=False, negotiated=True, id=_CELLS_ID)
        if configuration.loopback_only:
            _gather_loopback_only(self._peer_connection)
        else:
            _use_servers(self._peer_connection, configuration)
            self._hold_relays()
        self._listen()

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._open

    @property
    def is_relayed(self) -> bool | None:
        """Whether the packets go through a TURN server, ours or the peer's; None before the connection is made."""
        pair = _ice_connection(self._peer_connection)._nominated.get(1)
        return None if pair is None else "relay" in (pair.local_candidate.type, pair.remote_candidate.type)

    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent."""
        return self._control.bufferedAmount + self._cells.bufferedAmount

    async def offer(self) -> Session:
        """Our side of an offer, with all candidates (none are sent later). Raises :class:`LinkError`."""
        await self._bounded(self._peer_connection.setLocalDescription(), GATHER_TIMEOUT)
        return self._own_session("offer")

    async def take_answer(self, session: Session) -> None:
        """Apply the peer's answer to our offer; connecting goes on in the background. Raises :class:`LinkError`."""
        await self._take(session, "answer")

    def try_relays(self) -> None:
        """Direct ways have had their head start: try those through relays, too."""
        self._relays_may_try.set()

    async def answer(self, session: Session) -> Session:
        """Our answer to the peer's offer; connecting goes on in the background. Raises :class:`LinkError`."""
        await self._take(session, "offer")
        await self._bounded(self._peer_connection.setLocalDescription(), GATHER_TIMEOUT)
        return self._own_session("answer")

    def send(self, channel: Channel, data: bytes) -> bool:
        """Send or queue one message. False: not open, longer than 65,536 bytes, or the buffer is full."""
        size = len(data)
        if not self._open or size > MAX_LINK_MESSAGE:
            return False
        if self._control.bufferedAmount + self._cells.bufferedAmount + size > BUFFER_LIMIT:
            return False
        return self._send(self._control if channel is Channel.CONTROL else self._cells, data)

    def send_again(self, channel: Channel, data: bytes) -> bool:
        """Send what an older connection to the same peer did not deliver, whatever is buffered."""
        return self._open and self._send(self._control if channel is Channel.CONTROL else self._cells, data)

    def send_urgent(self, data: bytes) -> bool:
        """Send a heartbeat or a farewell on the control channel, whatever is buffered."""
        return self._open and self._send(self._control, data)

    def end(self, reason: str) -> None:
        """The connection is no longer used; ``closed`` becomes done with ``reason`` unless it is already."""
        self._open = False
        if not self.closed.done():
            self.closed.set_result(reason)

    def is_overdrawn(self) -> bool:
        """Whether the peer ignores the receive window (unfinished messages pile up): the connection must end."""
        sctp = self._peer_connection.sctp
        return sctp is not None and sctp._advertised_rwnd < _RECEIVE_OVERDRAFT

    def forget_delivered(self) -> None:
        """Drop the copies of control messages that the peer has acknowledged."""
        self.control.trim(self._peer_connection.sctp)

    def undelivered_cells(self) -> list[bytes]:
        """Cells that the peer has not acknowledged, the oldest first. Some of them may have arrived."""
        return unacknowledged_cells(self._peer_connection.sctp, _CELLS_ID)

    async def close(self) -> None:
        """Take everything down: sockets closed, no task left. Never raises but for cancellation."""
        self.end("closed")
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                # One turn of the loop sends what was queued last (a farewell) before the association is aborted.
                await asyncio.sleep(0)
                # Shielded: the library may be closing by itself, and a cancellation of ours would break its own wait.
                await asyncio.shield(self._peer_connection.close())
        except Exception:
            logger.debug("closing a peer connection failed", exc_info=True)
        # The library's own tasks end in the next turns of the loop.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    # ------------------------------------------------------------------------------------------------------ internals

    def _listen(self) -> None:
        """Subscribe to everything that the connection can say."""
        self._peer_connection.on("connectionstatechange", self._state_changed)
        sctp = self._peer_connection.sctp
        assert sctp is not None
        sctp.transport.on("statechange", self._encryption_changed)
        self._peer_connection.on("datachannel", self._unexpected_channel)
        for channel, kind in ((self._control, Channel.CONTROL), (self._cells, Channel.CELLS)):
            channel.on("open", self._channel_opened)
            channel.on("close", self._channel_closed)
            channel.on("message", self._receiver(kind))

    def _receiver(self, kind: Channel) -> Callable[[object], None]:
        """The function that takes every message of one channel; the shortest way from the library to the observer."""
        observer = self._observer

        def receive(data: object) -> None:
            if not isinstance(data, bytes) or len(data) > MAX_LINK_MESSAGE:
                self.end("the peer sent text, or a message longer than 65,536 bytes")
            elif self._open:
                self.control.received += kind is Channel.CONTROL
                observer.connection_message(self, kind, data)
            elif not self.closed.done():
                self._keep_early(kind, data)

        return receive

    def _keep_early(self, kind: Channel, data: bytes) -> None:
        """A message that overtook the end of the handshake."""
        if len(self._early) >= _EARLY_LIMIT:
            self.end("the peer sent too much before the link was open")
        else:
            self._early.append((kind, data))

    def _channel_opened(self) -> None:
        if self._open or self.closed.done():
            return
        if self._control.readyState == "open" and self._cells.readyState == "open":
            self._open = True
            self._observer.connection_open(self)
            early, self._early = self._early, []
            for kind, data in early:
                if self._open:
                    self.control.received += kind is Channel.CONTROL
                    self._observer.connection_message(self, kind, data)

    def _channel_closed(self) -> None:
        self.end("the peer closed the link")

    def _unexpected_channel(self, _channel: RTCDataChannel) -> None:
        self.end("the peer opened a channel that is not part of a link")

    def _state_changed(self) -> None:
        state = self._peer_connection.connectionState
        if state == "failed":
            self.end("no connection to the peer, or its certificate is not the signed one")
        elif state == "closed":
            self.end("the peer closed the link")

    def _encryption_changed(self) -> None:
        # Heard one turn of the loop before the channels close, so that nothing is sent into a closed transport.
        sctp = self._peer_connection.sctp
        if sctp is not None and sctp.transport.state == "closed":
            self.end("the peer closed the link")

    def _send(self, channel: RTCDataChannel, data: bytes) -> bool:
        try:
            channel.send(data)
        except Exception as error:  # whatever the library raises means the same here
            self.end(f"sending failed: {type(error).__name__}")
            return False
        if channel is self._control:
            self.control.sent(data, self._peer_connection.sctp)
        return True

    def _own_session(self, kind: str) -> Session:
        """Our own description in the one form that is sent, with the SHA-256 fingerprint alone."""
        text = self._peer_connection.localDescription.sdp
        lines = [
            line
            for line in text.split("\r\n")
            if not line.startswith(("a=fingerprint:sha-384", "a=fingerprint:sha-512"))
        ]
        session = parse_session("\r\n".join(lines).encode("ascii"), kind)
        if not session.candidates:
            if self._configuration.relayed_only and not self._configuration.loopback_only:
                raise LinkError("the TURN server lent no address, and this node has relayed links only")
            raise LinkError("this machine has no network address to offer to a peer")
        return session

    async def _take(self, session: Session, kind: str) -> None:
        reachable = session.reachable(loopback_only=self._configuration.loopback_only)
        direct = self._configuration.servers.stun is not None and not self._configuration.relayed_only
        if not direct or all(candidate.kind != "srflx" for candidate in reachable.candidates):
            self.try_relays()  # one side cannot receive UDP, or nobody asked how it looks from outside
        description = RTCSessionDescription(sdp=reachable.render(), type=kind)
        await self._bounded(self._peer_connection.setRemoteDescription(description), GATHER_TIMEOUT)

    def _hold_relays(self) -> None:
        """Checks of pairs with a relay begin when they may. The ICE library keeps whichever pair answers first and has
        no setting for it, so its method that checks one pair is wrapped, on this object alone."""
        ice = _ice_connection(self._peer_connection)
        original = ice.check_start

        async def check_start(pair: CandidatePair) -> None:
            if "relay" in (pair.local_candidate.type, pair.remote_candidate.type):
                ice.check_state(pair, CandidatePair.State.IN_PROGRESS)  # while it waits others have their turn
                await self._relays_may_try.wait()
            await original(pair)

        ice.check_start = check_start

    async def _bounded(self, work: Awaitable[None], seconds: float) -> None:
        """Await ``work`` of the library for at most ``seconds``; nothing but :class:`LinkError` comes out."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError as error:
            raise LinkError(f"setting up the connection took longer than {seconds:.0f} s") from error
        except Exception as error:  # a boundary: the library raises anything, AssertionError included
            raise LinkError(f"the connection could not be set up: {str(error) or type(error).__name__}") from error


def _rtc_configuration(configuration: RtcConfiguration) -> RTCConfiguration:
    relayed = configuration.relayed_only and not configuration.loopback_only
    policy = RTCIceTransportPolicy.RELAY if relayed else RTCIceTransportPolicy.ALL
    return RTCConfiguration(iceServers=[], iceTransportPolicy=policy)


def _ice_connection(peer_connection: RTCPeerConnection) -> Any:
    """The ICE library's side of a connection."""
    sctp = peer_connection.sctp
    assert sctp is not None
    return sctp.transport.transport._connection


def _use_servers(peer_connection: RTCPeerConnection, configuration: RtcConfiguration) -> None:
    """Set the servers where the ICE library reads them: through aiortc's addresses neither IPv6 nor certificate
    authorities of our own could be told."""
    ice = _ice_connection(peer_connection)
    stun, turn = configuration.servers.stun, configuration.servers.turn
    if stun is not None and not configuration.relayed_only:
        ice.stun_server = (stun.host, stun.port)
    if turn is not None:
        ice.turn_server = (turn.url.host, turn.url.port)
        ice.turn_username, ice.turn_password = turn.username, turn.credential
        ice.turn_transport = "udp" if turn.url.transport == "udp" else "tcp"
        ice.turn_ssl = (configuration.tls or True) if turn.url.transport == "tls" else None


def _gather_loopback_only(peer_connection: RTCPeerConnection) -> None:
    """Make this one connection offer 127.0.0.1 and nothing else.

    The library lists the machine's addresses without 127.0.0.1 and has no setting for it. Its method that turns a list
    of addresses into candidates is wrapped, on this object alone, so that it gets our list; other users of the library
    in the same process see no change.
    """
    ice = _ice_connection(peer_connection)
    original = ice.get_component_candidates

    async def loopback_candidates(component: int, addresses: list[str], timeout: int = 5) -> Any:  # noqa: ASYNC109
        return await original(component=component, addresses=[LOOPBACK_ADDRESS], timeout=timeout)

    ice.get_component_candidates = loopback_candidates
