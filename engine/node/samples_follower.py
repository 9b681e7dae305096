"""Which nodes users doubt, as a verifier learns it from the server: a few of them it may check sooner.

The server can withhold samples and show them to others; it can invent none, as the node has signed each receipt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.errors import BootstrapUnreachableError, VerificationError, WireError
from engine.ids import NodeId
from engine.node.verifier_role import VerifierRole
from engine.transport.bootstrap_http import http_session
from engine.transport.chain_http import send_record
from engine.verification.samples import check_sample, read_sample, sign_wanted
from engine.wire.blocks import MAX_CHAIN_RECORDS, chain_records_decoder
from engine.wire.codec import encode

logger = logging.getLogger(__name__)
LOOKS = 4
"""Times an epoch: one of them is shortly before the next one's challenges are promised."""


class SamplesFollower:
    """Own it with :meth:`run`. ``url``: of the server that is used now."""

    def __init__(self, identity: Identity, verifier: VerifierRole, clock: Clock, url: Callable[[], str]) -> None:
        self._identity = identity
        self._verifier = verifier
        self._clock = clock
        self._url = url

    async def run(self) -> None:
        """Until cancelled."""
        pause = self._verifier.state.genesis.parameters.epoch_seconds / LOOKS
        while True:
            try:
                await self.look()
            except (BootstrapUnreachableError, VerificationError, WireError) as error:
                logger.info("what users doubt could not be fetched: %s", error)
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Once; ``BootstrapUnreachableError``, ``VerificationError`` or ``WireError`` where nothing can be had."""
        state = self._verifier.state
        if self._identity.public_key not in state.members:
            return
        wanted = encode(sign_wanted(self._identity, state.network_id, self._clock.wall()))
        async with http_session() as session:
            data = await send_record(session, self._url(), "/v1/samples/wanted", wanted, limit=MAX_CHAIN_RECORDS)
        records = chain_records_decoder.decode(data).records
        self._verifier.doubted = await asyncio.to_thread(self._doubted, records)

    def _doubted(self, records: tuple[bytes, ...]) -> frozenset[NodeId]:
        state, found = self._verifier.state, set[NodeId]()
        for record in records:
            try:
                found.add(
                    check_sample(read_sample(record), state.genesis, state.network_id, self._clock.wall()).node_id
                )
            except VerificationError as error:
                logger.warning("the server shows a sample that is none: %s", error)
        return frozenset(found)
