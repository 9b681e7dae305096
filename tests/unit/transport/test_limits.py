"""What offers a node looks at."""

import pytest

from engine.errors import LinkError
from engine.ids import NodeId
from engine.transport.limits import LOOKS_PER_MINUTE, LOOKS_PER_SENDER, OFFERS_PER_PEER, OfferGate


def nonce(number: int) -> bytes:
    return number.to_bytes(32, "big")


def peer(number: int) -> NodeId:
    return NodeId(number.to_bytes(20, "big"))


def test_one_peer_cannot_use_up_the_minute() -> None:
    gate = OfferGate(600, 32)
    for _ in range(OFFERS_PER_PEER):
        gate.admit_peer(peer(1), 0.0)
    with pytest.raises(LinkError, match="too many"):
        gate.admit_peer(peer(1), 1.0)
    gate.admit_peer(peer(2), 1.0)
    gate.admit_peer(peer(1), 61.0)


def test_all_peers_together_are_bounded() -> None:
    gate = OfferGate(5, 32)
    for number in range(5):
        gate.admit_peer(peer(number), 0.0)
    with pytest.raises(LinkError, match="too many"):
        gate.admit_peer(peer(6), 0.0)
    gate.admit_peer(peer(6), 61.0)


def test_one_senders_flood_leaves_room_for_the_others() -> None:
    gate = OfferGate(600, 32)
    refused = 0
    for _ in range(10 * LOOKS_PER_MINUTE):
        try:
            gate.admit("flooder", 0.0, pending=0)
        except LinkError:
            refused += 1
    assert refused == 10 * LOOKS_PER_MINUTE - LOOKS_PER_SENDER
    gate.admit("somebody else", 0.0, pending=0)


def test_signature_checks_of_all_are_bounded() -> None:
    gate = OfferGate(600, 32)
    for number in range(LOOKS_PER_MINUTE):
        gate.admit(number, 0.0, pending=0)
    with pytest.raises(LinkError, match="too many"):
        gate.admit("one more", 1.0, pending=0)
    gate.admit("one more", 61.0, pending=0)


def test_offer_is_taken_once_for_as_long_as_it_can_be_valid() -> None:
    gate = OfferGate(600, 32)
    assert gate.is_new(nonce(1), 269.0)
    assert not any(gate.is_new(nonce(1), now) for now in (269.0, 271.0, 500.0, 530.0))
    assert gate.is_new(nonce(2), 530.0)


def test_busy_node_refuses_and_counts_nothing() -> None:
    gate = OfferGate(1, 32)
    for _ in range(2 * LOOKS_PER_SENDER):
        with pytest.raises(LinkError, match="busy"):
            gate.admit("a", 0.0, pending=32)
    gate.admit("a", 0.0, pending=31)
