"""The committee's blocks at the server: checked by replaying them from the genesis, appended, served.

What follows from a block (who stands how) is kept in memory; at a start it is made anew from the newest checkpoint and
the blocks behind it, in a thread, while everything else is served already.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable

from engine.bootstrap.chain.answers import UNKNOWN, ChainAnswer
from engine.bootstrap.chain.store import ChainStore, StoredBlock
from engine.clock import Clock
from engine.directory.genesis import GenesisRecord
from engine.errors import StorageError, VerificationError, WireError
from engine.verification.chain.certificate import check_certificate, check_certified
from engine.verification.chain.checkpoint import EVERY, height_of, make_checkpoint, open_checkpoint
from engine.verification.chain.replay import records_named
from engine.verification.chain.results import MissingRecordError
from engine.verification.chain.state import ChainState, encoded_standings, first_state
from engine.verification.epochs import epoch_at
from engine.verification.signing import digest_of, open_record
from engine.wire.blocks import (
    MAX_CHANGES_SHOWN,
    Block,
    CertifiedBlock,
    ChainRecords,
    SignedStandings,
    block_decoder,
    certified_block_decoder,
    committee_record_decoder,
)
from engine.wire.challenges import Evidence, Unanswered
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord, signed_record_decoder

logger = logging.getLogger("engine.bootstrap")
READ_AT_ONCE = 200
"""Blocks from the disk."""
EVIDENCE_KEPT, EVIDENCE_BYTES = 2_016, 2 * 1024**3
"""Epochs for which evidence can be read, and bytes of it: of more, the oldest goes. Blocks are kept for good."""


class Blocks:
    """:meth:`replay` comes first; until it is through, no block is taken."""

    def __init__(
        self, genesis: GenesisRecord, store: ChainStore, clock: Clock, appended: Callable[[int], None]
    ) -> None:
        """``appended`` hears of each new height."""
        self._genesis = genesis
        self._store = store
        self._clock = clock
        self._appended = appended
        self._state = first_state(genesis)
        self._ready = False
        self._turn = asyncio.Lock()
        self._membership: deque[CertifiedBlock] = deque(maxlen=MAX_CHANGES_SHOWN)  # the last that changed the committee
        self._newest: CertifiedBlock | None = None
        self._checkpoint_at = 0
        self._wanted: frozenset[bytes] = frozenset()  # evidence that a certified block names and that is not here

    @property
    def state(self) -> ChainState:
        """What all blocks have led to."""
        return self._state

    async def replay(self) -> None:
        """Follow the chain that is on the disk; ``StorageError`` if it does not hold, as in a damaged file."""
        async with self._turn:
            await self._begin_at_checkpoint()
            while found := await self._store.certified(self._state.height + 1, READ_AT_ONCE):
                for encoded in found:
                    try:
                        certified = certified_block_decoder.decode(encoded)
                        state = await asyncio.to_thread(check_certified, self._state, certified)
                    except (VerificationError, WireError) as error:
                        raise StorageError(
                            f"Block {self._state.height + 1} of the committee's chain in the database does not follow"
                            f" ({error}). Another version of this program has made it, or the file is damaged."
                            " Go on with that version, or restore the database from a backup; blocks that it lacks are"
                            " brought again."
                        ) from error
                    self._follow(certified, state)
            await self._keep_checkpoint()
            self._ready = True

    async def _begin_at_checkpoint(self) -> None:
        data = await self._store.checkpoint()
        if data is None:
            return
        try:
            height = await asyncio.to_thread(height_of, data)
            newest = await self._block(height)
            state = await asyncio.to_thread(open_checkpoint, data, self._state, newest)
        except (VerificationError, WireError) as error:
            logger.warning("the whole chain is checked again: %s", error)
            return
        changes = [await self._block(one) for one in state.changes[-MAX_CHANGES_SHOWN:]]
        self._membership.extend(one for one in changes if one is not None)
        self._state, self._newest, self._checkpoint_at = state, newest, height

    async def _block(self, height: int) -> CertifiedBlock | None:
        stored = await self._store.block(height)
        return None if stored is None else certified_block_decoder.decode(stored.certified)

    async def _keep_checkpoint(self) -> None:
        """After every so many blocks."""
        state = self._state
        if state.height < self._checkpoint_at + EVERY:
            return
        try:
            await self._store.keep_checkpoint(state.height, await asyncio.to_thread(make_checkpoint, state))
            self._checkpoint_at = state.height
        except StorageError as error:
            logger.warning("the chain will be replayed from an older checkpoint: %s", error)

    def _follow(self, certified: CertifiedBlock, state: ChainState) -> None:
        if state.members != self._state.members:
            self._membership.append(certified)
        self._state, self._newest = state, certified

    # --------------------------------------------------------------------------------------------------------- blocks

    async def take(self, body: bytes) -> ChainAnswer:
        """Append a block; one that is there already is answered as the first time."""
        certified = certified_block_decoder.decode(body)
        block = block_decoder.decode(certified.block)
        async with self._turn:
            if not self._ready:
                return ChainAnswer.says(503, "The server has just started and reads its chain; bring it again soon.")
            if 0 < block.height <= self._state.height:
                return await self._known(block.height, certified)
            if block.height > self._state.height + 1:
                newest = self._state.height
                return ChainAnswer.says(503, f"The newest block here is {newest}; bring the blocks behind it first.")
            return await self._append(certified, block)

    async def _known(self, height: int, certified: CertifiedBlock) -> ChainAnswer:
        stored = await self._store.block(height)
        if stored is not None and stored.digest == hashlib.sha256(certified.block).digest():
            return ChainAnswer.says(200, f"Block {height} is stored.")
        raise VerificationError(f"Another block of height {height} is stored.")

    async def _append(self, certified: CertifiedBlock, block: Block) -> ChainAnswer:
        if block.epoch > epoch_at(self._genesis.genesis, self._clock.wall()):
            return ChainAnswer.says(503, f"Epoch {block.epoch} has not begun by the server's clock; bring it then.")
        before = self._state
        await asyncio.to_thread(  # before anything is looked up for it
            check_certificate,
            certified.certificate,
            certified.block,
            before.height + 1,
            before.members,
            before.network_id,
        )
        records = await self._records(block)
        try:
            state = await asyncio.to_thread(check_certified, self._state, certified, record_of=records.get)
        except MissingRecordError as error:  # its certificate holds: what it names is taken, and nothing else
            self._wanted = frozenset(records_named(block)).difference(records)
            return ChainAnswer.says(503, f"{error} Bring it first.")
        digest = hashlib.sha256(certified.block).digest()
        row = StoredBlock(block.height, block.epoch, digest, encode(certified))
        await self._store.append(row, block.epoch - EVIDENCE_KEPT, EVIDENCE_BYTES)
        self._follow(certified, state)
        self._appended(state.height)
        await self._keep_checkpoint()
        return ChainAnswer.says(200, f"Block {block.height} is stored.")

    async def _records(self, block: Block) -> dict[bytes, SignedRecord]:
        """The evidence that the block names, as far as it is here."""
        found = {digest: await self._store.evidence(digest) for digest in records_named(block)}
        return {digest: signed_record_decoder.decode(one) for digest, one in found.items() if one is not None}

    async def read_head(self) -> ChainAnswer:
        """Where the chain stands."""
        state = self._state
        return ChainAnswer.shows({"height": state.height, "epoch": state.epoch, "digest": state.previous.hex()})

    async def read(self, height: int) -> ChainAnswer:
        """One block."""
        stored = await self._store.block(height)
        return UNKNOWN if stored is None else ChainAnswer(200, stored.certified)

    async def read_from(self, first: int) -> ChainAnswer:
        """Some blocks from height ``first`` on."""
        found = await self._store.certified(first, READ_AT_ONCE)
        return ChainAnswer(200, encode(ChainRecords(records=tuple(found))))

    async def read_committees(self, after: int) -> ChainAnswer:
        """The blocks behind this height that changed the committee, the oldest first."""
        heights = [height for height in self._state.changes if height > after][:MAX_CHANGES_SHOWN]
        found = [await self._store.block(height) for height in heights]
        return ChainAnswer(200, encode(ChainRecords(records=tuple(one.certified for one in found if one is not None))))

    async def read_standings(self) -> ChainAnswer:
        """Everybody's standing after the newest block, with what shows that the committee has agreed on it."""
        state, newest = self._state, self._newest
        if newest is None:
            return ChainAnswer.says(404, "There is no block yet, so nobody has been judged.")
        signed = SignedStandings(
            block=newest,
            standings=encoded_standings(state.height, state.epoch, state.standings),
            membership=tuple(self._membership),
        )
        return ChainAnswer(200, encode(signed))

    # ------------------------------------------------------------------------------------------------------- evidence

    async def take_evidence(self, body: bytes) -> ChainAnswer:
        """What a member has found and the next block names: anything else could be invented by whoever signs it, and
        fill the disk."""
        signed = signed_record_decoder.decode(body)
        record = await asyncio.to_thread(_open, signed, self._genesis.network_id)
        digest = digest_of(signed)
        if digest in self._wanted:
            await self._store.add_evidence(digest, record.epoch, signed)
        elif await self._store.evidence(digest) is None:
            return ChainAnswer.says(503, "No block that was brought names this evidence; bring its block first.")
        return ChainAnswer.says(200, "Kept.")

    async def read_evidence(self, digest: bytes) -> ChainAnswer:
        """One record."""
        found = await self._store.evidence(digest)
        return UNKNOWN if found is None else ChainAnswer(200, found)


def _open(signed: SignedRecord, network_id: bytes) -> Evidence | Unanswered:
    record = committee_record_decoder.decode(signed.record)
    if isinstance(record, Unanswered):
        return open_record(signed, Unanswered, network_id)
    return open_record(signed, Evidence, network_id)
