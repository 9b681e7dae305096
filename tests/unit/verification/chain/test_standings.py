import hashlib
from typing import Any

import msgspec
import pytest

from engine.errors import VerificationError
from engine.verification.chain.block import Material
from engine.verification.chain.standings import check_standings
from engine.wire.verification import CertifiedBlock, SignedStandings, Standings
from tests.support.judging import Judging, judging
from tests.support.records import identity

NODES = [identity(number) for number in range(3)]


def judged(epochs: int = 2) -> Judging:
    network = judging()
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    for epoch in range(1, epochs + 1):
        network.judge_epoch(epoch, NODES, {NODES[2].node_id: 4_500})
    return network


def test_a_reader_believes_what_the_committee_has_certified() -> None:
    network = judged()
    found = check_standings(network.signed_standings(), network.genesis)
    assert (found.height, found.epoch, found.members) == (3, 2, network.state.members)
    assert found.nodes == network.state.standings
    assert found.nodes[NODES[2].node_id].excluded
    assert not found.nodes[NODES[0].node_id].excluded


def test_older_ones_and_others_of_the_same_height_are_refused() -> None:
    network = judged(1)
    old = network.signed_standings()
    network.judge_epoch(2, NODES, {})
    known = check_standings(network.signed_standings(), network.genesis)
    assert check_standings(network.signed_standings(), network.genesis, known) == known
    with pytest.raises(VerificationError, match="older than those"):
        check_standings(old, network.genesis, known)
    fork = judged(2)
    with pytest.raises(VerificationError, match="contradict"):
        check_standings(fork.signed_standings(), fork.genesis, known)


def test_invented_standings_are_refused() -> None:
    network = judged()
    signed = network.signed_standings()
    standings = msgspec.msgpack.decode(signed.standings, type=Standings)
    better = [msgspec.structs.replace(one, reputation=1_000_000) for one in standings.nodes]
    changes: list[tuple[dict[str, Any], str]] = [
        ({"standings": msgspec.msgpack.encode(msgspec.structs.replace(standings, nodes=tuple(better)))}, "not those"),
        ({"standings": signed.standings[:-1]}, "not those"),
        ({"block": network.blocks[0]}, "not those"),
        ({"block": CertifiedBlock(block=b"x", certificate=signed.block.certificate)}, "cannot be read"),
        ({"membership": (network.blocks[0],)}, "changes of the committee"),
    ]
    for change, words in changes:
        with pytest.raises(VerificationError, match=words):
            check_standings(msgspec.structs.replace(signed, **change), network.genesis)
    with pytest.raises(VerificationError, match="another network"):
        check_standings(signed, judging(epoch_seconds=5.0).genesis)


@pytest.mark.parametrize("later", [0, 1])
def test_a_committee_that_was_handed_on_is_followed(later: int) -> None:
    network = judged(1)
    new = [identity(3_000 + number) for number in range(4)]
    network.members = [*network.members, *new]
    gone, come = network.state.members, [one.public_key for one in new]
    change = network.append(2, Material(changes=network.changes(add=come, remove=gone)))
    for number in range(later):
        network.append(3 + number, Material())
    found = check_standings(network.signed_standings((change,)), network.genesis)
    assert found.members == network.state.members
    if later:
        with pytest.raises(VerificationError, match="is not its own"):
            check_standings(network.signed_standings(), network.genesis)
        old = SignedStandings(
            block=network.blocks[1], standings=network.signed_standings().standings, membership=(change,)
        )
        with pytest.raises(VerificationError, match="is not its own"):
            check_standings(old, network.genesis)


def test_standings_in_disorder_are_refused_even_when_certified() -> None:
    network = judged(1)
    signed = network.signed_standings()
    standings = msgspec.msgpack.decode(signed.standings, type=Standings)
    cases = [
        (msgspec.structs.replace(standings, nodes=standings.nodes[::-1]), "order"),
        (msgspec.structs.replace(standings, nodes=standings.nodes[:1] * 2), "order"),
        (msgspec.structs.replace(standings, height=9), "another block"),
    ]
    for wrong, words in cases:
        record = msgspec.msgpack.encode(wrong)
        block = msgspec.msgpack.decode(network.blocks[-1].block)
        block[-1] = hashlib.sha256(record).digest()
        certified = network.certify(msgspec.msgpack.encode(block))
        with pytest.raises(VerificationError, match=words):
            check_standings(SignedStandings(block=certified, standings=record), network.genesis)
