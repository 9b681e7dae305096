"""Bringing signed records to the server's chain, and reading what it stores."""

from __future__ import annotations

import aiohttp

from engine.errors import BootstrapUnreachableError, VerificationError
from engine.transport.bootstrap_http import CONNECT_SECONDS, network_errors

MAX_ANSWER = 4_096
"""Bytes of the server's answer to a record."""


async def send_record(session: aiohttp.ClientSession, url: str, path: str, data: bytes) -> bytes:
    """POST ``data``; the body of the answer. :class:`VerificationError` with the server's reason where it refuses for
    good, ``BootstrapUnreachableError`` where it is to be brought again."""
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    async with (
        network_errors(),
        session.post(f"{url}{path}", data=data, allow_redirects=False, timeout=timeout) as response,
    ):
        body = await response.content.read(MAX_ANSWER)
        if response.status == 200:
            return body
        reason = body[:300].decode("utf-8", "replace").strip()
        reason = reason if reason and reason.isprintable() else "it gave no readable reason"
        if response.status in (409, 422):
            raise VerificationError(reason)
        raise BootstrapUnreachableError(f"it answers {path} with HTTP status {response.status}: {reason}")
