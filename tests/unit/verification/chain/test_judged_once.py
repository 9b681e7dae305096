"""One answer is judged once, and the chain remembers what a verifier has said."""

from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification.chain.block import check_block
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.challenges.duties import publicly_drawn
from engine.verification.signing import digest_of, sign_record
from engine.wire.answer import request_decoder
from engine.wire.blocks import Block, block_decoder
from engine.wire.challenges import ChallengeTurn, Evidence
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging, score
from tests.support.records import identity

ASKED = [identity(number) for number in (50, 52, 53, 54)]
VICTIM = identity(51)
NODE = VICTIM.node_id


def begun() -> Judging:
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, [*ASKED, VICTIM])))
    return network


def shown(network: Judging, epoch: int, asked: Identity, **changes: Any) -> SignedRecord:
    """An answer of VICTIM late in epoch 1, to whom the question was passed on."""
    request = {"sealed_at": network.begins(2) + 20.0} | changes.pop("request", {})
    fields = {"issued": int(network.begins(2)) + 30, "request": request} | changes
    return network.evidence(epoch, network.members[0], asked.node_id, VICTIM, **fields)


def material(network: Judging, *records: SignedRecord, likelihood: int = 4_000) -> Material:
    given = score(likelihood, tokens=16)
    return Material(
        records=records, attestations={digest_of(one): network.attestations(one, NODE, given) for one in records}
    )


def read(encoded: bytes) -> Block:
    return block_decoder.decode(encoded)


def test_one_answer_shown_for_other_challenges_is_no_evidence() -> None:
    """One failing answer must not exclude an honest node, however often one member shows it."""
    network = begun()
    network.append(1, Material(commitments=network.commit_all(2, [*ASKED, VICTIM])))
    first = shown(network, 1, ASKED[0])
    request = request_decoder.decode(evidence_of(first).request)
    same = {"request_id": request.request_id}
    again = [shown(network, 2, ASKED[1], request=same), shown(network, 1, ASKED[2], request=same)]
    network.append(2, material(network, first, *again))
    network.append(3, material(network, *again, shown(network, 2, VICTIM, request=same)))
    standing = network.state.standings[NODE]
    assert (standing.judged, standing.suspicion, standing.lapses, standing.excluded) == (1, 4_000, 3_000, False)


def evidence_of(signed: SignedRecord) -> Evidence:
    return msgspec.msgpack.decode(signed.record, type=Evidence)


def test_an_answer_is_judged_for_one_of_its_receipts() -> None:
    """A checkpoint and the final receipt; whoever makes the block, and in later blocks as well."""
    network = judging()
    turns = (ChallengeTurn(text="Who was Ada?", seed=7, read=16),)
    promised = [network.commit(1, member, [ASKED[0].node_id], turns=turns) for member in network.members]
    network.append(0, Material(commitments=promised))
    whole = shown(network, 1, ASKED[0])
    part = shown(network, 1, ASKED[0], final=False)
    blocks = [read(network.make(1, material(network, record))) for record in (whole, part)]
    entries = sorted((block.entries[0] for block in blocks), key=lambda entry: entry.evidence)
    both = encode(msgspec.structs.replace(blocks[0], entries=tuple(entries)))
    with pytest.raises(VerificationError, match="An answer is judged twice"):
        check_block(network.state, both)
    assert len(read(network.make(1, material(network, whole, part))).entries) == 1
    network.append(1, material(network, whole))
    again = encode(msgspec.structs.replace(read(network.make(2, Material())), entries=blocks[1].entries))
    with pytest.raises(VerificationError, match="An answer is judged twice"):
        check_block(network.state, again)


def test_a_challenge_that_was_promised_at_two_places_is_judged_at_one() -> None:
    """Its turns make the same requests, so the same answer could be shown for both places."""
    network = judging()
    author, asked = network.members[0], ASKED[0].node_id
    others = [network.commit(1, one, [asked]) for one in network.members[1:]]
    promised = network.commit(1, author, [asked, asked], nonce=bytes(32))
    commitments = sorted([promised, *others], key=lambda one: network.state.members.index(one.key))
    network.append(0, Material(commitments=commitments))
    second = shown(network, 1, ASKED[0])
    committed, _ = network.plans[1, author.public_key]
    first = network.keep(
        sign_record(author, msgspec.structs.replace(evidence_of(second), index=0, path=committed.path(0)))
    )
    assert committed.challenges[0] == committed.challenges[1]
    blocks = [read(network.make(1, material(network, record))) for record in (first, second)]
    assert len(read(network.make(1, material(network, first, second))).entries) == 1
    entries = sorted((block.entries[0] for block in blocks), key=lambda entry: entry.evidence)
    both = encode(msgspec.structs.replace(blocks[0], entries=tuple(entries)))
    with pytest.raises(VerificationError, match="Two challenges are opened for one duty"):
        check_block(network.state, both)


def test_an_answer_that_a_block_has_judged_is_scored_no_more() -> None:
    network = begun()
    one, two = (shown(network, 1, asked) for asked in ASKED[:2])
    author, book = network.members[0].public_key, RecordBook()
    for record in (one, two):
        book.add(record, network.state, 1)
    assert len(book.unscored(author, network.state, 0)) == 2
    network.append(1, material(network, one))
    assert [opened.digest for opened in book.unscored(author, network.state, 1)] == [digest_of(two)]


def test_the_chain_knows_what_a_verifier_has_said() -> None:
    """Of two turns, each failing, in two blocks."""
    network = begun()
    author = network.member(publicly_drawn(network.state.epochs[1].basis, NODE)[0])
    turns = [network.evidence(1, author, NODE, VICTIM, turn=turn) for turn in (0, 1)]
    network.append(1, material(network, turns[0]))
    assert dict(network.state.epochs[1].said) == {(author.public_key, NODE): 4_000}
    network.append(2, material(network, turns[1], likelihood=4_500))
    standing = network.state.standings[NODE]
    assert (standing.judged, standing.suspicion, standing.lapses) == (2, 4_500, 3_000)
    assert dict(network.state.epochs[1].said) == {(author.public_key, NODE): 4_500}
