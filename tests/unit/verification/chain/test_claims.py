"""What blocks say of others than answers: each must be proven in the block itself, and has effect once."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from engine.crypto.identity import Identity
from engine.errors import VerificationError
from engine.verification.batches import make_batch
from engine.verification.chain.block import check_block
from engine.verification.chain.claims import sign_missed
from engine.verification.chain.entries import make_entry
from engine.verification.chain.fairness import fair_place
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.chain.room import MAX_BLOCK, entries_that_fit
from engine.verification.chain.state import newcomer_again_after
from engine.verification.chain.waiting_claims import MAX_CLAIMS
from engine.verification.challenges.duties import CHECKERS, is_drawn_publicly, publicly_drawn, related
from engine.verification.challenges.opening import open_evidence
from engine.verification.quorums import VOTE_PURPOSE
from engine.verification.receipts import make_receipt, sign_receipt
from engine.verification.signing import digest_of
from engine.wire.blocks import MAX_CONTRADICTIONS, MAX_HIDDEN, Block, Vote, block_decoder
from engine.wire.codec import encode
from engine.wire.receipts import Contradiction, OpeningMissed
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging, score
from tests.support.receipts import make_request, served
from tests.support.records import SERVER, identity

NODES = [identity(number) for number in range(3)]
NODE = NODES[0]
NOTHING = Material()


def begun() -> Judging:
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    return network


def established() -> Judging:
    """After ten epochs, in which all nodes have answered well."""
    network = begun()
    for epoch in range(1, 7):
        network.judge_epoch(epoch, NODES, {})
    assert network.state.standings[NODE.node_id].good >= 10
    return network


def batches(network: Judging, owner: Identity = NODE, epochs: tuple[int, int] = (3, 3)) -> Contradiction:
    made = [
        make_batch(owner, network.network_id, epoch, [bytes((place,)) * 32], 1, b"s")
        for place, epoch in enumerate(epochs)
    ]
    return Contradiction(*made)


def votes(network: Judging) -> Contradiction:
    def vote(digest: bytes) -> SignedRecord:
        record = encode(Vote(network.network_id, 1, 0, True, digest))
        return SignedRecord(record, NODE.public_key, NODE.sign(VOTE_PURPOSE, network.network_id, record))

    return Contradiction(vote(b"a" * 32), vote(b"b" * 32))


def missed(
    network: Judging, node: Identity = NODE, by: Identity = SERVER, *, number: int = 0, **changes: Any
) -> SignedRecord:
    """A final receipt of an epoch that was over was asked for, while the node made others."""
    asked = changes.pop("asked", network.state.epoch - 3)
    work = served(
        request=make_request(request_id=number.to_bytes(16, "big")),
        issued=changes.pop("issued", int(network.begins(asked)) - 5),
        final=changes.pop("final", True),
    )
    record, signature = sign_receipt(node, make_receipt(node, network.network_id, work))
    fields: dict[str, Any] = {
        "network_id": network.network_id,
        "node_id": node.node_id,
        "receipt": record,
        "receipt_signature": signature,
        "asked": asked,
        "batch": was_there(network, asked + 1, node),
    }
    return sign_missed(by, OpeningMissed(**(fields | changes)))


def was_there(network: Judging, epoch: int, node: Identity = NODE) -> SignedRecord:
    return make_batch(node, network.network_id, epoch, [b"d" * 32], 1, b"s")


def read(encoded: bytes) -> Block:
    return block_decoder.decode(encoded)


def refused(network: Judging, epoch: int, words: str, material: Material = NOTHING, **changes: Any) -> None:
    """A block with these fields, whoever made it, is refused."""
    block = msgspec.structs.replace(read(network.make(epoch, material)), **changes)
    with pytest.raises(VerificationError, match=words):
        check_block(network.state, encode(block))


# ------------------------------------------------------------------------------------------------------ contradictions


def test_who_contradicts_itself_is_excluded_for_everybody_and_for_good() -> None:
    network = established()
    network.append(7, Material(contradictions=[batches(network)]))
    standing = network.state.standings[NODE.node_id]
    assert (standing.excluded, standing.contradicted, standing.reputation, standing.good) == (True, True, 0, 0)
    assert not is_drawn_publicly(standing), "nothing that it answers could bring it back"
    assert read(network.make(8, Material(contradictions=[batches(network)]))).contradictions == (), "once is enough"
    refused(network, 8, "known to have contradicted", contradictions=(batches(network),))


def test_two_weeks_without_an_answer_do_not_bring_it_back() -> None:
    network = begun()
    network.append(1, Material(contradictions=[batches(network, epochs=(1, 1))]))
    epoch = 2 + newcomer_again_after(network.state.genesis)
    network.append(epoch, Material(commitments=network.commit_all(epoch + 1, NODES)))
    assert network.state.standings[NODE.node_id].contradicted
    judged = network.everybody_checked(epoch + 1, NODES[1:])
    network.append(epoch + 1, judged)
    assert network.state.standings[NODE.node_id].excluded
    assert network.state.standings[NODES[1].node_id].good > 0


def test_a_node_that_nobody_has_judged_can_contradict_itself_too() -> None:
    network = begun()
    network.append(1, Material(contradictions=[batches(network)]))
    assert network.state.standings[NODE.node_id].contradicted


def test_good_answers_do_not_bring_it_back() -> None:
    network = begun()
    author = network.member(publicly_drawn(network.state.epochs[1].basis, NODE.node_id)[0])
    evidence = network.evidence(1, author, NODE.node_id, NODE)
    attested = {digest_of(evidence): network.attestations(evidence, NODE.node_id, score(-5_000))}
    network.append(1, Material(contradictions=[batches(network)]))
    network.append(2, Material(records=[evidence], attestations=attested))
    assert network.state.standings[NODE.node_id].excluded
    assert network.state.standings[NODE.node_id].judged == 0


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("none", "do not contradict each other"),
        ("votes", "excludes no node"),
        ("two keys", "different keys"),
        ("forged", "refused"),
        ("disorder", "not in the order of their nodes"),
        ("twice", "not in the order of their nodes"),
        ("another network", "refused|another network"),
    ],
)
def test_what_proves_nothing_is_left_out_and_refused(case: str, words: str) -> None:
    network = begun()
    good, other = batches(network), batches(network, NODES[1])
    forged = msgspec.structs.replace(good.second, signature=bytes(64))
    ordered = sorted((good, other), key=lambda one: -int.from_bytes(identity_of(one), "big"))
    bad: dict[str, tuple[Contradiction, ...]] = {
        "none": (batches(network, epochs=(3, 4)),),
        "votes": (votes(network),),
        "two keys": (Contradiction(good.first, other.second),),
        "forged": (Contradiction(good.first, forged),),
        "disorder": tuple(ordered),
        "twice": (good, good),
        "another network": (batches(judging(4, epoch_seconds=5.0)),),
    }
    if case not in ("disorder", "twice"):
        assert read(network.make(1, Material(contradictions=bad[case]))).contradictions == ()
    refused(network, 1, words, contradictions=bad[case])


def identity_of(shown: Contradiction) -> bytes:
    return next(one.node_id for one in NODES if one.public_key == shown.first.key)


def test_a_flood_of_contradictions_is_bounded_and_leaves_room_for_answers() -> None:
    network = begun()
    author = network.member(publicly_drawn(network.state.epochs[1].basis, NODE.node_id)[0])
    evidence = network.evidence(1, author, NODE.node_id, NODE)
    attested = {digest_of(evidence): network.attestations(evidence, NODE.node_id)}
    flood = [batches(network, identity(500 + number)) for number in range(20)]
    block = read(network.make(1, Material(records=[evidence], attestations=attested, contradictions=flood)))
    assert len(block.contradictions) == MAX_CONTRADICTIONS
    assert len(block.entries) == 1
    book = RecordBook()
    for shown in (*flood, *flood):
        book.claims.add_contradiction(shown, network.state)
    assert len(book.material().contradictions) == 20
    with pytest.raises(VerificationError, match="excludes no node"):
        book.claims.add_contradiction(votes(network), network.state)


# ----------------------------------------------------------------------------------------------------- hidden receipts


def test_a_hidden_receipt_ends_the_row_of_good_answers_once_so_the_node_is_checked_in_every_epoch() -> None:
    network = established()
    before = network.state.standings[NODE.node_id]
    assert not is_drawn_publicly(before)
    word = missed(network)
    network.append(7, Material(hidden=[word], commitments=network.commit_all(8, NODES)))
    after = network.state.standings[NODE.node_id]
    assert is_drawn_publicly(after)
    assert after == msgspec.structs.replace(before, good=0), "it makes checks likelier and does nothing else"
    network.judge_epoch(8, NODES, {})
    assert network.state.standings[NODE.node_id].good > 0
    assert read(network.make(9, Material(hidden=[word]))).hidden == (), "one receipt counts once"
    refused(network, 9, "has said that this receipt was hidden", hidden=(word,))
    for epoch in range(9, 14):
        network.append(epoch, Material())
    assert network.state.hidden == {}, "too old to be named again"
    refused(network, 14, "says nothing in a block of 14", hidden=(word,))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"by": identity(66)}, "does not name"),
        ({"network_id": bytes(32)}, "refused|does not name"),
        ({"asked": 5}, "says nothing in a block of 7"),
        ({"asked": 9}, "says nothing in a block of 7"),
        ({"node": identity(77)}, "checked in every epoch already"),
        ({"final": False}, "not a final one"),
        ({"issued": int(judging().begins(3)) + 1}, "before it had to be in a batch"),
        ({"receipt": b"x"}, "said to be hidden is none"),
        ({"receipt_signature": bytes(64)}, "said to be hidden is none"),
        ({"node_id": NODES[1].node_id}, "another node's"),
        ({"batch": was_there(judging(), 4, NODES[1])}, "another node's"),
        ({"batch": was_there(judging(), 3)}, "Nothing shows that the node was there"),
        ({"batch": was_there(judging(), 6)}, "Nothing shows that the node was there"),
        ({"batch": msgspec.structs.replace(was_there(judging(), 4), signature=bytes(64))}, "refused"),
    ],
)
def test_a_hidden_receipt_that_is_none_is_left_out_and_refused(changes: dict[str, Any], words: str) -> None:
    network = established()
    bad = missed(network, **changes)
    assert read(network.make(7, Material(hidden=[bad]))).hidden == ()
    refused(network, 7, words, hidden=(bad,))
    forged = msgspec.structs.replace(missed(network), signature=bytes(64))
    refused(network, 7, "is refused", hidden=(forged,))
    refused(network, 7, "is refused", hidden=(msgspec.structs.replace(forged, record=b"\x00"),))


def test_hidden_receipts_are_ordered_and_bounded() -> None:
    network = established()
    words = [missed(network, number=number) for number in range(30)]
    block = read(network.make(7, Material(hidden=words)))
    assert len(block.hidden) == MAX_HIDDEN
    refused(network, 7, "not in their order", hidden=block.hidden[::-1])
    refused(network, 7, "not in their order", hidden=block.hidden[:1] * 2)
    book = RecordBook()
    for number in range(MAX_CLAIMS + 10):
        book.claims.add_hidden(missed(network, number=number), network.state, 7)
    assert len(book.material().hidden) == MAX_CLAIMS
    network.append(7, Material(hidden=words))
    book.decided(network.state, network.blocks[-1].block)
    assert len(book.material().hidden) == 0, "the node is checked in every epoch already"


# -------------------------------------------------------------------------------------------- changes of the committee


NEW = identity(2_000)


def test_a_quorum_of_owners_changes_the_committee_and_fewer_do_not() -> None:
    network = begun()
    changes = network.changes(add=[NEW.public_key])
    assert read(network.make(1, Material(changes=changes[:2]))).next_members == ()
    block = read(network.make(1, Material(changes=changes[1:])))
    assert block.next_members == (*network.state.members, NEW.public_key)
    assert len(block.change) == 3


def test_of_one_member_the_newest_will_counts() -> None:
    network = begun()
    first, *others = [network.member(key) for key in network.state.members]
    wills = [network.change(one, add=[NEW.public_key]) for one in others[:2]]
    yes, no = network.change(first, add=[NEW.public_key]), network.change(first, issued=1_750_000_001)
    assert read(network.make(1, Material(changes=[*wills, yes]))).next_members
    for order in ([yes, no], [no, yes]):
        assert read(network.make(1, Material(changes=[*wills, *order]))).next_members == ()
        book = RecordBook()
        for signed in (*wills, *order):
            book.add(signed, network.state, 1)
        assert len(book.material().changes) == 3
        assert no in book.material().changes


def with_fields(network: Judging, **fields: Any) -> list[SignedRecord]:
    return [network.change(network.member(key), add=[NEW.public_key], **fields) for key in network.state.members]


def forged_changes(network: Judging) -> dict[str, tuple[list[SignedRecord], dict[str, Any], str]]:
    good = network.changes(add=[NEW.public_key])
    after = (*network.state.members, NEW.public_key)
    first = network.member(network.state.members[0])
    members = {"next_members": after}
    other = network.change(first, add=[identity(9).public_key])
    return {
        "too few": (good[:2], members, "takes 3 different members"),
        "twice": ([good[0], good[0], good[1]], members, "takes 3 different members"),
        "disorder": (good[::-1], members, "in their order"),
        "different": ([other, *good[1:]], members, "different changes"),
        "another committee": (good, {"next_members": after[::-1]}, "another committee than a quorum wants"),
        "nobody": (good, {"next_members": ()}, "another committee than a quorum wants"),
        "stranger": ([*good[:2], network.change(NEW, add=[NEW.public_key])], members, "no member"),
        "replayed": (with_fields(network, since=7), members, "another committee than the present one"),
        "too old": (with_fields(network, until=0), members, "until epoch 0 only"),
        "member already": (network.changes(add=[first.public_key]), members, "member of the committee already"),
        "removes a stranger": (network.changes(remove=[NEW.public_key]), members, "removes somebody"),
        "nothing": (network.changes(), members, "changes nothing"),
        "too small": (network.changes(remove=[first.public_key]), members, "leaves 3"),
        "signature": (
            [msgspec.structs.replace(one, signature=bytes(64)) for one in good],
            members,
            "signature does not fit",
        ),
    }


CASES = (
    "too few",
    "twice",
    "disorder",
    "different",
    "another committee",
    "nobody",
    "stranger",
    "replayed",
    "too old",
    "member already",
    "removes a stranger",
    "nothing",
    "too small",
    "signature",
)


@pytest.mark.parametrize("case", CASES)
def test_a_change_that_is_not_wanted_or_cannot_be_is_refused(case: str) -> None:
    network = begun()
    change, changes, words = forged_changes(network)[case]
    refused(network, 1, words, change=tuple(change), **changes)


def test_an_old_will_does_not_change_a_later_committee() -> None:
    network = begun()
    old = network.changes(add=[NEW.public_key])
    network.members = [*network.members, NEW]
    network.append(1, Material(changes=old))
    network.append(2, Material(changes=network.changes(remove=[NEW.public_key])))
    assert len(network.state.members) == 4
    assert read(network.make(3, Material(changes=old))).next_members == (), "it was wanted of the first committee"


# ------------------------------------------------------------------------------------------------------------- families


def kin(*nodes: Identity) -> tuple[bytes, ...]:
    return tuple(node.node_id[:8] for node in nodes)


def with_kin(count: int, members: int = 4) -> Judging:
    """The first ``count`` members say that NODE is of their family."""
    network = judging(members)
    ids = [node.node_id for node in NODES]
    commitments = [
        network.commit(1, member, ids, kin(NODE) if place < count else ())
        for place, member in enumerate(network.members)
    ]
    network.append(0, Material(commitments=commitments))
    return network


@pytest.mark.parametrize(("members", "most"), [(4, 1), (7, 2), (10, 3)])
def test_a_family_is_kept_out_as_long_as_enough_others_are_left(members: int, most: int) -> None:
    for count in range(members):
        basis = with_kin(count, members).state.epochs[1].basis
        own = set(basis.members[:count])
        assert related(basis, NODE.node_id) == (own if count <= most else set())
        drawn = set(publicly_drawn(basis, NODE.node_id))
        assert len(drawn) == min(CHECKERS, members - len(related(basis, NODE.node_id)))
        assert count > most or not drawn & own
        assert related(basis, NODES[1].node_id) == frozenset()


def test_who_is_of_the_family_neither_asks_nor_scores() -> None:
    network = with_kin(1)
    own = network.members[0]
    assert not network.has_duty(1, own, NODE.node_id)
    asked = NODES[1].node_id  # the answer was passed on to its own family
    others = [one for one in network.members if one is not own]
    for member in network.members:
        if not network.has_duty(1, member, asked):
            continue
        evidence = network.evidence(1, member, asked, NODE)
        state = network.state
        if member is own:
            with pytest.raises(VerificationError, match="own family"):
                open_evidence(evidence, state.genesis, network.network_id, state.commitment_of)
            continue
        attested = network.attestations(evidence, NODE.node_id)
        assert own.public_key not in {one.key for one in attested}
        by_kin = network.attest(evidence, NODE.node_id, own)
        material = Material(records=[evidence], attestations={digest_of(evidence): [by_kin, *attested]})
        block = read(network.make(1, material))
        assert {place for place, _, _ in block.entries[0].attestations} <= {
            state.members.index(one.public_key) for one in others
        }
        index = state.members.index(own.public_key)
        forged = msgspec.structs.replace(
            block.entries[0], attestations=((index, score(), by_kin.signature), *block.entries[0].attestations[1:])
        )
        refused(network, 1, "not drawn to score", material, entries=(forged,))
        book = RecordBook()
        book.add(evidence, state, 1)
        assert book.unscored(own.public_key, state, late=9) == []
        return
    raise AssertionError("nobody of another family was drawn")


def test_nobody_misses_a_duty_towards_its_own_family() -> None:
    network = with_kin(1)
    ids = [node.node_id for node in NODES]
    for epoch in (1, 2, 3, 4):
        records, attested = [], {}
        for member in network.members:
            for node in NODES:
                if network.has_duty(epoch, member, node.node_id):
                    evidence = network.evidence(epoch, member, node.node_id, node)
                    attested[digest_of(evidence)] = network.attestations(evidence, node.node_id)
                    records.append(evidence)
        commitments = [
            network.commit(epoch + 1, one, ids, kin(NODE) if place == 0 else ())
            for place, one in enumerate(network.members)
        ]
        shown = [network.show_duties(epoch - 1, one) for one in network.members if epoch - 1 in network.state.epochs]
        block = network.append(
            epoch, Material(commitments=commitments, duties=shown, records=records, attestations=attested)
        )
        assert read(block.block).missed == ()


# ---------------------------------------------------------------------------------------------------------- fair order


def test_what_does_not_fit_waits_in_a_fair_order() -> None:
    """Of a flood of new nodes whole conversations are judged, and who has waited comes first in the next block."""
    network = judging(4)
    nodes = [identity(100 + number) for number in range(38)]
    network.append(0, Material(commitments=network.commit_all(1, nodes)))
    material = network.everybody_checked(1, nodes)
    records = list(material.records)
    random.Random(1).shuffle(records)
    material = replace(material, records=records)
    with patch("engine.verification.chain.results.make_entry", wraps=make_entry) as made:
        encoded = network.make(1, material)
    assert len(encoded) <= MAX_BLOCK
    first = read(encoded)
    assert made.call_count <= len(first.entries) + 8 < len(records), "what finds no room is not looked at"
    judged: dict[bytes, int] = {}
    for entry in first.entries:
        judged[entry.node] = judged.get(entry.node, 0) + 1
    assert len(first.entries) >= entries_that_fit(4)
    assert sum(count < 8 for count in judged.values()) <= 1, "all turns of a node's conversations, but of the last one"
    before = network.state
    opened = [open_evidence(one, before.genesis, network.network_id, before.commitment_of) for one in records]
    taken = {entry.evidence for entry in first.entries}
    places = {one.digest: fair_place(before, one) for one in opened}
    assert max(places[digest] for digest in taken) < min(places[digest] for digest in places.keys() - taken)
    network.append(1, material)
    network.append(2, material)
    assert {node.node_id for node in nodes} == set(network.state.standings), "everybody has been judged"
