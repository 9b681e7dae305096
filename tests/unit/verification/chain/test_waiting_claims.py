"""What waits for a block beside answers: of each one word, as long as the next block could take it."""

from __future__ import annotations

import pytest

from engine.errors import VerificationError
from engine.verification.chain.results import Material
from engine.verification.chain.waiting_claims import WaitingClaims
from tests.support.records import identity
from tests.unit.verification.chain.test_claims import NODES, batches, begun, established, missed, votes

NEW = identity(2_000).public_key


def test_of_each_node_receipt_and_member_one_word_is_kept() -> None:
    network = established()
    claims = WaitingClaims()
    first, other = batches(network), batches(network, epochs=(4, 4))
    claims.add_contradiction(first, network.state)
    claims.add_contradiction(other, network.state)
    assert claims.contradictions == [first]
    word = missed(network)
    for _ in range(2):
        claims.add_hidden(word, network.state, 7)
    assert claims.hidden == [word]
    member = network.member(network.state.members[0])
    older, newer = network.change(member, add=[NEW]), network.change(member, issued=1_750_000_001)
    assert claims.add_change(older, network.state, 7)
    assert claims.add_change(newer, network.state, 7)
    assert not claims.add_change(older, network.state, 7)
    assert claims.changes == [newer]
    assert claims.of_member(member.public_key) == [newer]
    assert claims.of_member(network.state.members[1]) == []


def test_what_no_block_has_a_use_for_is_not_kept() -> None:
    network = established()
    claims = WaitingClaims()
    with pytest.raises(VerificationError):
        claims.add_contradiction(votes(network), network.state)
    with pytest.raises(VerificationError):
        claims.add_hidden(missed(network, by=identity(66)), network.state, 7)
    with pytest.raises(VerificationError):
        claims.add_change(network.change(identity(66), add=[NEW]), network.state, 7)
    assert (claims.contradictions, claims.hidden, claims.changes) == ([], [], [])


def test_what_a_block_has_taken_is_forgotten_and_the_rest_waits_on() -> None:
    network = established()
    claims = WaitingClaims()
    taken, waiting = batches(network, NODES[0]), batches(network, NODES[1])
    claims.add_contradiction(taken, network.state)
    claims.add_contradiction(waiting, network.state)
    word = missed(network, NODES[2])
    claims.add_hidden(word, network.state, 7)
    network.append(7, Material(contradictions=[taken], hidden=[word]))
    claims.decided(network.state)
    assert claims.contradictions == [waiting]
    assert claims.hidden == [], "its node is checked in every epoch already"


def test_wills_end_with_the_committee_that_they_were_for() -> None:
    network = begun()
    claims = WaitingClaims()
    wills = network.changes(add=[NEW])
    for signed in wills:
        claims.add_change(signed, network.state, 1)
    assert len(claims.changes) == len(network.state.members)
    network.append(1, Material(changes=wills))
    assert NEW in network.state.members
    claims.decided(network.state)
    assert claims.changes == []
