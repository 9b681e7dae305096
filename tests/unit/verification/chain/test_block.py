"""What makes a block valid. Each refusal has its reason in plain words."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import permutations
from typing import Any

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification.chain.block import check_block
from engine.verification.chain.judged import Judged, standings_after
from engine.verification.chain.results import Material, MissingRecordError
from engine.verification.chain.room import MAX_BLOCK
from engine.verification.challenges.duties import Basis, is_drawn_privately, publicly_drawn
from engine.verification.reputation.page import OURS
from engine.verification.signing import digest_of
from engine.wire.blocks import MAX_ENTRIES, Block, block_decoder
from engine.wire.challenges import Score
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging, score
from tests.support.records import identity

NODES = [identity(number) for number in range(3)]
NODE = NODES[0]


def begun(members: int = 4) -> Judging:
    """After the first block: commitments for epoch 1 are in it."""
    network = judging(members)
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    return network


def checkers(network: Judging, epoch: int = 1) -> list[Any]:
    """The members that have to check NODE."""
    return [network.member(key) for key in publicly_drawn(network.state.epochs[epoch].basis, NODE.node_id)]


def judged(network: Judging, likelihood: int = -3_000, **changes: Any) -> Material:
    """One answer of NODE, scored by all who were drawn."""
    evidence = network.evidence(1, checkers(network)[0], NODE.node_id, NODE, **changes)
    attested = network.attestations(evidence, NODE.node_id, score(likelihood))
    return Material(records=[evidence], attestations={digest_of(evidence): attested})


def read(encoded: bytes) -> Block:
    return block_decoder.decode(encoded)


def signed_scores(network: Judging, evidence: SignedRecord, said: Sequence[tuple[Identity, Score]]) -> tuple[Any, ...]:
    """As an entry shows attestations."""
    found = []
    for member, given in said:
        attested = network.attest(evidence, NODE.node_id, member, given)
        found.append((network.state.members.index(member.public_key), given, attested.signature))
    return tuple(sorted(found, key=lambda one: one[0]))


def refused(network: Judging, block: Block | bytes, words: str, **checks: Any) -> None:
    encoded = block if isinstance(block, bytes) else encode(block)
    with pytest.raises(VerificationError, match=words):
        check_block(network.state, encoded, **checks)


def test_a_judged_answer_changes_the_standing_of_who_signed_it() -> None:
    network = begun()
    network.append(1, judged(network))
    standing = network.state.standings[NODE.node_id]
    assert (standing.reputation, standing.good, standing.judged, standing.signed) == (370_000, 1, 1, 1)
    assert network.state.standing_of(NODES[1].node_id).reputation == 300_000


def test_an_answer_that_was_passed_on_hits_its_signer() -> None:
    network = begun()
    evidence = network.evidence(1, checkers(network)[0], NODE.node_id, NODES[1])
    attested = network.attestations(evidence, NODES[1].node_id, score(4_000))
    network.append(1, Material(records=[evidence], attestations={digest_of(evidence): attested}))
    assert set(network.state.standings) == {NODES[1].node_id}
    assert network.state.standings[NODES[1].node_id].suspicion == 4_000


def test_later_turns_are_judged_with_the_first_one() -> None:
    network = begun()
    author = checkers(network)[0]
    records = [network.evidence(1, author, NODE.node_id, NODE, turn=turn) for turn in (0, 1)]
    attested = {digest_of(one): network.attestations(one, NODE.node_id) for one in records}
    network.append(1, Material(records=records, attestations=attested))
    standing = network.state.standings[NODE.node_id]
    assert (standing.good, standing.judged) == (1, 2)


HEADS: dict[str, tuple[dict[str, Any], str]] = {
    "newer version": ({"version": 3}, "has version 3; this program knows 2. Update"),
    "older version": ({"version": 1}, "has version 1, of an older version .* Use the version that"),
    "network": ({"network_id": bytes(32)}, "another network"),
    "height": ({"height": 5}, "has height 5; the next one is 2"),
    "previous": ({"previous": bytes(32)}, "does not follow the newest block"),
    "replayed epoch": ({"epoch": 0}, "there is one of epoch 0 already"),
    "another epoch": ({"epoch": 2, "issued": 1_750_001_300}, "proof does not hold"),
    "issued too early": ({"issued": 1_750_000_100}, "issued before"),
    "round": ({"round": 1}, "does not lead round 1"),
    "proof": ({"proof": bytes(80)}, "proof does not hold"),
    "standings": ({"state": bytes(32)}, "standings"),
    "missed": ({"missed": ((0, 1),)}, "missed duties"),
    "members": ({"next_members": (b"k" * 32,) * 4}, "does not show that a quorum wants it"),
    "entries missing": ({"entries": ()}, "standings"),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_wrong_head_or_total_is_refused(case: str) -> None:
    network = begun()
    block = read(network.make(1, judged(network)))
    changes, words = HEADS[case]
    refused(network, msgspec.structs.replace(block, **changes), words)


def test_a_block_of_nobody_is_refused() -> None:
    network = begun()
    block = read(network.make(1, Material()))
    nobody = judging(0)
    refused(nobody, msgspec.structs.replace(block, network_id=nobody.network_id, height=1, previous=bytes(32)), "no co")


def test_a_future_block_is_refused_by_who_has_a_clock() -> None:
    network = begun()
    block = network.make(3, Material())
    refused(network, block, "from the future", now=network.begins(1))
    check_block(network.state, block, now=network.begins(3))


@pytest.mark.parametrize(("seconds", "tolerance"), [(600.0, 15.0), (16.0, 0.4), (10_000.0, 120.0)])
def test_a_leader_does_not_choose_the_epoch_of_a_new_block(seconds: float, tolerance: float) -> None:
    """Else it would choose among as many outputs of its VRF."""
    network = judging(4, epoch_seconds=seconds)
    network.append(0, Material())
    blocks = {epoch: network.make(epoch, Material()) for epoch in range(1, 12)}
    begins = network.begins(5)

    def accepted(now: float) -> list[int]:
        found = []
        for epoch, block in blocks.items():
            # What nobody can choose is when it is looked at: the time that it names is as wrong as it may be.
            issued = int(min(network.begins(epoch), now + 100))
            encoded = encode(msgspec.structs.replace(read(block), issued=issued))
            with suppress(VerificationError):
                check_block(network.state, encoded, now=now, is_new=True)
                found.append(epoch)
        return found

    assert accepted(begins + 0.7 * seconds) == accepted(begins + 0.95 * seconds) == [5]
    assert accepted(begins - tolerance - 0.01) == [4]
    assert accepted(begins - tolerance + 0.01) == accepted(begins + tolerance - 0.01) == [4, 5]
    assert accepted(begins + tolerance + 0.01) == [5]


def test_an_old_block_that_a_quorum_has_seen_can_still_be_decided() -> None:
    network = begun()
    block, now = network.make(1, Material()), network.begins(3)
    refused(network, block, "of epoch 1, which is over", now=now, is_new=True)
    check_block(network.state, block, now=now)


def test_bytes_that_are_no_block_are_refused() -> None:
    network = begun()
    block = network.make(1, judged(network))
    refused(network, block[:-1], "cannot be read")
    refused(network, block + b"\0", "cannot be read")
    refused(network, b"", "cannot be read")
    layout: list[object] = msgspec.msgpack.decode(block)
    refused(network, msgspec.msgpack.encode([layout[0], 1, *layout[3:]]), "of an older version")
    refused(network, msgspec.msgpack.encode([layout[0], 2, *layout[3:]]), "cannot be read")
    refused(network, bytes(MAX_BLOCK + 1), "at most")
    spaced = block.replace(b"\xcd\x01", b"\xce\x00\x00\x01", 1)
    if spaced != block:
        refused(network, spaced, "canonical|cannot be read")


def test_no_change_of_bytes_survives_but_of_what_the_proposer_may_choose() -> None:
    network = begun()
    block = network.make(1, judged(network))
    check_block(network.state, block, record_of=network.records.get)
    random_source = random.Random(7)
    for _ in range(150):
        place = random_source.randrange(len(block))
        changed = bytearray(block)
        changed[place] ^= 1 << random_source.randrange(8)
        try:
            check_block(network.state, bytes(changed), record_of=network.records.get)
        except VerificationError:
            continue
        other = read(bytes(changed))
        assert other != read(block)
        assert msgspec.structs.replace(other, issued=0) == msgspec.structs.replace(read(block), issued=0)


# ------------------------------------------------------------------------------------------------------------- entries


def with_entry(network: Judging, **changes: Any) -> Block:
    block = read(network.make(1, judged(network)))
    entry = msgspec.structs.replace(block.entries[0], **changes)
    return msgspec.structs.replace(block, entries=(entry,))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": score(-2_000)}, "not the one that follows"),
        ({"author": 9}, "does not have"),
        ({"epoch": 4}, "result of epoch 4"),
        ({"evidence": bytes(32)}, "not drawn|not what its member signed"),
        ({"node": NODES[1].node_id}, "not drawn|not what its member signed"),
        ({"attestations": ((0, score(), b"s" * 64),)}, "not drawn|not what its member signed"),
        ({"attestations": ((60, score(), b"s" * 64),)}, "no member"),
    ],
)
def test_an_entry_that_says_something_else_is_refused(changes: dict[str, Any], words: str) -> None:
    network = begun()
    refused(network, with_entry(network, **changes), words)


def test_duplicates_and_disorder_are_refused() -> None:
    network = begun()
    block = read(network.make(1, judged(network)))
    entry = block.entries[0]
    refused(network, msgspec.structs.replace(block, entries=(entry, entry)), "in the order of their evidence")
    one, *rest = entry.attestations
    for attestations in ((one, one), (*rest, one)):
        changed = msgspec.structs.replace(entry, attestations=attestations)
        refused(network, msgspec.structs.replace(block, entries=(changed,)), "order of their members")


def test_one_attestation_is_not_enough() -> None:
    network = begun()
    block = read(network.make(1, judged(network)))
    few = msgspec.structs.replace(block.entries[0], attestations=block.entries[0].attestations[:1])
    refused(network, msgspec.structs.replace(block, entries=(few,)), "2 are needed")


def test_an_answer_is_judged_once_in_all_blocks() -> None:
    network = begun()
    material = judged(network)
    network.append(1, material)
    again = network.make(2, material)
    assert read(again).entries == (), "a maker leaves it out"
    block = read(again)
    entry = read(network.blocks[-1].block).entries[0]
    refused(network, msgspec.structs.replace(block, entries=(entry,)), "judged twice")


def test_the_same_answer_signed_anew_by_its_author_is_not_judged_again() -> None:
    network = begun()
    author = checkers(network)[0]
    records = [network.evidence(1, author, NODE.node_id, NODE, issued=int(network.begins(1)) + 30 + n) for n in (0, 1)]
    attested = {digest_of(one): network.attestations(one, NODE.node_id) for one in records}
    network.append(1, Material(records=records, attestations=attested))
    assert network.state.standings[NODE.node_id].judged == 1


def test_evidence_counts_for_two_epochs_more() -> None:
    network = begun()
    material = judged(network)
    network.append(2, Material())
    assert len(read(network.make(3, material)).entries) == 1
    assert read(network.make(4, material)).entries == ()
    block = read(network.make(3, material))
    late = msgspec.structs.replace(read(network.make(4, Material())), entries=block.entries)
    refused(network, late, "result of epoch 1 cannot stand in a block of epoch 4")


def test_who_had_no_duty_judges_nobody() -> None:
    network = begun(7)
    idle = next(one for one in network.members if one not in checkers(network))
    evidence = network.evidence(1, idle, NODE.node_id, NODE)
    attested = {digest_of(evidence): network.attestations(evidence, NODE.node_id)}
    encoded = network.make(1, Material(records=[evidence], attestations=attested))
    assert read(encoded).entries == ()
    block = read(network.make(1, judged(network)))
    entry = msgspec.structs.replace(block.entries[0], author=network.state.members.index(idle.public_key))
    refused(network, msgspec.structs.replace(block, entries=(entry,)), "had no duty")


def test_attestations_that_disagree_make_no_entry_unless_enough_agree() -> None:
    network = begun()
    evidence = network.evidence(1, checkers(network)[0], NODE.node_id, NODE)
    drawn = network.attestations(evidence, NODE.node_id)
    assert len(drawn) == 3
    members = [network.member(one.key) for one in drawn]
    liar, honest, other = members

    def entries(*likelihoods: int) -> tuple[Any, ...]:
        said = [
            network.attest(evidence, NODE.node_id, one, score(likelihood))
            for one, likelihood in zip((liar, honest, other), likelihoods, strict=False)
        ]
        return read(network.make(1, Material(records=[evidence], attestations={digest_of(evidence): said}))).entries

    assert entries(5_000, -3_000, 500) == ()
    assert entries(5_000, -3_000) == ()
    (entry,) = entries(5_000, -3_000, -2_500)
    assert entry.score.likelihood == -2_500, "of two the one nearer to zero"
    (entry,) = entries(-3_400, -3_000, -2_500)
    assert entry.score.likelihood == -3_000
    block = read(network.make(1, judged(network)))
    both = signed_scores(network, evidence, ((liar, score(5_000)), (honest, score(-3_000))))
    forged = msgspec.structs.replace(
        block.entries[0], evidence=digest_of(evidence), attestations=both, score=score(-3_000)
    )
    refused(network, msgspec.structs.replace(block, entries=(forged,)), "do not agree")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (score(-5_001), "out of bounds"),
        (msgspec.structs.replace(score(-500), verdict=1), "does not follow"),
        (msgspec.structs.replace(score(900), verdict=2), "does not follow"),
        (score(-3_000, tokens=15), "too few"),
    ],
)
def test_a_score_that_contradicts_itself_is_refused(given: Any, words: str) -> None:
    network = begun()
    evidence = network.evidence(1, checkers(network)[0], NODE.node_id, NODE)
    said = network.attestations(evidence, NODE.node_id, given)
    assert read(network.make(1, Material(records=[evidence], attestations={digest_of(evidence): said}))).entries == ()
    attested = signed_scores(network, evidence, [(network.member(one.key), given) for one in said])
    block = read(network.make(1, judged(network)))
    forged = msgspec.structs.replace(block.entries[0], evidence=digest_of(evidence), attestations=attested, score=given)
    refused(network, msgspec.structs.replace(block, entries=(forged,)), words)


def test_a_block_holds_no_more_than_its_bounds() -> None:
    network = judging(7)
    nodes = [identity(100 + number) for number in range(30)]
    network.append(0, Material(commitments=network.commit_all(1, nodes)))
    material = network.everybody_checked(1, nodes)
    assert len(material.records) == 240
    encoded = network.make(1, material)
    assert len(encoded) <= MAX_BLOCK
    assert 20 <= len(read(encoded).entries) <= MAX_ENTRIES
    network.append(1, material)
    assert len(read(network.append(2, material).block).entries) >= 20


# ------------------------------------------------------------------------------------------------------------ evidence


def test_a_voter_checks_the_evidence_and_says_what_it_lacks() -> None:
    network = begun()
    block = network.make(1, judged(network))
    with pytest.raises(MissingRecordError) as missing:
        check_block(network.state, block, record_of=lambda _: None)
    assert missing.value.digest == read(block).entries[0].evidence
    other = network.unanswered(1, checkers(network)[0], NODES[1].node_id)
    refused(network, block, "not the one that the block names", record_of=lambda _: other)
    for changes in ({"turn": 1}, {"index": 1}):
        refused(
            network, with_entry(network, **changes), "something else of its evidence", record_of=network.records.get
        )


# ------------------------------------------------------------------------------------------------- duties and the rest


def test_what_brought_nothing_stands_in_the_block_and_is_no_missed_duty() -> None:
    network = begun()
    one, *others = checkers(network)
    evidence = network.evidence(1, one, NODE.node_id, NODE)
    attested = {digest_of(evidence): network.attestations(evidence, NODE.node_id)}
    idle = [network.unanswered(1, one, NODE.node_id) for one in others]
    network.append(1, Material(records=[evidence, *idle], attestations=attested))
    said = read(network.blocks[-1].block).unjudged
    places = [network.state.members.index(one.public_key) for one in others]
    assert sorted((one.author, one.record) for one in said) == sorted(
        (place, digest_of(record)) for place, record in zip(places, idle, strict=True)
    )
    assert {(one.epoch, one.asked) for one in said} == {(1, NODE.node_id)}
    assert NODE.node_id in network.state.standings
    shown = [network.show_duties(1, member) for member in network.members]
    network.append(2, Material(duties=shown))
    network.append(3, Material())
    assert read(network.blocks[-1].block).missed == ()


def test_who_leaves_out_a_node_that_another_member_judged_or_shows_no_duties_has_missed() -> None:
    network = begun()
    one, *others = checkers(network)
    network.append(1, judged(network))
    shown = [network.show_duties(1, member) for member in network.members if member is not one]
    network.append(2, Material(duties=shown))
    network.append(3, Material())
    members = network.state.members
    assert len(others) == 3
    expected = [(members.index(member.public_key), 1) for member in (one, *others)]  # of ``one`` no duties are shown
    assert read(network.blocks[-1].block).missed == tuple(sorted(expected))
    later = network.make(4, Material())
    assert read(later).missed == ()


def test_evidence_whose_scores_never_came_is_done_in_the_last_block_that_could_take_it() -> None:
    network = begun()
    author = checkers(network)[0]
    material = Material(records=[network.evidence(1, author, NODE.node_id, NODE)])
    for epoch, count in ((1, 0), (2, 0), (3, 1)):
        network.append(epoch, material)
        assert len(read(network.blocks[-1].block).unjudged) == count


def established(network: Judging) -> int:
    """Judge NODE until it is drawn by lot alone; the next epoch."""
    for epoch in range(1, 7):
        network.judge_epoch(epoch, NODES, {})
    assert network.state.standings[NODE.node_id].good >= 10
    return 7


def test_a_node_of_standing_is_judged_behind_the_proof_of_a_private_draw() -> None:
    network = begun()
    epoch = established(network)
    while not (drawn := [one for one in network.members if network.has_duty(epoch, one, NODE.node_id)]):
        network.judge_epoch(epoch, NODES, {})
        epoch += 1
    assert epoch < 100
    author = drawn[0]
    evidence = network.evidence(epoch, author, NODE.node_id, NODE)
    material = Material(
        records=[evidence], attestations={digest_of(evidence): network.attestations(evidence, NODE.node_id)}
    )
    assert read(network.make(epoch, material)).entries == (), "nobody can see the duty yet"
    shown = network.show_duties(epoch, author)
    network.append(epoch, Material())
    block = network.make(epoch + 1, replace(material, duties=[shown]))
    assert len(read(block).entries) == 1
    check_block(network.state, block, record_of=network.records.get)


def test_duties_are_shown_once_by_members_and_after_their_epoch() -> None:
    network = begun()
    member = network.members[0]
    shown = network.show_duties(1, member)
    early = read(network.make(1, Material()))
    refused(network, msgspec.structs.replace(early, duties=(shown,)), "cannot be shown in a block of epoch 1")
    assert read(network.make(1, Material(duties=[shown]))).duties == ()
    block = read(network.make(2, Material(duties=[shown, shown])))
    assert block.duties == (shown,)
    refused(network, msgspec.structs.replace(block, duties=(shown, shown)), "order of epochs")
    network.append(2, Material(duties=[shown]))
    again = read(network.make(3, Material()))
    refused(network, msgspec.structs.replace(again, duties=(shown,)), "shown before")


def test_all_members_together_check_a_node_of_standing_at_its_rate() -> None:
    network = begun()
    network.append(1, judged(network))
    standing = msgspec.structs.replace(network.state.standings[NODE.node_id], good=20)
    basis = Basis(members=network.state.members, output=b"o", standings={}, commitments={})
    outputs = random.Random(3)
    drawn = sum(is_drawn_privately(basis, standing, outputs.randbytes(64)) for _ in range(20_000))
    assert 20_000 / 20 / 4 * 0.8 < drawn < 20_000 / 20 / 4 * 1.2
    rare = msgspec.structs.replace(standing, good=5_000)
    drawn = sum(is_drawn_privately(basis, rare, outputs.randbytes(64)) for _ in range(40_000))
    assert 40_000 / 50 / 4 * 0.75 < drawn < 40_000 / 50 / 4 * 1.25


# --------------------------------------------------------------------------------------------------------- commitments


@pytest.mark.parametrize("case", ["epoch", "stranger", "twice"])
def test_commitments_that_do_not_belong_are_left_out_and_refused(case: str) -> None:
    network = begun()
    good = network.commit_all(2, NODES)
    makers: dict[str, Callable[[], tuple[list[SignedRecord], str]]] = {
        "epoch": lambda: ([network.commit(3, network.members[0], [NODE.node_id])], "those for epoch 2 are due"),
        "stranger": lambda: ([network.commit(2, NODE, [NODE.node_id])], "no member"),
        "twice": lambda: ([good[0], good[0]], "order of their members"),
    }
    bad, words = makers[case]()
    assert len(read(network.make(1, Material(commitments=[*good, *bad]))).commitments) == 4
    block = read(network.make(1, Material()))
    refused(network, msgspec.structs.replace(block, commitments=tuple(bad)), words)


# ------------------------------------------------------------------------------------------------- change of committee


def test_the_committee_changes_when_owners_agree_and_the_new_one_goes_on() -> None:
    network = begun()
    more = identity(2_000)
    members = (*network.state.members[1:], more.public_key)
    changes = network.changes(add=[more.public_key], remove=[network.state.members[0]])
    network.members = [*network.members, more]
    material = Material(changes=changes, commitments=[network.commit(2, more, [NODE.node_id])])
    network.append(1, material)
    assert network.state.changes == (2,)
    assert network.state.members == members
    assert set(network.state.epochs[2].basis.commitments) == {more.public_key}
    network.append(2, Material())
    assert network.state.height == 3


# ------------------------------------------------------------------------------------------------------------ time out


def test_who_signed_nothing_for_long_is_a_newcomer_again() -> None:
    network = begun()
    network.append(1, judged(network))
    network.append(1 + 2_016, Material())
    assert NODE.node_id in network.state.standings
    network.append(2 + 2_016, Material())
    assert network.state.standings == {}


def test_turns_are_judged_in_their_order_wherever_they_stand_in_the_block() -> None:
    turns = [score(2_000), score(2_500), score(-4_000)]  # in this order a run of them is a fail
    for order in permutations(range(3)):
        judged = [Judged(NODE.node_id, 1, 0, turn, turns[turn]) for turn in order]
        (standing,) = standings_after({}, judged, 0, OURS).values()
        assert standing.suspicion == 4_500
    others = [Judged(NODE.node_id, 1, 0, place, turns[turn]) for place, turn in enumerate((0, 2, 1))]
    (standing,) = standings_after({}, others, 0, OURS).values()
    assert standing.suspicion == 500


@pytest.mark.parametrize(("suspicion", "lapses"), [(8_000, 0), (0, 6_000)])
def test_what_speaks_for_a_node_counts_once_an_epoch_in_however_many_blocks_it_comes(
    suspicion: int, lapses: int
) -> None:
    """Else a verifier that is the node's friend shows one turn in each block, and washes it three times as fast."""
    node = NODE.node_id
    before = msgspec.structs.replace(OURS.newcomer(node), suspicion=suspicion, lapses=lapses, signed=6)

    def after(*blocks: list[Judged]) -> tuple[int, int]:
        standings = {node: before}
        for judged in blocks:
            standings = dict(standings_after(standings, judged, 0, OURS))
        return standings[node].suspicion, standings[node].lapses

    passes = [Judged(node, 7, 0, turn, score(-5_000)) for turn in range(3)]
    fail = Judged(node, 7, 1, 0, score(4_000))
    assert after([passes[0]], [passes[1]], [passes[2]]) == after(passes)
    assert after([passes[0]], [passes[1]], [passes[2]]) != (suspicion, lapses)
    assert after([passes[0]], [fail]) > after([passes[0]]), "what speaks against it counts whenever it comes"
