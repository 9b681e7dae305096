"""Records that hold, each for itself, in places where they do not belong: other blocks, rounds and epochs."""

from __future__ import annotations

import msgspec
import pytest

from engine.errors import VerificationError, WireError
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import Material
from engine.verification.challenges.duties import publicly_drawn
from engine.verification.quorums import VOTE_PURPOSE
from engine.verification.signing import sign_record
from engine.wire.blocks import CertifiedBlock, Vote, certified_block_decoder
from engine.wire.challenges import Evidence
from engine.wire.codec import encode
from tests.support.judging import Judging, judging
from tests.support.records import identity

NODE = identity(0)


def two_epochs() -> tuple[Judging, CertifiedBlock, CertifiedBlock]:
    """Epochs 1 and 2 are open, with promises of their own."""
    network = judging()
    first = network.append(0, Material(commitments=network.commit_all(1, [NODE])))
    second = network.append(1, Material(commitments=network.commit_all(2, [NODE])))
    return network, first, second


def test_a_certificate_of_an_earlier_block_makes_no_later_one_count() -> None:
    network, first, second = two_epochs()
    third = network.certify(network.make(2, Material()))
    for old in (first.certificate, second.certificate):
        with pytest.raises(VerificationError, match=r"another block|for height"):
            check_certified(network.state, msgspec.structs.replace(third, certificate=old))
        claimed = msgspec.structs.replace(old, height=3, digest=third.certificate.digest)
        with pytest.raises(VerificationError, match="is not its own"):
            check_certified(network.state, msgspec.structs.replace(third, certificate=claimed))
    with pytest.raises(VerificationError):
        check_certified(network.state, second)
    assert check_certified(network.state, third).height == 3


def test_votes_of_two_rounds_are_no_quorum_of_one() -> None:
    network, _, _ = two_epochs()
    third = network.certify(network.make(2, Material()))
    one, two, (place, _) = third.certificate.signatures
    member = network.member(network.state.members[place])
    vote = Vote(network_id=network.network_id, height=3, round=1, precommit=True, digest=third.certificate.digest)
    later = (place, member.sign(VOTE_PURPOSE, network.network_id, encode(vote)))
    mixed = msgspec.structs.replace(third.certificate, signatures=(one, two, later))
    with pytest.raises(VerificationError, match=f"signature of member {place} is not its own"):
        check_certified(network.state, msgspec.structs.replace(third, certificate=mixed))


def test_a_certified_block_that_was_cut_off_anywhere_cannot_be_read() -> None:
    _, first, _ = two_epochs()
    encoded = encode(first)
    for length in range(0, len(encoded), 7):
        with pytest.raises(WireError):
            certified_block_decoder.decode(encoded[:length])


def test_evidence_and_duties_of_one_epoch_do_not_count_in_another() -> None:
    network, _, _ = two_epochs()
    for epoch, wrong in ((1, 2), (2, 1)):
        author = network.member(publicly_drawn(network.state.epochs[epoch].basis, NODE.node_id)[0])
        good = network.evidence(epoch, author, NODE.node_id, NODE)
        evidence = msgspec.msgpack.decode(good.record, type=Evidence)
        moved = sign_record(author, msgspec.structs.replace(evidence, epoch=wrong))
        with pytest.raises(VerificationError) as refused:
            RecordBook().add(moved, network.state, 2)
        assert str(refused.value)
        assert RecordBook().add(good, network.state, 2)
    member = network.members[0]
    shown = network.show_duties(1, member)
    other = network.show_duties(2, member)
    swapped = msgspec.structs.replace(shown, record=other.record)
    with pytest.raises(VerificationError, match="not what its member signed"):
        RecordBook().add(swapped, network.state, 3)
