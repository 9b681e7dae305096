"""What offers a node looks at."""

import pytest

from engine.errors import LinkError
from engine.ids import NodeId
from engine.transport.limits import OFFERS_PER_PEER, OfferGate


def nonce(number: int) -> bytes:
    return number.to_bytes(32, "big")


def peer(number: int) -> NodeId:
    return NodeId(number.to_bytes(20, "big"))


def test_one_peer_cannot_use_up_the_minute() -> None:
    gate = OfferGate(600, 32)
    for number in range(OFFERS_PER_PEER):
        gate.admit(peer(1), nonce(number), 0.0, pending=0)
    with pytest.raises(LinkError, match="too many"):
        gate.admit(peer(1), nonce(100), 1.0, pending=0)
    gate.admit(peer(2), nonce(101), 1.0, pending=0)
    gate.admit(peer(1), nonce(102), 61.0, pending=0)


def test_all_peers_together_are_bounded() -> None:
    gate = OfferGate(5, 32)
    for number in range(5):
        gate.admit(peer(number), nonce(number), 0.0, pending=0)
    with pytest.raises(LinkError, match="too many"):
        gate.admit(peer(9), nonce(9), 0.0, pending=0)


def test_offer_is_taken_once_for_as_long_as_it_can_be_valid() -> None:
    gate = OfferGate(600, 32)
    gate.admit(peer(1), nonce(1), 269.0, pending=0)
    for now in (269.0, 271.0, 500.0, 530.0):
        with pytest.raises(LinkError, match="used before"):
            gate.admit(peer(1), nonce(1), now, pending=0)


def test_busy_node_refuses() -> None:
    with pytest.raises(LinkError, match="busy"):
        OfferGate(600, 32).admit(peer(1), nonce(1), 0.0, pending=32)
