"""Whatever strangers send, the client's and the node's machines neither raise nor grow without bound."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.paths.assembling import MAX_ASSEMBLIES
from engine.wire.answer import AnswerClove, ControlClove, RequestClove, SealedClove
from engine.wire.codec import encode
from tests.support.answers import NETWORK, WALL, Asker, Node, proxy

NODE = Node()
ASKER = Asker(NODE)
GOOD = [ASKER.outgoing.clove(index) for index in range(4)]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_noise_has_no_effect(data: bytes) -> None:
    node, asker = Node(), Asker(NODE)
    assert node.machine.receive(proxy(0), bytes(16), data, 0.0, WALL) == []
    assert asker.receiver.receive(0, data, 0.0) == []


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3), st.integers(0, 2000), st.integers(1, 255))
def test_mutated_request_cloves_have_no_effect(index: int, position: int, mask: int) -> None:
    clove = bytearray(GOOD[index])
    clove[position % len(clove)] ^= mask
    fresh = Node()
    fresh.keys = NODE.keys
    fresh.machine._seal_keys = lambda: NODE.keys
    assert fresh.machine.receive(proxy(0), bytes(16), bytes(clove), 0.0, WALL) == []


@settings(max_examples=200, deadline=None)
@given(
    st.binary(min_size=0, max_size=16),
    st.binary(max_size=64),
    st.integers(0, 0xFFFF_FFFF),
    st.integers(0, 15),
    st.binary(max_size=200),
    st.integers(0, 3),
)
def test_well_formed_strangers_have_no_effect(
    salt: bytes, announcement: bytes, number: int, index: int, sealed: bytes, path: int
) -> None:
    clove = encode(AnswerClove(salt=salt, announcement=announcement, number=number, index=index, sealed=sealed))
    assert Asker(NODE).receiver.receive(path, clove, 0.0) == []
    control = encode(ControlClove(nonce=number.to_bytes(12, "big"), sealed=sealed))
    assert NODE.machine.receive(proxy(path), bytes(16), control, 0.0, WALL) == []
    wrapped = encode(SealedClove(suite=index, sealed=sealed))
    assert NODE.machine.receive(proxy(path), bytes(16), wrapped, 0.0, WALL) == []


def test_half_messages_of_strangers_are_bounded() -> None:
    """Anybody can seal a clove to a node; those that never become whole are forgotten, the oldest first."""
    from engine.crypto.sealing import seal
    from engine.paths import keys

    node = Node()
    info = keys.clove_info(NETWORK, node.target.node_id)
    for count in range(MAX_ASSEMBLIES + 50):
        content = RequestClove(message_id=count.to_bytes(16, "big"), index=0, n=4, k=3, share=b"x" * 100)
        sealed = seal(1, node.target.clove_key, encode(content), info)
        node.machine.receive(proxy(0), bytes(16), encode(SealedClove(suite=1, sealed=sealed)), 0.0, WALL)
    assert len(node.machine._assembler._assemblies) == MAX_ASSEMBLIES
    node.machine.tick(31.0)
    assert len(node.machine._assembler._assemblies) == 0
