"""How this node's answers fared with the network's verifiers, as far as the public chain says it.

The newest standings, which are certified, tell how many of its answers were judged. Only when that changes blocks are
read, from the newest one backward, each named by the one behind it: as many as it takes to find what is new.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from engine.directory.genesis import GenesisRecord
from engine.errors import BootstrapUnreachableError, StorageError, VerificationError, WireError
from engine.ids import NodeId
from engine.storage.state import load_state, save_state
from engine.verification.chain.own_results import Results, named_block, results_of, together
from engine.verification.chain.standings import CheckedStandings
from engine.wire.signed import MAX_RECORD

BLOCKS = 200
"""So many of the newest count, and no more are read: a day and a half of epochs of ten minutes."""
FIRST_RETRY, LAST_RETRY = 5.0, 600.0
logger = logging.getLogger(__name__)
Count = Annotated[int, Meta(ge=0, le=1 << 53)]


class _Found(Struct, frozen=True, array_like=True):
    """What a block says."""

    height: Count
    passed: Count
    failed: Count
    undecided: Count
    last: Count


class _Kept(Struct, frozen=True):
    """Everything up to a block has been looked at; ``judged``: answers in all, as its standings say."""

    node: str = ""
    height: Count = 0
    digest: str = ""
    judged: Count = 0
    found: Annotated[tuple[_Found, ...], Meta(max_length=BLOCKS)] = ()


class OwnResults:
    """Own it with :meth:`run`. ``read`` gets a path of the server that is used now; ``path``: of the file in which what
    was read outlives the engine."""

    def __init__(
        self,
        node: NodeId,
        genesis: GenesisRecord,
        read: Callable[[str, int], Awaitable[bytes]],
        path: Path,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._node = node
        self._network_id = genesis.network_id
        self._read = read
        self._path = path
        self._random = random.Random(random_bytes(16))
        self._kept = _Kept(node.hex())
        self._head: CheckedStandings | None = None
        self._news = asyncio.Event()
        self._walked: dict[bytes, tuple[bytes, Results]] = {}  # of a walk that was broken off

    @property
    def results(self) -> Results | None:
        """Of the newest :data:`BLOCKS`; None: not read yet."""
        if not self._kept.height:
            return None
        return together(Results(one.passed, one.failed, one.undecided, one.last) for one in self._kept.found)

    def look(self, checked: CheckedStandings) -> None:
        """The newest standings that are believed."""
        self._head = checked
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(self._load)
        while True:
            await self._news.wait()
            self._news.clear()
            retry = FIRST_RETRY
            while not await self._follow():
                await asyncio.sleep(retry * (0.5 + self._random.random()))
                retry = min(LAST_RETRY, 2 * retry)

    async def _follow(self) -> bool:
        """Whether all is read that the newest standings speak of."""
        head, kept = self._head, self._kept
        if head is None or head.height <= kept.height:
            return True
        standing = head.nodes.get(self._node)
        judged = standing.judged if standing is not None else 0
        # Who is a newcomer again is counted anew.
        missing = judged - kept.judged if judged >= kept.judged else judged
        try:
            new = await self._walk(head, missing)
        except (BootstrapUnreachableError, WireError, VerificationError) as error:
            logger.info("the results of this node's answers are read later: %s", error)
            return False
        found = sorted((*new, *kept.found), key=lambda one: one.height)
        found = [one for one in found if one.height > head.height - BLOCKS]
        read = _Kept(self._node.hex(), head.height, head.digest.hex(), judged, tuple(found))
        try:
            await asyncio.to_thread(save_state, self._path, read)
        except StorageError as error:
            logger.warning("the results of this node's answers are not kept: %s", error)
        self._kept = read
        self._walked.clear()
        return True

    async def _walk(self, head: CheckedStandings, missing: int) -> list[_Found]:
        """Backward until ``missing`` answers are found, as far as what is known or counts."""
        found: list[_Found] = []
        height, digest = head.height, head.digest
        while missing > 0 and height > max(0, self._kept.height, head.height - BLOCKS):
            previous, results = await self._block(height, digest)
            if results.answers:
                found.append(_Found(height, results.passed, results.failed, results.undecided, results.last))
                missing -= results.answers
            height, digest = height - 1, previous
        if self._kept.height and height == self._kept.height and digest.hex() != self._kept.digest:
            raise VerificationError("The newest block does not lead back to the one that was read before.")
        return found

    async def _block(self, height: int, digest: bytes) -> tuple[bytes, Results]:
        """The digest of the block before, and what this one says."""
        if digest not in self._walked:
            record = await self._read(f"/v1/chain/{height}", 2 * MAX_RECORD)
            block = named_block(record, digest)
            if block.network_id != self._network_id or block.height != height:
                raise VerificationError("The server shows a block of another place.")
            self._walked[digest] = block.previous, results_of(block, self._node)
        return self._walked[digest]

    def _load(self) -> None:
        try:
            kept = load_state(self._path, _Kept)
        except StorageError as error:
            logger.warning("the results of this node's answers are read anew: %s", error)
            return
        if kept is not None and kept.node == self._node.hex():
            self._kept = kept
