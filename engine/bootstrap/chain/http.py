"""The chain's HTTP paths, of a server and of a mirror."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import hdrs, web

from engine.bootstrap import limits
from engine.bootstrap.chain.answers import NO_COMMITTEE, ChainAnswer, ChainService
from engine.wire.signed import MAX_RECORD

MAX_BODY = 3 * MAX_RECORD
"""Bytes of what is brought."""
PATHS = (
    "receipts",
    "receipts/{name}",
    "contradictions",
    "contradictions/{name}",
    "openings",
    "openings/{name}",
    "changes",
    "chain",
    "chain/{name}",
    "evidence",
    "evidence/{name}",
    "standings",
    "committees/{name}",
)


class Service(Protocol):
    """What is served."""

    chain: ChainService | None

    def address_of(self, request: web.Request) -> str:
        """The address that a request counts for."""
        ...


class ChainHttp:
    """``closed_to`` gives the refusal for who may not read a private network's records."""

    def __init__(self, service: Service, closed_to: Callable[[web.Request], web.Response | None]) -> None:
        self._service = service
        self._closed_to = closed_to

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """All paths."""
        for path in PATHS:
            router.add_get(f"/v1/{path}", self._read)
            if "{" not in path:
                router.add_post(f"/v1/{path}", self._take)

    async def _read(self, request: web.Request) -> web.Response:
        refusal = self._closed_to(request)
        if refusal is not None:
            return refusal
        chain = self._service.chain
        if chain is None:
            return _response(NO_COMMITTEE)
        return _response(await chain.read(_path(request), self._service.address_of(request)))

    async def _take(self, request: web.Request) -> web.Response:
        chain = self._service.chain
        if chain is None:
            return _response(NO_COMMITTEE)
        try:
            async with asyncio.timeout(limits.HEADER_SECONDS):
                body = await _body(request)
        except TimeoutError:
            return web.Response(status=408, text="The record did not arrive in time.\n")
        if body is None:
            return web.Response(status=413, text=f"A record has at most {MAX_BODY} bytes.\n")
        return _response(await chain.take(_path(request), body, self._service.address_of(request)))


async def _body(request: web.Request) -> bytes | None:
    """What was sent; None for too much of it."""
    body = bytearray()
    async for part in request.content.iter_chunked(65_536):
        body += part
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _path(request: web.Request) -> str:
    return request.path.removeprefix("/v1/")


def _response(answer: ChainAnswer) -> web.Response:
    charset = None if answer.content_type == "application/octet-stream" else "utf-8"
    response = web.Response(status=answer.status, body=answer.body, content_type=answer.content_type, charset=charset)
    response.headers[hdrs.CACHE_CONTROL] = "no-cache"
    return response
