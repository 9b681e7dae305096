"""Receipt batches: what a model node commits to for an epoch, and how a single receipt of it is shown.

A batch names no conversation: a root, and two numbers rounded up to powers of two. Behind the receipts come leaves that
mean nothing, so that neither the number of leaves nor a path says how many receipts there were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from engine.crypto.identity import Identity, node_id_of, verify
from engine.crypto.merkle import inclusion_path, is_included, merkle_root
from engine.crypto.symmetric import constant_time_equal
from engine.directory.genesis import GenesisRecord
from engine.errors import ReceiptError, SignatureError, VerificationError, WireError
from engine.ids import NetworkId, NodeId
from engine.verification.receipts import check_receipt
from engine.wire.answer import Receipt
from engine.wire.codec import encode
from engine.wire.receipts import BatchStored, LeafOpening, ReceiptBatch, batch_stored_decoder, receipt_batch_decoder
from engine.wire.signed import SignedRecord

PURPOSE = "receipt-batch"
STORED_PURPOSE = "batch-stored"
MAX_RECEIPTS = 1 << 18
"""Of one batch; more than a node keeps."""
SALT_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt as it lies on the disk of the node that signed it."""

    record: bytes
    signature: bytes

    @property
    def digest(self) -> bytes:
        """The leaf: SHA-256 of the record."""
        return hashlib.sha256(self.record).digest()


def rounded_up(count: int) -> int:
    """The least power of two that is no less than ``count``; 0 for 0."""
    return 1 << (count - 1).bit_length() if count > 0 else 0


def leaves(digests: Sequence[bytes], salt: bytes) -> list[bytes]:
    """The leaves of a batch: the receipts' digests, then what fills them up to a power of two; ``salt`` is secret."""
    filling = (
        hashlib.sha256(b"gentorrent/batch-filling/v1" + salt + place.to_bytes(8, "big")).digest()
        for place in range(len(digests), rounded_up(len(digests)))
    )
    return [*digests, *filling]


def make_batch(
    identity: Identity, network_id: NetworkId, epoch: int, digests: Sequence[bytes], tokens: int, salt: bytes
) -> SignedRecord:
    """The signed batch of ``digests`` (1 to ``MAX_RECEIPTS``), in the order of signing."""
    batch = ReceiptBatch(
        network_id=network_id,
        node_key=identity.public_key,
        epoch=epoch,
        root=merkle_root(leaves(digests, salt)),
        receipts=rounded_up(len(digests)),
        tokens=rounded_up(tokens),
    )
    record = encode(batch)
    return SignedRecord(record=record, key=identity.public_key, signature=identity.sign(PURPOSE, network_id, record))


def check_batch(signed: SignedRecord, network_id: NetworkId) -> ReceiptBatch:
    """The batch that its node really signed for this network; :class:`VerificationError` with the reason otherwise."""
    try:
        batch = receipt_batch_decoder.decode(signed.record)
        verify(signed.key, PURPOSE, network_id, signed.signature, signed.record)
    except (WireError, SignatureError) as error:
        raise VerificationError(f"The batch of receipts is refused: {error}.") from error
    if not constant_time_equal(batch.network_id, network_id) or not constant_time_equal(batch.node_key, signed.key):
        raise VerificationError("The batch of receipts names another network or another node than the one that signed.")
    rounded = batch.receipts == rounded_up(batch.receipts) and batch.tokens == rounded_up(batch.tokens)
    if not rounded or not 1 <= batch.receipts <= MAX_RECEIPTS:
        raise VerificationError(
            f"The batch of receipts counts {batch.receipts} receipts and {batch.tokens} tokens; both must be powers of"
            f" two, the receipts up to {MAX_RECEIPTS}."
        )
    return batch


def confirm(server: Identity, batch: ReceiptBatch, digest: bytes, stored: int) -> SignedRecord:
    """The server's word that it has a batch; ``digest`` is the SHA-256 of its record. The same arguments give the same
    bytes."""
    record = encode(
        BatchStored(
            network_id=batch.network_id,
            node_id=node_id_of(batch.node_key),
            epoch=batch.epoch,
            batch=digest,
            stored=stored,
        )
    )
    signature = server.sign(STORED_PURPOSE, batch.network_id, record)
    return SignedRecord(record=record, key=server.public_key, signature=signature)


def check_confirmation(signed: SignedRecord, genesis: GenesisRecord, node_id: NodeId, batch: bytes) -> BatchStored:
    """``signed``, if a server of this network says in it that it has this batch (its encoded bytes) of this node;
    :class:`VerificationError` otherwise."""
    try:
        stored = batch_stored_decoder.decode(signed.record)
        verify(signed.key, STORED_PURPOSE, genesis.network_id, signed.signature, signed.record)
    except (WireError, SignatureError) as error:
        raise VerificationError(f"The server's word for a batch is refused: {error}.") from error
    if signed.key not in genesis.genesis.server_keys:
        raise VerificationError("The word for a batch is signed by a key that the genesis file does not name.")
    said = (stored.network_id, stored.node_id, stored.batch)
    if said != (genesis.network_id, node_id, hashlib.sha256(batch).digest()):
        raise VerificationError("The server's word is for another batch than the one it was sent.")
    return stored


def open_leaf(batch: bytes, receipts: Sequence[Kept], index: int, salt: bytes) -> LeafOpening:
    """Show receipt ``index`` of a batch (its encoded bytes) that was made of these."""
    path = inclusion_path(leaves([kept.digest for kept in receipts], salt), index)
    return LeafOpening(
        batch=hashlib.sha256(batch).digest(),
        receipt=receipts[index].record,
        receipt_signature=receipts[index].signature,
        index=index,
        path=path,
    )


def check_opening(opening: LeafOpening, batch: bytes, wanted: bytes) -> Receipt:
    """The receipt that an opening shows in ``batch`` (checked before), if it is the one with SHA-256 ``wanted``;
    :class:`VerificationError` otherwise."""
    known = receipt_batch_decoder.decode(batch)
    if not constant_time_equal(opening.batch, hashlib.sha256(batch).digest()):
        raise VerificationError("The opening is of another batch.")
    try:
        receipt = check_receipt(opening.receipt, opening.receipt_signature, known.network_id)
    except ReceiptError as error:
        raise VerificationError(f"The opening shows no receipt that holds: {error}") from error
    leaf = hashlib.sha256(opening.receipt).digest()
    if receipt.node_key != known.node_key or not constant_time_equal(leaf, wanted):
        raise VerificationError("The opening shows another receipt than the one that was asked for.")
    if not is_included(known.root, known.receipts, leaf, opening.index, opening.path):
        raise VerificationError("The receipt is not in the batch: its path does not lead to the root.")
    return receipt
