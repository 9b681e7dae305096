"""Samples: who may be doubted by which receipt, and who may read it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification.epochs import epoch_at, epoch_begins
from engine.verification.receipts import make_receipt, sign_receipt
from engine.verification.samples import (
    SAMPLE_EPOCHS,
    WANTED_SECONDS,
    check_sample,
    check_wanted,
    read_sample,
    sign_wanted,
)
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import judging
from tests.support.receipts import NODE, OTHER_NODE, served

NETWORK = judging()
GENESIS, NETWORK_ID = NETWORK.genesis.genesis, NETWORK.network_id
NOW = epoch_begins(GENESIS, 100) + 5.0
MEMBERS = NETWORK.state.members


def sample(epoch: int = 99, network: bytes = NETWORK_ID, **changes: Any) -> SignedRecord:
    issued = int(epoch_begins(GENESIS, epoch)) + 1
    record, signature = sign_receipt(NODE, make_receipt(NODE, network, served(**({"issued": issued} | changes))))
    return SignedRecord(record=record, key=NODE.public_key, signature=signature)


@pytest.mark.parametrize("changes", [{}, {"final": False}, {"epoch": 100}, {"epoch": 100 - SAMPLE_EPOCHS}])
def test_a_receipt_of_late_is_a_sample_of_who_signed_it(changes: dict[str, Any]) -> None:
    signed = sample(**changes)
    found = check_sample(read_sample(encode(signed)), GENESIS, NETWORK_ID, NOW)
    assert (found.node_id, found.signed) == (NODE.node_id, signed)
    assert found.epoch == changes.get("epoch", 99)


@pytest.mark.parametrize(
    ("signed", "words"),
    [
        (msgspec.structs.replace(sample(), signature=bytes(64)), "does not hold"),
        (msgspec.structs.replace(sample(), record=sample().record[:-1]), "does not hold"),
        (msgspec.structs.replace(sample(), record=sample(epoch=98).record), "does not hold"),
        (msgspec.structs.replace(sample(), key=OTHER_NODE.public_key), "another key"),
        (sample(network=b"x" * 32), "another network"),
        (sample(epoch=102), "dated in the future"),
        (sample(issued=2_000_000_000 + int(NOW)), "dated in the future"),
        (sample(epoch=99 - SAMPLE_EPOCHS), "too long ago"),
        (sample(issued=0), "too long ago"),
    ],
)
def test_what_is_forged_cut_off_or_of_another_time_is_refused_with_the_reason(signed: SignedRecord, words: str) -> None:
    with pytest.raises(VerificationError, match=words):
        check_sample(signed, GENESIS, NETWORK_ID, NOW)
    assert epoch_at(GENESIS, NOW) == 100


def test_in_a_young_network_nothing_is_older_than_it() -> None:
    begun = epoch_begins(GENESIS, 0)
    assert check_sample(sample(epoch=0), GENESIS, NETWORK_ID, begun + 5).epoch == 0
    for issued in (0, int(begun) - 200):
        with pytest.raises(VerificationError, match="too long ago"):
            check_sample(sample(issued=issued), GENESIS, NETWORK_ID, begun + 5)


@pytest.mark.parametrize("data", [b"", b"x", encode(sample())[:-1]])
def test_what_is_no_sample_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError, match="cannot be read"):
        read_sample(data)


def test_only_members_that_ask_now_read_samples() -> None:
    member = NETWORK.member(MEMBERS[0])
    wanted = sign_wanted(member, NETWORK_ID, NOW)
    for skew in (-WANTED_SECONDS + 2, 0.0, WANTED_SECONDS - 2):
        check_wanted(wanted, MEMBERS, NETWORK_ID, NOW + skew)
    stranger = Identity.from_seed(b"\x77" * 32)
    refused = [
        (sign_wanted(stranger, NETWORK_ID, NOW), NOW, "members of the committee alone"),
        (sign_wanted(member, b"x" * 32, NOW), NOW, "members of the committee alone"),
        (msgspec.structs.replace(wanted, key=MEMBERS[1]), NOW, "members of the committee alone"),
        (wanted, NOW + WANTED_SECONDS + 2, "not of now"),
        (wanted, NOW - WANTED_SECONDS - 2, "not of now"),
        (msgspec.structs.replace(wanted, signature=bytes(64)), NOW, "not signed"),
        (SignedRecord(b"x", MEMBERS[0], bytes(64)), NOW, "cannot be read"),
    ]
    for signed, now, words in refused:
        with pytest.raises(VerificationError, match=words):
            check_wanted(signed, MEMBERS, NETWORK_ID, now)
