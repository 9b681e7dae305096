"""Bringing signed records to the server's chain, and reading what it stores."""

from __future__ import annotations

import json

import aiohttp

from engine.directory.genesis import MAXIMUM_FILE_LENGTH
from engine.errors import BootstrapUnreachableError, VerificationError, WireError
from engine.transport.bootstrap_http import CONNECT_SECONDS, fetch, network_errors
from engine.wire.verification import (
    MAX_CHAIN_RECORDS,
    MAX_RECORD,
    MAX_SIGNED_STANDINGS,
    chain_records_decoder,
)

MAX_ANSWER = 4_096
"""Bytes of the server's answer to a record."""
MAX_CONTRADICTIONS = 10_000


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


class ChainReader:
    """Reads a network's chain from one of its servers; nothing of it is believed here. Every call may raise
    ``BootstrapUnreachableError`` or ``WireError``."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def _get(self, path: str, limit: int) -> bytes:
        async with network_errors():
            return await fetch(self._session, self._url, f"/v1/{path}", limit) or b""

    async def genesis(self) -> bytes:
        """The genesis file."""
        return await self._get("genesis", MAXIMUM_FILE_LENGTH)

    async def height(self) -> int:
        """Of the newest block, as the server says; 0: there is none."""
        try:
            height = json.loads(await self._get("chain", MAX_ANSWER))["height"]
        except (ValueError, KeyError, TypeError) as error:
            raise WireError("the server does not say how high its chain is") from error
        return height if isinstance(height, int) else 0

    async def blocks(self, first: int) -> tuple[bytes, ...]:
        """Some blocks from this height on; none where the chain ends."""
        records = await self._get(f"chain/from-{first}", MAX_CHAIN_RECORDS)
        return chain_records_decoder.decode(records).records

    async def evidence(self, digest: bytes) -> bytes | None:
        """An encoded ``SignedRecord``; None where the server has it no more."""
        try:
            return await self._get(f"evidence/{digest.hex()}", MAX_RECORD + 1024)
        except BootstrapUnreachableError as error:
            if str(error).endswith("HTTP status 404"):
                return None
            raise

    async def contradictions(self) -> list[bytes]:
        """All of them, encoded."""
        found: list[bytes] = []
        while len(found) < MAX_CONTRADICTIONS:
            more = chain_records_decoder.decode(await self._get(f"contradictions/{len(found)}", MAX_CHAIN_RECORDS))
            if not more.records:
                break
            found += more.records
        return found

    async def changes(self) -> tuple[bytes, ...]:
        """The changes of the committee that are wanted, encoded."""
        return chain_records_decoder.decode(await self._get("changes", MAX_CHAIN_RECORDS)).records

    async def standings(self) -> bytes:
        """Encoded ``SignedStandings``."""
        return await self._get("standings", MAX_SIGNED_STANDINGS)
