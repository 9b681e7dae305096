"""One reply as server-sent events. Headers leave with the first of them, so that an early error keeps its status."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from aiohttp import web

from engine.clock import Clock

WRITE_SECONDS = 60.0
"""Within which a client must take a chunk; a slower one is cut."""


class EventStream:
    """Writes to one client. Several tasks may send; each event goes out whole."""

    def __init__(self, request: web.Request, clock: Clock) -> None:
        self._request = request
        self._clock = clock
        self._response: web.StreamResponse | None = None
        self._last_write = clock.monotonic()
        self._lock = asyncio.Lock()

    @property
    def begun(self) -> bool:
        """Whether the client has got anything."""
        return self._response is not None

    @property
    def silence(self) -> float:
        """Seconds since the last write."""
        return self._clock.monotonic() - self._last_write

    async def send(self, *data: bytes) -> None:
        """Events with these data, in one write."""
        if data:
            await self._write(b"".join(b"data: " + one + b"\n\n" for one in data))

    async def comment(self, text: str) -> None:
        """Something that clients ignore, so that nobody between takes the stream for dead."""
        await self._write(f": {text}\n\n".encode())

    async def end(self, data: bytes) -> web.StreamResponse:
        """The last event."""
        await self.send(data)
        assert self._response is not None
        await self._taken(self._response.write_eof())
        return self._response

    async def _write(self, data: bytes) -> None:
        async with self._lock:
            if self._response is None:
                response = web.StreamResponse(
                    headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
                )
                await response.prepare(self._request)
                self._response = response
            await self._taken(self._response.write(data))
            self._last_write = self._clock.monotonic()

    async def _taken(self, writing: Awaitable[None]) -> None:
        """Wait until the client has taken what is written; cut it when that takes too long."""
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await writing
        except TimeoutError:
            # The client has stopped reading; nothing more can be told to it.
            if self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionResetError("the client stopped reading") from None
