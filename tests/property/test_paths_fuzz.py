"""Whatever strangers send, the client's and the node's machines neither raise nor grow without bound."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.paths.assembling import MAX_ASSEMBLIES
from engine.paths.forward import MAX_UNFINISHED
from engine.paths.member import MemberMachine
from engine.paths.serving import Server
from engine.wire.answer import AnswerClove, ControlClove, RequestClove, SealedClove
from engine.wire.codec import encode
from engine.wire.forward import Forward, ForwardAnswer, ForwardBegun, ForwardEnd, ForwardServed
from tests.support.answers import NETWORK, WALL, Asker, Node, proxy, seeded

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


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.binary(max_size=80), st.booleans()), max_size=30))
def test_what_members_say_about_forwards_never_raises_nor_stays(
    said: list[tuple[int, int, bytes, bool]],
) -> None:
    node = Node()
    server = Server(NETWORK, node.target.node_id, lambda: node.keys, WALL - 10, seeded(1), frozenset([(4, 3)]))
    machine = MemberMachine(server)
    machine.is_member = lambda _node, _digest: True
    now = 0.0
    for kind, number, data, flag in said:
        peer, name = proxy(number % 3), number.to_bytes(16, "big")
        now += 0.1
        match kind:
            case 0:
                machine.forwarded_to(peer, Forward(name, number % 4, 1 + number % 4, data), now, WALL)
            case 1:
                machine.forward_answered(peer, ForwardAnswer(name, flag), now)
            case 2:
                machine.forward_ended(peer, ForwardEnd(name), now)
            case 3:
                told = ForwardBegun(name) if flag else ForwardServed(name, number, number)
                assert machine.forward_told(peer, told) is None  # nothing was passed on
            case _:
                machine.returned(peer, name, data, now)
        machine.tick(now)
    assert machine.running() == []
    assert len(machine._forwards._unfinished) <= 3 * MAX_UNFINISHED
