"""One relay: what comes in, what goes out, and what a hostile neighbour cannot do."""

from __future__ import annotations

import random
from typing import Any

import pytest

from engine.crypto import onion
from engine.ids import CircuitId, NodeId
from engine.paths.cells import CELL_LENGTH
from engine.paths.effects import (
    CircuitClosed,
    CircuitFailed,
    CircuitOpened,
    CircuitReceived,
    Dial,
    Disconnect,
    Lane,
    Send,
)
from engine.paths.relay import RelayMachine
from engine.paths.relay_limits import RelayLimits
from engine.paths.setup import ReplayCache, SetUpStatus, TokenBucket, body_status, status_body, status_reason
from engine.wire.circuit import Dispatch, Probe, ProbeReply, Return
from engine.wire.codec import Message, encode
from engine.wire.link import (
    CircuitReply,
    CreateCircuit,
    Credit,
    DeliverClove,
    DestroyCircuit,
    ReleaseHandle,
    ReturnClove,
)
from tests.support.wires import WALL, Wires, decoded, node

KEY = b"k" * 32
SELF, CLIENT, NEXT, MODEL = node("relay"), node("client"), node("next"), node("model")
HANDLE = b"h" * 16
ID = (77).to_bytes(8, "big")
randbytes = random.Random(9).randbytes


def relay(limits: RelayLimits | None = None) -> RelayMachine:
    machine = RelayMachine(
        SELF, lambda: [KEY], {SELF, NEXT}.__contains__, {MODEL}.__contains__, random.Random(4).randbytes, limits
    )
    for peer in (CLIENT, NEXT, MODEL):
        assert machine.link_up(peer, peer == CLIENT, 0.0) == []
    return machine


def set_up(next_node: NodeId | None = None, next_id: int = 88, wall: float = WALL) -> tuple[bytes, list[onion.HopKeys]]:
    hops = [onion.Hop(SELF, onion.public_onion_key(KEY), CircuitId(77), 5_000)]
    if next_node is not None:
        hops.append(onion.Hop(next_node, onion.public_onion_key(KEY), CircuitId(next_id), 3_000))
    return onion.build(hops, wall, randbytes)


def create(
    machine: RelayMachine, packet: bytes, circuit_id: bytes = ID, peer: NodeId = CLIENT, now: float = 1.0
) -> Any:
    return machine.receive(peer, Lane.CONTROL, encode(CreateCircuit(circuit_id, packet)), now, WALL)


def control(machine: RelayMachine, peer: NodeId, message: Message, now: float = 1.0) -> Any:
    return machine.receive(peer, Lane.CONTROL, encode(message), now, WALL)


def status(effects, keys) -> tuple[int, SetUpStatus | None]:
    """Who answered the set-up, and what."""
    (effect,) = (e for e in effects if isinstance(decoded(e.data), CircuitReply))
    assert effect.peer == CLIENT
    opened = onion.open_reply(keys, decoded(effect.data).sealed)
    return opened.hop_index, body_status(opened.body)


def destroyed(peer: NodeId, circuit_id: bytes) -> Send:
    return Send(peer, Lane.CONTROL, encode(DestroyCircuit(circuit_id)))


def test_a_set_up_that_ends_here_is_confirmed() -> None:
    machine = relay()
    packet, keys = set_up()
    assert status(create(machine, packet), keys) == (0, SetUpStatus.OPENED)
    assert machine.circuits == 1


def test_a_set_up_that_goes_on_is_passed_on_under_another_id_and_its_answer_back() -> None:
    machine = relay()
    packet, keys = set_up(NEXT)
    (sent,) = create(machine, packet)
    message = decoded(sent.data)
    assert (sent.peer, message.circuit_id) == (NEXT, (88).to_bytes(8, "big"))
    assert len(message.onion) == onion.PACKET_LENGTH
    assert machine.next_deadline() == 6.0
    answer = onion.seal_reply(keys[1], status_body(SetUpStatus.OPENED), randbytes)
    effects = control(machine, NEXT, CircuitReply(message.circuit_id, answer))
    assert status(effects, keys) == (1, SetUpStatus.OPENED)
    assert control(machine, NEXT, CircuitReply(message.circuit_id, answer)) == []
    assert machine.tick(6.0) == []
    assert machine.circuits == 1


