"""Plain requests to a bootstrap server: bounded in length and time, and never sent elsewhere by an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from engine.errors import BootstrapUnreachableError, DirectoryError, WireError
from engine.wire.codec import encode
from engine.wire.records import Signed

CONNECT_SECONDS = 15.0
"""From the connection to the end of the login, and for each answer."""
TCP_SECONDS = 6.0
"""For the connection alone: a firewall that swallows it must not hold up the next server for long."""
REQUEST_SECONDS = 120.0


@contextlib.asynccontextmanager
async def network_errors() -> AsyncIterator[None]:
    """What can go wrong on the way, as an error of the project's tree."""
    try:
        yield
    except TimeoutError as error:
        raise BootstrapUnreachableError("no answer in time") from error
    except aiohttp.ClientResponseError as error:  # its own words are made for programmers
        raise BootstrapUnreachableError(f"it answers with HTTP status {error.status}") from error
    except (aiohttp.ClientError, OSError, UnicodeError) as error:  # the last for what cannot be a host name
        raise BootstrapUnreachableError(str(error) or type(error).__name__) from error


def http_session(connector: aiohttp.BaseConnector | None = None) -> aiohttp.ClientSession:
    """A session for one server, to be closed by the caller."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TCP_SECONDS, sock_read=CONNECT_SECONDS)
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    headers = {"User-Agent": "gentorrent"}
    return aiohttp.ClientSession(timeout=timeout, headers=headers, trace_configs=[tracing], connector=connector)


async def _refuse_redirect(*_: Any) -> None:
    raise BootstrapUnreachableError("it sends us to another address, which no bootstrap server does")


async def fetch(
    session: aiohttp.ClientSession, url: str, path: str, limit: int, reading_key: bytes = b""
) -> bytes | None:
    """The body at ``path``, None if it has not changed; ``BootstrapUnreachableError`` or ``WireError`` if it cannot be
    had. ``reading_key`` opens what only members of a private network may read."""
    name = path.partition("?")[0]
    headers = {"Authorization": f"Bearer {reading_key.hex()}"} if reading_key else {}
    async with (
        asyncio.timeout(REQUEST_SECONDS),
        session.get(f"{url}{path}", headers=headers, allow_redirects=False) as response,
    ):
        if response.status == 304:
            return None
        if response.status != 200:
            raise BootstrapUnreachableError(f"it answers {name} with HTTP status {response.status}")
        if response.content_type not in ("application/octet-stream", "application/json"):
            raise BootstrapUnreachableError(
                f"it answers {name} with {response.content_type[:60]}, which no bootstrap server does. A login page"
                " of this network, perhaps? Open a web browser and see"
            )
        body = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            body += chunk
            if len(body) > limit:
                raise WireError(f"the server's answer to {name} is longer than the {limit} bytes allowed")
        return bytes(body)


async def send_statement(session: aiohttp.ClientSession, url: str, statement: Signed) -> None:
    """Bring a revocation or succession to the server; ``DirectoryError`` with its reason if it refuses for good."""
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    address = f"{url}/v1/statements"
    async with session.post(address, data=encode(statement), allow_redirects=False, timeout=timeout) as response:
        reason = (await response.content.read(300)).decode("utf-8", "replace").strip()
        reason = reason if reason and reason.isprintable() else "it gave no readable reason"
        if response.status == 422:
            raise DirectoryError(reason)
        if response.status != 200:
            raise BootstrapUnreachableError(f"it answers with HTTP status {response.status}: {reason}")
