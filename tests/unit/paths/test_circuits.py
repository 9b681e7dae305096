"""Whole circuits: clients, relays, proxies and model nodes wired together without I/O."""

from __future__ import annotations

import itertools

import pytest

from engine.crypto.onion import seal_reply
from engine.errors import PathError
from engine.ids import NodeId
from engine.paths.cells import CELL_LENGTH
from engine.paths.circuits import CircuitLimits
from engine.paths.effects import CircuitClosed, CircuitFailed, CircuitOpened, CircuitReceived, Lane, Send
from engine.paths.setup import SetUpStatus, status_body, status_reason
from engine.wire.circuit import Dispatch, DispatchFailed, Probe, ProbeReply, Release, Released, Return
from engine.wire.codec import encode
from engine.wire.link import CircuitReply, DeliverClove, DestroyCircuit, ReleaseHandle, ReturnClove
from tests.support.wires import Sent, Wires, decoded, node

HANDLE = b"h" * 16


def opened(relays: int = 3) -> tuple[Wires, NodeId, int]:
    wires = Wires(relays)
    client = wires.client()
    handle = wires.open(client, *range(relays))
    assert isinstance(wires.run()[0], CircuitOpened)
    return wires, client, handle


@pytest.mark.parametrize("length", [1, 2, 3])
def test_paths_of_every_length_carry_messages_both_ways(length):
    wires, client, handle = opened(length)
    model = wires.model()
    proxy = wires.names[length - 1]
    wires.send(client, handle, Dispatch(model, HANDLE, b"question"))
    assert wires.run() == []
    assert wires.at_model[model] == [(proxy, DeliverClove(HANDLE, b"question"))]
    wires.from_model(model, proxy, ReturnClove(HANDLE, b"answer"))
    assert wires.run() == [CircuitReceived(handle, Return(HANDLE, b"answer"))]
    wires.send(client, handle, Probe(77))
    assert wires.run() == [CircuitReceived(handle, ProbeReply(77))]
    assert wires.disconnects == []


def test_messages_of_60_kilobytes_go_both_ways():
    wires, client, handle = opened()
    model = wires.model()
    question, answer = wires.random.randbytes(60_000), wires.random.randbytes(62_000)
    for _ in range(5):
        wires.send(client, handle, Dispatch(model, HANDLE, question))
        wires.run()
        wires.from_model(model, wires.names[2], ReturnClove(HANDLE, answer))
        assert wires.run() == [CircuitReceived(handle, Return(HANDLE, answer))]
    assert [message.clove for _, message in wires.at_model[model]] == [question] * 5
    assert [relay.held_cells for relay in wires.relays.values()] == [0, 0, 0]


def test_cells_that_overtake_each_other_arrive_as_whole_messages():
    wires, client, handle = opened()
    model = wires.model()
    questions = [wires.random.randbytes(wires.random.randrange(9_000)) for _ in range(40)]
    for question in questions:
        wires.send(client, handle, Dispatch(model, HANDLE, question))
    while wires.queue:
        batch = list(wires.queue)
        wires.queue.clear()
        cells = [s for s in batch if s.lane is Lane.CELLS]
        wires.random.shuffle(cells)
        for sent in [s for s in batch if s.lane is Lane.CONTROL] + cells:
            wires.deliver(sent)
    assert sorted(message.clove for _, message in wires.at_model[model]) == sorted(questions)
    assert wires.events[1:] == []


def test_every_message_has_the_same_size_on_every_link_and_of_every_path_length():
    sizes = set()
    for length in (1, 2, 3):
        wires, client, handle = opened(length)
        wires.send(client, handle, Probe(1))
        wires.run()
        wires.open(client, *range(length - 1, -1, -1))
        wires.listed.clear()
        wires.open(client, *range(length))
        wires.run()
        sizes |= {(type(decoded(s.data)), len(s.data)) for s in wires.trace if s.lane is Lane.CONTROL}
        assert {len(s.data) for s in wires.trace if s.lane is Lane.CELLS} == {CELL_LENGTH}
    assert len({kind for kind, _ in sizes}) == len(sizes)