def test_only_the_next_hop_may_answer() -> None:
    machine = relay()
    packet, keys = set_up(NEXT)
    create(machine, packet)
    answer = onion.seal_reply(keys[1], status_body(SetUpStatus.OPENED), randbytes)
    assert control(machine, MODEL, CircuitReply((88).to_bytes(8, "big"), answer)) == []
    assert control(machine, CLIENT, CircuitReply(ID, answer)) == []
    short = control(machine, NEXT, CircuitReply((88).to_bytes(8, "big"), answer[:-1]))
    assert status(short, keys) == (0, SetUpStatus.NEXT_REFUSED)


@pytest.mark.parametrize(
    ("next_node", "expected"),
    [(MODEL, SetUpStatus.NOT_A_RELAY), (node("x"), SetUpStatus.NOT_A_RELAY), (SELF, SetUpStatus.NOT_LINKED)],
)
def test_a_set_up_goes_to_linked_relays_only_and_never_dials(next_node: NodeId, expected: SetUpStatus) -> None:
    machine = relay()
    packet, keys = set_up(next_node)
    effects = create(machine, packet)
    assert status(effects, keys) == (0, expected)
    assert len(effects) == 1
    assert machine.circuits == 0


def test_a_path_that_turns_back_is_refused() -> None:
    """Else one neighbour could give both ends of a circuit the same name."""
    machine = relay()
    packet, keys = set_up(NEXT, next_id=77)
    (effect,) = create(machine, packet, peer=NEXT)
    assert effect.peer == NEXT
    opened = onion.open_reply(keys, decoded(effect.data).sealed)
    assert body_status(opened.body) is SetUpStatus.NOT_A_RELAY
    assert machine.circuits == 0


def test_a_replayed_set_up_is_refused_without_using_its_keys_again() -> None:
    machine = relay()
    packet, _ = set_up()
    create(machine, packet)
    assert create(machine, packet, b"2" * 8) == [destroyed(CLIENT, b"2" * 8)]
    control(machine, CLIENT, DestroyCircuit(ID))
    assert create(machine, packet, b"2" * 8) == [destroyed(CLIENT, b"2" * 8)]
    later = machine.receive(CLIENT, Lane.CONTROL, encode(CreateCircuit(b"3" * 8, packet)), 400.0, WALL + 299)
    assert later == [destroyed(CLIENT, b"3" * 8)]
    assert machine.counters["set-up: replay"] == 3
    assert machine.circuits == 0


def test_a_stale_set_up_gets_the_same_answer_every_time() -> None:
    machine = relay()
    packet, keys = set_up(wall=WALL - 400)
    answers = [decoded(create(machine, packet, bytes([i]) * 8)[0].data).sealed for i in range(3)]
    assert all(onion.open_reply(keys, answer).stale for answer in answers)
    assert len({answer[:16] + answer[48:] for answer in answers}) == 1  # the rest is random
    assert machine.circuits == 0


def test_a_duplicate_circuit_id_leaves_the_first_circuit_alone() -> None:
    machine = relay()
    create(machine, set_up()[0])
    assert create(machine, set_up()[0]) == []
    assert machine.circuits == 1
    other = node("other")
    machine.link_up(other, True, 1.0)
    assert len(create(machine, set_up()[0], peer=other)) == 1
    assert machine.circuits == 2


def test_an_id_that_is_taken_behind_the_relay_is_refused() -> None:
    machine = relay()
    create(machine, set_up(NEXT)[0])
    packet, keys = set_up(NEXT)
    assert status(create(machine, packet, b"2" * 8), keys) == (0, SetUpStatus.BUSY)
    assert machine.circuits == 1


@pytest.mark.parametrize("data", [bytes(64), bytes(onion.PACKET_LENGTH), bytes(1024)])
def test_what_does_not_open_is_refused(data: bytes) -> None:
    machine = relay()
    assert create(machine, data) == [destroyed(CLIENT, ID)]
    assert machine.circuits == 0


def test_set_ups_are_rate_limited_per_link() -> None:
    machine = relay(RelayLimits(set_ups_per_second=1, set_up_burst=2))
    answers = [create(machine, set_up()[0], bytes([i]) * 8) for i in range(3)]
    assert answers[2] == [destroyed(CLIENT, bytes([2]) * 8)]
    assert machine.circuits == 2
    assert len(create(machine, set_up()[0], b"9" * 8, peer=NEXT)) == 1
    assert machine.circuits == 3
    create(machine, set_up()[0], b"a" * 8, now=2.5)
    assert machine.circuits == 4


