"""What a verifier brings to blocks of others' making: contradictions of nodes, receipts that were hidden, and changes
of the committee, as the server has them. Contradictions and changes prove themselves: the server can withhold one and
invent none. Behind a hidden receipt stands the server's word alone: all it does is to have a node checked more often.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from engine.errors import BootstrapUnreachableError, VerificationError, WireError
from engine.node.verifier_role import VerifierRole
from engine.verification.contradictions import OF_NODES, check_contradiction
from engine.verification.signing import is_change
from engine.wire.blocks import MAX_CHAIN_RECORDS, chain_records_decoder
from engine.wire.receipts import Contradiction, contradiction_decoder
from engine.wire.signed import SignedRecord, signed_record_decoder

logger = logging.getLogger(__name__)
LOOK_SECONDS = 60.0
"""From one look to the next; a quarter of an epoch, where that is shorter."""
PAGES = 40
"""Of contradictions, in one look."""
LOOKS = 1_000
"""After so many all contradictions are read anew: a node may be listed that was not."""
Read = Callable[[str, int], Awaitable[bytes]]


class ClaimsFollower:
    """Own it with :meth:`run`. ``read`` gets a path of the server that is used now."""

    def __init__(self, verifier: VerifierRole, read: Read) -> None:
        self._verifier = verifier
        self._read = read
        self._seen = 0

    async def run(self) -> None:
        """Until cancelled."""
        state = self._verifier.state
        pause = min(LOOK_SECONDS, state.genesis.parameters.epoch_seconds / 4)
        while True:
            for _ in range(LOOKS):
                try:
                    await self.look()
                except (BootstrapUnreachableError, WireError) as error:
                    logger.info("what nodes and members have signed could not be fetched: %s", error)
                await asyncio.sleep(pause)
            self._seen = 0

    async def look(self) -> None:
        """Once; ``BootstrapUnreachableError`` or ``WireError`` where the server does not answer, or nonsense."""
        verifier = self._verifier
        for signed in await self._records("/v1/changes"):
            reason = verifier.heard(signed) if is_change(signed) else "the server shows something else as one"
            if reason:
                logger.debug("a change of the committee is not counted: %s", reason)
        for _ in range(PAGES):
            if not await self._contradictions():
                break
        for signed in await self._records("/v1/openings/missed"):
            try:
                verifier.book.claims.add_hidden(signed, verifier.state, verifier.epoch)
            except VerificationError as error:
                logger.debug("a hidden receipt is not counted: %s", error)

    async def _page(self, path: str) -> tuple[bytes, ...]:
        return chain_records_decoder.decode(await self._read(path, MAX_CHAIN_RECORDS)).records

    async def _records(self, path: str) -> list[SignedRecord]:
        return [signed_record_decoder.decode(record) for record in await self._page(path)]

    async def _contradictions(self) -> bool:
        """Those behind what was seen; False when there are none."""
        page = await self._page(f"/v1/contradictions/{self._seen}")
        verifier = self._verifier
        for shown in await asyncio.to_thread(self._proven, page):
            try:
                verifier.book.claims.add_contradiction(shown, verifier.state)
            except VerificationError as error:
                logger.debug("a contradiction is not counted: %s", error)
        self._seen += len(page)
        return bool(page)

    def _proven(self, page: tuple[bytes, ...]) -> list[Contradiction]:
        """Those of nodes that are listed or were judged: of others no block need speak."""
        found = []
        for record in page:
            try:
                shown = contradiction_decoder.decode(record)
                proven = check_contradiction(shown, self._verifier.state.network_id)
            except (VerificationError, WireError) as error:
                logger.warning("the server shows a contradiction that is none: %s", error)
                continue
            if proven.kind in OF_NODES and self._verifier.knows(proven.node_id):
                found.append(shown)
        return found