def test_nothing_that_one_link_shows_is_shown_by_another():
    wires, client, handle = opened()
    model = wires.model()
    for _ in range(10):
        wires.send(client, handle, Dispatch(model, HANDLE, bytes(900)))
        wires.run()
        wires.from_model(model, wires.names[2], ReturnClove(HANDLE, bytes(900)))
        wires.run()
    path = [client, *wires.names]
    links = list(itertools.pairwise(path))
    cells = [[s.data for s in wires.on_link(one, other, Lane.CELLS)] for one, other in links]
    assert [len(c) for c in cells] == [20, 20, 20]
    for one, other in itertools.combinations(cells, 2):
        for start, end in ((0, 8), (8, 12), (12, 28), (28, 44), (44, 60)):  # id, sequence, tag slots
            assert {c[start:end] for c in one}.isdisjoint({c[start:end] for c in other})
    # No 8 bytes anywhere in cells or set-ups of one link stand anywhere in those of another.
    set_up = [[s.data for s in wires.on_link(one, other, Lane.CONTROL)[:2]] for one, other in links]
    shown = [
        {data[i : i + 8] for data in seen for i in range(4 if len(data) < CELL_LENGTH else 0, len(data) - 7)}
        for seen in (c + s for c, s in zip(cells, set_up, strict=True))
    ]
    assert all(len(pieces) > 20_000 for pieces in shown)
    assert shown[0].isdisjoint(shown[1])
    assert shown[0].isdisjoint(shown[2])
    assert shown[1].isdisjoint(shown[2])


@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("fault", ["not linked", "not listed", "lost", "silent", "refused"])
def test_an_error_at_each_hop_is_reported_to_the_client_and_to_nobody_else(failing, fault):
    wires = Wires()
    client = wires.client()
    here, behind = wires.names[failing], wires.names[failing + 1]
    if fault == "not linked":
        wires.unlink(here, behind)
    elif fault == "not listed":
        wires.listed.discard(behind)
    elif fault == "refused":
        wires.onion_keys[behind] = wires.random.randbytes(32)
        hops = wires.hops(0, 1, 2)
        wires.onion_keys[behind] = wires.random.randbytes(32)
        _, effects = wires.clients[client].open(hops, wires.now, wires.wall)
        wires.carry_out(client, effects)
    else:
        wires.tamper = lambda sent: None if (sent.sender, sent.receiver) == (here, behind) else sent
    if fault != "refused":
        wires.open(client, 0, 1, 2)
    events = wires.run()
    if fault == "lost":
        assert events == []
        wires.unlink(here, behind)
        events = wires.run()
    elif fault == "silent":
        events = wires.advance(9.9)
    words = {
        "not linked": "has no link",
        "not listed": "does not list",
        "lost": "went away",
        "silent": "did not answer",
        "refused": "refused the set-up",
    }
    assert len(events) == 1
    assert isinstance(events[0], CircuitFailed)
    assert events[0].hop_index == failing
    assert words[fault] in events[0].reason
    wires.run()
    assert [relay.circuits for relay in wires.relays.values()] == [0, 0, 0]
    assert [relay.counters["set-up: opened"] for relay in wires.relays.values()] == [0, 0, 0]


def test_relays_in_between_cannot_tell_failure_from_success():
    traces = []
    for fails in (False, True):
        wires = Wires()
        client = wires.client()
        if fails:
            wires.unlink(wires.names[1], wires.names[2])
        wires.open(client, 0, 1, 2)
        wires.run()
        guard_hears = [s for s in wires.trace if s.sender == wires.names[1] and s.receiver == wires.names[0]]
        traces.append([(type(decoded(s.data)), len(s.data)) for s in guard_hears])
    assert traces[0] == traces[1]
    assert len(traces[0]) == 1


def test_nobody_answers():
    wires = Wires()
    client = wires.client()
    handle = wires.open(client, 0, 1, 2)
    wires.tamper = lambda sent: None
    assert wires.advance(9.9) == []
    assert wires.advance(0.2) == [CircuitFailed(handle, None, "no relay of the path answered in time")]


