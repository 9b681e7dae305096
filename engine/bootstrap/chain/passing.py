"""The chain at a mirror: every question goes to the server that is mirrored, which alone has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp

from engine.bootstrap.chain.answers import ChainAnswer
from engine.errors import BootstrapUnreachableError
from engine.transport.bootstrap_http import network_errors
from engine.wire.blocks import MAX_CHAIN_RECORDS

PASS_SECONDS = 30.0
AWAY = "The network's own server is away, and only it has the chain. Try again later."


class PassedChain:
    """Implements ``ChainService``; ``session`` gives None while the server is away."""

    def __init__(self, url: str, session: Callable[[], aiohttp.ClientSession | None]) -> None:
        self._url = url
        self._session = session

    async def read(self, path: str, address: str) -> ChainAnswer:
        """See ``ChainService``."""
        return await self._pass("GET", path, None, address)

    async def take(self, path: str, body: bytes, address: str) -> ChainAnswer:
        """See ``ChainService``."""
        return await self._pass("POST", path, body, address)

    async def _pass(self, method: str, path: str, body: bytes | None, address: str) -> ChainAnswer:
        session = self._session()
        if session is None:
            return ChainAnswer.says(503, AWAY)
        headers = {"X-Forwarded-For": address} if address else {}
        try:
            async with (
                network_errors(),
                asyncio.timeout(PASS_SECONDS),
                session.request(
                    method, f"{self._url}/v1/{path}", data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                data = bytearray()
                async for part in response.content.iter_chunked(65_536):
                    data += part
                    if len(data) > MAX_CHAIN_RECORDS:
                        raise BootstrapUnreachableError("its answer is too long")
                return ChainAnswer(response.status, bytes(data), response.content_type)
        except BootstrapUnreachableError:
            return ChainAnswer.says(503, AWAY)
