"""What waits for one node is bounded in bytes, too."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp import WSMessage, WSMsgType

from engine.bootstrap import limits
from engine.bootstrap.sessions import Session
from engine.clock import ManualClock
from engine.crypto.identity import Identity
from engine.wire.signaling import Login, NodeMessage, Signal
from tests.support.bootstrap import until

OWNER = Identity.from_seed(b"o" * 32)
LOGIN = Login(1, 1, OWNER.public_key, b"n" * 32, 0, False, "", b"s" * 64)
LARGE = Signal(peer=b"p" * 20, payload=b"x" * 16_384)


class Socket:
    """Takes nothing until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.left = asyncio.Event()
        self.taken = 0

    async def send_bytes(self, data: bytes) -> None:
        await self.open.wait()
        self.taken += 1

    async def receive(self) -> WSMessage:
        await self.left.wait()
        return WSMessage(WSMsgType.CLOSED, None, None)


async def ignore(_: Session, __: NodeMessage) -> None:
    pass


async def test_signals_of_others_do_not_fill_the_memory_and_do_not_end_the_session():
    socket = Socket()
    session = Session(cast(Any, socket), LOGIN, "127.0.0.1", ManualClock(), ignore, lambda: False)
    delivered = sum(session.send(LARGE) for _ in range(limits.OUTGOING_MESSAGES - 1))
    assert delivered == limits.OUTGOING_SIGNAL_BYTES // len(LARGE.payload)
    assert session.send(Signal(peer=b"p" * 20, payload=b""))
    assert not session.end_reason
    socket.open.set()
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        await until(lambda: socket.taken == delivered + 1)
        assert session.send(LARGE)
        await until(lambda: socket.taken == delivered + 2)
        socket.left.set()
