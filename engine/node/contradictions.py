"""The nodes that have signed two things that contradict each other: fetched from the server, proven here.

A contradiction has effect for everybody at once, because nobody but the node can have made it. The server can withhold
one, and invent none.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from engine.directory.genesis import GenesisRecord
from engine.errors import BootstrapUnreachableError, VerificationError, WireError
from engine.ids import NodeId
from engine.verification.contradictions import OF_NODES, check_contradiction
from engine.wire.blocks import MAX_CHAIN_RECORDS, chain_records_decoder
from engine.wire.receipts import contradiction_decoder

logger = logging.getLogger(__name__)
LOOK_SECONDS = 60.0
"""About so long from one look to the next; an epoch, where those are shorter."""
MOST_NODES = 20_000


class ContradictionsFollower:
    """Own it with :meth:`run`. ``read`` gets a path of the server that is used now; ``changed`` hears of more."""

    def __init__(
        self,
        genesis: GenesisRecord,
        read: Callable[[str, int], Awaitable[bytes]],
        random_bytes: Callable[[int], bytes],
        changed: Callable[[], None],
    ) -> None:
        self._genesis = genesis
        self._read = read
        self._random = random.Random(random_bytes(16))
        self._changed = changed
        self._seen = 0
        self.nodes: frozenset[NodeId] = frozenset()

    async def run(self) -> None:
        """Until cancelled."""
        if not self._genesis.genesis.committee_keys:
            return
        pause = min(LOOK_SECONDS, self._genesis.parameters.epoch_seconds)
        while True:
            try:
                while await self._more() and len(self.nodes) < MOST_NODES:
                    pass
            except (BootstrapUnreachableError, WireError) as error:
                logger.info("contradictions could not be fetched: %s", error)
            await asyncio.sleep(pause * (0.5 + self._random.random()))

    async def _more(self) -> bool:
        """Those behind what was seen; False when there are none."""
        data = await self._read(f"/v1/contradictions/{self._seen}", MAX_CHAIN_RECORDS)
        records = chain_records_decoder.decode(data).records
        found = await asyncio.to_thread(self._proven, records)
        self._seen += len(records)
        if found - self.nodes:
            self.nodes |= found
            self._changed()
        return bool(records)

    def _proven(self, records: tuple[bytes, ...]) -> frozenset[NodeId]:
        found = set()
        for record in records:
            try:
                shown = check_contradiction(contradiction_decoder.decode(record), self._genesis.network_id)
            except (VerificationError, WireError) as error:
                logger.warning("the server shows a contradiction that is none: %s", error)
                continue
            if shown.kind in OF_NODES:
                found.add(shown.node_id)
        return frozenset(found)
