"""What is brought to the server's chain, checked and stored: batches of receipts, contradictions, openings.

Everything may be brought again: what is stored already is answered as the first time. A reason that will not go away is
HTTP status 422 (409 where the signer contradicts itself), one that will is 429 or 503.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import Protocol

from engine.bootstrap.chain.answers import UNKNOWN, ChainAnswer
from engine.bootstrap.chain.batch_store import BatchStore, NotKept
from engine.bootstrap.chain.blocks import Blocks
from engine.bootstrap.chain.limits import Buckets
from engine.bootstrap.chain.store import Asked, ChainStore
from engine.bootstrap.init import Network
from engine.bootstrap.metrics import Metrics
from engine.clock import Clock
from engine.crypto.identity import node_id_of
from engine.errors import ReceiptError, VerificationError
from engine.ids import NodeId, node_id_text
from engine.verification.batches import check_batch, check_opening, confirm
from engine.verification.chain.claims import OPENING_EPOCHS, sign_missed
from engine.verification.chain.state import HIDDEN_KEPT
from engine.verification.contradictions import check_contradiction
from engine.verification.epochs import epoch_at
from engine.verification.receipts import check_receipt
from engine.wire.blocks import ChainRecords
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction, LeafOpening, OpeningMissed, OpeningWanted, contradiction_decoder
from engine.wire.signed import signed_record_decoder

logger = logging.getLogger("engine.bootstrap")
OLDEST_SECONDS = 14 * 86_400.0
"""Batches of older epochs are not taken: nobody has missed them."""
OPEN_EPOCHS = 288
"""Of batches as old as this a receipt can be asked for; nodes keep them a little longer."""
MISSED_AT_ONCE = 256
"""Hidden receipts that are listed for blocks."""
ASKED_KEPT = OPEN_EPOCHS + HIDDEN_KEPT
"""Epochs for which it is remembered that a receipt was asked for: longer than it could be asked for anew."""
ASKED_AT_ONCE = 16
"""Receipts of one node that wait to be shown."""
CONTRADICTIONS_KEPT = 8
"""Of each kind and signer; one is enough to prove it."""
BATCH_RATE, BATCH_BURST = 0.1, 300.0
"""Batches of one node per second, and after an outage."""


class Server(Protocol):
    """What the chain needs of the server around it."""

    def is_known(self, node_id: NodeId) -> bool:
        """Whether this node has published here."""
        ...

    def tell(self, node_id: NodeId, wanted: OpeningWanted) -> None:
        """Tell a node, if it is here now."""
        ...


class Intake:
    """Of one network with a committee."""

    def __init__(
        self,
        network: Network,
        store: ChainStore,
        batches: BatchStore,
        blocks: Blocks,
        server: Server,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self.store = store
        self._batches = batches
        self._blocks = blocks
        self._genesis = network.genesis
        self._key = network.server
        self._server = server
        self._metrics = metrics
        self._clock = clock
        self._nodes = Buckets(BATCH_RATE, BATCH_BURST)

    def epoch(self, ahead: float = 0.0) -> int:
        """The one that runs now, or in so many seconds."""
        return epoch_at(self._genesis.genesis, self._clock.wall() + ahead)

    # -------------------------------------------------------------------------------------------------------- batches

    async def take_batch(self, body: bytes) -> ChainAnswer:
        """A node's receipts of an epoch that is over; answered with the server's signature."""
        signed = signed_record_decoder.decode(body)
        batch = check_batch(signed, self._genesis.network_id)
        if batch.epoch >= self.epoch():
            return ChainAnswer.says(503, f"Epoch {batch.epoch} is not over by the server's clock; bring it again then.")
        if batch.epoch < self.epoch(-OLDEST_SECONDS):
            raise VerificationError(f"Epoch {batch.epoch} is too long ago; receipts are taken for 14 days.")
        if not self._server.is_known(node_id_of(signed.key)):
            return ChainAnswer.says(503, "This node has not published here yet; bring it again when it has.")
        if not self._nodes.take(signed.key, self._clock.monotonic()):
            return ChainAnswer.says(429, "This node brings batches too often; wait a minute.")
        needed = self.epoch() - ASKED_KEPT
        wanted = min(needed, self.epoch(-OLDEST_SECONDS))
        kept = await self._batches.add(batch, signed, int(self._clock.wall()), needed=needed, wanted=wanted)
        if kept is NotKept.FORGOTTEN:
            raise VerificationError(f"Epoch {batch.epoch} is too long ago; its receipts are not kept any more.")
        if kept is NotKept.FULL:
            return ChainAnswer.says(503, "The server has as many batches as it keeps; bring it again later.")
        if kept.signed.record != signed.record:
            await self._contradict(Contradiction(first=kept.signed, second=signed))
            return ChainAnswer.says(
                409,
                f"Another batch of epoch {batch.epoch} is stored; two of one epoch are a contradiction, which is kept.",
            )
        word = confirm(self._key, batch, hashlib.sha256(kept.signed.record).digest(), kept.stored)
        return ChainAnswer(200, encode(word))

    async def read_batches(self, epoch: int) -> ChainAnswer:
        """All of an epoch."""
        return ChainAnswer(200, encode(ChainRecords(records=tuple(await self._batches.of_epoch(epoch)))))

    # ------------------------------------------------------------------------------------------------- contradictions

    async def take_contradiction(self, body: bytes) -> ChainAnswer:
        """Two records that somebody must not have signed both; whoever brings them. What a stranger has signed twice
        harms nobody, and could fill the disk."""
        shown = contradiction_decoder.decode(body)
        if not self._is_somebody(shown.first.key):
            raise VerificationError("Neither a member of the committee nor a node that has published here signed this.")
        kind = await self._contradict(shown)
        return ChainAnswer.says(200, f"Kept: {kind}.")

    def _is_somebody(self, key: bytes) -> bool:
        state, node = self._blocks.state, node_id_of(key)
        return key in state.members or node in state.standings or self._server.is_known(node)

    async def _contradict(self, shown: Contradiction) -> str:
        found = await asyncio.to_thread(check_contradiction, shown, self._genesis.network_id)
        await self.store.add_contradiction(found, shown, int(self._clock.wall()), CONTRADICTIONS_KEPT)
        self._metrics.contradictions.labels(found.kind).inc()
        return found.text

    async def read_contradictions(self, after: int) -> ChainAnswer:
        """Behind the first ``after`` of them, oldest first."""
        found = await self.store.contradictions(after)
        return ChainAnswer(200, encode(ChainRecords(records=tuple(shown for _, shown in found))))

    # ------------------------------------------------------------------------------------------------------- openings

    async def ask_opening(self, body: bytes) -> ChainAnswer:
        """Somebody holds a final receipt (``SignedRecord`` of it) and wants to see it in its node's batch."""
        signed = signed_record_decoder.decode(body)
        try:
            receipt = check_receipt(signed.record, signed.signature, self._genesis.network_id)
        except ReceiptError as error:
            raise VerificationError(str(error)) from error
        if receipt.node_key != signed.key or not receipt.final:
            raise VerificationError("Only a final receipt, with its node's key, must be in a batch.")
        epoch = epoch_at(self._genesis.genesis, receipt.issued)
        if epoch >= self.epoch() or epoch < self.epoch() - OPEN_EPOCHS:
            raise VerificationError(f"A receipt can be asked for in the {OPEN_EPOCHS} epochs behind its own, not now.")
        digest, node = hashlib.sha256(signed.record).digest(), NodeId(receipt.node_id)
        asked = Asked(digest, node, epoch, self.epoch(), signed=signed)
        if not self._server.is_known(asked.node_id):
            raise VerificationError("The receipt's node is not known here.")
        now = self.epoch()
        known = await self.store.ask(asked, ASKED_AT_ONCE, now - ASKED_KEPT, now - HIDDEN_KEPT)
        if known is None:
            return ChainAnswer.says(429, "This node has to show many receipts already; ask again in the next epoch.")
        if not known.shown:
            self._server.tell(known.node_id, OpeningWanted(epoch=known.epoch, receipt=known.receipt))
        return self._shown(known)

    async def read_opening(self, receipt: bytes) -> ChainAnswer:
        """How it stands with a receipt (its SHA-256) that somebody wanted to see."""
        known = await self.store.asked(receipt)
        return UNKNOWN if known is None else self._shown(known)

    def _shown(self, asked: Asked) -> ChainAnswer:
        over = self.epoch() > asked.asked + OPENING_EPOCHS
        missed = "away" if asked.seen is None else "hidden"
        state = "opened" if asked.shown else missed if over else "asked"
        return ChainAnswer.shows({"state": state, "epoch": asked.epoch, "asked": asked.asked})

    async def wanted_of(self, node_id: NodeId) -> list[OpeningWanted]:
        """What a node that has just come has to show."""
        wanted = await self.store.wanted_of(node_id, self.epoch() - OPENING_EPOCHS)
        return [OpeningWanted(epoch=asked.epoch, receipt=asked.receipt) for asked in wanted]

    async def take_opening(self, node_id: NodeId, key: bytes, opening: LeafOpening) -> None:
        """A node shows a receipt; :class:`VerificationError` if that is not what was asked."""
        digest = hashlib.sha256(opening.receipt).digest()
        asked = await self.store.asked(digest)
        if asked is None or asked.node_id != node_id:
            raise VerificationError("nobody has asked this node for that receipt")
        if asked.shown or self.epoch() > asked.asked + OPENING_EPOCHS:
            return
        for epoch in (asked.epoch, asked.epoch + 1):
            batch = await self._batches.batch(key, epoch)
            if batch is not None and hashlib.sha256(batch).digest() == opening.batch:
                check_opening(opening, batch, digest)
                await self.store.opened(digest)
                return
        raise VerificationError("the opening is of a batch that was not submitted for its epoch")

    async def read_hidden(self) -> ChainAnswer:
        """The ids of the nodes that have not shown in time what they had to, and were there."""
        found = await self.store.hidden(self.epoch() - OPENING_EPOCHS)
        return ChainAnswer.shows({"hidden": [node_id_text(node) for node in sorted(found)]})

    async def read_missed(self) -> ChainAnswer:
        """The same with the server's signature, one for each receipt, while blocks can name them."""
        now = self.epoch()
        found = await self.store.missed(now - HIDDEN_KEPT, now - OPENING_EPOCHS, MISSED_AT_ONCE)
        said = [self._missed(one) for one in found]
        records = await asyncio.to_thread(lambda: [encode(sign_missed(self._key, one)) for one in said])
        return ChainAnswer(200, encode(ChainRecords(records=tuple(records))))

    def _missed(self, asked: Asked) -> OpeningMissed:
        signed, seen = asked.signed, asked.seen
        assert signed is not None
        assert seen is not None
        return OpeningMissed(
            network_id=self._genesis.network_id,
            node_id=asked.node_id,
            receipt=signed.record,
            receipt_signature=signed.signature,
            asked=asked.asked,
            batch=seen,
        )
