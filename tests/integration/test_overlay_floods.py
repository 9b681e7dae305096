"""Floods: set-ups without end, garbage and replays, circuits that hold what they can. Others are served all the same.

The flooders are clients and relays of the network with links like anybody's; what they cost is counted at the relays.
"""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from engine.crypto.onion import PACKET_LENGTH, peel
from engine.ids import NodeId
from engine.node.loop import CHANNEL, LANE
from engine.paths.cells import CELL_LENGTH, PAYLOAD_LENGTH
from engine.paths.circuits import CircuitClient, CircuitLimits, PathHop
from engine.paths.effects import CircuitFailed, CircuitOpened, Send
from engine.paths.relay_limits import RelayLimits
from engine.paths.setup import SetUpStatus
from engine.transport.link import Channel
from engine.wire.circuit import Dispatch
from engine.wire.codec import encode
from engine.wire.link import CreateCircuit, Credit, DestroyCircuit, link_decoder
from tests.support.hostile import Hostile
from tests.support.overlay import TICK, Member, Overlay

CLIENT = NodeId(b"client".ljust(20, b"."))


class Flooder:
    """A client without manners. It opens circuits as honest ones do, and sends what it likes beside them."""

    def __init__(self, overlay: Overlay, name: str, relays: list[Member], *, credits: bool = True) -> None:
        self.overlay = overlay
        self.random = random.Random(name)
        self.node_id = overlay.identify(name)
        self.circuits = CircuitClient(self.random.randbytes, CircuitLimits(max_circuits=100_000))
        self.opened: list[int] = []
        self.refused = 0
        self.downs: list[str] = []
        self._credits = credits
        self.endpoint = overlay.internet.endpoint(self.node_id, self, is_client=True)
        self.endpoint.want({relay.node_id for relay in relays})
        overlay.advance(0.5)

    def link_up(self, peer: NodeId, peer_is_client: bool) -> None:
        """See ``LinkHandler``."""

    def link_down(self, peer: NodeId, reason: str) -> None:
        """See ``LinkHandler``."""
        self.downs.append(reason)

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        """See ``LinkHandler``."""
        self._apply(self.circuits.receive(peer, LANE[channel], data, self.overlay.scheduler.now()))

    def open(self, *hops: Member) -> int:
        """Begin a circuit over these relays."""
        clock = self.overlay.scheduler.clock
        path = [PathHop(hop.node_id, hop.onion.public_key().public_bytes_raw()) for hop in hops]
        handle, effects = self.circuits.open(path, clock.monotonic(), clock.wall())
        self._apply(effects)
        return handle

    def dispatch(self, circuit: int, destination: NodeId, size: int = 0) -> None:
        message = Dispatch(destination, self.random.randbytes(16), self.random.randbytes(size))
        self._apply(self.circuits.send(circuit, message, self.overlay.scheduler.now()))

    def say(self, peer: NodeId, data: bytes, channel: Channel = Channel.CONTROL) -> None:
        self.endpoint.send(peer, channel, data)

    def _apply(self, effects: object) -> None:
        for effect in effects:  # type: ignore[attr-defined]
            if isinstance(effect, CircuitOpened):
                self.opened.append(effect.handle)
            elif isinstance(effect, CircuitFailed):
                self.refused += 1
            elif isinstance(effect, Send):
                message = link_decoder.decode(effect.data) if effect.lane is LANE[Channel.CONTROL] else None
                if self._credits or not isinstance(message, Credit):
                    self.say(effect.peer, effect.data, CHANNEL[effect.lane])


def limit(overlay: Overlay, **limits: int) -> None:
    """All relays are small, so that a test meets their limits soon."""
    for relay in overlay.relays:
        machine, wanted = relay.peer.relay, RelayLimits(**limits)
        machine._limits = machine._table._limits = machine._set_ups._limits = wanted


