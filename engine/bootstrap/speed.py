"""Lets nodes measure their bandwidth: random bytes to fetch, and a place that takes as many and throws them away.

Bounded in size, in time and in how many measure at once, so that it costs less than fetching the directory.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from aiohttp import web

from engine.transport.speed import SPEED_BYTES

AT_ONCE = 4
SECONDS = 20.0
"""For one measurement."""


class SpeedSide:
    """Handlers of the two requests."""

    def __init__(self) -> None:
        self._busy = 0
        self._data = os.urandom(SPEED_BYTES)

    async def give(self, request: web.Request) -> web.StreamResponse:
        """``SPEED_BYTES`` random bytes."""
        return await self._bounded(request, self._give)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Read at most ``SPEED_BYTES``; the answer is how many came."""
        return await self._bounded(request, self._take)

    async def _give(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream", "Cache-Control": "no-store"})
        response.content_length = SPEED_BYTES
        response.force_close()
        await response.prepare(request)
        for start in range(0, SPEED_BYTES, 65_536):
            await response.write(self._data[start : start + 65_536])
        await response.write_eof()
        return response

    async def _take(self, request: web.Request) -> web.StreamResponse:
        taken = 0
        while chunk := await request.content.readany():
            taken += len(chunk)
            if taken > SPEED_BYTES:
                return web.Response(status=413, text=f"At most {SPEED_BYTES} bytes are taken.\n")
        return web.Response(text=f"{taken}\n")

    async def _bounded(
        self, request: web.Request, action: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if self._busy >= AT_ONCE:
            return web.Response(status=503, text="Others are measuring now. Try again in a minute.\n")
        self._busy += 1
        try:
            async with asyncio.timeout(SECONDS):
                return await action(request)
        except TimeoutError:
            if request.transport is not None:  # returning alone would leave aiohttp waiting for the rest
                request.transport.abort()
            return web.Response(status=408)
        finally:
            self._busy -= 1
