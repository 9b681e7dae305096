"""HTTP paths of signed records, of a server and of a mirror: the chain's, and those of published models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

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
    "samples",
    "samples/wanted",
    "chain",
    "chain/{name}",
    "evidence",
    "evidence/{name}",
    "standings",
    "committees/{name}",
)


class RecordsHttp:
    """``paths`` are answered by what ``service`` gives, or with ``nothing`` where that is None. ``closed_to`` gives the
    refusal for who may not read a private network's records; ``members``: nor may they bring any."""

    def __init__(
        self,
        paths: Iterable[str],
        service: Callable[[], ChainService | None],
        address_of: Callable[[web.Request], str],
        closed_to: Callable[[web.Request], web.Response | None],
        *,
        nothing: ChainAnswer = NO_COMMITTEE,
        members: bool = False,
    ) -> None:
        self._paths = tuple(paths)
        self._service = service
        self._address_of = address_of
        self._closed_to = closed_to
        self._nothing = nothing
        self._members = members

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """All paths."""
        for path in self._paths:
            router.add_get(f"/v1/{path}", self._read)
            if "{" not in path:
                router.add_post(f"/v1/{path}", self._take)

    async def _read(self, request: web.Request) -> web.Response:
        refusal = self._closed_to(request)
        if refusal is not None:
            return refusal
        service = self._service()
        if service is None:
            return _response(self._nothing)
        return _response(await service.read(_path(request), self._address_of(request)))

    async def _take(self, request: web.Request) -> web.Response:
        service = self._service()
        if service is None:
            return _response(self._nothing)
        refusal = self._closed_to(request) if self._members else None
        if refusal is not None:
            return refusal
        try:
            async with asyncio.timeout(limits.HEADER_SECONDS):
                body = await _body(request)
        except TimeoutError:
            return web.Response(status=408, text="The record did not arrive in time.\n")
        if body is None:
            return web.Response(status=413, text=f"A record has at most {MAX_BODY} bytes.\n")
        return _response(await service.take(_path(request), body, self._address_of(request)))


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