@pytest.mark.parametrize("skew", [-200.0, 400.0])
def test_a_wrong_clock_is_named(skew):
    wires = Wires()
    client = wires.client()
    _, effects = wires.clients[client].open(wires.hops(0, 1, 2), wires.now, wires.wall - skew)
    wires.carry_out(client, effects)
    (failed,) = wires.run()
    assert failed.hop_index == 0
    assert "clock" in failed.reason


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_the_loss_of_any_relay_is_heard_at_once_and_leaves_nothing_behind(lost):
    wires, client, handle = opened()
    model = wires.model()
    wires.send(client, handle, Dispatch(model, HANDLE, b"question"))
    wires.run()
    before = len(wires.events)
    wires.kill(wires.names[lost])
    wires.run()
    (closed,) = wires.events[before:]
    assert isinstance(closed, CircuitClosed)
    assert closed.handle == handle
    assert [relay.circuits for relay in wires.relays.values()] == [0, 0]
    if lost < 2:
        assert wires.at_model[model][1:] == [(wires.names[2], ReleaseHandle(HANDLE))]
    with pytest.raises(PathError, match="not open"):
        wires.clients[client].send(handle, Probe(1), wires.now)


def test_a_closed_circuit_is_gone_everywhere():
    wires, client, handle = opened()
    wires.carry_out(client, wires.clients[client].close(handle, wires.now))
    assert wires.run() == []
    assert [relay.circuits for relay in wires.relays.values()] == [0, 0, 0]
    assert wires.clients[client].close(handle, wires.now) == []


@pytest.mark.parametrize("link", [0, 1, 2])
@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("where", [9, 12, 30, 45, 60, 1159])
def test_a_changed_cell_closes_the_circuit_or_is_dropped_and_delivers_nothing(link, forward, where):
    wires, client, handle = opened()
    path = [client, *wires.names]
    pair = (path[link], path[link + 1]) if forward else (path[link + 1], path[link])

    def change(sent: Sent) -> Sent:
        if sent.lane is not Lane.CELLS or (sent.sender, sent.receiver) != pair:
            return sent
        data = bytearray(sent.data)
        data[where] ^= 1
        return Sent(sent.sender, sent.receiver, sent.lane, bytes(data))

    wires.tamper = change
    wires.send(client, handle, Probe(5))
    received = [e for e in wires.run() if isinstance(e, CircuitReceived)]
    # Slots that carry no tag of this path position are random anyway; only there may a change go unnoticed.
    unused = (30 if link >= 2 else 999, 45 if link >= 1 else 999)
    if where in unused:
        assert received == [CircuitReceived(handle, ProbeReply(5))]
    else:
        assert received == []
        assert [relay.circuits for relay in wires.relays.values()] == [0, 0, 0]


def test_a_replayed_cell_is_dropped_and_counts_against_the_window():
    wires, client, handle = opened()
    model = wires.model()
    wires.send(client, handle, Dispatch(model, HANDLE, b"once"))
    wires.run()
    (cell,) = wires.on_link(client, wires.names[0], Lane.CELLS)
    wires.queue.append(cell)
    (inner,) = wires.on_link(wires.names[0], wires.names[1], Lane.CELLS)
    wires.queue.append(inner)
    wires.run()
    assert len(wires.at_model[model]) == 1
    assert wires.relays[wires.names[0]].circuits == 1
    wires.queue.extend([cell] * 64)
    wires.run()
    assert wires.relays[wires.names[0]].counters["closed: the sender exceeded its window"] == 1
    assert len(wires.at_model[model]) == 2  # the clove and then ReleaseHandle
    assert isinstance(wires.at_model[model][1][1], ReleaseHandle)


def test_a_replayed_backward_cell_is_dropped_by_the_next_relay_and_by_the_client():
    wires, client, handle = opened()
    wires.send(client, handle, Probe(1))
    wires.run()
    path = [client, *wires.names]
    before = len(wires.events)
    for link in (2, 1, 0):
        (cell,) = [s for s in wires.on_link(path[link], path[link + 1], Lane.CELLS) if s.receiver == path[link]]
        wires.queue.append(cell)
        wires.run()
        passed = [s for s in wires.trace if s.lane is Lane.CELLS and s.sender == path[link]]
        assert len(passed) == (1 if link == 0 else 2), link  # one each way, and nothing again
    assert len(wires.events) == before
    assert wires.clients[client].is_open(handle)


