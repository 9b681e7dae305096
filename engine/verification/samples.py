"""Users' samples: receipts of answers that somebody doubts, for which verifiers may look at their signers sooner.

A sample is the receipt and nothing else: no prompt, no answer, no key of its commitments. It is evidence of nothing:
no block ever contains one, and no reputation follows from one. What it does is in
``engine.verification.challenges.duties`` (:func:`~engine.verification.challenges.duties.may_check`).
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.crypto.identity import Identity, verify
from engine.directory import CLOCK_SKEW_SECONDS
from engine.errors import ReceiptError, SignatureError, VerificationError, WireError
from engine.ids import NodeId
from engine.sentences import say
from engine.verification.epochs import epoch_at, epoch_begins
from engine.verification.receipts import check_receipt
from engine.verification.signing import verify_once
from engine.wire.codec import encode
from engine.wire.receipts import SamplesWanted, samples_wanted_decoder
from engine.wire.records import Genesis
from engine.wire.signed import SignedRecord, signed_record_decoder

WANTED_PURPOSE = "samples-wanted"
SAMPLE_EPOCHS = 36
"""So many epochs behind its receipt a sample counts: of ten nodes that it is about, one is not checked in them."""
WANTED_SECONDS = 120.0
"""A member's wish to read samples holds so long before and behind its time."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Of a node's answer that was signed for in ``epoch``."""

    node_id: NodeId
    epoch: int
    signed: SignedRecord


def read_sample(data: bytes) -> SignedRecord:
    """The signed receipt in what was sent as a sample; :class:`VerificationError` if there is none."""
    try:
        return signed_record_decoder.decode(data)
    except WireError as error:
        raise VerificationError(f"The sample cannot be read: {error}.") from error


def check_sample(signed: SignedRecord, genesis: Genesis, network_id: bytes, now: float) -> Sample:
    """A sample that counts now (seconds since 1970); :class:`VerificationError` says why it does not."""
    try:
        receipt = check_receipt(signed.record, signed.signature, network_id, verify_once)
    except ReceiptError as error:
        raise VerificationError(f"The sample's receipt does not hold: {error}") from error
    if receipt.node_key != signed.key:
        raise VerificationError("The sample names another key than that of the node that signed its receipt.")
    epoch = epoch_at(genesis, receipt.issued)
    if epoch > epoch_at(genesis, now + CLOCK_SKEW_SECONDS):  # it would count for longer
        raise VerificationError("The sample's receipt is dated in the future.")
    oldest = max(0, epoch_at(genesis, now) - SAMPLE_EPOCHS)
    if epoch < oldest or receipt.issued < epoch_begins(genesis, oldest) - CLOCK_SKEW_SECONDS:
        raise VerificationError(say("sample.too_old"))
    return Sample(NodeId(receipt.node_id), epoch, signed)


def sign_wanted(member: Identity, network_id: bytes, now: float) -> SignedRecord:
    """A member's wish to read samples."""
    record = encode(SamplesWanted(network_id=network_id, member=member.public_key, asked=int(now)))
    return SignedRecord(record=record, key=member.public_key, signature=member.sign(WANTED_PURPOSE, network_id, record))


def check_wanted(signed: SignedRecord, members: tuple[bytes, ...], network_id: bytes, now: float) -> None:
    """Whether a present member has asked just now; :class:`VerificationError` if not."""
    try:
        wanted = samples_wanted_decoder.decode(signed.record)
    except WireError as error:
        raise VerificationError(f"The wish to read samples cannot be read: {error}.") from error
    if wanted.network_id != network_id or wanted.member != signed.key or wanted.member not in members:
        raise VerificationError("Samples are read by members of the committee alone.")
    if abs(wanted.asked - now) > WANTED_SECONDS:
        raise VerificationError("The wish to read samples is not of now; a clock is wrong, or somebody repeats it.")
    try:
        verify(signed.key, WANTED_PURPOSE, network_id, signed.signature, signed.record)
    except SignatureError as error:
        raise VerificationError("The wish to read samples is not signed by the member that it names.") from error
