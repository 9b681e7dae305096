"""What a leader leaves out of what members have found, and which block then gets no vote."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.clock import ManualClock
from engine.node.verifier_role import VerifierRole
from engine.verification.chain import owed, records
from engine.verification.chain.fairness import fair_place
from engine.verification.chain.owed import LeftOut, last_owing_round, left_out
from engine.verification.chain.promises import HELD_FOR
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.challenges.duties import publicly_drawn
from engine.verification.challenges.pool import read_pool
from engine.verification.signing import digest_of
from engine.wire.blocks import Block, block_decoder
from engine.wire.signed import SignedRecord
from tests.support.judging import judging, score
from tests.support.records import identity
from tests.unit.verification.challenges.test_pool import MANNERS, QUESTIONS, WORDS

NODES = [identity(number) for number in range(2)]
NODE = NODES[0]
WHILE = HELD_FOR * 600.0


class Found:
    """In epoch 1 all four members have checked a node; one of them got no answer."""

    def __init__(self) -> None:
        self.network = network = judging()
        network.append(0, Material(commitments=network.commit_all(1, NODES)))
        drawn = publicly_drawn(network.state.epochs[1].basis, NODE.node_id)
        self.authors = [network.member(key) for key in drawn]
        self.evidence = [network.evidence(1, one, NODE.node_id, NODE) for one in self.authors[:3]]
        self.unanswered = network.unanswered(1, self.authors[3], NODE.node_id)
        self.attested = [one for shown in self.evidence for one in network.attestations(shown, NODE.node_id)]
        self.commitments = network.commit_all(2, NODES)

    def told(self, *more: SignedRecord) -> RecordBook:
        """To a member, one after the other at time 0."""
        book = RecordBook()
        for signed in (*self.commitments, *self.evidence, self.unanswered, *self.attested, *more):
            assert book.add(signed, self.network.state, 1)
        return book

    def block(self, material: Material, epoch: int = 1) -> Block:
        return block_decoder.decode(self.network.make(epoch, material))

    def left_out(self, book: RecordBook, block: Block, now: float = WHILE) -> LeftOut:
        return left_out(block, self.network.state, book.held(now - WHILE))


def test_what_a_member_has_held_for_a_while_must_stand_in_the_block() -> None:
    found = Found()
    book = found.told()
    full, empty = found.block(book.material()), found.block(Material(commitments=found.commitments))
    assert (len(full.entries), len(full.unjudged)) == (3, 1)
    assert len(found.left_out(book, full)) == 0
    assert len(found.left_out(book, empty, WHILE - 0.1)) == 0, "its leader may not have had it"
    missing = found.left_out(book, empty)
    assert set(missing.results) == {*found.evidence, found.unanswered}
    assert set(missing.attestations) == set(found.attested), "so that whoever leads next can take them"
    one_less = msgspec.structs.replace(full, entries=full.entries[1:])
    assert [digest_of(one) for one in found.left_out(book, one_less).results] == [full.entries[0].evidence]
    assert found.left_out(book, msgspec.structs.replace(full, unjudged=())).results == (found.unanswered,)


def test_what_nobody_can_judge_yet_is_not_missed() -> None:
    found = Found()
    found.attested = found.attested[:1]
    book = found.told()
    assert found.left_out(book, found.block(Material())).results == (found.unanswered,)


def test_what_a_member_says_in_two_ways_is_neither_taken_nor_missed() -> None:
    found = Found()
    author, state = found.network.member(found.evidence[0].key), found.network.state
    other = found.network.evidence(1, author, NODE.node_id, NODE, output=tuple(range(40)))
    also = found.network.unanswered(1, found.authors[3], NODE.node_id, "cut_off")
    book = found.told(other, also)
    block = found.block(book.material())
    assert (len(block.entries), len(block.unjudged)) == (2, 0)
    assert all(book.record_of(digest_of(one)) == one for one in (found.evidence[0], other, found.unanswered, also))
    missing = found.left_out(book, found.block(Material()))
    assert set(missing.results) == set(found.evidence[1:])
    assert all(digest_of(one) != digest_of(found.evidence[0]) for one in missing.results)
    assert all(book.unscored(one.public_key, state, 1) == [] for one in found.network.members), "nor scored"


def test_a_score_that_is_said_in_two_ways_counts_nothing() -> None:
    found = Found()
    shown, (first, second, third) = found.evidence[0], found.attested[:3]
    liar = found.network.member(second.key)
    found.attested = [first, second]
    book = found.told()
    assert shown in found.left_out(book, found.block(Material())).results
    assert book.add(found.network.attest(shown, NODE.node_id, liar, score(4_000)), found.network.state, 1)
    assert not book.add(found.network.attest(shown, NODE.node_id, liar, score(3_000)), found.network.state, 1)
    assert shown not in found.left_out(book, found.block(Material())).results
    assert found.block(book.material()).entries == ()
    reserve = third.key
    assert digest_of(shown) in {one.digest for one in book.unscored(reserve, found.network.state, 1)}
    assert book.add(third, found.network.state, 1)
    assert [entry.evidence for entry in found.block(book.material()).entries] == [digest_of(shown)]


def test_a_leader_takes_what_it_has_had_for_so_long_that_all_have_it() -> None:
    found = Found()
    book = found.told()
    assert found.block(book.material(-0.1)).entries == ()
    assert len(found.block(book.material(0.0)).entries) == 3


def test_results_of_one_epoch_are_missed_in_every_block_that_can_take_them() -> None:
    """Three leaders in a row that leave them out: none of their blocks gets a vote."""
    found = Found()
    book = found.told()
    for epoch in (1, 2, 3):
        block = found.block(Material(commitments=found.network.commit_all(epoch + 1, NODES)), epoch)
        assert len(found.left_out(book, block)) == 4
    too_late = found.block(Material(), 4)
    assert len(found.left_out(book, too_late)) == 0


def test_duties_are_missed_and_what_hangs_on_them_counts_from_then_on() -> None:
    found = Found()
    network, book = found.network, found.told()
    duties = [network.show_duties(1, member) for member in network.members]
    for signed in duties[:3]:
        assert book.add(signed, network.state, 2, 50.0)
    material = book.material()
    assert len(found.left_out(book, found.block(replace(material, duties=()), 2), WHILE + 49.0)) == 0
    assert set(found.left_out(book, found.block(replace(material, duties=()), 2), WHILE + 50.0).duties) == {*duties[:3]}
    assert len(found.left_out(book, found.block(replace(material, duties=duties), 2), WHILE + 50.0)) == 0


def test_a_full_block_may_lack_what_comes_behind_all_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found()
    book = found.told()
    full = found.block(book.material())
    opened, state = book.material().opened, found.network.state
    ordered = sorted(full.entries, key=lambda one: fair_place(state, opened[one.evidence]))
    first = msgspec.structs.replace(full, entries=tuple(ordered[:1]))
    last = msgspec.structs.replace(full, entries=tuple(ordered[2:]))
    size = max(len(msgspec.msgpack.encode(one)) for one in ordered)
    monkeypatch.setattr(owed, "_SLACK", 40)
    monkeypatch.setattr(owed, "room_for_results", lambda *_: size + 100)
    assert found.left_out(book, first).results == ()
    missing = {digest_of(one) for one in found.left_out(book, last).results}
    assert ordered[0].evidence in missing, "who fills a block with later ones has left out the first"


def test_of_who_shows_more_than_is_kept_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found()
    monkeypatch.setattr(records, "MAX_EVIDENCE", 1)
    book = found.told()
    author = found.network.member(found.evidence[0].key)
    with pytest.raises(Exception, match="more than 1 results"):
        book.add(found.network.evidence(1, author, NODE.node_id, NODE, turn=1), found.network.state, 1)
    assert found.evidence[0] not in found.left_out(book, found.block(Material())).results
    assert len(found.block(book.material()).entries) == 3, "taken it is"


# ------------------------------------------------------------------------------------------------------- real members


async def never(_: object) -> Any:
    raise AssertionError("nothing is scored here")


def test_a_member_passes_on_what_it_hears_and_refuses_a_block_without_it() -> None:
    found = Found()
    network = found.network
    clock = ManualClock(network.begins(1) + 0.5 * 600.0)
    chats: Any = None
    role = VerifierRole(
        network.leader(1), network.state, read_pool([QUESTIONS], WORDS, MANNERS), chats, never, clock, os.urandom
    )
    told: list[SignedRecord] = []
    role.tell = told.append
    said = [*found.commitments, *found.evidence, found.unanswered, *found.attested]
    sender = network.leader(2).public_key
    for signed in said:
        assert role.heard(signed, sender) == "", "whoever passes it on"
        assert role.heard(signed, sender) == ""
    assert told == said
    told.clear()
    empty = network.make(1, Material(commitments=found.commitments))
    assert role.refusal(empty) is None
    clock.set(network.begins(1) + 0.6 * 600.0)
    assert "0 commitments, 4 results" in (role.refusal(empty) or "")
    assert set(told) == {*found.evidence, found.unanswered, *found.attested}
    assert role.refusal(empty, seen=True) is None, "a quorum has voted for it"
    assert [last_owing_round(members) for members in (4, 7, 64)] == [1, 2, 21]
    later = network.make(1, Material(commitments=found.commitments), 2)
    assert role.refusal(later) is None, "behind f + 1 rounds a block has its leader's own results alone"
