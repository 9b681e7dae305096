"""Return addresses at the proxy: lists of what came in, lists of what goes out."""

import pytest

from engine.errors import WireError
from engine.ids import NodeId
from engine.paths.effects import Lane, Send
from engine.paths.proxy import MAX_HANDLES, ProxyRole
from engine.wire.circuit import Dispatch, DispatchFailed, Probe, ProbeReply, Release, Released, Return
from engine.wire.codec import encode
from engine.wire.link import DeliverClove, ReleaseHandle, ReturnClove
from tests.support.wires import node

MODEL, OTHER, STRANGER = node("model"), node("other"), node("stranger")
ONE, TWO = b"1" * 16, b"2" * 16


def proxy(linked: set[NodeId] | None = None) -> ProxyRole:
    return ProxyRole({MODEL, OTHER}.__contains__, ({MODEL, OTHER, STRANGER} if linked is None else linked).__contains__)


def release(handle: bytes, peer: NodeId = MODEL) -> Send:
    return Send(peer, Lane.CONTROL, encode(ReleaseHandle(handle)))


def test_a_clove_goes_out_and_the_answer_comes_back_to_its_circuit_only() -> None:
    role = proxy()
    deliver = [Send(MODEL, Lane.CONTROL, encode(DeliverClove(ONE, b"clove")))]
    assert role.from_circuit(7, Dispatch(MODEL, ONE, b"clove")) == (deliver, None)
    assert role.returned(MODEL, ReturnClove(ONE, b"answer")) == (7, Return(ONE, b"answer"))
    assert role.returned(OTHER, ReturnClove(ONE, b"answer")) is None
    assert role.returned(MODEL, ReturnClove(TWO, b"answer")) is None
    assert role.from_circuit(7, Dispatch(MODEL, ONE, b"clove")) == (deliver, None)
    assert len(role) == 1


@pytest.mark.parametrize(
    ("destination", "linked", "words"),
    [(STRANGER, None, "does not list"), (node("nobody"), None, "does not list"), (MODEL, set(), "no link")],
)
def test_only_listed_and_linked_model_nodes_are_delivered_to(
    destination: NodeId, linked: set[NodeId] | None, words: str
) -> None:
    role = proxy(linked)
    sends, answer = role.from_circuit(1, Dispatch(destination, ONE, b""))
    assert sends == []
    assert isinstance(answer, DispatchFailed)
    assert answer.handle == ONE
    assert words in answer.reason
    assert len(role) == 0


def test_a_return_address_belongs_to_one_circuit() -> None:
    role = proxy()
    role.from_circuit(1, Dispatch(MODEL, ONE, b""))
    sends, answer = role.from_circuit(2, Dispatch(MODEL, ONE, b""))
    assert sends == []
    assert answer == DispatchFailed(ONE, "the return address is taken")
    assert role.from_circuit(2, Dispatch(OTHER, ONE, b""))[1] is None
    assert role.returned(MODEL, ReturnClove(ONE, b"")) == (1, Return(ONE, b""))
    assert role.returned(OTHER, ReturnClove(ONE, b"")) == (2, Return(ONE, b""))


def test_return_addresses_per_circuit_are_bounded() -> None:
    role = proxy()
    for i in range(MAX_HANDLES):
        assert role.from_circuit(1, Dispatch(MODEL, i.to_bytes(16, "big"), b""))[1] is None
    assert isinstance(role.from_circuit(1, Dispatch(MODEL, ONE, b""))[1], DispatchFailed)
    assert role.from_circuit(1, Dispatch(MODEL, bytes(16), b""))[1] is None
    assert role.from_circuit(2, Dispatch(MODEL, ONE, b""))[1] is None
    role.from_circuit(1, Release(bytes(16)))
    assert role.from_circuit(1, Dispatch(MODEL, TWO, b""))[1] is None


def test_release_by_either_side() -> None:
    role = proxy()
    role.from_circuit(1, Dispatch(MODEL, ONE, b""))
    role.from_circuit(1, Dispatch(OTHER, ONE, b""))
    assert role.from_circuit(2, Release(ONE)) == ([], None)
    assert role.from_circuit(1, Release(ONE)) == ([release(ONE), release(ONE, OTHER)], None)
    assert role.from_circuit(1, Release(ONE)) == ([], None)
    role.from_circuit(1, Dispatch(MODEL, TWO, b""))
    assert role.released(OTHER, TWO) is None
    assert role.released(MODEL, TWO) == (1, Released(TWO))
    assert role.released(MODEL, TWO) is None
    assert len(role) == 0


def test_a_lost_model_node_releases_what_it_had_and_nothing_else() -> None:
    role = proxy()
    role.from_circuit(1, Dispatch(MODEL, ONE, b""))
    role.from_circuit(2, Dispatch(MODEL, TWO, b""))
    role.from_circuit(2, Dispatch(OTHER, ONE, b""))
    assert role.link_down(MODEL) == [(1, Released(ONE)), (2, Released(TWO))]
    assert role.link_down(MODEL) == []
    assert role.returned(OTHER, ReturnClove(ONE, b"")) == (2, Return(ONE, b""))


def test_a_closed_circuit_releases_its_addresses() -> None:
    role = proxy()
    role.from_circuit(1, Dispatch(MODEL, ONE, b""))
    role.from_circuit(1, Dispatch(OTHER, TWO, b""))
    role.from_circuit(2, Dispatch(MODEL, TWO, b""))
    assert role.circuit_closed(1) == [release(ONE), release(TWO, OTHER)]
    assert role.circuit_closed(1) == []
    assert len(role) == 1


def test_probes_are_echoed_and_a_proxys_messages_refused() -> None:
    role = proxy()
    assert role.from_circuit(1, Probe(99)) == ([], ProbeReply(99))
    for message in (ProbeReply(1), Released(ONE), Return(ONE, b""), DispatchFailed(ONE, "")):
        with pytest.raises(WireError, match="proxy's message"):
            role.from_circuit(1, message)


def test_what_a_release_has_overtaken_is_delivered_but_opens_no_return_address() -> None:
    role = proxy()
    role.from_circuit(7, Dispatch(MODEL, ONE, b"clove"))
    role.from_circuit(7, Release(ONE))
    late = role.from_circuit(7, Dispatch(MODEL, ONE, b"the last acknowledgement"))
    assert late == ([Send(MODEL, Lane.CONTROL, encode(DeliverClove(ONE, b"the last acknowledgement")))], None)
    assert len(role) == 0
    for number in range(10 * MAX_HANDLES):
        role.from_circuit(7, Release(number.to_bytes(16, "big")))
    assert len(role._released[7]) == MAX_HANDLES
    role.circuit_closed(7)
    assert not role._released
