from typing import Any

import msgspec
import pytest

from engine.errors import VerificationError
from engine.verification.chain.certificate import check_certificate, check_certified
from engine.verification.chain.results import Material
from engine.verification.quorums import VOTE_PURPOSE
from engine.wire.blocks import CertifiedBlock, Vote
from engine.wire.codec import encode
from tests.support.judging import Judging, judging


def certified() -> tuple[Judging, CertifiedBlock]:
    network = judging()
    return network, network.certify(network.make(0, Material()))


def test_a_quorum_of_precommits_makes_a_block_part_of_the_chain() -> None:
    network, block = certified()
    assert len(block.certificate.signatures) == 3
    assert check_certified(network.state, block).height == 1


def forged(block: CertifiedBlock, **changes: Any) -> CertifiedBlock:
    return msgspec.structs.replace(block, certificate=msgspec.structs.replace(block.certificate, **changes))


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("digest", "another block"),
        ("height", "for height 7"),
        ("few", "2 signatures are no quorum of 4 members, which takes 3"),
        ("twice", "not in the order of their members"),
        ("disorder", "not in the order of their members"),
        ("nobody", "is of nobody"),
        ("round", "signature of member 0 is not its own"),
        ("exchanged", "signature of member 0 is not its own"),
    ],
)
def test_a_forged_certificate_is_refused(case: str, words: str) -> None:
    network, block = certified()
    one, two, three = block.certificate.signatures
    changes: dict[str, dict[str, Any]] = {
        "digest": {"digest": bytes(32)},
        "height": {"height": 7},
        "few": {"signatures": (one, two)},
        "twice": {"signatures": (one, one, two)},
        "disorder": {"signatures": (two, one, three)},
        "nobody": {"signatures": (one, two, (9, three[1]))},
        "round": {"round": 1},
        "exchanged": {"signatures": ((0, two[1]), two, three)},
    }
    with pytest.raises(VerificationError, match=words):
        check_certified(network.state, forged(block, **changes[case]))


def test_prevotes_and_votes_of_another_committee_are_no_certificate() -> None:
    network, block = certified()
    digest = block.certificate.digest
    prevote = encode(Vote(network_id=network.network_id, height=1, round=0, precommit=False, digest=digest))
    signatures = tuple(
        (place, network.member(key).sign(VOTE_PURPOSE, network.network_id, prevote))
        for place, key in enumerate(network.state.members[:3])
    )
    with pytest.raises(VerificationError, match="is not its own"):
        check_certified(network.state, forged(block, signatures=signatures))
    others = judging(first=3_000)
    with pytest.raises(VerificationError, match="is not its own"):
        check_certificate(block.certificate, block.block, 1, others.state.members, network.network_id)
    with pytest.raises(VerificationError, match="no quorum of 0 members"):
        check_certificate(forged(block, signatures=()).certificate, block.block, 1, (), network.network_id)
