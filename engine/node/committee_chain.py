"""The committee's chain at a member: what is on its disk, what others bring, what the server has that is missing here.

Whoever brings a block, it is taken when it follows from the one before; where that state has led to is :attr:`state`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence

from engine.errors import GenTorrentError, StorageError, VerificationError
from engine.node.committee_store import CommitteeStore
from engine.sentences import said_by, say
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.checkpoint import EVERY, height_of, make_checkpoint, open_checkpoint
from engine.verification.chain.state import ChainState
from engine.wire.blocks import CertifiedBlock
from engine.wire.signed import SignedRecord

logger = logging.getLogger(__name__)
FETCH_SECONDS = 5.0
"""Between two times that the server is asked for a block that is missing here."""
Fetch = Callable[[int], Awaitable[Sequence[CertifiedBlock]]]
"""Blocks from this height on from the server, none if it has none; it may raise a ``GenTorrentError``."""


class CommitteeChain:
    """:meth:`replay` comes first, then :meth:`run`."""

    def __init__(
        self,
        state: ChainState,
        store: CommitteeStore,
        *,
        decided: Callable[[ChainState, bytes], None],
        records_of: Callable[[bytes], Sequence[SignedRecord]],
        fetch: Fetch | None = None,
    ) -> None:
        """``state``: before the first block; ``store`` leads on from it. ``decided`` hears of each block and the state
        after it; ``records_of``: the evidence that a block names, as far as it is here."""
        self.state = state
        self._store = store
        self._decided = decided
        self._records_of = records_of
        self._fetch = fetch
        self._behind = asyncio.Event()
        self._behind.set()
        self._checkpoint_at = 0
        self._checkpoint_due = asyncio.Event()
        self.has_asked = fetch is None
        """Whether the server was asked for blocks since the start."""
        self.refused: Counter[str] = Counter()
        self.grown: Callable[[CertifiedBlock, bool], None] = lambda block, changed: None
        """A block was taken; ``changed``: by others than before is decided now."""
        self.asked: Callable[[], None] = lambda: None
        """The server was asked for the first time."""
        self.notice: Callable[[str], None] = logger.warning
        """What the owner of this machine should know."""

    def replay(self) -> Iterator[int]:
        """Follow the chain that is on the disk from the newest checkpoint on, a block (its height) a step."""
        count = self._store.load()
        self._from_checkpoint()
        yield self.state.height
        while self.state.height < count and self._next_kept():
            yield self.state.height

    def is_missing_blocks(self) -> None:
        """Others are at a later height: the server is asked for what leads there."""
        self._behind.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.keep_up())
            tasks.create_task(self._keep_checkpoints())

    async def keep_up(self) -> None:
        """Fetch what is missing from the server: at the start, and when members are at a later height."""
        while True:
            await self._behind.wait()
            self._behind.clear()
            try:
                while self._fetch is not None:
                    blocks = await self._fetch(self.state.height + 1)
                    if not blocks or not await self._follow(blocks):
                        break
                if not self.has_asked:
                    self.has_asked = True
                    self.asked()
            except GenTorrentError as error:
                logger.info("no block was fetched: %s", error)
            await asyncio.sleep(FETCH_SECONDS)

    def append(self, block: CertifiedBlock) -> bool:
        """Take the next block, from wherever it comes; False if it does not follow."""
        try:
            state = check_certified(self.state, block)
        except VerificationError as error:
            self._refuse(error)
            return False
        self._take(block, state)
        return True

    # -------------------------------------------------------------------------------------------------- what was kept

    def _from_checkpoint(self) -> None:
        data = self._store.checkpoint()
        if data is None:
            return
        try:
            certified = self._store.block(height_of(data))
            self.state = open_checkpoint(data, self.state, certified)
        except VerificationError as error:
            logger.warning("all kept blocks are checked again: %s", error)
            return
        self._checkpoint_at = self.state.height
        if certified is not None:
            self._decided(self.state, certified.block)

    def _next_kept(self) -> bool:
        """Take one more of the kept blocks; what does not follow is dropped, with all behind it."""
        height = self.state.height + 1
        block = self._store.block(height)
        try:
            if block is None:
                raise VerificationError("it cannot be read")
            self.state = check_certified(self.state, block)
        except VerificationError as error:
            logger.warning("kept blocks are left out from height %d on: %s", height, error)
            self._store.keep(height - 1)
            return False
        self._decided(self.state, block.block)
        return True

    async def _keep_checkpoints(self) -> None:
        """After every so many blocks, in a thread."""
        self._look_at_checkpoint()
        while True:
            await self._checkpoint_due.wait()
            self._checkpoint_due.clear()
            state = self.state
            try:
                await asyncio.to_thread(self._keep_checkpoint, state)
            except StorageError as error:
                logger.warning("the chain will be replayed from an older checkpoint: %s", error)
            self._checkpoint_at = state.height

    def _keep_checkpoint(self, state: ChainState) -> None:
        self._store.keep_checkpoint(make_checkpoint(state))

    def _look_at_checkpoint(self) -> None:
        if self.state.height >= self._checkpoint_at + EVERY:
            self._checkpoint_due.set()

    # ------------------------------------------------------------------------------------------------------- new blocks

    async def _follow(self, blocks: Sequence[CertifiedBlock]) -> bool:
        """Take blocks that were fetched, each checked in a thread; False where one does not follow."""
        for block in blocks:
            before = self.state
            try:
                state = await asyncio.to_thread(check_certified, before, block)
            except VerificationError as error:
                self._refuse(error)
                return False
            if self.state is before:  # members may have brought it meanwhile
                self._take(block, state)
        return True

    def _refuse(self, error: VerificationError) -> None:
        self.refused["refused block"] += 1
        logger.debug("a block of height %d is refused: %s", self.state.height + 1, error)

    def _take(self, block: CertifiedBlock, state: ChainState) -> None:
        """The next block has been checked, and leads to this state."""
        try:
            self._store.append(state.height, block, self._records_of(block.block))
        except StorageError as error:
            self.notice(say("committee.not_kept", problem=said_by(error)))
        changed = state.members != self.state.members
        self.state = state
        self._decided(state, block.block)
        self._look_at_checkpoint()
        self.grown(block, changed)
