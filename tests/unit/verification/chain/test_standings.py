import hashlib
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.errors import VerificationError
from engine.verification.chain.results import Material
from engine.verification.chain.standings import (
    check_standings,
    encoded_committee,
    first_committee,
    follow_committee,
    lacks_changes,
    read_committee,
)
from engine.wire.blocks import MAX_CHANGES_SHOWN, CertifiedBlock, SignedStandings, Standings
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
        with pytest.raises(VerificationError, match="older than the committee"):
            check_standings(old, network.genesis)


def changed(times: int) -> tuple[Judging, list[CertifiedBlock]]:
    """A network whose committee was changed so often: each time the one that was there longest makes room."""
    network = judging()
    network.members = [*network.members, *(identity(3_000 + number) for number in range(5))]
    changes = []
    for number in range(times):
        present = network.state.members
        waiting = [one.public_key for one in network.members if one.public_key not in present]
        new = waiting[number % 5]
        will = network.changes(add=[new], remove=present[:1])
        changes.append(network.append(number, Material(changes=will)))
    network.append(times, Material())
    return network, changes


def test_a_reader_with_nothing_but_the_genesis_follows_however_often_the_committee_was_changed() -> None:
    """Before, it could not after 64 changes."""
    network, changes = changed(MAX_CHANGES_SHOWN + 7)
    shown = network.signed_standings(changes[-MAX_CHANGES_SHOWN:])
    committee = first_committee(network.genesis)
    with pytest.raises(VerificationError, match="is not its own"):
        check_standings(shown, network.genesis)
    assert lacks_changes(shown, committee)
    committee = follow_committee(committee, changes[:5], network.genesis)
    assert lacks_changes(shown, committee)
    committee = follow_committee(committee, changes[:20], network.genesis)
    assert not lacks_changes(shown, committee)
    found = check_standings(shown, network.genesis, committee=committee)
    assert (found.members, found.since) == (network.state.members, len(changes))
    assert check_standings(shown, network.genesis, found) == found, "from then on it knows"
    kept = read_committee(encoded_committee(found.committee))
    assert check_standings(shown, network.genesis, committee=kept) == found
    with pytest.raises(VerificationError, match="cannot be read"):
        read_committee(b"x")


def test_committees_that_were_not_handed_on_are_not_followed() -> None:
    network, changes = changed(5)
    committee = first_committee(network.genesis)
    with pytest.raises(VerificationError, match="is not its own"):
        follow_committee(committee, changes[3:], network.genesis)
    with pytest.raises(VerificationError, match="changes of the committee"):
        follow_committee(committee, [*changes, network.blocks[-1]], network.genesis)
    other = judging(first=2_000)
    foreign = other.append(0, Material(changes=other.changes(add=[identity(3_000).public_key])))
    with pytest.raises(VerificationError, match="another network"):
        follow_committee(committee, [foreign], network.genesis)
    followed = follow_committee(committee, changes, network.genesis)
    assert follow_committee(followed, changes, network.genesis) == followed
    last = SignedStandings(block=changes[-1], standings=b"")
    with pytest.raises(VerificationError, match="older than the committee"):
        check_standings(last, network.genesis, committee=replace(followed, digest=bytes(32)))


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
