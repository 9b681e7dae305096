"""Contradictions: two records by one key of which an honest holder signs only one. Whoever has both can show them.

A node's contradiction has effect for everybody, because nobody but the node can have made it. So everything here asks
what an honest node can be brought to sign: two receipts count only if they are about the very same request.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from engine.crypto.identity import node_id_of, verify
from engine.errors import SignatureError, VerificationError, WireError
from engine.ids import NetworkId, NodeId
from engine.verification import batches, receipts
from engine.verification.quorums import VOTE_PURPOSE
from engine.wire.answer import Receipt
from engine.wire.blocks import Proposal, Vote
from engine.wire.codec import Decoder, encode
from engine.wire.receipts import Contradiction, ReceiptBatch
from engine.wire.signed import MAX_RECORD, SignedRecord

OF_NODES = ("receipt", "batch")
"""What a node says as one that answers; members of the committee contradict themselves as members."""
PROPOSAL_PURPOSE = "committee-proposal"
Contradictable = Receipt | ReceiptBatch | Vote | Proposal
_decoder: Decoder[Contradictable] = Decoder(Receipt | ReceiptBatch | Vote | Proposal, MAX_RECORD)
_PURPOSES: dict[type[Contradictable], str] = {
    Receipt: receipts.PURPOSE,
    ReceiptBatch: batches.PURPOSE,
    Vote: VOTE_PURPOSE,
    Proposal: PROPOSAL_PURPOSE,
}


@dataclass(frozen=True, slots=True)
class Contradicted:
    """What was found. ``kind``: "receipt", "batch", "vote" or "proposal"; ``digest`` is the same however the two
    records are ordered, and another for each signer: votes do not name theirs."""

    key: bytes
    kind: str
    digest: bytes
    text: str

    @property
    def node_id(self) -> NodeId:
        """Who signed both."""
        return node_id_of(self.key)


def check_contradiction(shown: Contradiction, network_id: NetworkId) -> Contradicted:
    """What two records prove; :class:`VerificationError` says why they prove nothing."""
    if shown.first.key != shown.second.key:
        raise VerificationError("The two records are signed by different keys, so nobody contradicts itself.")
    if shown.first.record == shown.second.record:
        raise VerificationError("The two records are the same.")
    first, second = _read(shown.first, network_id), _read(shown.second, network_id)
    if type(first) is not type(second):
        raise VerificationError("The two records are of different kinds, so they do not contradict each other.")
    text = _difference(first, second)
    if not text:
        raise VerificationError("The two records do not contradict each other: an honest signer may sign both.")
    both = sorted(hashlib.sha256(one.record).digest() for one in (shown.first, shown.second))
    kind = {Receipt: "receipt", ReceiptBatch: "batch", Vote: "vote", Proposal: "proposal"}[type(first)]
    return Contradicted(shown.first.key, kind, hashlib.sha256(shown.first.key + b"".join(both)).digest(), text)


def _read(signed: SignedRecord, network_id: NetworkId) -> Contradictable:
    try:
        record = _decoder.decode(signed.record)
        verify(signed.key, _PURPOSES[type(record)], network_id, signed.signature, signed.record)
    except (WireError, SignatureError) as error:
        raise VerificationError(f"One of the two records is refused: {error}.") from error
    named = record.node_key if isinstance(record, Receipt | ReceiptBatch) else signed.key
    if record.network_id != network_id or named != signed.key:
        raise VerificationError("One of the two records names another network or another key than the one that signed.")
    return record


def _difference(first: Contradictable, second: Contradictable) -> str:
    match first, second:
        case ReceiptBatch(), ReceiptBatch() if first.epoch == second.epoch:
            return f"two batches of receipts for epoch {first.epoch}"
        case Vote(), Vote() if _place(first) == _place(second) and first.digest != second.digest:
            return f"two votes in round {first.round} at height {first.height}"
        case Proposal(), Proposal() if _round(first) == _round(second):
            return f"two proposals in round {first.round} at height {first.height}"
        case Receipt(), Receipt():
            return _receipts_differ(first, second)
        case _:
            return ""


def _place(vote: Vote) -> tuple[int, int, bool]:
    return vote.height, vote.round, vote.precommit


def _round(proposal: Proposal) -> tuple[int, int]:
    return proposal.height, proposal.round


def _receipts_differ(first: Receipt, second: Receipt) -> str:
    """A node runs an attempt of a request once, so its receipts grow: none takes back what another one has said."""
    if _attempt(first) != _attempt(second):
        return ""
    if _fixed(first) != _fixed(second):
        return "two receipts of one attempt that name different prompts, models or settings"
    earlier, later = sorted((first, second), key=lambda one: (one.last, one.final))
    if earlier.final:
        return "two final receipts of one attempt"
    if earlier.last == later.last and earlier.output_commitment != later.output_commitment:
        return "two receipts of one attempt with different tokens"
    return ""


def _attempt(receipt: Receipt) -> tuple[bytes, bytes, int, int]:
    """The commitment is part of it: who reuses another request's id cannot make its node contradict itself."""
    return receipt.request_id, receipt.request_commitment, receipt.attempt, receipt.first


def _fixed(receipt: Receipt) -> tuple[object, ...]:
    return (
        receipt.model_id,
        receipt.model_digest,
        receipt.tokenizer_digest,
        receipt.sampler,
        receipt.seed,
        receipt.prompt_commitment,
        receipt.prompt_tokens,
    )


def encoded(shown: Contradiction) -> bytes:
    """With the lesser record first, so that the same two are the same bytes."""
    first, second = sorted((shown.first, shown.second), key=lambda one: one.record)
    return encode(Contradiction(first=first, second=second))
