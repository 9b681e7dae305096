"""What a member keeps of what others say: what holds, bounded, and until blocks have no more use for it."""

from dataclasses import replace
from unittest.mock import Mock

import msgspec
import pytest

from engine.crypto.ecvrf import verify as verify_proof
from engine.crypto.identity import Identity, verify
from engine.errors import VerificationError
from engine.verification import signing
from engine.verification.chain import derivation, records
from engine.verification.chain.entries import scorers
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.chain.state import OpenEpoch
from engine.verification.challenges.duties import publicly_drawn
from engine.verification.challenges.opening import open_evidence
from engine.verification.reputation.rule import unjudged
from engine.verification.signing import digest_of, sign_record
from engine.wire.blocks import block_decoder, committee_record_decoder
from engine.wire.challenges import Attestation, ChallengeCommitment, Duties
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord
from tests.support.judging import Judging, judging, score
from tests.support.records import identity

NODES = [identity(number) for number in range(3)]
NODE = NODES[0]


def begun() -> tuple[Judging, RecordBook, SignedRecord]:
    """The first block is there, and evidence of a member that had the duty."""
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    author = network.member(publicly_drawn(network.state.epochs[1].basis, NODE.node_id)[0])
    return network, RecordBook(), network.evidence(1, author, NODE.node_id, NODE)


def test_what_members_say_becomes_a_block() -> None:
    network, book, evidence = begun()
    assert book.add(evidence, network.state, 1)
    assert not book.add(evidence, network.state, 1), "it is new once"
    for signed in (*network.commit_all(2, NODES), *network.attestations(evidence, NODE.node_id)):
        book.add(signed, network.state, 1)
    block = block_decoder.decode(network.make(1, book.material()))
    assert (len(block.commitments), len(block.entries)) == (4, 1)
    assert book.record_of(digest_of(evidence)) == evidence


def test_a_member_is_told_what_it_has_to_score_until_it_has() -> None:
    network, book, evidence = begun()
    assert book.add(evidence, network.state, 1)
    opened = open_evidence(evidence, network.state.genesis, network.network_id, network.state.commitment_of)
    assert opened.node == NODE.node_id
    drawn = scorers(network.state.members, opened.digest, opened.evidence.member, opened.node)
    for late, able in ((0, drawn[:2]), (1, drawn)):
        for member in network.members:
            waiting = book.unscored(member.public_key, network.state, late)
            assert [one.digest for one in waiting] == ([opened.digest] if member.public_key in able else [])
    for signed in network.attestations(evidence, NODE.node_id):
        book.add(signed, network.state, 1)
        assert book.unscored(signed.key, network.state, 1) == []
        assert signed in book.of_member(signed.key, network.state)


@pytest.mark.parametrize(("second", "needed"), [(-3_000, False), (4_000, True)])
def test_who_was_drawn_in_reserve_scores_what_the_first_do_not_agree_on(second: int, needed: bool) -> None:
    network, book, evidence = begun()
    assert book.add(evidence, network.state, 1)
    opened = open_evidence(evidence, network.state.genesis, network.network_id, network.state.commitment_of)
    *first, reserve = scorers(network.state.members, opened.digest, opened.evidence.member, opened.node)
    for key, likelihood in zip(first, (-3_000, second), strict=True):
        book.add(network.attest(evidence, NODE.node_id, network.member(key), score(likelihood)), network.state, 1)
    assert book.unscored(reserve, network.state, 0) == []
    assert book.unscored(reserve, network.state, 1) == ([opened] if needed else [])
    book.add(network.attest(evidence, NODE.node_id, network.member(reserve), score(-3_100)), network.state, 1)
    (entry,) = block_decoder.decode(network.make(1, book.material())).entries
    assert entry.score.likelihood < -2_900


def test_what_is_judged_or_too_old_is_forgotten() -> None:
    network, book, evidence = begun()
    book.add(evidence, network.state, 1)
    for signed in (*network.commit_all(2, NODES), *network.attestations(evidence, NODE.node_id)):
        book.add(signed, network.state, 1)
    network.append(1, book.material())
    book.decided(network.state, network.blocks[-1].block)
    assert book.material().attestations == {}
    assert book.material().commitments == []
    assert book.record_of(digest_of(evidence)) == evidence, "others may ask for it"
    assert book.unscored(evidence.key, network.state, 1) == []
    assert book.of_member(evidence.key, network.state) == [], "nobody needs to hear it again"
    network.append(3, Material())
    book.decided(network.state, network.blocks[-1].block)
    assert book.record_of(digest_of(evidence)) is None
    assert book.of_member(evidence.key, network.state) == []


