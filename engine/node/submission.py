"""A model node's receipts on their way to the server: kept on disk, one signed batch per epoch, brought until the
server says that it has it. Only where the network has a committee."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
from collections import deque
from collections.abc import Callable, Collection

import aiohttp

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.directory.genesis import GenesisRecord
from engine.errors import BootstrapUnreachableError, StorageError, VerificationError, WireError
from engine.sentences import said_by, say
from engine.storage.receipt_store import ReceiptStore, StoredBatch, StoredReceipt
from engine.transport.bootstrap_http import http_session
from engine.transport.chain_http import send_record
from engine.verification.batches import SALT_LENGTH, Kept, check_confirmation, make_batch, open_leaf
from engine.verification.epochs import epoch_at
from engine.verification.receipts import execution_name
from engine.wire.answer import receipt_decoder
from engine.wire.codec import encode
from engine.wire.receipts import LeafOpening, OpeningWanted
from engine.wire.signed import SignedRecord, signed_record_decoder

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How often it is looked whether an epoch is over; in short epochs four times each."""
FLUSH_SECONDS = 5.0
"""What a power failure can lose at most."""
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
MAXIMUM_WANTED = 64
"""Receipts that the server wants to see at once; it asks again for others."""
OPEN_EPOCHS = 300
"""So long receipts are kept for those who ask to see one."""


