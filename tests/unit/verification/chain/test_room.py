"""What a block takes where it has no room for all: there is always a block, and each part keeps room in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification.chain.derivation import open_commitment
from engine.verification.chain.results import Material
from engine.verification.chain.room import MAX_BLOCK
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.members import most_kin, quorum
from engine.verification.receipts import make_receipt, sign_receipt
from engine.verification.signing import sign_record
from engine.wire.blocks import MAX_CONTRADICTIONS, MAX_MEMBERS, Block, block_decoder
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging
from tests.support.receipts import make_request, served
from tests.support.records import identity

NODE = identity(0)
KIN = tuple(sorted(bytes((number,)) * 8 for number in range(most_kin(MAX_MEMBERS))))


def promises(network: Judging, epoch: int, families: int) -> list[SignedRecord]:
    """Of all members; the first ``families`` name as many nodes of theirs as they may."""
    made = []
    for place, member in enumerate(network.members):
        kin = KIN if place < families else ()
        committed = CommittedChallenges([b"%d" % place])
        made.append(sign_record(member, committed.commitment(network.network_id, epoch, member.public_key, kin)))
    return made


def contradicted(network: Judging, owner: Identity) -> Contradiction:
    """By two receipts that are as long as receipts get."""
    request = make_request(model_id="m" * 200)
    made = (
        make_receipt(owner, network.network_id, served(request=request, output_ids=ids)) for ids in ((1, 2), (1, 3))
    )
    signed = (sign_receipt(owner, receipt) for receipt in made)
    return Contradiction(*(SignedRecord(record, owner.public_key, signature) for record, signature in signed))


def full_books(network: Judging, families: int) -> Material:
    """All that members of the largest committee can have for one block."""
    return replace(
        network.everybody_checked(1, [NODE]),
        commitments=promises(network, 3, families),
        duties=[network.show_duties(1, member) for member in network.members],
        contradictions=[contradicted(network, identity(500 + one)) for one in range(MAX_CONTRADICTIONS)],
        changes=network.changes(
            add=[identity(9_000 + one).public_key for one in range(4)],
            remove=[member.public_key for member in network.members[:4]],
        ),
    )


def made(network: Judging, material: Material) -> Block:
    encoded = network.make(2, material)
    assert len(encoded) <= MAX_BLOCK
    return block_decoder.decode(encoded)


@pytest.fixture
def largest() -> Judging:
    network = judging(MAX_MEMBERS)
    network.append(0, Material(commitments=network.commit_all(1, [NODE])))
    return network


@pytest.mark.parametrize("families", [0, MAX_MEMBERS])
def test_the_largest_committee_has_a_block_with_something_of_all(largest: Judging, families: int) -> None:
    block = made(largest, full_books(largest, families))
    assert len(block.commitments) == MAX_MEMBERS - 4, "those that leave promise nothing"
    assert len(block.change) == quorum(MAX_MEMBERS), "as many as it takes"
    assert len(block.duties) > MAX_MEMBERS // 3
    assert block.contradictions
    assert block.entries


def test_a_commitment_that_names_too_large_a_family_is_none(largest: Judging) -> None:
    """Those of all members would else leave no room for answers."""
    assert [most_kin(members) for members in (1, 4, 16, 17, 32, 64)] == [64, 64, 64, 60, 32, 16]
    too_many = (*KIN, b"\xff" * 8)
    member = largest.members[0]
    commitment = CommittedChallenges([b"0"]).commitment(largest.network_id, 3, member.public_key, too_many)
    with pytest.raises(VerificationError, match="names 17 nodes of its family; 16 are possible"):
        open_commitment(sign_record(member, commitment), largest.network_id, 3, largest.state.members)


def test_whose_duties_wait_is_drawn_anew(largest: Judging) -> None:
    material = full_books(largest, MAX_MEMBERS)
    first = made(largest, material)
    largest.append(1, Material())
    second = made(largest, replace(material, commitments=promises(largest, 3, MAX_MEMBERS)))
    assert 0 < len(first.duties) == len(second.duties) < MAX_MEMBERS
    assert {signed.key for signed in first.duties} != {signed.key for signed in second.duties}