@pytest.mark.parametrize("origin", [0, 1])
def test_a_relay_on_the_way_cannot_confirm_for_the_whole_path(origin):
    """Its own genuine layer with the words of success is still not the last relay's."""
    wires = Wires()
    client = wires.client()
    wires.tamper = lambda sent: None if sent.sender == wires.names[origin] and sent.receiver != client else sent
    wires.open(client, 0, 1, 2)
    wires.run()
    relay = wires.relays[wires.names[origin]]
    (circuit,) = relay._table
    wires.tamper = lambda sent: sent
    sealed = seal_reply(circuit.keys, status_body(SetUpStatus.OPENED), wires.random.randbytes)
    reply = CircuitReply(circuit.previous.field, sealed)
    wires.queue.append(Sent(wires.names[origin], circuit.previous.peer, Lane.CONTROL, encode(reply)))
    (failed,) = wires.run()
    assert isinstance(failed, CircuitFailed)
    assert (failed.hop_index, failed.reason) == (origin, "a relay of the path garbled the answer")


def test_without_credit_a_sender_stalls_alone_and_its_queue_is_bounded():
    wires, client, handle = opened()
    other = wires.open(client, 2, 1, 0)
    wires.run()
    held: list[Sent] = []

    def withhold(sent: Sent) -> Sent | None:
        if sent.lane is Lane.CONTROL and sent.receiver == client and len(sent.data) < 40:
            held.append(sent)
            return None
        return sent

    wires.tamper = withhold
    model = wires.model()
    for _ in range(3):
        wires.send(client, handle, Dispatch(model, HANDLE, bytes(60_000)))
    wires.run()
    assert len(wires.on_link(client, wires.names[0], Lane.CELLS)) == 64
    assert wires.clients[client].queued_bytes(handle) == 2 * 64 * 1100
    for _ in range(5):
        wires.send(client, handle, Dispatch(model, HANDLE, bytes(60_000)))
    with pytest.raises(PathError, match="queue is full"):
        wires.send(client, handle, Dispatch(model, HANDLE, bytes(60_000)))
    wires.send(client, other, Probe(3))
    assert wires.run() == [CircuitReceived(other, ProbeReply(3))]
    wires.tamper = lambda sent: sent
    wires.queue.extend(held)
    wires.run()
    assert len(wires.at_model[model]) == 8
    assert wires.clients[client].queued_bytes(handle) == 0


def test_too_many_circuits_and_impossible_paths_are_refused():
    wires = Wires(4)
    client = wires.client(limits=CircuitLimits(max_circuits=2))
    machine = wires.clients[client]
    for bad in ([], wires.hops(0, 1, 2, 3), wires.hops(0, 1, 0)):
        with pytest.raises(PathError, match="1 to 3 different"):
            machine.open(bad, wires.now, wires.wall)
    wires.open(client, 0)
    wires.open(client, 1)
    with pytest.raises(PathError, match="circuits already"):
        machine.open(wires.hops(2), wires.now, wires.wall)


def test_an_unusable_onion_key_is_an_error_of_the_path():
    wires = Wires()
    client = wires.client()
    hops = wires.hops(0, 1)
    hops[1] = type(hops[1])(hops[1].node_id, bytes(32))
    with pytest.raises(PathError, match="onion key"):
        wires.clients[client].open(hops, wires.now, wires.wall)


def test_handles_are_never_reused_and_failures_forget_the_circuit():
    wires = Wires()
    client = wires.client()
    wires.listed.clear()
    handles = [wires.open(client, 0, 1) for _ in range(3)]
    failed = [event.handle for event in wires.run()]
    assert failed == handles == [1, 2, 3]
    assert not any(wires.clients[client].is_open(handle) for handle in handles)


def test_the_guards_link_fails_pending_circuits_and_closes_open_ones():
    wires, client, first = opened()
    second = wires.open(client, 0, 2)
    wires.unlink(client, wires.names[0])
    reason = "the link with the guard is gone"
    assert wires.run() == []
    assert wires.events[1:] == [CircuitClosed(first, reason), CircuitFailed(second, 0, reason)]