def test_a_flood_of_set_ups_is_refused_before_any_public_key_work_and_others_get_through(monkeypatch) -> None:
    """Three links send 20 set-ups in every turn for a minute, a fourth one every ten seconds."""
    looked_into = []
    peel = onion.peel

    def counted(*args: Any) -> onion.Peeled:
        looked_into.append(args)
        return peel(*args)

    monkeypatch.setattr("engine.paths.relay_set_ups.peel", counted)
    machine = relay(RelayLimits(all_set_ups_per_second=5, all_set_up_burst=40, set_ups_per_second=4, set_up_burst=40))
    greedy = [node(f"greedy-{i}") for i in range(3)]
    for peer in greedy:
        machine.link_up(peer, True, 0.0)
    number = 0
    opened = []
    for step in range(60):
        for peer in greedy:
            for _ in range(20):
                number += 1
                create(machine, bytes(onion.PACKET_LENGTH), number.to_bytes(8, "big"), peer, 1.0 + step)
        if step % 10 == 9:
            packet, keys = set_up()
            effects = create(machine, packet, bytes([step]) * 8, CLIENT, 1.0 + step)
            opened.append(status(effects, keys))
    assert opened == [(0, SetUpStatus.OPENED)] * 6
    assert len(looked_into) <= 40 + 60 * 5
    assert machine.counters["set-up: rate"] == 3600 + 6 - len(looked_into)


@pytest.mark.parametrize(
    "limits", [RelayLimits(max_circuits=2), RelayLimits(max_circuits_per_client=2), RelayLimits(replay_tags=2)]
)
def test_circuits_are_bounded(limits: RelayLimits) -> None:
    machine = relay(limits)
    for i in range(2):
        create(machine, set_up()[0], bytes([i]) * 8)
    packet, keys = set_up()
    effects = create(machine, packet)
    if limits.replay_tags == 2:
        assert effects == [destroyed(CLIENT, ID)]
    else:
        assert status(effects, keys) == (0, SetUpStatus.BUSY)
    assert machine.circuits == 2
    control(machine, CLIENT, DestroyCircuit(bytes(8)))
    packet, keys = set_up()
    create(machine, packet, now=500.0)
    assert machine.circuits == 2


def test_a_client_that_takes_all_places_leaves_them_to_others() -> None:
    machine = relay(RelayLimits(max_circuits=8, max_circuits_per_client=8))
    other = node("other")
    machine.link_up(other, True, 0.0)

    def ask(peer: NodeId, number: int, now: float) -> tuple[SetUpStatus | None, list[NodeId]]:
        """What the relay answers, and whose circuits it ends meanwhile."""
        packet, keys = set_up()
        effects = create(machine, packet, bytes([number]) * 8, peer, now)
        (answer,) = (decoded(e.data) for e in effects if isinstance(decoded(e.data), CircuitReply))
        ended = [e.peer for e in effects if isinstance(decoded(e.data), DestroyCircuit)]
        return body_status(onion.open_reply(keys, answer.sealed).body), ended

    for number in range(8):
        assert ask(CLIENT, number, float(number)) == (SetUpStatus.OPENED, [])
    for number in range(8, 12):
        assert ask(other, number, 20.0) == (SetUpStatus.OPENED, [CLIENT])
    assert machine.circuits == 8
    assert ask(other, 12, 20.0) == (SetUpStatus.BUSY, [])  # four each
    assert ask(CLIENT, 13, 20.0) == (SetUpStatus.BUSY, [])
    assert ask(NEXT, 14, 20.0) == (SetUpStatus.BUSY, [])  # what comes from relays may be anybody's
    left = [circuit.previous.field[0] for circuit in machine._table if circuit.previous.peer == CLIENT]
    assert left == [4, 5, 6, 7]  # those that were least active went first


def test_where_memory_is_short_the_circuit_that_holds_most_goes() -> None:
    wires = Wires(limits=RelayLimits(max_held_cells=60))
    greedy, modest, model = wires.client("greedy"), wires.client("modest"), wires.model()
    handles = [(modest, wires.open(modest, 2)), (greedy, wires.open(greedy, 2))]
    wires.run()
    for i, (client, handle) in enumerate(handles):
        wires.send(client, handle, Dispatch(model, bytes([i]) * 16, b""))
    wires.run()
    wires.tamper = lambda sent: None if sent.receiver in (greedy, modest) and sent.lane is Lane.CELLS else sent
    for i, cells in ((0, 80), (1, 64 + 60), (0, 10)):
        for _ in range(cells):
            wires.from_model(model, wires.names[2], ReturnClove(bytes([i]) * 16, b"x"))
        wires.run()
    proxy = wires.relays[wires.names[2]]
    assert [circuit.previous.peer for circuit in proxy._table] == [modest]
    assert proxy.held_cells == 80 + 10 - 64


