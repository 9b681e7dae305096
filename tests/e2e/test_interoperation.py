"""Links with another WebRTC implementation: werift speaks the protocol's own rules of descriptions and channels."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.transport.link import Channel
from engine.transport.rtc import RtcConfiguration, RtcConnection
from engine.transport.sdp import parse_session
from tools import interop_environment

LACKS = interop_environment.missing()
pytestmark = pytest.mark.skipif(
    bool(LACKS) and os.environ.get("GENTORRENT_REQUIRE_ALL") != "1", reason=f"another WebRTC implementation: {LACKS}"
)
BIG = bytes(range(256)) * 256  # 65,536 bytes, the longest message of a link


class Werift:
    """The other side, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next news, which must be of this kind."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            line = await self._process.stdout.readline()
        news = json.loads(line or b'{"news": "ended"}')
        assert news["news"] == kind, news
        return dict(news)


@contextlib.asynccontextmanager
async def werift() -> AsyncIterator[Werift]:
    """One that ends with the context."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(interop_environment.SOURCE / "peer.mjs"),
        str(interop_environment.FOLDER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield Werift(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(60):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


class Observer:
    """Keeps what is heard."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.messages: asyncio.Queue[tuple[Channel, bytes]] = asyncio.Queue()

    def connection_open(self, _connection: RtcConnection) -> None:
        self.opened.set()

    def connection_message(self, _connection: RtcConnection, channel: Channel, data: bytes) -> None:
        self.messages.put_nowait((channel, data))


async def exchange(ours: RtcConnection, observer: Observer, theirs: Werift) -> None:
    """Messages of both sizes on both channels, in both directions."""
    async with asyncio.timeout(60):
        await observer.opened.wait()
    await theirs.expect("open")
    for data in (b"\x00\xffhello", BIG):
        for channel in Channel:
            assert ours.send(channel, data)
        heard = [await theirs.expect("message") for _ in Channel]
        assert {item["channel"] for item in heard} == {"control", "cells"}
        assert {base64.b64decode(item["data"]) for item in heard} == {data}
        await theirs.order(do="send", data=base64.b64encode(data).decode())
        async with asyncio.timeout(60):
            received = [await observer.messages.get() for _ in Channel]
        assert set(received) == {(channel, data) for channel in Channel}
    assert not ours.closed.done()
    assert ours.is_relayed is False


async def test_werift_takes_our_offer() -> None:
    observer = Observer()
    async with werift() as theirs:
        ours = RtcConnection(RtcConfiguration(loopback_only=True), observer)
        try:
            await theirs.order(do="answer", sdp=(await ours.offer()).render())
            sdp = (await theirs.expect("sdp"))["sdp"]
            await ours.take_answer(parse_session(sdp.encode("ascii"), "answer"))
            await exchange(ours, observer, theirs)
        finally:
            await ours.close()


async def test_we_take_werifts_offer() -> None:
    observer = Observer()
    async with werift() as theirs:
        ours = RtcConnection(RtcConfiguration(loopback_only=True), observer)
        try:
            await theirs.order(do="offer")
            sdp = (await theirs.expect("sdp"))["sdp"]
            answer = await ours.answer(parse_session(sdp.encode("ascii"), "offer"))
            await theirs.order(do="accept", sdp=answer.render())
            await exchange(ours, observer, theirs)
        finally:
            await ours.close()
