"""A verifier in a network: its part in checking nodes, its part in the committee's agreement, and what it brings to the
server. Only while its node identity is in the committee (``engine.node.committee_seat``); nobody else has any of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import ClientSession

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.directory import Directory
from engine.directory.genesis import GenesisRecord
from engine.errors import BootstrapUnreachableError, GenTorrentError, VerificationError, WireError
from engine.node.claims_follower import ClaimsFollower
from engine.node.committee_role import CommitteeRole
from engine.node.committee_store import CommitteeStore
from engine.node.samples_follower import SamplesFollower
from engine.node.verifier_role import VerifierRole
from engine.node.verifier_store import VerifierStore
from engine.transport.bootstrap_http import http_session
from engine.transport.chain_http import send_record
from engine.verification.chain.state import ChainState, first_state
from engine.wire.blocks import MAX_CHAIN_RECORDS, CertifiedBlock, certified_block_decoder, chain_records_decoder
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction

logger = logging.getLogger(__name__)
FIRST_RETRY, LAST_RETRY = 2.0, 60.0
TURN_SECONDS = 1.0
"""The members bring a block one after another, so that mostly one does it."""
MAX_CONTRADICTIONS = 64
"""That wait to be brought."""
MAX_HEAD = 10_000
"""Bytes of what the server says of its newest block."""
MakeVerifier = Callable[[Identity, ChainState], VerifierRole]


class CommitteePresence:
    """Own it with :meth:`run`. :attr:`role` has the links; ``url``: of the server that is used now."""

    def __init__(
        self,
        identity: Identity,
        genesis: GenesisRecord,
        folder: Path,
        make_verifier: MakeVerifier,
        clock: Clock,
        url: Callable[[], str],
        read: Callable[[str, int], Awaitable[bytes]],
        outside_at: int = -1,
    ) -> None:
        """``folder`` keeps the chain and what was signed; ``read`` gets a path of the server that is used now;
        ``outside_at``: see :class:`~engine.node.committee_role.CommitteeRole`.
        ``StorageError`` where the folder cannot be used."""
        state = first_state(genesis)
        self._identity = identity
        self._clock = clock
        self._url = url
        self._read = read
        self._store = CommitteeStore(folder)
        self._under_way = VerifierStore(folder)
        self._contradictions: list[Contradiction] = []
        self._news = asyncio.Event()
        self.verifier = make_verifier(identity, state)
        self.role = CommitteeRole(
            identity, state, self.verifier, self._store, clock, fetch=self._fetch, outside_at=outside_at
        )
        self.verifier.tell = self.role.tell
        self.role.decided = lambda _: self._news.set()
        self.role.contradicted = self._contradicted

    def update_directory(self, directory: Directory) -> None:
        """Use this snapshot from now on."""
        self.verifier.update_directory(directory)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await self.role.load()
            self.verifier.recall(self._under_way)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.role.run())
                tasks.create_task(self.verifier.run())
                tasks.create_task(self._keep_bringing())
                tasks.create_task(ClaimsFollower(self.verifier, self._read).run())
                tasks.create_task(SamplesFollower(self._identity, self.verifier, self._clock, self._url).run())
        finally:
            self._under_way.close()

    # ------------------------------------------------------------------------------------------------------ the server

    async def _fetch(self, height: int) -> list[CertifiedBlock]:
        found = chain_records_decoder.decode(await self._read(f"/v1/chain/from-{height}", MAX_CHAIN_RECORDS))
        return [certified_block_decoder.decode(record) for record in found.records]

    async def _height(self) -> int:
        """Of the server's newest block."""
        try:
            height = json.loads(await self._read("/v1/chain", MAX_HEAD))["height"]
        except (ValueError, KeyError, TypeError) as error:
            raise WireError("the server does not say how high its chain is") from error
        return height if isinstance(height, int) else 0

    async def _keep_bringing(self) -> None:
        retry = FIRST_RETRY
        while True:
            try:
                await self._bring()
                retry = FIRST_RETRY
                await self._news.wait()
                self._news.clear()
                await asyncio.sleep(TURN_SECONDS * self._place())
            except GenTorrentError as error:
                logger.info("the server has not got everything: %s", error)
                await asyncio.sleep(retry)
                retry = min(2 * retry, LAST_RETRY)

    def _place(self) -> int:
        """Another member is the first after each block."""
        members, height = self.role.state.members, self.role.state.height
        if self._identity.public_key not in members:
            return len(members)
        return (members.index(self._identity.public_key) + height) % len(members)

    async def _bring(self) -> None:
        """Every block that the server lacks with its evidence, and what members have signed twice."""
        async with http_session() as session:
            url = self._url()
            there = await self._height()
            for height in range(there + 1, self.role.state.height + 1):
                block = self._store.block(height)
                if block is None:
                    break
                await self._bring_block(session, url, height, block)
            while self._contradictions:
                try:
                    await send_record(session, url, "/v1/contradictions", encode(self._contradictions[0]))
                except VerificationError as error:
                    logger.warning("the server refuses a contradiction: %s", error)
                del self._contradictions[0]

    async def _bring_block(self, session: ClientSession, url: str, height: int, block: CertifiedBlock) -> None:
        """The server takes no evidence but that of a certified block which it has seen, so that comes first."""
        try:
            await send_record(session, url, "/v1/chain", encode(block))
            return
        except BootstrapUnreachableError as error:
            logger.debug("the evidence of a block is brought: %s", error)
        for record in self._store.records(height):
            await send_record(session, url, "/v1/evidence", encode(record))
        await send_record(session, url, "/v1/chain", encode(block))

    def _contradicted(self, shown: Contradiction) -> None:
        if len(self._contradictions) < MAX_CONTRADICTIONS:
            self._contradictions.append(shown)
            self._news.set()