def test_what_is_not_wanted_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    network, book, evidence = begun()
    stranger = identity(77)
    (attestation, *_) = network.attestations(evidence, NODE.node_id)
    cases: list[tuple[SignedRecord, str]] = [
        (msgspec.structs.replace(evidence, record=b"x"), "cannot be read"),
        (network.commit(9, network.members[0], [NODE.node_id]), "not wanted in epoch 1"),
        (network.commit(2, stranger, [NODE.node_id]), "no member"),
        (attestation, "evidence that is not here"),
        (network.show_duties(1, network.members[0]), "cannot be shown"),
    ]
    for signed, words in cases:
        with pytest.raises(VerificationError, match=words):
            book.add(signed, network.state, 1)
    book.add(evidence, network.state, 1)
    drawn = {one.key for one in network.attestations(evidence, NODE.node_id)}
    idle = next(member for member in network.members if member.public_key not in drawn)
    with pytest.raises(VerificationError, match="not drawn"):
        book.add(network.attest(evidence, NODE.node_id, idle), network.state, 1)
    scorer = network.member(attestation.key)
    with pytest.raises(VerificationError, match="another version of the model"):
        book.add(network.attest(evidence, NODE.node_id, scorer, score(4_000), model=b"o" * 32), network.state, 1)
    assert book.add(attestation, network.state, 1), "it can still say what it finds with the right one"
    again = network.evidence(1, network.member(evidence.key), NODE.node_id, NODE, output=tuple(range(40)))
    assert book.add(again, network.state, 1), "whoever is shown another one shall have both"
    third = network.evidence(1, network.member(evidence.key), NODE.node_id, NODE, output=tuple(range(41)))
    with pytest.raises(VerificationError, match="more than two results of one turn"):
        book.add(third, network.state, 1)
    monkeypatch.setattr(records, "MAX_EVIDENCE", 1)
    more = network.evidence(1, network.member(evidence.key), NODE.node_id, NODE, turn=1)
    with pytest.raises(VerificationError, match="more than 1 results"):
        book.add(more, network.state, 1)


# -------------------------------------------------------------------------------- members that show what they must not


def test_a_flood_of_forged_duties_costs_a_few_proofs_and_hides_no_honest_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    network, book, _ = begun()
    network.append(1, Material(commitments=network.commit_all(2, NODES)))
    liar, other = network.members[:2]
    signatures, proofs = Mock(side_effect=verify), Mock(side_effect=verify_proof)
    monkeypatch.setattr(signing, "verify", signatures)
    monkeypatch.setattr(derivation, "verify_proof", proofs)

    def forged(epoch: int, member: bytes, number: int) -> SignedRecord:
        proof = number.to_bytes(80, "big")
        duties = Duties(network_id=network.network_id, epoch=epoch, member=member, proof=proof)
        return (
            sign_record(liar, duties) if member == liar.public_key else SignedRecord(encode(duties), member, b"s" * 64)
        )

    def refused(signed: SignedRecord, epoch: int) -> str:
        with pytest.raises(VerificationError) as raised:
            book.add(signed, network.state, epoch)
        return str(raised.value)

    stranger = identity(77).public_key
    for number in range(100):  # of nobody who could show any, or when nobody can: nothing is computed
        assert "no member" in refused(forged(1, stranger, number), 2)
        assert "cannot be shown" in refused(forged(2, liar.public_key, number), 2)
        assert "cannot be shown" in refused(forged(9, liar.public_key, number), 2)
        unlike = msgspec.structs.replace(forged(1, liar.public_key, number), key=other.public_key)
        assert "signed by another key" in refused(unlike, 2)
    assert signatures.call_count == proofs.call_count == 0
    said = [refused(forged(1, liar.public_key, number), 2) for number in range(4_000)]
    assert all("does not hold" in one for one in said[: records.MAX_PROOFS])
    assert all(f"{records.MAX_PROOFS} proofs" in one for one in said[records.MAX_PROOFS :])
    assert proofs.call_count == records.MAX_PROOFS
    assert signatures.call_count <= records.MAX_PROOFS
    assert "does not hold" in refused(forged(2, liar.public_key, 0), 3), "another epoch has tries of its own"
    assert book.add(network.show_duties(1, other), network.state, 2), "and so has another member"
    before = proofs.call_count
    for _ in range(50):  # honest members repeat
        assert not book.add(network.show_duties(1, other), network.state, 2)
    assert proofs.call_count == before


