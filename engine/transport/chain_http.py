"""Bringing signed records to the server's chain, and reading what it stores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp

from engine.directory.genesis import MAXIMUM_FILE_LENGTH, GenesisRecord
from engine.errors import BootstrapUnreachableError, VerificationError, WireError
from engine.transport.bootstrap_http import CONNECT_SECONDS, fetch, network_errors
from engine.verification.chain.standings import (
    CheckedStandings,
    check_standings,
    first_committee,
    follow_committee,
    lacks_changes,
)
from engine.wire.blocks import (
    MAX_CHAIN_RECORDS,
    MAX_CHANGES_SHOWN,
    MAX_SIGNED_STANDINGS,
    certified_block_decoder,
    chain_records_decoder,
    signed_standings_decoder,
)
from engine.wire.signed import MAX_RECORD

MAX_ANSWER = 4_096
"""Bytes of the server's answer to a record."""
MAX_CONTRADICTIONS = 10_000
PAUSE_SECONDS, MOST_PAUSES = 2.0, 60
"""Where a server says that this address reads too much."""
Read = Callable[[str, int], Awaitable[bytes]]
"""Gets a path of the server that is used now, so many bytes at most."""


async def send_record(
    session: aiohttp.ClientSession, url: str, path: str, data: bytes, reading_key: bytes = b"", limit: int = MAX_ANSWER
) -> bytes:
    """POST ``data``; the body of the answer, of which ``limit`` bytes are read. ``reading_key``: of a private network,
    where only members may.

    :class:`VerificationError` with the server's reason where it refuses for good, ``BootstrapUnreachableError`` where
    it is to be brought again."""
    timeout = aiohttp.ClientTimeout(total=CONNECT_SECONDS)
    headers = {"Authorization": f"Bearer {reading_key.hex()}"} if reading_key else {}
    async with (
        network_errors(),
        session.post(f"{url}{path}", data=data, headers=headers, allow_redirects=False, timeout=timeout) as response,
    ):
        body = bytearray()
        async for part in response.content.iter_chunked(65_536):
            body += part
            if len(body) > limit:
                raise BootstrapUnreachableError(f"its answer to {path} is longer than the {limit} bytes allowed")
        if response.status == 200:
            return bytes(body)
        reason = body[:300].decode("utf-8", "replace").strip()
        reason = reason if reason and reason.isprintable() else "it gave no readable reason"
        if response.status in (409, 422):
            raise VerificationError(reason)
        raise BootstrapUnreachableError(f"it answers {path} with HTTP status {response.status}: {reason}")


async def followed_standings(
    read: Read, genesis: GenesisRecord, known: CheckedStandings | None = None
) -> tuple[bytes, CheckedStandings]:
    """The newest standings that a server shows, encoded and checked, from ``known`` or the genesis on: the committee is
    followed page by page. ``BootstrapUnreachableError``, ``WireError`` or :class:`VerificationError`."""
    data = await read("/v1/standings", MAX_SIGNED_STANDINGS)
    signed = signed_standings_decoder.decode(data)
    committee = known.committee if known is not None else first_committee(genesis)
    while lacks_changes(signed, committee):
        page = chain_records_decoder.decode(await read(f"/v1/committees/{committee.since}", MAX_CHAIN_RECORDS))
        changes = [certified_block_decoder.decode(record) for record in page.records[:MAX_CHANGES_SHOWN]]
        after = await asyncio.to_thread(follow_committee, committee, changes, genesis)
        if after.since <= committee.since:
            raise VerificationError("The server does not show which committees lead to the one of its standings.")
        committee = after
    return data, await asyncio.to_thread(check_standings, signed, genesis, known, committee)


class ChainReader:
    """Reads a network's chain from one of its servers; nothing of it is believed here. Every call may raise
    ``BootstrapUnreachableError`` or ``WireError``."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def _get(self, path: str, limit: int) -> bytes:
        """Where the server wants a pause, after one."""
        for _ in range(MOST_PAUSES):
            try:
                return await self._fetch(path, limit)
            except BootstrapUnreachableError as error:
                if not str(error).endswith("HTTP status 429"):
                    raise
                await self.sleep(PAUSE_SECONDS)
        return await self._fetch(path, limit)

    async def _fetch(self, path: str, limit: int) -> bytes:
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

    async def contradictions(self) -> AsyncIterator[bytes]:
        """All of them, encoded, page by page: together they may be too many to hold."""
        count = 0
        while count < MAX_CONTRADICTIONS:
            more = chain_records_decoder.decode(await self._get(f"contradictions/{count}", MAX_CHAIN_RECORDS))
            if not more.records:
                break
            count += len(more.records)
            for record in more.records:
                yield record

    async def changes(self) -> tuple[bytes, ...]:
        """The changes of the committee that are wanted, encoded."""
        return chain_records_decoder.decode(await self._get("changes", MAX_CHAIN_RECORDS)).records

    async def standings(self) -> bytes:
        """Encoded ``SignedStandings``."""
        return await self._get("standings", MAX_SIGNED_STANDINGS)

    async def read(self, path: str, limit: int) -> bytes:
        """What stands at a path, for :func:`followed_standings`."""
        return await self._get(path.removeprefix("/v1/"), limit)