def test_a_silent_next_hop_is_reported_in_time_and_its_late_answer_ignored() -> None:
    machine = relay()
    packet, keys = set_up(NEXT)
    create(machine, packet)
    assert machine.tick(5.9) == []
    effects = machine.tick(6.0)
    assert status(effects, keys) == (0, SetUpStatus.NEXT_SILENT)
    assert effects[1:] == [destroyed(NEXT, (88).to_bytes(8, "big"))]
    answer = onion.seal_reply(keys[1], status_body(SetUpStatus.OPENED), randbytes)
    assert control(machine, NEXT, CircuitReply((88).to_bytes(8, "big"), answer)) == []
    assert machine.circuits == 0


def test_a_new_link_with_the_same_peer_ends_the_circuits_of_the_old_one() -> None:
    machine = relay()
    create(machine, set_up(NEXT)[0])
    assert machine.link_up(CLIENT, True, 2.0) == [destroyed(NEXT, (88).to_bytes(8, "big"))]
    assert machine.circuits == 0


def test_who_relays_no_more_tells_both_sides_of_each_circuit() -> None:
    machine = relay()
    create(machine, set_up()[0], ID)
    pending, pending_keys = set_up(NEXT, 99)
    create(machine, pending, (78).to_bytes(8, "big"))
    effects = machine.close_all("this node relays no more", 2.0)
    assert destroyed(CLIENT, ID) in effects
    assert destroyed(NEXT, (99).to_bytes(8, "big")) in effects
    assert status(effects, pending_keys) == (0, SetUpStatus.NEXT_REFUSED)
    assert machine.circuits == 0
    assert machine.counters["closed: this node relays no more"] == 1


def test_idle_circuits_end() -> None:
    machine = relay(RelayLimits(idle_timeout=60.0))
    create(machine, set_up()[0])
    now, effects = 1.0, list[Any]()
    while not effects:
        now = machine.next_deadline() or 0.0
        effects = machine.tick(now)
    assert effects == [destroyed(CLIENT, ID)]
    assert 61.0 <= now < 90.0
    assert machine.circuits == 0
    machine.tick(now + 100)
    assert machine.next_deadline() is None


def test_malformed_messages_cost_the_link() -> None:
    machine = relay()
    (effect,) = machine.receive(CLIENT, Lane.CONTROL, b"nonsense", 1.0, WALL)
    assert isinstance(effect, Disconnect)
    assert effect.peer == CLIENT
    (effect,) = machine.receive(NEXT, Lane.CELLS, bytes(CELL_LENGTH - 1), 1.0, WALL)
    assert isinstance(effect, Disconnect)
    assert effect.peer == NEXT
    assert machine.receive(node("stranger"), Lane.CONTROL, b"nonsense", 1.0, WALL) == []


def test_messages_of_other_roles_and_about_unknown_circuits_are_ignored() -> None:
    machine = relay()
    for message in (DeliverClove(HANDLE, b""), DestroyCircuit(ID), Credit(ID, 1), ReleaseHandle(HANDLE)):
        assert control(machine, CLIENT, message) == []
    assert machine.receive(CLIENT, Lane.CELLS, bytes(CELL_LENGTH), 1.0, WALL) == []


def test_an_answer_without_a_return_address_is_refused() -> None:
    assert control(relay(), MODEL, ReturnClove(HANDLE, b"x")) == [
        Send(MODEL, Lane.CONTROL, encode(ReleaseHandle(HANDLE)))
    ]


def test_cells_and_credits_before_the_circuit_is_open_close_it() -> None:
    for lane, data in ((Lane.CELLS, (88).to_bytes(8, "big").ljust(CELL_LENGTH, b"\0")),):
        machine = relay()
        create(machine, set_up(NEXT)[0])
        machine.receive(NEXT, lane, data, 1.0, WALL)
        assert machine.circuits == 0
    machine = relay()
    create(machine, set_up(NEXT)[0])
    control(machine, NEXT, Credit((88).to_bytes(8, "big"), 1))
    assert machine.circuits == 0


def test_more_credit_than_the_window_closes_the_circuit() -> None:
    machine = relay()
    create(machine, set_up()[0])
    assert control(machine, CLIENT, Credit(ID, 1)) == [destroyed(CLIENT, ID)]


