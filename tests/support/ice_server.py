"""A STUN and TURN server that lies on demand: answers questions over UDP as a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aioice import stun
from aioice.turn import make_integrity_key


class PretendedIceServer(asyncio.DatagramProtocol):
    """``mapped``: the address it claims to see (None: the true one). ``turn_error``: how it refuses to lend an address
    once the credentials are there (0: it lends one). ``silent``: it answers nothing."""

    def __init__(self) -> None:
        self.mapped: tuple[str, int] | None = None
        self.turn_error = 0
        self.silent = False
        self.allocated = 0
        self.released = 0
        self.username, self.password = "user", "secret"
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if self.silent:
            return
        request = stun.parse_message(data)
        kind = stun.Class.RESPONSE
        attributes: dict = {"XOR-MAPPED-ADDRESS": self.mapped or address}
        authentic = False
        if request.message_method is not stun.Method.BINDING:
            if "MESSAGE-INTEGRITY" not in request.attributes:
                kind, attributes = stun.Class.ERROR, {"ERROR-CODE": (401, "who?"), "NONCE": b"n" * 16, "REALM": "test"}
            elif not request.check_message_integrity(make_integrity_key(self.username, "test", self.password)):
                kind, attributes = stun.Class.ERROR, {"ERROR-CODE": (401, "no"), "NONCE": b"n" * 16, "REALM": "test"}
            elif self.turn_error:
                kind, attributes = stun.Class.ERROR, {"ERROR-CODE": (self.turn_error, "no")}
                authentic = True
            else:
                authentic = True
                lifetime = request.attributes["LIFETIME"]
                self.allocated += lifetime > 0
                self.released += lifetime == 0
                attributes |= {"LIFETIME": lifetime, "XOR-RELAYED-ADDRESS": ("198.51.100.7", 40_000)}
        answer = stun.Message(request.message_method, kind, request.transaction_id, attributes)
        if authentic:
            answer.add_message_integrity(make_integrity_key(self.username, "test", self.password))
        self._transport.sendto(bytes(answer), address)  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def pretended_ice_server() -> AsyncIterator[PretendedIceServer]:
    """One on a free port of 127.0.0.1."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(PretendedIceServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
