"""Contradictions: what proves that somebody signed two things, and what an honest node may sign."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification import batches
from engine.verification.contradictions import (
    PROPOSAL_PURPOSE,
    check_contradiction,
    encoded,
)
from engine.verification.quorums import VOTE_PURPOSE
from engine.wire.blocks import Proposal, Vote
from engine.wire.codec import Message, encode
from engine.wire.receipts import Contradiction, ReceiptBatch
from engine.wire.signed import SignedRecord
from tests.support.receipts import NETWORK, NODE, OTHER_NODE, make_request, signed

DIGEST = b"d" * 32
CHANGE = msgspec.structs.replace


def by(owner: Identity, purpose: str, record: Message) -> SignedRecord:
    data = encode(record)
    return SignedRecord(record=data, key=owner.public_key, signature=owner.sign(purpose, NETWORK, data))


def receipt(owner: Identity = NODE, **changes: Any) -> SignedRecord:
    _, record, signature = signed(owner, **changes)
    return SignedRecord(record=record, key=owner.public_key, signature=signature)


def batch(owner: Identity = NODE, **changes: Any) -> SignedRecord:
    fields = {"network_id": NETWORK, "node_key": owner.public_key, "epoch": 3, "root": DIGEST}
    return by(owner, batches.PURPOSE, ReceiptBatch(**({**fields, "receipts": 4, "tokens": 128} | changes)))


def vote(owner: Identity = NODE, **changes: Any) -> SignedRecord:
    fields = {"network_id": NETWORK, "height": 7, "round": 1, "precommit": True, "digest": DIGEST}
    return by(owner, VOTE_PURPOSE, Vote(**(fields | changes)))


def proposal(owner: Identity = NODE, **changes: Any) -> SignedRecord:
    fields = {"network_id": NETWORK, "height": 7, "round": 1, "valid_round": 0, "block": b"block"}
    return by(owner, PROPOSAL_PURPOSE, Proposal(**(fields | changes)))


CONTRADICTIONS = {
    "two batches of an epoch": ("batch", batch(), batch(root=b"e" * 32)),
    "the same root with other numbers": ("batch", batch(), batch(tokens=256)),
    "two votes": ("vote", vote(), vote(digest=b"e" * 32)),
    "a vote and none": ("vote", vote(), vote(digest=b"")),
    "two proposals": ("proposal", proposal(), proposal(block=b"other")),
    "two final receipts": ("receipt", receipt(), receipt(total_ms=900.0)),
    "other tokens, both final": ("receipt", receipt(), receipt(output_ids=(1, 2, 3, 4, 5))),
    "other tokens before the end": (
        "receipt",
        receipt(final=False, output_ids=(5, 6)),
        receipt(final=False, output_ids=(5, 7)),
    ),
    "more after the end": ("receipt", receipt(output_ids=(5, 6)), receipt(final=False)),
    "another prompt": ("receipt", receipt(final=False), receipt(prompt_ids=(1, 2))),
    "another tokenizer": ("receipt", receipt(final=False), receipt(tokenizer_digest=b"u" * 32)),
}
HONEST = {
    "the same twice": (vote(), vote()),
    "batches of two epochs": (batch(), batch(epoch=4)),
    "prevote and precommit": (vote(), vote(precommit=False, digest=b"")),
    "votes of two rounds": (vote(), vote(round=2, digest=b"e" * 32)),
    "votes at two heights": (vote(), vote(height=8, digest=b"e" * 32)),
    "proposals of two rounds": (proposal(), proposal(round=2, block=b"other")),
    "a checkpoint and the end": (receipt(final=False, output_ids=(5, 6)), receipt()),
    "a checkpoint of all tokens and the end": (receipt(final=False), receipt()),
    "two checkpoints": (receipt(final=False, output_ids=(5, 6)), receipt(final=False, output_ids=(5, 6, 70_000))),
    "two attempts": (receipt(), receipt(attempt=2, output_ids=(9,))),
    "two requests of one id": (receipt(), receipt(request=make_request(max_tokens=50), output_ids=(9,))),
    "the rest of an answer": (
        receipt(),
        receipt(request=make_request(continue_tokens=(5, 6)), first=2, output_ids=(9,)),
    ),
    "different signers": (batch(), batch(OTHER_NODE)),
    "different kinds": (batch(), vote()),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_an_honest_signer_never_signs_both_of(name: str) -> None:
    kind, first, second = CONTRADICTIONS[name]
    found = check_contradiction(Contradiction(first, second), NETWORK)
    other = check_contradiction(Contradiction(second, first), NETWORK)
    assert (found.kind, found.node_id, found.digest) == (kind, NODE.node_id, other.digest)
    assert found.text
    assert encoded(Contradiction(first, second)) == encoded(Contradiction(second, first))


@pytest.mark.parametrize("name", HONEST)
def test_what_an_honest_signer_may_sign_proves_nothing(name: str) -> None:
    first, second = HONEST[name]
    with pytest.raises(VerificationError):
        check_contradiction(Contradiction(first, second), NETWORK)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_forged_halves_prove_nothing(name: str) -> None:
    _, first, second = CONTRADICTIONS[name]
    for wrong in (
        CHANGE(second, signature=bytes(64)),
        CHANGE(second, record=second.record[:-1]),
        CHANGE(second, record=b""),
    ):
        with pytest.raises(VerificationError):
            check_contradiction(Contradiction(first, wrong), NETWORK)
    with pytest.raises(VerificationError):
        check_contradiction(Contradiction(first, second), b"o" * 32)


def test_nobody_contradicts_itself_in_anothers_name() -> None:
    """The one who is named must have signed: a stranger's signature under a node's name is no proof."""
    for make, purpose, record in (
        (batch, batches.PURPOSE, ReceiptBatch(NETWORK, NODE.public_key, 3, b"e" * 32, 4, 128)),
        (receipt, "receipt", signed(NODE, total_ms=900.0)[0]),
    ):
        forged = by(OTHER_NODE, purpose, record)
        with pytest.raises(VerificationError, match="names another"):
            check_contradiction(Contradiction(forged, make(OTHER_NODE)), NETWORK)


def test_the_same_two_votes_of_two_members_are_two_contradictions() -> None:
    """A vote does not say whose it is: else whoever signs the same two first would hide what a member has done."""
    shown = [Contradiction(vote(owner), vote(owner, digest=b"e" * 32)) for owner in (NODE, OTHER_NODE)]
    digests = {check_contradiction(one, NETWORK).digest for one in shown}
    assert len(digests) == 2
    assert check_contradiction(Contradiction(shown[0].second, shown[0].first), NETWORK).digest in digests