def served(overlay: Overlay, chat: bytes = b"chat", limit: float = 30.0) -> float:
    """An honest question is answered in full; the time it took from the wish on."""
    overlay.ready_in(None, chat, limit)
    answer = overlay.ask(chat)
    took = overlay.until(lambda: answer.finished or answer.error is not None, limit)
    assert answer.error is None
    assert answer.ids == list(range(20))
    return took


Packet = Callable[[random.Random], bytes]


def noise(source: random.Random) -> bytes:
    return source.randbytes(PACKET_LENGTH)


def low_order_point(source: random.Random) -> bytes:
    return bytes(32) + source.randbytes(PACKET_LENGTH - 32)


def wrong_length(source: random.Random) -> bytes:
    return source.randbytes(64)


@pytest.mark.parametrize("packet", [noise, low_order_point, wrong_length], ids=lambda packet: packet.__name__)
@pytest.mark.parametrize("who", ["client", "relay"])
def test_garbage_for_set_ups_costs_a_bounded_number_of_looks(
    who: str, packet: Packet, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: Counter[NodeId] = Counter()

    def counted(data: bytes, node_id: NodeId, *rest: Any) -> Any:
        looks[node_id] += 1
        return peel(data, node_id, *rest)

    monkeypatch.setattr("engine.paths.relay_set_ups.peel", counted)
    overlay = Overlay(relays=16)
    flooder = Flooder(overlay, "flooder", overlay.relays)
    source, seconds = random.Random(1), 5.0
    victim = overlay.relays[0]
    send = flooder.endpoint.send if who == "client" else overlay.relays[1].endpoint.send
    for _ in range(round(seconds / TICK)):
        for _ in range(5):
            send(victim.node_id, Channel.CONTROL, encode(CreateCircuit(source.randbytes(8), packet(source))))
        overlay.advance(TICK)
    assert victim.peer.relay.counters["set-up: rate"] > 1000
    assert looks[victim.node_id] <= 100 + 20 * (seconds + 1) + 50, "a burst, the rate, and what honest clients asked"
    assert len(victim.peer.relay._set_ups._replays) <= 50
    assert victim.peer.relay.circuits <= 50
    assert served(overlay) < 5


def test_replayed_set_ups_open_nothing_and_end_nothing() -> None:
    """By a relay that was on the path, over the same link and over others, under the same and under other ids."""
    overlay = Overlay(relays=16, words=200)
    recorded: list[tuple[NodeId, CreateCircuit]] = []
    for relay in overlay.relays:

        def record(peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
            message = link_decoder.decode(data) if channel is Channel.CONTROL else None
            if isinstance(message, CreateCircuit):
                recorded.append((peer, message))
            return [data]

        Hostile(relay, record)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 5, 10)
    paths = answer.paths
    assert len(recorded) >= 8
    circuits = {relay.node_id: relay.peer.relay.circuits for relay in overlay.relays}
    flooder = Flooder(overlay, "flooder", overlay.relays)
    source = random.Random(2)
    for to, message in recorded:
        for again in (message, CreateCircuit(source.randbytes(8), message.onion)):
            flooder.say(to, encode(again))
            for relay in overlay.relays[:6]:
                relay.endpoint.send(to, Channel.CONTROL, encode(again))
    overlay.advance(1)
    refusals = sum(relay.peer.relay.counters["set-up: replay"] for relay in overlay.relays)
    assert refusals > len(recorded)
    now = {relay.node_id: relay.peer.relay.circuits for relay in overlay.relays}
    assert all(now[name] <= count + 4 for name, count in circuits.items()), "only the spare paths are new"
    overlay.until(lambda: answer.finished, 20)
    assert answer.paths == paths


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_client_that_opens_all_it_can_takes_its_own_share_and_leaves_nothing_behind(length: int) -> None:
    overlay = Overlay(relays=16)
    flooder = Flooder(overlay, "flooder", overlay.relays)
    guard = overlay.relays[0]
    for _ in range(60):
        for _ in range(10):
            flooder.open(guard, *flooder.random.sample(overlay.relays[1:], length - 1))
        overlay.advance(0.1)
    assert len(flooder.opened) <= guard.peer.relay._limits.max_circuits_per_client
    assert flooder.refused > 300
    assert served(overlay) < 5
    flooder.endpoint.die()
    overlay.advance(10)
    own = sum(relay.peer.relay.circuits for relay in overlay.relays)
    assert own <= 3 * 8, "those of the honest client"


def test_full_relays_are_passed_by() -> None:
    overlay = Overlay(relays=24)
    limit(overlay, max_circuits=40, max_circuits_per_client=20)
    guards = overlay.client.guards
    others = [relay for relay in overlay.relays if relay.node_id not in guards]
    full = [overlay.by_id(guards[0]), *others[:4]]
    flooders = [Flooder(overlay, f"flooder-{number}", full) for number in range(2)]
    for flooder in flooders:
        for relay in full:
            for _ in range(20):
                flooder.open(relay)
    overlay.advance(1)
    assert {relay.peer.relay.circuits for relay in full} == {40}
    for turn in range(4):  # each chat takes the paths that are ready; the next ones are drawn among full relays, too
        assert served(overlay, b"chat-%d" % turn) < 5
        overlay.advance(1)
    assert {relay.peer.relay.circuits for relay in full} == {40}


def test_who_lets_cells_pile_up_loses_circuits_and_others_keep_theirs() -> None:
    """Messages that never end take nearly all the memory for cells; then somebody honest needs a little of it."""
    overlay = Overlay(relays=16)
    limit(overlay, max_held_cells=400)
    overlay.until(overlay.ready, 10)
    spare = overlay.client.machine.paths.upcoming(b"chat")
    assert spare is not None
    paths = [slot.hops for slot in spare.slots]
    flooder = Flooder(overlay, "flooder", overlay.relays)
    for path in paths:
        for _ in range(8):
            flooder.open(overlay.by_id(path[-1]))
    overlay.advance(0.5)
    assert len(flooder.opened) == 32
    for circuit in flooder.circuits._circuits.values():
        _unfinished(circuit, flooder, 49)
    overlay.advance(0.5)
    proxies = [overlay.by_id(path[-1]).peer.relay for path in paths]
    assert [proxy.held_cells for proxy in proxies] == [8 * 49] * 4
    answer = overlay.ask(text="why? " * 8_000)  # request cloves of 16 cells
    overlay.until(lambda: answer.finished or answer.error is not None, 30)
    assert answer.error is None
    assert answer.paths == tuple(paths), "no honest circuit was closed in the flooder's place"
    reason = "closed: the relay holds as many cells as it may"
    assert all(proxy.held_cells <= 400 and proxy.counters[reason] in (1, 2) for proxy in proxies)


def _unfinished(circuit: Any, flooder: Flooder, count: int) -> None:
    """``count`` cells of a message that has more."""
    for index in range(count):
        header = struct.pack(">BIBBH", 1, circuit.messages, index, 64, 1000)
        circuit.outgoing.push(header.ljust(PAYLOAD_LENGTH, b"x"))
    circuit.messages += 1
    flooder._apply(circuit.flush(flooder.random.randbytes))


def test_who_takes_no_answers_costs_a_bounded_queue() -> None:
    """A real question's answer comes back for a client that gives no credit: its circuits end, the node goes on."""
    overlay = Overlay(relays=16, words=400, pace=0.01)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask(b"slow")

    def no_credit(sent: Callable[[NodeId, Channel, bytes], bool]) -> Callable[[NodeId, Channel, bytes], bool]:
        def send(peer: NodeId, channel: Channel, data: bytes) -> bool:
            if channel is Channel.CONTROL and isinstance(link_decoder.decode(data), Credit):
                return True
            return sent(peer, channel, data)

        return send

    endpoint = overlay.internet.find(CLIENT)
    assert endpoint is not None
    endpoint.send = no_credit(endpoint.send)  # type: ignore[method-assign, assignment]
    most = 0
    for _ in range(3000):
        overlay.advance(TICK)
        most = max(most, max(relay.peer.relay.held_cells for relay in overlay.relays))
    assert most < 8 * 512
    assert answer.error is not None or answer.finished
    assert not overlay.models[0].peer.serving.running()


def test_lies_about_windows_end_the_liars_circuit_alone() -> None:
    overlay = Overlay(relays=16, words=200)
    overlay.until(overlay.ready, 10)
    answer = overlay.ask()
    overlay.until(lambda: len(answer.ids) > 5, 10)
    paths = answer.paths
    guard = overlay.by_id(paths[0][0])
    flooder = Flooder(overlay, "flooder", overlay.relays)
    for _ in range(20):
        flooder.open(guard, overlay.by_id(paths[0][1]))
    overlay.advance(0.5)
    fields = [circuit.field for circuit in flooder.circuits._circuits.values()]
    honest = next(field for peer, field in guard.peer.relay._table._ends if peer == CLIENT)
    for field in [*fields, honest]:  # of somebody else's circuit it knows the id, as if it had seen it
        flooder.say(guard.node_id, encode(Credit(field, 64)))
        flooder.say(guard.node_id, encode(DestroyCircuit(field))) if field == honest else None
        flooder.say(guard.node_id, field.ljust(CELL_LENGTH, b"x"), Channel.CELLS)
    overlay.advance(1)
    assert not [1 for peer, _ in guard.peer.relay._table._ends if peer == flooder.node_id]
    overlay.until(lambda: answer.finished, 20)
    assert answer.paths == paths


@pytest.mark.parametrize("bad_guards", [2, 4])
def test_who_refuses_selectively_gets_no_more_paths_than_his_share(bad_guards: int) -> None:
    """A quarter of the relays, among them guards: each passes set-ups on to the others of it alone, else it refuses."""
    captured = 0
    for seed in range(6):
        overlay = Overlay(relays=32, seed=seed)
        guards = overlay.client.guards
        middles = [relay.node_id for relay in overlay.relays if relay.node_id not in guards]
        friends = {*guards[:bad_guards], *middles[: 8 - bad_guards]}
        for name in friends:
            refuse_others(overlay.by_id(name), friends)
        drawn: list[tuple[NodeId, ...]] = []
        draw = overlay.client.machine.paths._draw

        def drawing(*wanted: Any, draw: Any = draw, drawn: list[tuple[NodeId, ...]] = drawn) -> Any:
            hops = draw(*wanted)
            drawn.append(tuple(hop.node_id for hop in hops))
            return hops

        overlay.client.machine.paths._draw = drawing
        for _ in range(30):  # with half of the guards bad there may be no way to n good paths at all
            overlay.advance(0 if overlay.ready() else 1)
        spare = overlay.client.machine.paths.upcoming(b"chat")
        assert spare is not None
        assert overlay.ready() or bad_guards == 4
        captured += sum(friends >= set(slot.hops[:2]) for slot in spare.open_slots())
        assert all(drawn.count(path) == 1 for path in drawn), "no path is tried twice"
        assert bad_guards == 4 or served(overlay) < 5
    share = bad_guards / 8 * 7 / 31  # of 24 paths: a bad guard, then a bad middle
    assert captured <= 24 * share + 3


def refuse_others(relay: Member, friends: set[NodeId]) -> None:
    """This relay refuses every circuit that does not go on to a friend (or end here)."""
    machine = relay.peer.relay._set_ups
    next_side = machine._next_side

    def choosing(peer: NodeId, peeled: Any) -> Any:
        status, side = next_side(peer, peeled)
        return (status, side) if side is None or side.peer in friends else (SetUpStatus.BUSY, None)

    machine._next_side = choosing  # type: ignore[method-assign]