class Submission:
    """Own it with :meth:`run`; :meth:`keep` takes each receipt as it is signed."""

    def __init__(
        self,
        identity: Identity,
        genesis: GenesisRecord,
        store: ReceiptStore,
        clock: Clock,
        url: Callable[[], str],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """``url``: of the server that is used now."""
        self._identity = identity
        self._genesis = genesis
        self._store = store
        self._clock = clock
        self._url = url
        self._random_bytes = random_bytes
        self._look_again = asyncio.Event()
        self._next_try, self._retry = clock.monotonic(), FIRST_RETRY
        self._sealed = -1
        self._flushed = clock.monotonic()
        self._dirty = False
        self._problem = ""
        self.server_time: Callable[[], float] = lambda: math.inf
        """Seconds since 1970 by what the server has signed. A batch is signed when the epoch is over by it and by this
        machine's clock: one of them may be wrong, and what is signed later of that epoch would be in no batch."""
        self.running: Callable[[], Collection[bytes]] = list
        """The names of the executions that will sign more."""
        self.notice: Callable[[str], None] = lambda _: None
        self.changed: Callable[[], None] = lambda: None
        self.show: Callable[[LeafOpening], object] = lambda _: None
        self._wanted: deque[OpeningWanted] = deque(maxlen=MAXIMUM_WANTED)
        self.waiting = self.confirmed = 0
        """Batches that the server has not got yet, and those that it has confirmed."""

    @property
    def problem(self) -> str:
        """What is wrong with the disk or the server, for people; empty when nothing is."""
        lost = self._store.lost
        said = f"{lost} receipts found no place on the disk or in memory and are not counted." if lost else ""
        return " ".join(part for part in (self._store.problem or self._problem, said) if part)

    def keep(self, record: bytes, signature: bytes) -> None:
        """A receipt was signed; it is written down before this returns, if the disk takes it."""
        receipt = receipt_decoder.decode(record)
        name = execution_name(receipt.request_id, receipt.attempt, receipt.first)
        epoch = epoch_at(self._genesis.genesis, receipt.issued)
        self._store.keep(epoch, StoredReceipt(name, record, signature, receipt.completion_tokens))
        self._dirty = True

    async def run(self) -> None:
        """Until cancelled."""
        look = min(LOOK_SECONDS, self._genesis.parameters.epoch_seconds / 4)
        async with http_session() as session:
            while True:
                told = (self.problem, self.waiting, self.confirmed)
                await self._turn(session)
                if (self.problem, self.waiting, self.confirmed) != told:
                    self.changed()
                self._look_again.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(look):
                        await self._look_again.wait()

    async def _turn(self, session: aiohttp.ClientSession) -> None:
        try:
            while self._wanted:
                opening = await asyncio.to_thread(self.open, self._wanted.popleft())
                if opening is not None:
                    self.show(opening)
            await self._write()
            if self.waiting and self._clock.monotonic() >= self._next_try:
                await self._bring(session)
                self._retry = FIRST_RETRY
        except StorageError as error:
            self._problem = str(error)
        except BootstrapUnreachableError as error:
            self._problem = (
                f"The server does not take the receipts of {self.waiting} epochs ({error}). They are on the disk, and"
                " it is tried again."
            )
            self._next_try = self._clock.monotonic() + self._retry
            self._retry = min(LAST_RETRY, 2 * self._retry)

    def want(self, wanted: OpeningWanted) -> None:
        """The server wants to see a receipt; what is found goes to ``show``."""
        self._wanted.append(wanted)
        self._look_again.set()

    def look_again(self) -> None:
        """The server is back."""
        self._next_try = self._clock.monotonic()
        self._look_again.set()

    def close(self) -> None:
        """Nothing more will be signed."""
        self._store.close()

    # ----------------------------------------------------------------------------------------------------- the disk

    async def _write(self) -> None:
        """Sign the batches of epochs that are over; bring the rest to the disk now and then."""
        over = epoch_at(self._genesis.genesis, min(self._clock.wall(), self.server_time())) - 1
        if over > self._sealed:
            running = list(self.running())
            await asyncio.to_thread(self._store.seal, over, running, self._make)
            await asyncio.to_thread(self._store.forget, over - OPEN_EPOCHS)
            self._sealed, self._dirty = over, False
            self.waiting, self.confirmed = self._store.counts()
        elif self._dirty and self._clock.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._dirty, self._flushed = False, self._clock.monotonic()
            await asyncio.to_thread(self._store.flush)
        self._problem = "" if not self.waiting else self._problem

    def _make(self, epoch: int, receipts: list[StoredReceipt]) -> StoredBatch:
        salt = self._random_bytes(SALT_LENGTH)
        digests = [hashlib.sha256(receipt.record).digest() for receipt in receipts]
        tokens = sum(receipt.tokens for receipt in receipts)
        signed = make_batch(self._identity, self._genesis.network_id, epoch, digests, tokens, salt)
        return StoredBatch(epoch, salt, signed.record, signed.signature)

    # --------------------------------------------------------------------------------------------------- the server

    async def _bring(self, session: aiohttp.ClientSession) -> None:
        """Every batch that waits, the oldest first; ``BootstrapUnreachableError`` when it has to be tried again."""
        for batch in await asyncio.to_thread(self._store.unconfirmed):
            signed = SignedRecord(record=batch.record, key=self._identity.public_key, signature=batch.signature)
            try:
                answer = await send_record(session, self._url(), "/v1/receipts", encode(signed))
            except VerificationError as error:
                await asyncio.to_thread(self._store.refuse, batch.epoch, str(error))
                self.notice(say("receipts.refused", epoch=str(batch.epoch), problem=said_by(error)))
            else:
                self._check(answer, batch)
                await asyncio.to_thread(self._store.confirm, batch.epoch, answer)
            self.waiting, self.confirmed = self._store.counts()
        self._problem = ""

    def _check(self, answer: bytes, batch: StoredBatch) -> None:
        try:
            word = signed_record_decoder.decode(answer)
            check_confirmation(word, self._genesis, self._identity.node_id, batch.record)
        except (VerificationError, WireError) as error:
            raise BootstrapUnreachableError(f"its confirmation does not hold: {error}") from error

    def open(self, wanted: OpeningWanted) -> LeafOpening | None:
        """Show a receipt of the batch of that epoch or of the one behind it; None if there is none such."""
        for epoch in (wanted.epoch, wanted.epoch + 1):
            batch = self._store.batch(epoch)
            kept = [Kept(one.record, one.signature) for one in self._store.receipts(epoch)] if batch else []
            for index, one in enumerate(kept):
                if batch is not None and one.digest == wanted.receipt:
                    return open_leaf(batch.record, kept, index, batch.salt)
        return None
