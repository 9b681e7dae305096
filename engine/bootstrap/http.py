"""The HTTP side: routes, and limits on connections that never become a request."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from engine import __version__
from engine.bootstrap import limits
from engine.bootstrap.chain.answers import ChainService
from engine.bootstrap.chain.http import PATHS, RecordsHttp
from engine.bootstrap.door import Door
from engine.bootstrap.metrics import Metrics
from engine.bootstrap.speed import SpeedSide
from engine.directory.delta import DirectoryHistory
from engine.directory.genesis import GenesisRecord, to_file
from engine.errors import BootstrapUnreachableError, DirectoryError, StorageError, WireError
from engine.transport.speed import SPEED_PATH
from engine.wire.codec import encode
from engine.wire.link import DirectoryHash
from engine.wire.records import Signed, signed_decoder

logger = logging.getLogger("engine.bootstrap")
_SILENT = logging.Logger("aiohttp", level=logging.CRITICAL + 1)
"""aiohttp would log the address and the bytes of everybody who sends garbage or hangs up."""
CHUNK = 65_536
STOP_SECONDS = 0.8
"""At a stop a handler has so long to end, and as long again after it was cancelled."""
MAXIMUM_SOCKETS = 8_192
"""Open TCP connections of any kind; each has ``HEADER_SECONDS`` to become a request."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DirectoryService(Protocol):
    """What is served."""

    metrics: Metrics
    history: DirectoryHistory
    door: Door | None
    chain: ChainService | None
    """None where the network has no committee."""
    manifests: ChainService
    """Published models."""

    def address_of(self, request: web.Request) -> str:
        """The address that a request counts for."""
        ...

    @property
    def genesis(self) -> GenesisRecord: ...

    async def serve_socket(self, request: web.Request) -> web.StreamResponse:
        """One node from its connection to its end."""
        ...

    async def look(self) -> None:
        """Make sure that ``history`` is up to date, if that takes asking somebody."""
        ...

    def head(self) -> DirectoryHash | None:
        """The signed head of the newest snapshot."""
        ...

    def permit(self, mirror_key: bytes) -> Signed | None:
        """The permit of this mirror, None if the operator has not admitted it here."""
        ...

    async def take_statement(self, signed: Signed) -> None:
        """A revocation or succession; ``DirectoryError``, ``StorageError`` or ``BootstrapUnreachableError``."""
        ...

    def health(self) -> tuple[bool, dict[str, object]]:
        """Whether all is well, and what an operator wants to see."""
        ...


class HttpSide:
    """Listens, and answers what everybody may read."""

    def __init__(self, service: DirectoryService) -> None:
        self._service = service
        self._genesis = to_file(service.genesis)
        self._silent: set[RequestHandler] = set()
        application = web.Application(middlewares=[self._middleware], client_max_size=limits.STATEMENT_BYTES)
        application.router.add_get("/v1/signaling", service.serve_socket)
        application.router.add_get("/v1/genesis", self._serve_genesis)
        application.router.add_get("/v1/directory", self._serve_directory)
        speed = SpeedSide()
        application.router.add_get(SPEED_PATH, speed.give)
        application.router.add_post(SPEED_PATH, speed.take)
        application.router.add_get("/v1/head", self._serve_head)
        application.router.add_get("/v1/mirror", self._serve_permit)
        application.router.add_post("/v1/statements", self._take_statement)
        for paths, records, members in (
            (PATHS, lambda: service.chain, False),
            (("manifests", "manifests/{name}"), lambda: service.manifests, True),
        ):
            RecordsHttp(paths, records, service.address_of, self._closed_to, members=members).add_routes(
                application.router
            )
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

    def _closed_to(self, request: web.Request) -> web.Response | None:
        """The refusal for who may not read a private network's directory, nor how often it changes."""
        door = self._service.door
        if door is None or door.opens(request.headers.get(hdrs.AUTHORIZATION, "")):
            return None
        return web.Response(status=401, text="Only members of this private network may read its directory.\n")

    async def _serve_directory(self, request: web.Request) -> web.StreamResponse:
        """The whole directory, or with ``?since=DIGEST`` what has changed since that one; zlib in both cases."""
        refusal = self._closed_to(request)
        if refusal is not None:
            return refusal
        since = request.query.get("since", "")
        if since and _DIGEST.fullmatch(since) is None:
            return web.Response(status=400, text="since= wants the SHA-256 of a directory, 64 digits 0-9 a-f.\n")
        await self._service.look()
        history = self._service.history
        if history.newest is None:
            return web.Response(status=503, text="The first directory is not made yet. Try again in a second.\n")
        if since == history.digest.hex():
            return web.Response(status=304)
        data = await asyncio.to_thread(history.answer, bytes.fromhex(since))
        return await self._send_slowly(request, data)

    async def _send_slowly(self, request: web.Request, data: bytes) -> web.StreamResponse:
        headers = {hdrs.CONTENT_TYPE: "application/octet-stream", hdrs.CACHE_CONTROL: "no-cache"}
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

    async def _serve_head(self, request: web.Request) -> web.StreamResponse:
        """The signed head of the newest directory: enough to compare two servers."""
        refusal = self._closed_to(request)
        if refusal is not None:
            return refusal
        await self._service.look()
        head = self._service.head()
        if head is None:
            return web.Response(status=503, text="The first directory is not made yet. Try again in a second.\n")
        return web.Response(body=encode(head), content_type="application/octet-stream")

    async def _serve_permit(self, request: web.Request) -> web.StreamResponse:
        """``?key=HEX``: what lets this mirror introduce nodes."""
        key = request.query.get("key", "")
        if _DIGEST.fullmatch(key) is None:
            return web.Response(status=400, text="key= wants the public key of a mirror, 64 digits 0-9 a-f.\n")
        permit = self._service.permit(bytes.fromhex(key))
        if permit is None:
            return web.Response(status=404, text="The operator of this server has not admitted that mirror.\n")
        return web.Response(body=encode(permit), content_type="application/octet-stream")

    async def _take_statement(self, request: web.Request) -> web.StreamResponse:
        """A revocation or succession; whoever brings it, it is signed by whom it ends."""
        try:
            async with asyncio.timeout(limits.HEADER_SECONDS):
                body = await request.read()
            await self._service.take_statement(signed_decoder.decode(body))
        except TimeoutError:
            return web.Response(status=408, text="The statement did not arrive in time.\n")
        except (DirectoryError, WireError) as error:
            return web.Response(status=422, text=f"{error}\n")
        except (StorageError, BootstrapUnreachableError) as error:
            return web.Response(status=503, text=f"{error}\n")
        return web.Response(text="It is in the next directory.\n")

    async def _serve_health(self, _request: web.Request) -> web.StreamResponse:
        service = self._service
        healthy, more = service.health()
        document = {
            "status": "ok" if healthy else "degraded",
            "version": __version__,
            "network_id": service.genesis.network_id.hex(),
            "name": service.genesis.genesis.name,
            **more,
        }
        return web.Response(
            status=200 if healthy else 503, text=json.dumps(document) + "\n", content_type="application/json"
        )

    async def _serve_metrics(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._service.metrics.text(), headers={hdrs.CONTENT_TYPE: "text/plain; version=0.0.4"})