def test_a_clients_message_from_the_proxy_closes_the_circuit():
    wires, _, handle = opened(1)
    (circuit,) = wires.relays[wires.names[0]]._table
    circuit.start_backward(Release(HANDLE), 100)
    wires.carry_out(wires.names[0], circuit.take_turn(True))
    (closed,) = wires.run()
    assert closed == CircuitClosed(handle, "the proxy sent a client's message")


def test_messages_about_unknown_circuits_and_other_roles_are_ignored():
    wires, client, handle = opened()
    machine = wires.clients[client]
    for message in (DestroyCircuit(b"x" * 8), DeliverClove(HANDLE, b""), ReleaseHandle(HANDLE)):
        assert machine.receive(wires.names[0], Lane.CONTROL, encode(message), wires.now) == []
    assert machine.receive(node("stranger"), Lane.CELLS, bytes(CELL_LENGTH), wires.now) == []
    assert machine.is_open(handle)


def test_dispatch_failures_and_releases_reach_the_client():
    wires, client, handle = opened()
    stranger = node("stranger")
    wires.send(client, handle, Dispatch(stranger, HANDLE, b""))
    (received,) = wires.run()
    assert isinstance(received.message, DispatchFailed)
    model = wires.model()
    wires.send(client, handle, Dispatch(model, HANDLE, b""))
    wires.run()
    wires.unlink(model, wires.names[2])
    assert wires.run() == [CircuitReceived(handle, Released(HANDLE))]


def test_a_circuit_ends_at_once_when_its_link_refuses_what_it_sends():
    wires, client, handle = opened()
    other = wires.open(client, 1, 2)
    wires.run()
    machine = wires.clients[client]
    (cell,) = machine.send(handle, Probe(1), 0.0)
    destroy, closed = machine.refused(cell)
    assert isinstance(decoded(destroy.data), DestroyCircuit)
    assert closed == CircuitClosed(handle, "the link with the guard takes less than is sent")
    assert machine.refused(destroy) == []  # nor did the link take the farewell
    assert machine.refused(cell) == []
    assert machine.is_open(other)


def test_a_set_up_that_the_link_does_not_take_fails_at_once():
    wires = Wires(1)
    machine = wires.clients[wires.client()]
    handle, (create,) = machine.open(wires.hops(0), 0.0, 0.0)
    _, failed = machine.refused(create)
    assert failed == CircuitFailed(handle, 0, "the link with the guard takes less than is sent")
    assert machine.refused(Send(create.peer, Lane.CONTROL, encode(DeliverClove(HANDLE, b"")))) == []


@pytest.mark.parametrize("refusing", [0, 2])
def test_a_relay_whose_link_refuses_a_cell_tells_both_sides(refusing):
    wires, client, handle = opened()
    middle = wires.relays[wires.names[1]]
    wires.send(client, handle, Probe(1))
    wires.run()
    lost = next(
        sent
        for sent in wires.trace
        if (sent.sender, sent.receiver, sent.lane) == (wires.names[1], wires.names[refusing], Lane.CELLS)
    )
    wires.carry_out(wires.names[1], middle.refused(Send(lost.receiver, lost.lane, lost.data)))
    assert wires.run() == [CircuitClosed(handle, "a relay of the path closed it")]
    assert [relay.circuits for relay in wires.relays.values()] == [0, 0, 0]
    assert middle.refused(Send(lost.receiver, lost.lane, lost.data)) == []


def test_a_set_up_that_the_next_link_does_not_take_is_plain_to_the_client():
    wires = Wires(2)
    client = wires.client()
    lost = []

    def tamper(sent: Sent) -> Sent | None:
        if (sent.sender, sent.receiver) != (wires.names[0], wires.names[1]):
            return sent
        lost.append(Send(sent.receiver, sent.lane, sent.data))
        return None

    wires.tamper = tamper
    handle = wires.open(client, 0, 1)
    wires.run()
    wires.carry_out(wires.names[0], wires.relays[wires.names[0]].refused(lost[0]))
    assert wires.run() == [CircuitFailed(handle, 0, status_reason(SetUpStatus.NEXT_LOST))]
