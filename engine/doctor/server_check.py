"""The bootstrap server by plain HTTP: does it answer, how fast, what time is it there, how much goes through."""

from __future__ import annotations

import json
import os
import re
import ssl
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp import hdrs

from engine.clock import Clock
from engine.doctor.facts import BandwidthFacts, ServerFacts
from engine.sentences import say
from engine.transport.bootstrap_http import failure_words
from engine.transport.speed import SPEED_BYTES, SPEED_PATH

TRIES = 3
REQUEST_SECONDS = 5.0
SPEED_SECONDS = 20.0
MAXIMUM_MBIT = 1000.0
"""So few bytes cannot tell faster connections apart."""
_MAXIMUM_REPLY = 65_536
_NETWORK_ID = re.compile("[0-9a-f]{64}")


async def check_server(url: str, clock: Clock) -> ServerFacts:
    """Ask ``/healthz`` a few times; what goes wrong is in the facts."""
    facts = ServerFacts(url=url)
    latency: float | None = None
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    for _ in range(TRIES):
        try:
            began = clock.monotonic()
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{url}/healthz", allow_redirects=False) as response,
            ):
                body = await _whole(response)
                took = clock.monotonic() - began
                skew = _skew(response.headers.get(hdrs.DATE, ""), clock.wall())
        except (TimeoutError, aiohttp.ClientError, OSError, UnicodeError) as error:
            if latency is not None:
                break  # it has answered before; one lost request is no finding
            return ServerFacts(url=url, problem=_kind(error), detail=failure_words(error))
        health = _health(body)
        if health is None:
            return ServerFacts(
                url=url,
                problem="portal",
                detail=say("server.no_health", status=str(response.status), kind=response.content_type),
            )
        latency = min(took, latency or took)
        facts = ServerFacts(
            url=url,
            reached=True,
            latency_ms=round(latency * 1000, 1),
            clock_skew_s=skew,
            network_id=str(health["network_id"]),
            name=str(health["name"]),
        )
    return facts


async def measure_bandwidth(url: str, clock: Clock) -> BandwidthFacts:
    """Fetch and send ``SPEED_BYTES`` once each. Random bytes, so that nothing on the way can compress them."""
    timeout = aiohttp.ClientTimeout(total=SPEED_SECONDS)
    moved = 0
    down: float | None = None
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(f"{url}{SPEED_PATH}", allow_redirects=False) as response:
                if response.status != 200:
                    return BandwidthFacts(error=_speed_refused(response.status))
                began = clock.monotonic()  # without the time to connect
                while (chunk := await response.content.read(65_536)) and moved < SPEED_BYTES:
                    moved += len(chunk)
            down = _mbit(moved, clock.monotonic() - began)
            began = clock.monotonic()
            data = os.urandom(SPEED_BYTES)
            async with session.post(f"{url}{SPEED_PATH}", data=data, allow_redirects=False) as response:
                await _whole(response)
                if response.status != 200:
                    return BandwidthFacts(down_mbit_s=down, bytes=moved, error=_speed_refused(response.status))
            up = _mbit(len(data), clock.monotonic() - began)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        return BandwidthFacts(down_mbit_s=down, bytes=moved, error=failure_words(error))
    return BandwidthFacts(down_mbit_s=down, up_mbit_s=up, bytes=moved + len(data))


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """The body, which may come in pieces; of a longer one than any server sends, the beginning."""
    body = bytearray()
    while len(body) < _MAXIMUM_REPLY and (piece := await response.content.read(_MAXIMUM_REPLY - len(body))):
        body += piece
    return bytes(body)


def _mbit(count: int, seconds: float) -> float:
    return min(MAXIMUM_MBIT, round(count * 8 / 1e6 / max(seconds, 1e-6), 2))


def _speed_refused(status: int) -> str:
    return say("server.measuring") if status == 503 else say("server.status", status=str(status))


def _health(body: bytes) -> dict[str, object] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or "name" not in told or not _NETWORK_ID.fullmatch(str(told.get("network_id"))):
        return None
    return told


def _skew(date: str, wall: float) -> float | None:
    try:
        return round(parsedate_to_datetime(date).timestamp() + 0.5 - wall, 1)  # the header has whole seconds
    except ValueError:
        return None


def _kind(error: Exception) -> str:
    is_certificate = isinstance(error, (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError))
    return "certificate" if is_certificate else "unreachable"
