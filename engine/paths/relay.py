"""The relay: set-ups, cells both ways, credit windows and proxying, for the circuits of strangers. Sans-I/O.

It never dials for a path: a next relay without a link is an error that only the client can read. What a neighbour does
wrong costs that neighbour the circuit or the link, never the relay.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.crypto.onion import PACKET_LENGTH, REPLY_LENGTH, Peeled, peel, seal_reply, stale_reply, wrap_reply
from engine.errors import CryptoError, PathError, WireError
from engine.ids import CircuitId, NodeId
from engine.paths.cells import CELL_LENGTH, PAYLOAD_LENGTH
from engine.paths.departures import Departures
from engine.paths.effects import Dial, Disconnect, Lane, RelayEffect, Send, circuit_field
from engine.paths.proxy import ProxyRole
from engine.paths.proxy_dials import DialsOnDemand
from engine.paths.relay_circuit import RelayCircuit, Side
from engine.paths.setup import ReplayCache, SetUpGate, SetUpStatus, TokenBucket, status_body
from engine.wire.circuit import CircuitMessage, Dispatch, DispatchFailed, circuit_decoder
from engine.wire.codec import encode
from engine.wire.link import (
    CircuitReply,
    CreateCircuit,
    Credit,
    DestroyCircuit,
    LinkMessage,
    ReleaseHandle,
    ReturnClove,
    link_decoder,
)

RandomBytes = Callable[[int], bytes]
SWEEP_INTERVAL: Final = 15.0
"""Seconds between looks for idle circuits and unfinished messages."""


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Bounds of one relay (counts, seconds, bytes)."""

    max_circuits: int = 4096
    max_circuits_per_client: int = 128
    max_circuits_per_relay: int = 1024
    """Accepted from one neighbour; a client's link is not shared by others, a relay's is."""
    set_ups_per_second: float = 20.0
    set_up_burst: float = 100.0
    """Of one link."""
    all_set_ups_per_second: float = 100.0
    all_set_up_burst: float = 400.0
    """Of all links together; about 0.5 ms of a core each."""
    replay_tags: int = 250_000
    max_reply_timeout: float = 30.0
    idle_timeout: float = 600.0
    max_proxy_queue_bytes: int = 512 * 1024
    """Per circuit, of answers that wait for the client's window."""
    max_held_cells: int = 100_000
    """Of all circuits together, whatever they wait for (about 110 MB)."""


@dataclass(slots=True)
class _Link:
    is_client: bool
    bucket: TokenBucket
    accepted: int = 0
    circuits: dict[int, RelayCircuit] = field(default_factory=dict)