def test_a_client_that_takes_no_answers_loses_its_circuit_not_the_relays_memory() -> None:
    wires = Wires(limits=RelayLimits(max_proxy_queue_bytes=100 * 1100))
    client, model = wires.client(), wires.model()
    handle = wires.open(client, 0, 1, 2)
    wires.run()
    wires.send(client, handle, Dispatch(model, HANDLE, b""))
    wires.run()
    proxy = wires.relays[wires.names[2]]
    wires.tamper = lambda sent: None if sent.receiver == client and sent.lane is Lane.CELLS else sent
    for _ in range(300):
        wires.from_model(model, wires.names[2], ReturnClove(HANDLE, b"x"))
        wires.run()
        assert proxy.held_cells <= 100
    assert wires.relays[wires.names[0]].held_cells == 0
    assert proxy.counters["closed: the client takes its answers too slowly"] == 1
    assert isinstance(wires.events[-1], CircuitClosed)
    assert len([m for _, m in wires.at_model[model] if isinstance(m, ReleaseHandle)]) >= 1


def test_the_memory_of_all_circuits_together_is_bounded() -> None:
    wires = Wires(limits=RelayLimits(max_held_cells=50))
    client, model = wires.client(), wires.model()
    handles = [wires.open(client, 2) for _ in range(3)]
    wires.run()
    wires.tamper = lambda sent: None if sent.receiver == client and sent.lane is Lane.CELLS else sent
    proxy = wires.relays[wires.names[2]]
    for i, handle in enumerate(handles):
        wires.send(client, handle, Dispatch(model, bytes([i]) * 16, b""))
        wires.run()
        for _ in range(94):
            wires.from_model(model, wires.names[2], ReturnClove(bytes([i]) * 16, b"x"))
        wires.run()
        assert proxy.held_cells <= 50
    assert proxy.circuits == 1


def test_a_slow_middle_stops_its_guard_and_no_other_circuit() -> None:
    """Without credit from behind, a relay keeps one window and gives no credit itself."""
    wires = Wires()
    client, model = wires.client(), wires.model()
    slow = wires.open(client, 0, 1, 2)
    quick = wires.open(client, 0, 2, 1)
    wires.run()
    guard, middle = wires.names[:2]
    withheld = []

    def no_credit(sent):
        if sent.lane is Lane.CONTROL and (sent.sender, sent.receiver) == (middle, guard):
            withheld.append(sent)
            return None
        return sent

    wires.tamper = no_credit
    for _ in range(4):
        wires.send(client, slow, Dispatch(model, HANDLE, bytes(60_000)))
    wires.run()
    assert len(wires.on_link(guard, middle, Lane.CELLS)) == 64
    assert wires.relays[guard].held_cells == 64
    assert wires.clients[client].queued_bytes(slow) == 2 * 64 * 1100
    wires.send(client, quick, Probe(1))
    assert wires.run() == [CircuitReceived(quick, ProbeReply(1))]
    wires.tamper = lambda sent: sent
    wires.queue.extend(withheld)
    wires.run()
    assert len(wires.at_model[model]) == 4
    assert wires.relays[guard].held_cells == 0


def test_many_circuits_of_many_clients_share_relays_and_keep_apart() -> None:
    wires = Wires(6)
    model = wires.model()
    clients = [wires.client(f"client-{i}") for i in range(4)]
    circuits: list[tuple[NodeId, int, bytes]] = []
    for i, client in enumerate(clients):
        for _ in range(4):
            handle = wires.open(client, *wires.random.sample(range(6), 3))
            circuits.append((client, handle, len(circuits).to_bytes(16, "big")))
            assert isinstance(wires.run()[-1], CircuitOpened), i
    for client, handle, address in circuits:
        wires.send(client, handle, Dispatch(model, address, address * 100))
    wires.run()
    assert sorted(m.clove for _, m in wires.at_model[model]) == sorted(a * 100 for *_, a in circuits)
    wires.events.clear()
    for sender, message in wires.at_model[model]:
        wires.from_model(model, sender, ReturnClove(message.handle, message.clove[::-1]))
    wires.run()
    expected = [CircuitReceived(handle, Return(a, (a * 100)[::-1])) for _, handle, a in circuits]
    assert sorted(wires.events, key=repr) == sorted(expected, key=repr)


