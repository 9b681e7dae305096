"""The HTTP side: routes, and limits on connections that never become a request."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from engine import __version__
from engine.bootstrap import limits
from engine.bootstrap.speed import SpeedSide
from engine.directory.genesis import to_file
from engine.transport.speed import SPEED_PATH

if TYPE_CHECKING:
    from engine.bootstrap.server import BootstrapServer

logger = logging.getLogger("engine.bootstrap")
_SILENT = logging.Logger("aiohttp", level=logging.CRITICAL + 1)
"""aiohttp would log the address and the bytes of everybody who sends garbage or hangs up."""
CHUNK = 65_536
STOP_SECONDS = 0.8
"""At a stop a handler has so long to end, and as long again after it was cancelled."""
MAXIMUM_SOCKETS = 8_192
"""Open TCP connections of any kind; each has ``HEADER_SECONDS`` to become a request."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpSide:
    """Listens, and answers what everybody may read."""

    def __init__(self, server: BootstrapServer) -> None:
        self._server = server
        self._genesis = to_file(server.network.genesis)
        self._silent: set[RequestHandler] = set()
        application = web.Application(middlewares=[self._middleware], client_max_size=1024)
        application.router.add_get("/v1/signaling", server.serve_socket)
        application.router.add_get("/v1/genesis", self._serve_genesis)
        application.router.add_get("/v1/directory", self._serve_directory)
        speed = SpeedSide()
        application.router.add_get(SPEED_PATH, speed.give)
        application.router.add_post(SPEED_PATH, speed.take)
        application.router.add_get("/healthz", self._serve_health)
        application.router.add_get("/metrics", self._serve_metrics)
        self._runner = web.AppRunner(
            application, access_log=None, logger=_SILENT, shutdown_timeout=STOP_SECONDS, keepalive_timeout=15.0
        )
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port that is used. ``OSError`` if that is not possible."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._make_protocol, host or None, port, reuse_address=True)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more connections and end the open ones."""
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()

    def _make_protocol(self) -> asyncio.Protocol:
        """aiohttp waits for a first header without end; here a connection has seconds for it."""
        web_server = self._runner.server
        if web_server is None:
            raise RuntimeError("the runner is set up before anybody connects")
        protocol = web_server()
        self._silent.add(protocol)
        delay = limits.HEADER_SECONDS if len(self._silent) < MAXIMUM_SOCKETS else 0.0
        asyncio.get_running_loop().call_later(delay, self._end_silent, protocol)
        return protocol

    def _end_silent(self, protocol: RequestHandler) -> None:
        if protocol in self._silent:
            self._silent.discard(protocol)
            if protocol.transport is not None:
                protocol.transport.close()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._silent.discard(request.protocol)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = web.Response(status=error.status, text=f"{error.reason}\n")
            if hdrs.ALLOW in error.headers:
                response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        except ConnectionError:
            raise  # the other side has hung up
        except Exception:
            logger.exception("a request failed unexpectedly")
            response = web.Response(status=500, text="The server made a mistake; its log says which.\n")
        if not response.prepared:
            response.force_close()  # a kept connection would have no limit on its next header
        return response

    async def _serve_genesis(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._genesis, content_type="application/json", charset="utf-8")

    async def _serve_directory(self, request: web.Request) -> web.StreamResponse:
        door = self._server.door
        if door is not None and not door.opens(request.headers.get(hdrs.AUTHORIZATION, "")):
            return web.Response(status=401, text="Only members of this private network may read its directory.\n")
        data = self._server.snapshot
        if not data:
            return web.Response(status=503, text="The first directory is not made yet. Try again in a second.\n")
        tag = f'"{self._server.registry.point.digest.hex()}"'
        if request.headers.get(hdrs.IF_NONE_MATCH) == tag:
            return web.Response(status=304, headers={hdrs.ETAG: tag})
        headers = {hdrs.ETAG: tag, hdrs.CONTENT_TYPE: "application/octet-stream", hdrs.CACHE_CONTROL: "no-cache"}
        response = web.StreamResponse(headers=headers)
        response.content_length = len(data)
        response.force_close()
        try:
            async with asyncio.timeout(limits.DIRECTORY_SECONDS):
                await response.prepare(request)
                view = memoryview(data)
                for start in range(0, len(data), CHUNK):
                    await response.write(bytes(view[start : start + CHUNK]))
                await response.write_eof()
        except TimeoutError:
            # Returning alone would leave aiohttp waiting for the rest to be read, without end.
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass
        return response

    async def _serve_health(self, _request: web.Request) -> web.StreamResponse:
        server = self._server
        listed = server.registry.listed(server.clock.wall())
        healthy = bool(server.snapshot) and server.storage_works
        document = {
            "status": "ok" if healthy else "degraded",
            "version": __version__,
            "network_id": server.network.network_id.hex(),
            "name": server.network.genesis.genesis.name,
            "epoch": server.registry.point.epoch,
            "directory_age_s": round(server.clock.monotonic() - server.snapshot_made, 1),
            "listed": len(listed),
            "away": sum(member.away for member in listed),
            "sessions": len(server.sessions),
            "storage": "ok" if server.storage_works else "the database refuses writes; see the log",
        }
        return web.Response(
            status=200 if healthy else 503, text=json.dumps(document) + "\n", content_type="application/json"
        )

    async def _serve_metrics(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._server.metrics.text(), headers={hdrs.CONTENT_TYPE: "text/plain; version=0.0.4"})
