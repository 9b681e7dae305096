"""Whatever bytes neighbours send in whatever order: no exception, no unbounded state, no harm to other circuits."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.crypto.onion import BODY_LENGTH, PACKET_LENGTH, REPLY_LENGTH
from engine.ids import NodeId
from engine.paths.cells import CELL_LENGTH
from engine.paths.effects import CircuitOpened, CircuitReceived, Disconnect, Lane, Send
from engine.paths.relay_limits import RelayLimits
from engine.wire.circuit import Dispatch, Probe, ProbeReply
from engine.wire.codec import MAX_LINK_MESSAGE, encode
from engine.wire.link import CircuitReply, CreateCircuit, Credit, DestroyCircuit, ReleaseHandle, ReturnClove
from tests.support.wires import Sent, Wires

LIMITS = RelayLimits(max_circuits=12, replay_tags=50, max_held_cells=200)
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

garbage = st.tuples(st.sampled_from(list(Lane)), st.binary(max_size=200) | st.binary(min_size=1160, max_size=1160))
steps = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.binary(min_size=8, max_size=1200)), max_size=40)


def network() -> tuple[Wires, NodeId, NodeId, int]:
    wires = Wires(limits=LIMITS)
    client, model = wires.client(), wires.model()
    wires.client("mallory")
    handle = wires.open(client, 0, 1, 2)
    assert isinstance(wires.run()[0], CircuitOpened)
    wires.send(client, handle, Dispatch(model, b"h" * 16, b""))
    wires.run()
    return wires, client, model, handle


def check(wires: Wires) -> None:
    for machine in wires.relays.values():
        assert machine.circuits <= 12
        assert machine.held_cells <= 200
        assert len(machine.counters) < 40
        assert len(machine._table._ends) <= 2 * machine.circuits
        assert machine.held_cells == sum(circuit.held() for circuit in machine._table)
        for peer, link in machine._links.items():
            assert link.accepted == sum(c.previous.peer == peer for c in machine._table)


@given(st.lists(garbage, max_size=30))
@FUZZ
def test_garbage_from_a_client_never_raises_and_harms_nobody_else(messages):
    wires, client, _, handle = network()
    mallory = list(wires.clients)[1]
    guard = wires.relays[wires.names[0]]
    for lane, data in messages:
        for effect in guard.receive(mallory, lane, data, wires.now, wires.wall):
            assert isinstance(effect, Send | Disconnect)
            assert effect.peer == mallory
    check(wires)
    wires.send(client, handle, Probe(1))
    assert wires.run() == [CircuitReceived(handle, ProbeReply(1))]


def message(kind: int, wires: Wires, circuit_id: bytes, data: bytes) -> tuple[Lane, bytes]:
    """Something plausible from a neighbour that knows the ids on its links."""
    match kind:
        case 0:
            return Lane.CONTROL, encode(CreateCircuit(circuit_id, data.ljust(64, b"\0")[:1024]))
        case 1:
            return Lane.CONTROL, encode(CircuitReply(circuit_id, data.ljust(REPLY_LENGTH, b"\0")[:REPLY_LENGTH]))
        case 2:
            return Lane.CONTROL, encode(DestroyCircuit(circuit_id))
        case 3:
            return Lane.CONTROL, encode(Credit(circuit_id, 1 + data[0] % 64))
        case 4:
            return Lane.CONTROL, encode(ReturnClove(b"h" * 16, data))
        case 5:
            return Lane.CONTROL, encode(ReleaseHandle(b"h" * 16))
        case 6:
            return Lane.CELLS, (circuit_id + data).ljust(CELL_LENGTH, b"\0")[:CELL_LENGTH]
        case 7:
            return Lane.CONTROL, data
        case 8:
            client = wires.clients[list(wires.clients)[1]]
            (_, effects) = client.open(wires.hops(*sorted({data[0] % 3, data[1] % 3})), wires.now, wires.wall)
            (send,) = effects
            assert isinstance(send, Send)
            return Lane.CONTROL, send.data
        case _:
            seen = [sent for sent in wires.trace if sent.lane is Lane.CELLS]
            return Lane.CELLS, seen[data[0] % len(seen)].data


@given(steps)
@FUZZ
def test_plausible_messages_from_any_neighbour_leave_bounded_and_consistent_state(sequence):
    wires, _, _, _ = network()
    known = sorted({sent.data[:8] for sent in wires.trace if sent.lane is Lane.CELLS})
    parties = [*wires.names, *wires.clients, *wires.models]
    for kind, who, data in sequence:
        sender, receiver = parties[who], wires.names[data[2] % 3]
        if sender == receiver:
            continue
        lane, content = message(kind, wires, known[data[3] % len(known)], data)
        wires.queue.append(Sent(sender, receiver, lane, content))
        wires.run()
        check(wires)
    wires.advance(40.0)
    check(wires)
    wires.advance(700.0)
    assert [machine.circuits for machine in wires.relays.values()] == [0, 0, 0]


@given(st.lists(garbage, max_size=30), st.booleans())
@FUZZ
def test_garbage_from_a_guard_never_raises(messages, with_id):
    wires, client, _, _ = network()
    guard = wires.names[0]
    circuit_id = wires.on_link(client, guard, Lane.CELLS)[0].data[:8]
    for lane, data in messages:
        data = (circuit_id + data)[:CELL_LENGTH] if with_id and lane is Lane.CELLS else data
        wires.clients[client].receive(guard, lane, data, wires.now)
    assert len(wires.clients[client]._circuits) <= 1


def test_every_message_of_a_path_fits_a_link():
    assert len(encode(CreateCircuit(bytes(8), bytes(PACKET_LENGTH)))) < MAX_LINK_MESSAGE
    assert BODY_LENGTH < REPLY_LENGTH <= 512