def test_a_flood_of_forged_records_costs_a_few_signature_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    network, book, evidence = begun()
    assert book.add(evidence, network.state, 1)
    attested = network.attestations(evidence, NODE.node_id)
    liar = next(one for one in network.members if one.public_key == attested[0].key)
    other = next(one for one in network.members if one is not liar)
    promised = network.commit(2, other, [NODE.node_id])
    signatures = Mock(side_effect=verify)
    monkeypatch.setattr(signing, "verify", signatures)

    def refused(signed: SignedRecord, epoch: int = 1) -> str:
        with pytest.raises(VerificationError) as raised:
            book.add(signed, network.state, epoch, sender=liar.public_key)
        return str(raised.value)

    def forged(signed: SignedRecord, number: int) -> SignedRecord:
        return msgspec.structs.replace(signed, signature=number.to_bytes(64, "big"))

    said = committee_record_decoder.decode(attested[0].record)
    assert isinstance(said, Attestation)
    nonsense = sign_record(liar, msgspec.structs.replace(said, score=score(tokens=1)))
    nothing = committee_record_decoder.decode(network.commit(2, liar, [NODE.node_id]).record)
    assert isinstance(nothing, ChallengeCommitment)
    for _ in range(50):  # what is wrong to see, truly signed
        assert "signature" not in refused(nonsense)
        assert "promises nothing" in refused(sign_record(liar, msgspec.structs.replace(nothing, count=0)))
    assert signatures.call_count == 0
    for number in range(2_000):  # its own, and as if it passed another's on
        refused(forged(attested[0], number))
        refused(forged(promised, number))
    assert signatures.call_count == records.MAX_FORGED
    assert f"{records.MAX_FORGED} forged" in refused(forged(promised, 1))
    assert book.add(promised, network.state, 1, sender=other.public_key), "nobody spends another one's tries"
    assert book.add(attested[1], network.state, 1, sender=attested[1].key)
    assert "does not fit" in refused(forged(network.commit(3, other, [NODE.node_id]), 1), 2), "tries of the next epoch"


def established(network: Judging, nodes: list[Identity]) -> None:
    """In epoch 1 these are checked by lot, and nobody knows beforehand by whom."""
    state = network.state
    standings = {
        node.node_id: msgspec.structs.replace(unjudged(node.node_id, 900_000), good=10, signed=1) for node in nodes
    }
    basis = replace(state.epochs[1].basis, standings=standings)
    network.state = replace(state, epochs={1: OpenEpoch(basis=basis)})


def lots() -> tuple[Judging, Identity, Identity, list[Identity]]:
    """A network with a member, a node that the lot gives it, and others that it does not."""
    network = judging()
    nodes = [identity(number) for number in range(60)]
    network.append(0, Material(commitments=network.commit_all(1, nodes)))
    established(network, nodes)
    member, due = next(
        (member, node) for member in network.members for node in nodes if network.has_duty(1, member, node.node_id)
    )
    return network, member, due, [node for node in nodes if not network.has_duty(1, member, node.node_id)]


def test_what_a_member_shows_without_a_duty_is_neither_kept_nor_scored() -> None:
    """Before, each could have every other one keep 512 records of an epoch and score them: 92 MB of memory."""
    network, member, _, others = lots()
    book = RecordBook()
    for node in others:
        for shown in (network.evidence(1, member, node.node_id, node), network.unanswered(1, member, node.node_id)):
            with pytest.raises(VerificationError, match="duty that it had not"):
                book.add(shown, network.state, 1)
    assert book.material().records == []
    assert all(book.unscored(key.public_key, network.state, 1) == [] for key in network.members)


def test_what_the_lot_has_given_is_believed_when_everybody_can_see_it() -> None:
    network, member, node, _ = lots()
    mine, other = RecordBook(), RecordBook()
    evidence = network.evidence(1, member, node.node_id, node)
    digest = digest_of(evidence)
    with pytest.raises(VerificationError, match="has not shown yet"):
        mine.add(evidence, network.state, 1)
    mine.expect(1, member.public_key, network.draw_output(1, member))
    assert mine.add(evidence, network.state, 1)
    assert mine.is_early(digest, network.state)
    assert evidence not in mine.of_member(member.public_key, network.state), "it would tell what the lot has given"
    with pytest.raises(VerificationError, match="has not shown yet"):
        other.add(evidence, network.state, 1)
    duties = network.show_duties(1, member)
    for book in (mine, other):
        assert book.add(duties, network.state, 2)
    assert not mine.is_early(digest, network.state)
    told = mine.of_member(member.public_key, network.state)
    assert told.index(duties) < told.index(evidence)
    assert other.add(evidence, network.state, 2)


def test_who_is_drawn_in_reserve_for_what_the_lot_has_given_waits_an_epoch_longer() -> None:
    network, member, node, _ = lots()
    book = RecordBook()
    book.add(network.show_duties(1, member), network.state, 2)
    evidence = network.evidence(1, member, node.node_id, node)
    book.add(evidence, network.state, 2)
    *_, reserve = scorers(network.state.members, digest_of(evidence), member.public_key, node.node_id)
    assert book.unscored(reserve, network.state, 1) == []
    assert [one.digest for one in book.unscored(reserve, network.state, 2)] == [digest_of(evidence)]


def test_the_bytes_of_what_a_member_shows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    network, book, evidence = begun()
    monkeypatch.setattr(records, "MAX_EVIDENCE_BYTES", len(evidence.record) + 100)
    assert book.add(evidence, network.state, 1)
    more = network.evidence(1, network.member(evidence.key), NODE.node_id, NODE, turn=1)
    with pytest.raises(VerificationError, match="or too long ones"):
        book.add(more, network.state, 1)
