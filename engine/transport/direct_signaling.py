"""Offers and answers straight between two nodes, for a node that has neither links nor a bootstrap server.

A relay that can be reached from outside may listen on a TCP port that its descriptor names. A node that comes back
while every server is away finds that address in its last good directory and makes its first link there; neighbours
introduce it to the rest. One connection carries one offer and its answer: a length of 2 bytes, the id of the sender (20
bytes), then the payload. What comes back may be the listener's own offer, where that one stands; its answer is brought
by another connection. Nothing else is served, and everything is bounded: time, connections, bytes. The payloads are
signed by both nodes, and say no more than the UDP packets that follow them; they are not encrypted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from engine.errors import WireError
from engine.ids import NodeId
from engine.transport.addresses import is_acceptable
from engine.transport.signal_router import DIRECT, Kind, SignalRouter, Way
from engine.transport.signaling import MAXIMUM_SIGNAL_LENGTH
from engine.wire.signaling import LinkOffer, signal_payload_decoder

logger = logging.getLogger(__name__)

READ_SECONDS = 3.0
"""For the whole offer to arrive: whoever sends byte by byte is cut."""
ANSWER_SECONDS = 12.0
MAXIMUM_CONNECTIONS = 32
MAXIMUM_FROM_ADDRESS = 4
MAXIMUM_DIALS = 16
_HEADER = 22


def parse_address(text: str, *, loopback_only: bool) -> tuple[str, int] | None:
    """Host and port of ``203.0.113.7:4711`` or ``[2001:db8::1]:4711``; None for what must not be dialled."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        return None
    return (host, int(port)) if is_acceptable(host, loopback_only=loopback_only) else None


class DirectSignaling:
    """Both ends for one mesh. Implements ``Carrier``. ``address_of`` names a peer's listener, if it is known."""

    def __init__(
        self,
        own_id: NodeId,
        router: SignalRouter,
        address_of: Callable[[NodeId], str | None],
        *,
        loopback_only: bool,
        listen: tuple[str, int] | None = None,
        unavailable: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """``unavailable`` hears why ``listen`` cannot be had."""
        self._own_id = own_id
        self._router = router
        self._address_of = address_of
        self._loopback_only = loopback_only
        self._listen = listen
        self._unavailable = unavailable
        self._tasks: asyncio.TaskGroup | None = None
        self._dials = 0
        self._from: Counter[str] = Counter()
        self._waiting: dict[NodeId, asyncio.Future[bytes]] = {}
        self.port: int | None = None
        """On which it listens, once it does."""
        router.add(Kind.DIRECT, self)

    def carry(self, way: Way, peer: NodeId, payload: bytes) -> bool:
        """See ``Carrier``: an answer goes to who waits for it, an offer is dialled."""
        waiting = self._waiting.get(peer)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(payload)
            return True
        address = parse_address(self._address_of(peer) or "", loopback_only=self._loopback_only)
        if address is None or self._tasks is None or self._dials >= MAXIMUM_DIALS:
            return False
        self._dials += 1
        self._tasks.create_task(self._dial(peer, address, payload))
        return True

    async def run(self) -> None:
        """Until cancelled. A port that cannot be had is said; dialling works without."""
        async with asyncio.TaskGroup() as self._tasks:
            if self._listen is not None:
                await self._serve(*self._listen)
            await asyncio.Event().wait()

    async def _serve(self, host: str, port: int) -> None:
        try:
            server = await asyncio.start_server(self._accept, host, port, limit=MAXIMUM_SIGNAL_LENGTH + _HEADER)
        except OSError as error:
            self._unavailable(f"port {port} cannot be had: {error.strerror or error}")
            return
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            await asyncio.Event().wait()

    # ------------------------------------------------------------------------------------------------------- listening

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: an offer in, an answer out."""
        address = str((writer.get_extra_info("peername") or ("",))[0])
        if self._from.total() >= MAXIMUM_CONNECTIONS or self._from[address] >= MAXIMUM_FROM_ADDRESS:
            writer.transport.abort()
            return
        self._from[address] += 1
        try:
            async with asyncio.timeout(READ_SECONDS):
                peer, offer = await _read(reader)
            answer = await self._answer(peer, offer)
            if answer is not None:
                async with asyncio.timeout(READ_SECONDS):
                    await _write(writer, self._own_id, answer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError):
            logger.debug("a direct signaling connection came to nothing")
        finally:
            self._from[address] -= 1
            if not self._from[address]:
                del self._from[address]
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _answer(self, peer: NodeId, offer: bytes) -> bytes | None:
        """What the mesh says to an offer; None if it says nothing, or another connection waits for this peer."""
        if not _is_offer(offer):
            self._router.arrived(DIRECT, peer, offer)  # an answer to an offer of ours has none itself
            return None
        if peer in self._waiting:
            return None
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[peer] = answer
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._router.arrived(DIRECT, peer, offer)
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._waiting[peer]

    # --------------------------------------------------------------------------------------------------------- dialling

    async def _dial(self, peer: NodeId, address: tuple[str, int], payload: bytes) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(*address, limit=MAXIMUM_SIGNAL_LENGTH + _HEADER)
                try:
                    await _write(writer, self._own_id, payload)
                    if not _is_offer(payload):
                        writer.close()
                        await writer.wait_closed()
                        return
                    sender, answer = await _read(reader)
                finally:
                    writer.transport.abort()
            if sender == peer:
                self._router.arrived(DIRECT, peer, answer)
            else:
                self._router.failed(DIRECT, peer, "somebody else answered")
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError):
            self._router.failed(DIRECT, peer, "no answer")
        finally:
            self._dials -= 1


def _is_offer(payload: bytes) -> bool:
    try:
        return isinstance(signal_payload_decoder.decode(payload), LinkOffer)
    except WireError:
        return False


async def _read(reader: asyncio.StreamReader) -> tuple[NodeId, bytes]:
    """Sender and payload; ``ValueError`` for a length that cannot be."""
    header = await reader.readexactly(_HEADER)
    length = int.from_bytes(header[:2], "big")
    if not 1 <= length <= MAXIMUM_SIGNAL_LENGTH:
        raise ValueError("a payload of that length is no signal")
    return NodeId(header[2:]), await reader.readexactly(length)


async def _write(writer: asyncio.StreamWriter, own_id: NodeId, payload: bytes) -> None:
    writer.write(len(payload).to_bytes(2, "big") + own_id + payload)
    await writer.drain()
