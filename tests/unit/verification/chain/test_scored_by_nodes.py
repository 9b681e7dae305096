"""Entries whose answers no member could score: the block names who did, and anybody can check that they were drawn."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.errors import VerificationError
from engine.verification.chain.block import check_block
from engine.verification.chain.checkpoint import make_checkpoint, open_checkpoint
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.chain.state import first_state
from engine.verification.challenges.duties import has_duty, publicly_drawn
from engine.verification.large_models.majority import open_scoring
from engine.verification.signing import digest_of
from engine.wire.blocks import Block, block_decoder
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, score
from tests.unit.verification.large_models.answers import NODE, NODES, SCORERS, author, begun, shown

GOOD = [(node, score(-3_000)) for node in SCORERS]


def material(
    network: Judging, evidence: SignedRecord, scoring: SignedRecord | None, likelihood: int = -3_000
) -> Material:
    return Material(
        commitments=network.commit_all(3, NODES),
        duties=[network.show_duties(1, author(network))],
        records=[evidence],
        attestations={digest_of(evidence): network.attestations(evidence, NODE.node_id, score(likelihood))},
        scorings={digest_of(evidence): scoring} if scoring is not None else {},
    )


def behind(network: Judging) -> SignedRecord:
    """Evidence of epoch 1, behind the block of epoch 1."""
    evidence = shown(network)
    network.append(1, Material(commitments=network.commit_all(2, NODES)))
    return evidence


def read(encoded: bytes) -> Block:
    return block_decoder.decode(encoded)


def test_a_block_names_who_has_scored_and_readers_check_the_draw() -> None:
    network = begun()
    evidence = behind(network)
    made = material(network, evidence, network.scoring(evidence, GOOD))
    early = replace(made, duties=[])
    assert read(network.make(2, early)).entries[0].scoring == (), "nobody can check the draw yet"
    network.append(2, made)
    (entry,) = read(network.blocks[-1].block).entries
    assert (entry.node, entry.model, entry.scoring) == (NODE.node_id, b"m" * 32, (made.scorings[digest_of(evidence)],))
    assert network.state.standings[NODE.node_id].good == 1
    assert network.state.serving == {NODE.node_id: b"m" * 32}
    assert network.state.epochs[3].basis.serving == network.state.serving
    assert network.state.epochs[3].basis.doubted == frozenset()


def test_who_scores_against_the_majority_is_checked_in_the_next_epoch_by_f_plus_1_and_judged_by_nothing_else() -> None:
    network = begun()
    evidence = behind(network)
    given = [*GOOD[:2], (SCORERS[2], score(4_000))]
    network.append(2, material(network, evidence, network.scoring(evidence, given)))
    liar = SCORERS[2].node_id
    assert network.state.epochs[3].basis.doubted == {liar}
    kept = make_checkpoint(network.state)
    assert open_checkpoint(kept, first_state(network.genesis), network.blocks[-1]) == network.state
    assert liar not in network.state.standings
    known = msgspec.structs.replace(network.state.standings[NODE.node_id], node_id=liar, good=100)
    basis = replace(network.state.epochs[3].basis, standings={**network.state.standings, liar: known})
    due = [member for member in basis.members if has_duty(basis, member, liar, None)]
    assert sorted(due) == sorted(publicly_drawn(basis, liar))
    calm = replace(basis, doubted=frozenset())
    assert not any(has_duty(calm, member, liar, None) for member in basis.members)


def entry_with(network: Judging, evidence: SignedRecord, scoring: SignedRecord, likelihood: int = -3_000) -> Block:
    block = read(network.make(2, material(network, evidence, None, likelihood)))
    entry = msgspec.structs.replace(block.entries[0], scoring=(scoring,))
    return msgspec.structs.replace(block, entries=(entry,))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"by": 1}, "another answer"),
        ({"evidence": bytes(32)}, "another answer"),
        ({"epoch": 2}, "another answer"),
        ({"transcript": bytes(32)}, "something else"),
    ],
)
def test_a_scoring_of_something_else_is_refused(changes: dict[str, Any], words: str) -> None:
    network = begun()
    evidence = behind(network)
    if "by" in changes:
        changes = {"by": next(one for one in network.members if one != author(network))}
    scoring = network.scoring(evidence, GOOD, **changes)
    block = entry_with(network, evidence, scoring)
    with pytest.raises(VerificationError, match=words):
        check_block(network.state, encode(block), record_of=network.records.get)
    assert read(network.make(2, material(network, evidence, scoring))).entries[0].scoring == (), "a maker leaves it out"
    with pytest.raises(VerificationError):
        told = RecordBook()
        told.add(evidence, network.state, 2)
        told.add(network.show_duties(1, author(network)), network.state, 2)
        told.add(scoring, network.state, 2)


def test_who_may_not_score_makes_the_block_invalid() -> None:
    network = begun()
    evidence = behind(network)
    for bad in (NODE, network.members[1]):
        scoring = network.scoring(evidence, [*GOOD, (bad, score())])
        with pytest.raises(VerificationError, match="judged, was asked or sits"):
            check_block(network.state, encode(entry_with(network, evidence, scoring)))
    fine = network.scoring(evidence, GOOD)
    turned = network.scoring(evidence, [], reports=open_scoring(fine, network.network_id).scoring.reports[::-1])
    with pytest.raises(VerificationError, match="in the order in which they were drawn"):
        check_block(network.state, encode(entry_with(network, evidence, turned)))
    with pytest.raises(VerificationError, match="not that of the nodes"):
        check_block(network.state, encode(entry_with(network, evidence, fine, 3_000)))


def test_members_take_a_scoring_behind_the_duties_of_its_author() -> None:
    network = begun()
    evidence = behind(network)
    scoring = network.scoring(evidence, GOOD)
    book = RecordBook()
    with pytest.raises(VerificationError, match="not here"):
        book.add(scoring, network.state, 2)
    book.add(evidence, network.state, 2)
    with pytest.raises(VerificationError, match="before its author has shown"):
        book.add(scoring, network.state, 2)
    book.add(network.show_duties(1, author(network)), network.state, 2)
    assert book.add(scoring, network.state, 2)
    assert not book.add(scoring, network.state, 2)
    digest = digest_of(evidence)
    found = book.scoring_of(digest)
    assert found is not None
    assert found.score == score(-3_000)
    assert book.unfinished(author(network).public_key, network.state) == []
    assert scoring in book.of_member(author(network).public_key, network.state)
    assert book.material().scorings == {digest: scoring}
    network.append(2, material(network, evidence, scoring))
    book.decided(network.state, network.blocks[-1].block)
    assert book.scoring_of(digest) is None
