"""Batches of receipts: what they say, what they hide, and what is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.crypto.identity import Identity
from engine.crypto.merkle import merkle_root
from engine.errors import VerificationError
from engine.verification.batches import (
    PURPOSE,
    STORED_PURPOSE,
    Kept,
    check_batch,
    check_confirmation,
    check_opening,
    confirm,
    leaves,
    make_batch,
    open_leaf,
    rounded_up,
)
from engine.wire.codec import encode
from engine.wire.receipts import BatchStored, ReceiptBatch, batch_stored_decoder, receipt_batch_decoder
from engine.wire.signed import SignedRecord
from tests.support.receipts import NETWORK, NODE, OTHER_NODE, make_request, signed
from tests.support.records import SERVER, genesis

SALT = b"s" * 32


def kept(count: int) -> list[Kept]:
    made = (signed(request=make_request(request_id=number.to_bytes(16, "big"))) for number in range(count))
    return [Kept(record, signature) for _, record, signature in made]


def batch_of(receipts: list[Kept], epoch: int = 3) -> SignedRecord:
    return make_batch(NODE, NETWORK, epoch, [one.digest for one in receipts], 100, SALT)


def signed_by(owner: Identity, batch: ReceiptBatch, network: bytes = NETWORK) -> SignedRecord:
    record = encode(batch)
    return SignedRecord(record=record, key=owner.public_key, signature=owner.sign(PURPOSE, network, record))


@given(st.integers(0, 5000))
def test_numbers_are_rounded_up_to_powers_of_two(count: int) -> None:
    up = rounded_up(count)
    assert up >= count
    assert up.bit_count() == (count > 0)
    assert up < 2 * count or count == 0


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_a_batch_shows_each_of_its_receipts_and_not_how_many_there_are(count: int) -> None:
    receipts = kept(count)
    signed_batch = batch_of(receipts)
    batch = check_batch(signed_batch, NETWORK)
    assert (batch.epoch, batch.receipts, batch.tokens) == (3, rounded_up(count), 128)
    filled = leaves([one.digest for one in receipts], SALT)
    assert len(set(filled)) == batch.receipts
    assert merkle_root(filled) == batch.root
    assert filled[count:] != leaves([one.digest for one in receipts], b"t" * 32)[count:] or count == batch.receipts
    for index, one in enumerate(receipts):
        opening = open_leaf(signed_batch.record, receipts, index, SALT)
        assert encode(check_opening(opening, signed_batch.record, one.digest)) == one.record


def test_an_opening_shows_what_was_asked_for_and_nothing_else() -> None:
    receipts = kept(5)
    batch = batch_of(receipts).record
    opening = open_leaf(batch, receipts, 4, SALT)
    wanted = receipts[4].digest
    others = open_leaf(batch, receipts, 3, SALT)
    for wrong in (
        msgspec.structs.replace(opening, index=3),
        msgspec.structs.replace(opening, path=others.path),
        msgspec.structs.replace(opening, path=opening.path[:-1]),
        msgspec.structs.replace(opening, batch=bytes(32)),
        msgspec.structs.replace(opening, receipt=others.receipt, receipt_signature=others.receipt_signature),
        msgspec.structs.replace(opening, receipt_signature=bytes(64)),
        msgspec.structs.replace(opening, receipt=b"nonsense"),
        others,
    ):
        with pytest.raises(VerificationError):
            check_opening(wrong, batch, wanted)
    # Another node's receipt in this node's batch.
    _, record, signature = signed(OTHER_NODE)
    foreign = [Kept(record, signature)]
    mixed = batch_of(foreign).record
    with pytest.raises(VerificationError, match="another receipt"):
        check_opening(open_leaf(mixed, foreign, 0, SALT), mixed, foreign[0].digest)


def test_what_is_no_batch_of_its_node_is_refused() -> None:
    good = batch_of(kept(3))
    batch = receipt_batch_decoder.decode(good.record)
    change = msgspec.structs.replace
    for wrong in (
        change(good, record=good.record[:-1]),
        change(good, signature=bytes(64)),
        change(good, key=OTHER_NODE.public_key),
        signed_by(OTHER_NODE, batch),
        signed_by(NODE, batch, b"o" * 32),
        signed_by(NODE, change(batch, network_id=b"o" * 32)),
        signed_by(NODE, change(batch, receipts=3)),
        signed_by(NODE, change(batch, receipts=0)),
        signed_by(NODE, change(batch, receipts=1 << 30)),
        signed_by(NODE, change(batch, tokens=100)),
    ):
        with pytest.raises(VerificationError):
            check_batch(wrong, NETWORK)


def test_the_servers_word_is_for_one_batch_and_always_the_same() -> None:
    network = genesis()
    owner, record = NODE, encode(ReceiptBatch(network.network_id, NODE.public_key, 3, b"r" * 32, 4, 128))
    batch, digest = receipt_batch_decoder.decode(record), hashlib.sha256(record).digest()
    word = confirm(SERVER, batch, digest, 1_750_000_900)
    assert word == confirm(SERVER, batch, digest, 1_750_000_900)
    assert check_confirmation(word, network, owner.node_id, record).stored == 1_750_000_900
    stored = batch_stored_decoder.decode(word.record)

    def word_by(key: Identity, said: BatchStored) -> SignedRecord:
        text = encode(said)
        return SignedRecord(text, key.public_key, key.sign(STORED_PURPOSE, network.network_id, text))

    change = msgspec.structs.replace
    for wrong in (
        change(word, signature=bytes(64)),
        change(word, record=b""),
        word_by(OTHER_NODE, stored),
        word_by(SERVER, change(stored, batch=bytes(32))),
        word_by(SERVER, change(stored, node_id=OTHER_NODE.node_id)),
        word_by(SERVER, change(stored, network_id=bytes(32))),
    ):
        with pytest.raises(VerificationError):
            check_confirmation(wrong, network, owner.node_id, record)
    with pytest.raises(VerificationError):
        check_confirmation(word, network, owner.node_id, record + b"x")


def test_kept_receipts_are_named_by_their_bytes() -> None:
    (one,) = kept(1)
    assert replace(one, signature=bytes(64)).digest == one.digest == hashlib.sha256(one.record).digest()