def test_failures_are_not_counted_by_strangers_words() -> None:
    """Names of counters come from this program alone, so their number is bounded."""
    wires = Wires(1)
    client = wires.client()
    relay_machine = wires.relays[wires.names[0]]
    for i in range(20):
        handle = wires.open(client, 0)
        wires.run()
        circuit = wires.clients[client]._circuits[handle]
        circuit.outgoing.push(b"\1\0\0\0\0\0\1\0\4" + wires.random.randbytes(4) + bytes(1087))
        wires.carry_out(client, circuit.flush(wires.random.randbytes))
        wires.run()
        assert isinstance(wires.events[-1], CircuitClosed), i
    assert relay_machine.counters == {"set-up: opened": 20, "closed: malformed message": 20}


def test_statuses_have_words_and_bodies_of_one_length() -> None:
    for one in SetUpStatus:
        assert status_reason(one)
        assert body_status(status_body(one)) is one
        assert len(status_body(one)) == onion.BODY_LENGTH
    assert body_status(b"\x63".ljust(64, b"\0")) is None
    assert body_status(b"\0" * 63 + b"\1") is None
    assert body_status(b"") is None


def test_replay_cache_and_token_bucket() -> None:
    cache = ReplayCache(2)
    assert [cache.admit(tag, 0.0) for tag in (b"a", b"a", b"b", b"c")] == [True, False, True, False]
    assert cache.admit(b"a", onion.REPLAY_MEMORY - 0.1) is False
    assert cache.admit(b"c", onion.REPLAY_MEMORY) is True
    assert len(cache) == 1
    kept: list[bytes] = []
    later = ReplayCache(2, [(8.0, b"y"), (9.0, b"z"), (7.0, b"x")], kept.append)
    assert [later.admit(tag, 0.0) for tag in (b"y", b"z")] == [False, False]
    assert [later.admit(tag, 8.0) for tag in (b"y", b"z", b"v")] == [True, False, False]
    assert kept == [b"y"]
    bucket = TokenBucket(2.0, 3.0, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5), bucket.take(0.2)] == [True, False, False]


def test_a_lost_next_hop_during_set_up_is_reported_by_this_relay() -> None:
    machine = relay()
    packet, keys = set_up(NEXT)
    create(machine, packet)
    effects = machine.link_down(NEXT, 2.0)
    assert status(effects, keys) == (0, SetUpStatus.NEXT_LOST)
    assert len(effects) == 1
    assert machine.link_down(NEXT, 2.0) == []


def test_failed_set_ups_are_plain_to_the_client() -> None:
    wires = Wires(2, limits=RelayLimits(max_circuits=0))
    client = wires.client()
    handle = wires.open(client, 0, 1)
    assert wires.run() == [CircuitFailed(handle, 0, status_reason(SetUpStatus.BUSY))]


def test_a_proxy_dials_for_a_clove_and_delivers_it_when_the_link_is_there() -> None:
    wires = Wires(dials=True)
    client, model = wires.client(), node("model")
    wires.models.add(model)
    handle = wires.open(client, 0, 1, 2)
    wires.run()
    for _ in range(2):
        wires.send(client, handle, Dispatch(model, HANDLE, b"clove"))
    assert wires.run() == [Dial(model)]
    wires.link(wires.names[2], model)
    wires.run()
    delivered = [message for _, message in wires.at_model[model]]
    assert delivered == [DeliverClove(HANDLE, b"clove")] * 2
    wires.from_model(model, wires.names[2], ReturnClove(HANDLE, b"answer"))
    assert wires.run() == [CircuitReceived(handle, Return(HANDLE, b"answer"))]


def test_a_client_hears_when_a_proxy_gets_no_link_or_may_not_dial() -> None:
    wires = Wires(dials=True)
    client, model = wires.client(), node("model")
    wires.models.add(model)
    handle = wires.open(client, 0, 1, 2)
    wires.run()
    wires.send(client, handle, Dispatch(model, HANDLE, b"clove"))
    wires.send(client, handle, Dispatch(node("nobody"), HANDLE, b"clove"))
    *_, unlisted = wires.run()
    assert "does not list" in unlisted.message.reason
    proxy = wires.relays[wires.names[2]]
    due = proxy.next_deadline()
    assert due is not None
    wires.carry_out(wires.names[2], proxy.tick(due))
    (failed,) = wires.run()
    assert "could not make a link" in failed.message.reason
    wires.send(client, handle, Dispatch(model, HANDLE, b"clove"))
    assert wires.run() == [Dial(model)]