class RelayMachine:
    """All circuits that go through one relay. ``counters`` counts what happened, by name, for metrics."""

    def __init__(
        self,
        node_id: NodeId,
        onion_keys: Callable[[], Sequence[bytes]],
        is_relay: Callable[[NodeId], bool],
        is_model_node: Callable[[NodeId], bool],
        random_bytes: RandomBytes,
        limits: RelayLimits | None = None,
        *,
        dials: Callable[[], bool] = lambda: False,
        bandwidth: float | None = None,
        replays: ReplayCache | None = None,
    ) -> None:
        """``onion_keys`` returns the private onion keys, today's first; the predicates ask the directory. ``dials``:
        whether links with model nodes are made when a clove for one arrives, and not ahead of need. ``bandwidth``:
        bytes per second that this relay passes on, None for no limit. ``replays``: one that outlives this run."""
        self.counters: Counter[str] = Counter()
        self._node_id = node_id
        self._onion_keys = onion_keys
        self._is_relay = is_relay
        self._random_bytes = random_bytes
        self._limits = limits or RelayLimits()
        self._links: dict[NodeId, _Link] = {}
        self._circuits: dict[int, RelayCircuit] = {}
        self._ends: dict[tuple[NodeId, bytes], tuple[RelayCircuit, bool]] = {}
        self._is_model_node = is_model_node
        self._proxy = ProxyRole(is_model_node, self._links.__contains__)
        self._dials = dials
        self._waiting = DialsOnDemand()
        self._replays = ReplayCache(self._limits.replay_tags) if replays is None else replays
        self._gate = SetUpGate(self._limits.all_set_ups_per_second, self._limits.all_set_up_burst)
        self._deadlines: list[tuple[float, int]] = []
        self._next_sweep: float | None = None
        self._number = 0
        self._held = 0
        self.departures = Departures(bandwidth)

    # ------------------------------------------------------------------------------------------------ what happens

    @property
    def circuits(self) -> int:
        """Circuits, pending ones included."""
        return len(self._circuits)

    @property
    def is_behind(self) -> bool:
        """Whether cells wait for their turn, so that :meth:`next_deadline` is near."""
        return self.departures.next_turn is not None

    @property
    def held_cells(self) -> int:
        """Cells and payloads in memory."""
        return self._held

    def link_up(self, peer: NodeId, is_client: bool, now: float) -> list[RelayEffect]:
        """A link is open; an earlier one with this peer is gone, with its circuits."""
        effects = self.link_down(peer, now)
        bucket = TokenBucket(self._limits.set_ups_per_second, self._limits.set_up_burst, now)
        self._links[peer] = _Link(is_client, bucket)
        for number, message in self._waiting.take(peer):
            effects += self._late_dispatch(number, message, now)
        return effects + self._depart(now)

    def link_down(self, peer: NodeId, now: float) -> list[RelayEffect]:
        """A link is gone: the other side of each of its circuits is told at once."""
        link = self._links.pop(peer, None)
        if link is None:
            return []
        effects: list[RelayEffect] = []
        for circuit in list(link.circuits.values()):
            if circuit.previous.peer == peer:
                effects += self._close(circuit, "link lost", to_previous=False)
            elif circuit.is_open:
                effects += self._close(circuit, "link lost", to_next=False)
            else:
                effects += self._end_set_up(circuit, SetUpStatus.NEXT_LOST, to_next=False)
        for number, message in self._proxy.link_down(peer):
            effects += self._tell_client(number, message)
        return effects + self._depart(now)

    def refused(self, sent: Send) -> list[RelayEffect]:
        """``sent`` did not fit into the link's buffer: its circuit has a hole in it, and both sides hear so now."""
        field = circuit_field(sent)
        circuit, to_previous = self._ends.get((sent.peer, field), (None, False)) if field else (None, False)
        if circuit is None:
            return []
        if to_previous or circuit.is_open:
            return self._close(circuit, "a link takes less than is sent")
        return self._end_set_up(circuit, SetUpStatus.NEXT_LOST)

    def receive(self, peer: NodeId, lane: Lane, data: bytes, now: float, wall: float) -> list[RelayEffect]:
        """What a neighbour sent; never raises. Messages of other roles are ignored."""
        if peer not in self._links:
            return []
        if lane is Lane.CELLS:
            if len(data) != CELL_LENGTH:
                return self._expel(peer, f"a cell has {CELL_LENGTH} bytes, not {len(data)}")
            return self._on_cell(peer, data, now) + self._depart(now)
        try:
            message = link_decoder.decode(data)
        except WireError as error:
            return self._expel(peer, str(error))
        return self.receive_message(peer, message, now, wall)

    def receive_message(self, peer: NodeId, message: LinkMessage, now: float, wall: float) -> list[RelayEffect]:
        """A control message that the driver has decoded already."""
        if peer not in self._links:
            return []
        return self._on_message(peer, message, now, wall) + self._depart(now)

    def _on_message(self, peer: NodeId, message: LinkMessage, now: float, wall: float) -> list[RelayEffect]:
        match message:
            case CreateCircuit():
                return self._on_create(peer, message, now, wall)
            case CircuitReply():
                return self._on_reply(peer, message)
            case DestroyCircuit():
                return self._on_destroy(peer, message)
            case Credit():
                return self._on_credit(peer, message)
            case ReturnClove():
                return self._on_return(peer, message)
            case ReleaseHandle():
                told = self._proxy.released(peer, message.handle)
                return self._tell_client(*told) if told else []
            case _:
                return []

    def tick(self, now: float) -> list[RelayEffect]:
        """Time-outs due at ``now``."""
        effects: list[RelayEffect] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            circuit = self._circuits.get(heapq.heappop(self._deadlines)[1])
            if circuit is not None and not circuit.is_open:
                effects += self._end_set_up(circuit, SetUpStatus.NEXT_SILENT)
        for number, message in self._waiting.expired(now):
            failed = DispatchFailed(message.handle, "the proxy could not make a link with the destination")
            effects += self._tell_client(number, failed)
        if self._next_sweep is not None and self._next_sweep <= now:
            for circuit in list(self._circuits.values()):
                circuit.expire(now)
                if circuit.active_at + self._limits.idle_timeout <= now:
                    effects += self._close(circuit, "idle")
                else:
                    effects += self._account(circuit)
            self._next_sweep = now + SWEEP_INTERVAL if self._circuits else None
        return effects + self._depart(now)

    def next_deadline(self) -> float | None:
        """When :meth:`tick` must be called next, None if nothing waits."""
        while self._deadlines and self._is_settled(self._deadlines[0][1]):
            heapq.heappop(self._deadlines)
        due = [self._deadlines[0][0]] if self._deadlines else []
        others = (self._next_sweep, self._waiting.next_deadline(), self.departures.next_turn)
        due += [at for at in others if at is not None]
        return min(due, default=None)

    def _is_settled(self, number: int) -> bool:
        circuit = self._circuits.get(number)
        return circuit is None or circuit.is_open

    # ------------------------------------------------------------------------------------------------ set-up

    def _on_create(self, peer: NodeId, message: CreateCircuit, now: float, wall: float) -> list[RelayEffect]:
        previous = Side(peer, CircuitId(int.from_bytes(message.circuit_id, "big")))
        if (peer, message.circuit_id) in self._ends:
            self.counters["set-up: duplicate id"] += 1
            return []
        if not self._gate.admits(self._links[peer].bucket, now):
            return self._refuse(previous, "rate")
        try:
            if len(message.onion) != PACKET_LENGTH:
                raise CryptoError("wrong length")
            peeled = peel(message.onion, self._node_id, self._onion_keys(), wall, self._random_bytes)
        except CryptoError:
            return self._refuse(previous, "not for this relay")
        if not peeled.fresh:
            self.counters["set-up: stale"] += 1
            return [_reply(previous, stale_reply(peeled.keys, self._random_bytes))]
        if not self._replays.admit(peeled.replay_tag, now):
            return self._refuse(previous, "replay")
        status, next_side = self._next_side(peer, peeled)
        if status is not SetUpStatus.OPENED or next_side is None:
            self.counters[f"set-up: {status.name.lower()}"] += 1
            if status is SetUpStatus.OPENED:
                self._add(RelayCircuit(self._number, previous, None, peeled.keys, now, self._random_bytes), now)
            return [_reply(previous, seal_reply(peeled.keys, status_body(status), self._random_bytes))]
        circuit = RelayCircuit(self._number, previous, next_side, peeled.keys, now, self._random_bytes)
        wait = min(peeled.reply_timeout, self._limits.max_reply_timeout)
        heapq.heappush(self._deadlines, (now + wait, circuit.number))
        self._add(circuit, now)
        assert peeled.next_packet is not None
        return [Send(next_side.peer, Lane.CONTROL, encode(CreateCircuit(next_side.field, peeled.next_packet)))]

    def _next_side(self, peer: NodeId, peeled: Peeled) -> tuple[SetUpStatus, Side | None]:
        """Whether the circuit can be taken, and where it goes on (None: it ends here)."""
        limits, link = self._limits, self._links[peer]
        per_link = limits.max_circuits_per_client if link.is_client else limits.max_circuits_per_relay
        if len(self._circuits) >= limits.max_circuits or link.accepted >= per_link:
            return SetUpStatus.BUSY, None
        if peeled.next_node is None or peeled.next_circuit is None:
            return SetUpStatus.OPENED, None
        if peeled.next_node == peer or not self._is_relay(peeled.next_node):  # no honest path turns back
            return SetUpStatus.NOT_A_RELAY, None
        if peeled.next_node not in self._links:
            return SetUpStatus.NOT_LINKED, None
        side = Side(peeled.next_node, peeled.next_circuit)
        if (side.peer, side.field) in self._ends:
            return SetUpStatus.BUSY, None
        return SetUpStatus.OPENED, side

    def _refuse(self, previous: Side, why: str) -> list[RelayEffect]:
        """Without keys, or without the right to use them again, there is no layered answer."""
        self.counters[f"set-up: {why}"] += 1
        return [previous.destroy()]

    def _add(self, circuit: RelayCircuit, now: float) -> None:
        self._number += 1
        self._circuits[circuit.number] = circuit
        self._links[circuit.previous.peer].accepted += 1
        for side in (circuit.previous, circuit.next_side):
            if side is not None:
                self._ends[(side.peer, side.field)] = (circuit, side is circuit.previous)
                self._links[side.peer].circuits[circuit.number] = circuit
        if self._next_sweep is None:
            self._next_sweep = now + SWEEP_INTERVAL

    def _on_reply(self, peer: NodeId, message: CircuitReply) -> list[RelayEffect]:
        circuit, from_previous = self._ends.get((peer, message.circuit_id), (None, False))
        if circuit is None or from_previous or circuit.is_open:
            return []
        if len(message.sealed) != REPLY_LENGTH:
            return self._end_set_up(circuit, SetUpStatus.NEXT_REFUSED)
        circuit.is_open = True
        return [_reply(circuit.previous, wrap_reply(circuit.keys, message.sealed))]

    def _end_set_up(self, circuit: RelayCircuit, status: SetUpStatus, to_next: bool = True) -> list[RelayEffect]:
        """A pending circuit failed behind this relay: the client alone will be able to read it."""
        sealed = seal_reply(circuit.keys, status_body(status), self._random_bytes)
        closing = self._close(circuit, f"set-up: {status.name.lower()}", to_previous=False, to_next=to_next)
        return [_reply(circuit.previous, sealed), *closing]

    # ------------------------------------------------------------------------------------------------ traffic

    def _on_cell(self, peer: NodeId, cell: bytes, now: float) -> list[RelayEffect]:
        circuit, from_previous = self._ends.get((peer, cell[:8]), (None, False))
        if circuit is None:  # cells may arrive after the circuit's end: the lanes are not ordered with each other
            return []
        circuit.active_at = now
        effects: list[RelayEffect] = []
        try:
            if not circuit.is_open:
                raise PathError("a cell came before the circuit was open")
            if not from_previous:
                circuit.pass_backward(cell)
            elif circuit.next_side is not None:
                circuit.pass_forward(cell)
            else:
                message = circuit.end_forward(cell, now)
                if message is not None:
                    effects += self._at_proxy(circuit, circuit_decoder.decode(message), now)
        except (CryptoError, PathError, WireError) as error:
            return effects + self._close(circuit, _counted(error))
        return effects + self._account(circuit)

    def _late_dispatch(self, number: int, message: Dispatch, now: float) -> list[RelayEffect]:
        circuit = self._circuits.get(number)
        if circuit is None:
            return []
        try:
            return [*self._at_proxy(circuit, message, now), *self._account(circuit)]
        except (PathError, WireError) as error:
            return self._close(circuit, _counted(error))

    def _at_proxy(self, circuit: RelayCircuit, message: CircuitMessage, now: float) -> list[RelayEffect]:
        if isinstance(message, Dispatch) and self._is_to_be_dialled(NodeId(message.destination)):
            must_dial = self._waiting.hold(circuit.number, message, now)
            if must_dial is not None:
                return [Dial(NodeId(message.destination))] if must_dial else []
        sends, answer = self._proxy.from_circuit(circuit.number, message)
        self.departures.left(sends)
        effects: list[RelayEffect] = [*sends]
        if answer is not None:
            circuit.start_backward(answer, self._max_waiting())
        return effects

    def _is_to_be_dialled(self, destination: NodeId) -> bool:
        return destination not in self._links and self._dials() and self._is_model_node(destination)

    def _max_waiting(self) -> int:
        return self._limits.max_proxy_queue_bytes // PAYLOAD_LENGTH

    def _tell_client(self, number: int, message: CircuitMessage) -> list[RelayEffect]:
        circuit = self._circuits.get(number)
        if circuit is None:
            return []
        try:
            circuit.start_backward(message, self._max_waiting())
        except (PathError, WireError) as error:
            return self._close(circuit, _counted(error))
        return self._account(circuit)

    def _on_return(self, peer: NodeId, message: ReturnClove) -> list[RelayEffect]:
        told = self._proxy.returned(peer, message)
        if told is None:
            self.counters["answer for an unknown return address"] += 1
            return [Send(peer, Lane.CONTROL, encode(ReleaseHandle(message.handle)))]
        return self._tell_client(*told)

    def _on_credit(self, peer: NodeId, message: Credit) -> list[RelayEffect]:
        circuit, from_previous = self._ends.get((peer, message.circuit_id), (None, False))
        if circuit is None:
            return []
        try:
            if not from_previous and not circuit.is_open:
                raise PathError("a credit came before the circuit was open")
            circuit.credited(from_previous, message.cells)
        except PathError as error:
            return self._close(circuit, _counted(error))
        return self._account(circuit)

    # ------------------------------------------------------------------------------------------------ departures

    def _depart(self, now: float) -> list[RelayEffect]:
        """Send what may leave. What has to wait earns its sender no credit, so that nothing piles up."""
        effects: list[RelayEffect] = []
        for number, backward in self.departures.turns(now):
            circuit = self._circuits.get(number)
            if circuit is None:
                continue
            try:
                sends = circuit.take_turn(backward)
            except PathError as error:
                effects += self._close(circuit, _counted(error))
                continue
            self.departures.left(sends)
            self.counters["cells sent"] += any(sent.lane is Lane.CELLS for sent in sends)
            effects += [*sends, *self._account(circuit)]
        return effects

    def load(self, now: float) -> float:
        """How much of what this relay may carry it carries: the largest of its shares of bandwidth (average of half a
        minute), circuits and memory. 1 is all."""
        circuits = len(self._circuits) / self._limits.max_circuits
        return max(self.departures.use(now), circuits, self._held / self._limits.max_held_cells)

    # ------------------------------------------------------------------------------------------------ endings

    def _on_destroy(self, peer: NodeId, message: DestroyCircuit) -> list[RelayEffect]:
        circuit, from_previous = self._ends.get((peer, message.circuit_id), (None, False))
        if circuit is None:
            return []
        if from_previous:
            return self._close(circuit, "destroyed", to_previous=False)
        if circuit.is_open:
            return self._close(circuit, "destroyed", to_next=False)
        return self._end_set_up(circuit, SetUpStatus.NEXT_REFUSED, to_next=False)

    def _close(
        self, circuit: RelayCircuit, reason: str, to_previous: bool = True, to_next: bool = True
    ) -> list[RelayEffect]:
        if self._circuits.pop(circuit.number, None) is None:
            return []
        self.counters[f"closed: {reason}"] += 1
        self._held -= circuit.counted
        effects: list[RelayEffect] = []
        for side, told in ((circuit.previous, to_previous), (circuit.next_side, to_next)):
            if side is None:
                continue
            del self._ends[(side.peer, side.field)]
            link = self._links.get(side.peer)
            if link is None:
                continue
            link.circuits.pop(circuit.number, None)
            link.accepted -= side is circuit.previous
            if told:
                effects.append(side.destroy())
        self._waiting.circuit_closed(circuit.number)
        effects += self._proxy.circuit_closed(circuit.number)
        return effects

    def _account(self, circuit: RelayCircuit) -> list[RelayEffect]:
        """Put the circuit in line for what it has, and add up what is held; one that would take the last of the relay's
        memory is closed."""
        if circuit.number not in self._circuits:
            return []
        self.departures.enlist(circuit)
        held = circuit.held()
        if held == circuit.counted:
            return []
        self._held += held - circuit.counted
        circuit.counted = held
        if self._held > self._limits.max_held_cells:
            return self._close(circuit, "the relay holds as many cells as it may")
        return []

    def _expel(self, peer: NodeId, reason: str) -> list[RelayEffect]:
        self.counters["malformed message"] += 1
        return [Disconnect(peer, reason)]


def _counted(error: Exception) -> str:
    """A name for ``counters``; what a decoder says of strangers' bytes has no bound and stays out."""
    return "malformed message" if isinstance(error, WireError) else str(error)


def _reply(previous: Side, sealed: bytes) -> Send:
    return Send(previous.peer, Lane.CONTROL, encode(CircuitReply(previous.field, sealed)))
