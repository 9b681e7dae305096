"""What leaves a relay when there is more than its links or its bandwidth take."""

from __future__ import annotations

import pytest

from engine.ids import NodeId
from engine.paths.cells import CELL_LENGTH
from engine.paths.departures import LINK_BACKLOG
from engine.paths.effects import CircuitOpened, CircuitReceived, Lane
from engine.paths.relay_limits import RelayLimits
from engine.wire.circuit import Dispatch, Probe, ProbeReply
from engine.wire.link import Credit, DeliverClove, ReturnClove
from tests.support.wires import Wires, decoded

HANDLE = b"h" * 16


def full(wires: Wires, relay: NodeId, peer: NodeId, room: int) -> None:
    """The relay's link with ``peer`` takes ``room`` cells more."""
    wires.relays[relay].departures.backlog = lambda of: LINK_BACKLOG - room * CELL_LENGTH if of == peer else 0


def opened(wires: Wires, client: NodeId, *hops: int) -> int:
    handle = wires.open(client, *hops)
    assert isinstance(wires.run()[-1], CircuitOpened)
    return handle


@pytest.mark.parametrize("greedy", [1, 5, 20])
def test_a_sparse_circuit_waits_for_one_cell_of_each_other_one_and_no_more(greedy: int) -> None:
    """However much the others have waiting: up to a window each, which without turns would all go first."""
    wires = Wires()
    guard, middle = wires.names[:2]
    sparse_client, greedy_client, model = wires.client("sparse"), wires.client("greedy"), wires.model()
    sparse = opened(wires, sparse_client, 0, 1, 2)
    others = [opened(wires, greedy_client, 0, 1, 2) for _ in range(greedy)]
    full(wires, guard, middle, 0)
    for i, handle in enumerate(others):
        wires.send(greedy_client, handle, Dispatch(model, bytes([i]) * 16, bytes(60_000)))
    wires.run()
    assert wires.relays[guard].held_cells >= 50 * greedy
    wires.send(sparse_client, sparse, Probe(1))
    wires.run()
    full(wires, guard, middle, 1)  # the link takes one cell at a time
    for _ in range(greedy + 1):
        assert not any(isinstance(event, CircuitReceived) for event in wires.events)
        wires.carry_out(guard, wires.relays[guard].tick(wires.now))
        while wires.queue:
            wires.deliver(wires.queue.popleft())
            if any(isinstance(event, CircuitReceived) for event in wires.events):
                break
    assert CircuitReceived(sparse, ProbeReply(1)) in wires.events


def test_a_full_link_holds_up_only_what_goes_over_it_and_its_window_stops_the_sender() -> None:
    wires = Wires(4)
    guard, middle = wires.names[:2]
    client, model = wires.client(), wires.model()
    slow, quick = opened(wires, client, 0, 1, 3), opened(wires, client, 0, 2, 3)
    full(wires, guard, middle, 0)
    for _ in range(3):
        wires.send(client, slow, Dispatch(model, HANDLE, bytes(60_000)))
    wires.run()
    assert wires.relays[guard].held_cells == 64  # one window, whatever the client has
    assert wires.relays[guard].is_behind
    wires.send(client, quick, Probe(1))
    assert wires.run() == [CircuitReceived(quick, ProbeReply(1))]
    full(wires, guard, middle, 1000)
    wires.advance(0.01)
    assert len(wires.at_model[model]) == 3
    assert wires.relays[guard].held_cells == 0
    assert not wires.relays[guard].is_behind


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_relay_passes_on_what_its_bandwidth_allows_and_stops_the_sender(length: int) -> None:
    """Also a proxy, which passes on no cells forwards: it holds the credit back instead."""
    rate = 20_000.0
    wires = Wires(bandwidth=rate)
    client, model = wires.client(), wires.model()
    handle = opened(wires, client, *range(length))
    clove = bytes(30_000)
    sent = 0
    for _ in range(50):
        if wires.clients[client].queued_bytes(handle) < 60_000:
            wires.send(client, handle, Dispatch(model, HANDLE, clove))
            sent += 1
        wires.run()
        wires.advance(1.0)
        assert all(relay.held_cells <= 128 for relay in wires.relays.values())
    delivered = sum(isinstance(message, DeliverClove) for _, message in wires.at_model[model]) * len(clove)
    window = 64 * CELL_LENGTH * length
    assert rate * 50 * 0.8 - window < delivered <= rate * 50.25 + window + 2 * len(clove)
    assert sent * len(clove) <= delivered + window + 120_000


def test_answers_wait_for_the_bandwidth_too_and_whoever_floods_a_circuit_loses_it() -> None:
    wires = Wires(limits=RelayLimits(max_proxy_queue_bytes=40 * 1100), bandwidth=5_000.0)
    client, model = wires.client(), wires.model()
    handle = opened(wires, client, 0)
    wires.send(client, handle, Dispatch(model, HANDLE, b"x"))
    wires.run()
    wires.advance(5.0)
    for _ in range(10):
        wires.from_model(model, wires.names[0], ReturnClove(HANDLE, bytes(900)))
    wires.run()
    got = sum(isinstance(event, CircuitReceived) for event in wires.events)
    assert 0 < got < 10
    wires.advance(5.0)
    assert sum(isinstance(event, CircuitReceived) for event in wires.events) == 10
    for _ in range(60):
        wires.from_model(model, wires.names[0], ReturnClove(HANDLE, bytes(900)))
    wires.run()
    assert wires.relays[wires.names[0]].counters["closed: the client takes its answers too slowly"] == 1
    assert wires.relays[wires.names[0]].held_cells == 0


def test_no_credit_is_ever_given_twice_or_lost_while_bandwidth_is_short() -> None:
    """After everything has come through every sender has its whole window again."""
    wires = Wires(bandwidth=30_000.0)
    client, model = wires.client(), wires.model()
    handle = opened(wires, client, 0, 1, 2)
    for size in (1, 60_000, 20_000, 60_000):
        wires.send(client, handle, Dispatch(model, HANDLE, bytes(size)))
    wires.run()
    wires.advance(60.0)
    cells = [s for s in wires.trace if (s.sender, s.receiver, s.lane) == (client, wires.names[0], Lane.CELLS)]
    credits = [
        s
        for s in wires.trace
        if (s.sender, s.receiver) == (wires.names[0], client) and s.lane is Lane.CONTROL
        if isinstance(decoded(s.data), Credit)
    ]
    assert len(wires.at_model[model]) == 4
    assert len(credits) == len(cells) // 16


def test_the_load_is_the_largest_share_of_bandwidth_places_and_memory() -> None:
    wires = Wires(limits=RelayLimits(max_circuits=10), bandwidth=100_000.0)
    client = wires.client()
    guard = wires.relays[wires.names[0]]
    assert guard.load(wires.now) == 0.0
    handles = [opened(wires, client, 0) for _ in range(9)]
    assert guard.load(wires.now) == 0.9
    wires.carry_out(client, [effect for handle in handles for effect in wires.clients[client].close(handle, wires.now)])
    wires.run()
    assert guard.load(wires.now) < 0.1
