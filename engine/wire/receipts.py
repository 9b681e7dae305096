"""What model nodes and the bootstrap server say to each other of receipts, and who contradicts itself; what newcomers
pay (numbers 141 to 148, 152, 154).

How it goes is told in docs/verification.md.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import Decoder, Id16, Id20, Key32, Message, Signature, UInt8, UInt32, UInt53
from engine.wire.signed import MAX_RECORD, SignedRecord


class ReceiptBatch(Message, frozen=True, tag=141):
    """What a model node answered in one epoch, submitted to the server (purpose ``receipt-batch``). ``root``: of the
    Merkle tree over the SHA-256 of its final receipts in the order of signing, and after them as many leaves that mean
    nothing as make a power of two of them, which ``receipts`` is; ``tokens`` is rounded up to one."""

    network_id: Key32
    node_key: Key32
    epoch: UInt53
    root: Key32
    receipts: UInt53
    tokens: UInt53


class LeafOpening(Message, frozen=True, tag=142):
    """One receipt of a batch with its way to the root."""

    batch: Key32  # SHA-256 of the encoded batch
    receipt: Annotated[bytes, Meta(max_length=4096)]
    receipt_signature: Signature
    index: UInt32
    path: Annotated[tuple[Key32, ...], Meta(max_length=32)]


class BatchStored(Message, frozen=True, tag=147):
    """The server has this batch (SHA-256 of the encoded one) on its disk (purpose ``batch-stored``)."""

    network_id: Key32
    node_id: Id20
    epoch: UInt53
    batch: Key32
    stored: UInt53


class OpeningWanted(Message, frozen=True, tag=148):
    """Server to node: show that your batch of this epoch, or of the one behind it, has the receipt with this
    SHA-256."""

    epoch: UInt53
    receipt: Key32


class OpeningMissed(Message, frozen=True, tag=154):
    """The server has asked a node in epoch ``asked`` to show a final receipt in its batch, and has not got it in the
    two epochs behind (purpose ``opening-missed``, by a key of the genesis). ``receipt`` and its signature are the
    node's; so is ``batch``, of one of the two epochs: who signed receipts in them was there, and could have shown
    it."""

    network_id: Key32
    node_id: Id20
    receipt: Annotated[bytes, Meta(max_length=4096)]
    receipt_signature: Signature
    asked: UInt53
    batch: SignedRecord


class Contradiction(Message, frozen=True, tag=143):
    """Two records that nobody may sign both, by one key: two batches of one epoch, two receipts of one attempt that
    differ, two votes of one round, two proposals of one round."""

    first: SignedRecord
    second: SignedRecord


class WorkChallenge(Message, frozen=True, tag=144):
    """Server to a newcomer: find a ``solution`` so that SHA-256 over ``gentorrent/proof-of-work/v1``, network id, node
    key, salt and solution begins with so many zero bits."""

    salt: Id16
    bits: UInt8
    expires: UInt53


class WorkSolution(Message, frozen=True, tag=146):
    """Newcomer to server, in its ``Publish``: the challenge and what solves it."""

    challenge: WorkChallenge
    solution: UInt53


class SamplesWanted(Message, frozen=True, tag=152):
    """A member of the committee wants to know which nodes users doubt (purpose ``samples-wanted``)."""

    network_id: Key32
    member: Key32
    asked: UInt53  # seconds since 1970


receipt_batch_decoder: Decoder[ReceiptBatch] = Decoder(ReceiptBatch)
leaf_opening_decoder: Decoder[LeafOpening] = Decoder(LeafOpening)
batch_stored_decoder: Decoder[BatchStored] = Decoder(BatchStored)
opening_missed_decoder: Decoder[OpeningMissed] = Decoder(OpeningMissed)
samples_wanted_decoder: Decoder[SamplesWanted] = Decoder(SamplesWanted)
contradiction_decoder: Decoder[Contradiction] = Decoder(Contradiction, 3 * MAX_RECORD)
work_challenge_decoder: Decoder[WorkChallenge] = Decoder(WorkChallenge)
work_solution_decoder: Decoder[WorkSolution] = Decoder(WorkSolution)
