"""A node's WebSocket passed through to the server behind a mirror: messages only, one after the other, unchanged."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp
from aiohttp import WSMsgType, web

from engine.bootstrap import limits

OPEN_SECONDS = 3.0
"""For the connection to the server behind; a node that waits for longer is served here."""
HEARTBEAT_SECONDS = 20.0
Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def open_behind(session: aiohttp.ClientSession, url: str, address: str) -> aiohttp.ClientWebSocketResponse:
    """A connection to the server at ``url`` for the node at ``address``; ``aiohttp.ClientError``, ``OSError`` or
    ``TimeoutError``."""
    async with asyncio.timeout(OPEN_SECONDS):
        return await session.ws_connect(
            f"{url}/v1/signaling",
            headers={"X-Forwarded-For": address},
            max_msg_size=limits.MAXIMUM_MESSAGE,
            heartbeat=HEARTBEAT_SECONDS,
            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
        )


async def pass_through(
    request: web.Request, behind: aiohttp.ClientWebSocketResponse, heard: Callable[[bytes], None]
) -> web.StreamResponse:
    """Until one side is gone; then the other one is closed. ``heard`` sees what the server says before the node does.
    A side that takes nothing holds up only the other one."""
    node = web.WebSocketResponse(max_msg_size=limits.MAXIMUM_MESSAGE, compress=False, timeout=2.0)
    over = asyncio.Event()
    try:
        await node.prepare(request)
        async with asyncio.TaskGroup() as group:
            ways = [
                group.create_task(_pass(node, behind, lambda _: None, over)),
                group.create_task(_pass(behind, node, heard, over)),
            ]
            await over.wait()
            for way in ways:
                way.cancel()
    finally:
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await behind.close()
    with contextlib.suppress(ConnectionError):
        await node.close()
    return node


async def _pass(source: Socket, target: Socket, heard: Callable[[bytes], None], over: asyncio.Event) -> None:
    try:
        with contextlib.suppress(TimeoutError, ConnectionError, aiohttp.ClientError):
            while (message := await source.receive()).type is WSMsgType.BINARY:
                heard(message.data)
                async with asyncio.timeout(limits.SEND_SECONDS):
                    await target.send_bytes(message.data)
    finally:
        over.set()
