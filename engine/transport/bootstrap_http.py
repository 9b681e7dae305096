"""Plain requests to a bootstrap server: bounded in length and time, and never sent elsewhere by an answer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from engine.errors import BootstrapUnreachableError, DirectoryError, WireError
from engine.sentences import say
from engine.wire.codec import encode
from engine.wire.records import Signed

CONNECT_SECONDS = 15.0
"""From the connection to the end of the login, and for each answer."""
TCP_SECONDS = 6.0
"""For the connection alone: a firewall that swallows it must not hold up the next server for long."""
REQUEST_SECONDS = 120.0
_NO_CONNECTION = {
    errno.ECONNREFUSED: "server.refuses_connections",
    errno.ECONNRESET: "server.cut",
    errno.EHOSTUNREACH: "server.no_way",
    errno.ENETUNREACH: "server.no_way",
}


@contextlib.asynccontextmanager
async def network_errors() -> AsyncIterator[None]:
    """What can go wrong on the way, as an error of the project's tree."""
    try:
        yield
    except (TimeoutError, aiohttp.ClientError, OSError, UnicodeError) as error:  # the last: what cannot be a host name
        raise BootstrapUnreachableError(failure_words(error)) from error


def failure_words(error: Exception) -> str:
    """What went wrong on the way to a server, in a few words."""
    match error:
        case TimeoutError():
            return say("server.no_answer")
        case aiohttp.ClientResponseError():  # its own words are made for programmers
            return say("server.status", status=str(error.status))
        case aiohttp.ClientConnectorCertificateError():
            reason = error.certificate_error
            return say("probe.certificate", problem=str(getattr(reason, "verify_message", "") or reason))
        case aiohttp.ClientConnectorDNSError():
            return say("probe.no_host")
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return say("server.cut")
        case aiohttp.ClientConnectorError() if error.os_error.errno in _NO_CONNECTION:
            return say(_NO_CONNECTION[error.os_error.errno])
        case aiohttp.ClientConnectorError() if error.os_error.strerror:
            return error.os_error.strerror.lower()
        case _:
            return str(error) or type(error).__name__


def http_session(connector: aiohttp.BaseConnector | None = None) -> aiohttp.ClientSession:
    """A session for one server, to be closed by the caller."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TCP_SECONDS, sock_read=CONNECT_SECONDS)
    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(_refuse_redirect)
    headers = {"User-Agent": "gentorrent"}
    return aiohttp.ClientSession(timeout=timeout, headers=headers, trace_configs=[tracing], connector=connector)


async def _refuse_redirect(*_: Any) -> None:
    raise BootstrapUnreachableError(say("server.redirects"))


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
            raise BootstrapUnreachableError(say("server.status_of", name=name, status=str(response.status)))
        if response.content_type not in ("application/octet-stream", "application/json"):
            raise BootstrapUnreachableError(say("server.no_bootstrap", name=name, kind=response.content_type[:60]))
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
