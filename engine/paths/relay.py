"""The relay: set-ups, cells both ways, credit windows and proxying, for the circuits of strangers. Sans-I/O.

It never dials for a path: a next relay without a link is an error that only the client can read. What a neighbour does
wrong costs that neighbour the circuit or the link, never the relay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from engine.crypto.onion import REPLY_LENGTH, seal_reply, wrap_reply
from engine.errors import CryptoError, PathError, WireError
from engine.ids import NodeId
from engine.paths.cells import CELL_LENGTH, PAYLOAD_LENGTH
from engine.paths.circuit_table import CircuitTable, RelayLink
from engine.paths.departures import Departures
from engine.paths.effects import Dial, Disconnect, Lane, RelayEffect, Send, circuit_field
from engine.paths.proxy import ProxyRole
from engine.paths.proxy_dials import DialsOnDemand
from engine.paths.relay_circuit import RelayCircuit
from engine.paths.relay_limits import RelayLimits
from engine.paths.relay_set_ups import RelaySetUps, reply
from engine.paths.setup import ReplayCache, SetUpStatus, TokenBucket, status_body
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
        self._random_bytes = random_bytes
        self._limits = limits or RelayLimits()
        self._table = table = CircuitTable(self._limits)
        self._links = table.links
        self._set_ups = RelaySetUps(
            node_id, onion_keys, is_relay, random_bytes, self._limits, table, self.counters, replays
        )
        self._set_ups.close = self._close
        self._is_model_node = is_model_node
        self._proxy = ProxyRole(is_model_node, table.links.__contains__)
        self._dials = dials
        self._waiting = DialsOnDemand()
        self._next_sweep: float | None = None
        self.departures = Departures(bandwidth)

    # ------------------------------------------------------------------------------------------------ what happens

    @property
    def circuits(self) -> int:
        """Circuits, pending ones included."""
        return len(self._table)

    @property
    def is_behind(self) -> bool:
        """Whether cells wait for their turn, so that :meth:`next_deadline` is near."""
        return self.departures.next_turn is not None

    @property
    def held_cells(self) -> int:
        """Cells and payloads in memory."""
        return self._table.held

    def link_up(self, peer: NodeId, is_client: bool, now: float) -> list[RelayEffect]:
        """A link is open; an earlier one with this peer is gone, with its circuits."""
        effects = self.link_down(peer, now)
        bucket = TokenBucket(self._limits.set_ups_per_second, self._limits.set_up_burst, now)
        self._links[peer] = RelayLink(is_client, bucket)
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
        circuit, to_previous = self._table.find(sent.peer, field) if field else (None, False)
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
        for circuit in self._set_ups.overdue(now):
            effects += self._end_set_up(circuit, SetUpStatus.NEXT_SILENT)
        for number, message in self._waiting.expired(now):
            failed = DispatchFailed(message.handle, "the proxy could not make a link with the destination")
            effects += self._tell_client(number, failed)
        if self._next_sweep is not None and self._next_sweep <= now:
            for circuit in self._table:
                circuit.expire(now)
                if circuit.active_at + self._limits.idle_timeout <= now:
                    effects += self._close(circuit, "idle")
                else:
                    effects += self._account(circuit)
            self._next_sweep = now + SWEEP_INTERVAL if len(self._table) else None
        return effects + self._depart(now)

    def next_deadline(self) -> float | None:
        """When :meth:`tick` must be called next, None if nothing waits."""
        due = (
            self._set_ups.next_deadline(),
            self._next_sweep,
            self._waiting.next_deadline(),
            self.departures.next_turn,
        )
        return min((at for at in due if at is not None), default=None)

    # ------------------------------------------------------------------------------------------------ set-up

    def _on_create(self, peer: NodeId, message: CreateCircuit, now: float, wall: float) -> list[RelayEffect]:
        effects = self._set_ups.receive(peer, message, now, wall)
        if self._next_sweep is None and len(self._table):
            self._next_sweep = now + SWEEP_INTERVAL
        return effects

    def _on_reply(self, peer: NodeId, message: CircuitReply) -> list[RelayEffect]:
        circuit, from_previous = self._table.find(peer, message.circuit_id)
        if circuit is None or from_previous or circuit.is_open:
            return []
        if len(message.sealed) != REPLY_LENGTH:
            return self._end_set_up(circuit, SetUpStatus.NEXT_REFUSED)
        circuit.is_open = True
        return [reply(circuit.previous, wrap_reply(circuit.keys, message.sealed))]

    def _end_set_up(self, circuit: RelayCircuit, status: SetUpStatus, to_next: bool = True) -> list[RelayEffect]:
        """A pending circuit failed behind this relay: the client alone will be able to read it."""
        sealed = seal_reply(circuit.keys, status_body(status), self._random_bytes)
        closing = self._close(circuit, f"set-up: {status.name.lower()}", to_previous=False, to_next=to_next)
        return [reply(circuit.previous, sealed), *closing]

    # ------------------------------------------------------------------------------------------------ traffic

    def _on_cell(self, peer: NodeId, cell: bytes, now: float) -> list[RelayEffect]:
        circuit, from_previous = self._table.find(peer, cell[:8])
        if circuit is None:  # cells may arrive after the circuit's end: the lanes are not ordered with each other
            return []
        circuit.active_at = now
        effects: list[RelayEffect] = []
        try:
            if not circuit.is_open:
                raise PathError("a cell came before the circuit was open")
            if circuit.next_side is not None:
                return self._pass_on(circuit, cell, not from_previous, now)
            if from_previous:
                message = circuit.end_forward(cell, now)
                if message is not None:
                    effects += self._at_proxy(circuit, circuit_decoder.decode(message), now)
        except (CryptoError, PathError, WireError) as error:
            return effects + self._close(circuit, _counted(error))
        return effects + self._account(circuit)

    def _pass_on(self, circuit: RelayCircuit, cell: bytes, backward: bool, now: float) -> list[RelayEffect]:
        if backward:
            circuit.pass_backward(cell)
        else:
            circuit.pass_forward(cell)
        if self.departures.may_pass(circuit.link_of(backward), now) and (sends := circuit.take_turn(backward)):
            self._left(sends)
            return [*sends]
        return self._account(circuit)

    def _late_dispatch(self, number: int, message: Dispatch, now: float) -> list[RelayEffect]:
        circuit = self._table.get(number)
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
        circuit = self._table.get(number)
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
        circuit, from_previous = self._table.find(peer, message.circuit_id)
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
        if self.departures.idle:
            return effects
        for number, backward in self.departures.turns(now):
            circuit = self._table.get(number)
            if circuit is None:
                continue
            try:
                sends = circuit.take_turn(backward)
            except PathError as error:
                effects += self._close(circuit, _counted(error))
                continue
            self._left(sends)
            self.departures.enlist_direction(circuit, backward)
            effects += sends
            effects += self._recount(circuit)
        return effects

    def _left(self, sends: list[Send]) -> None:
        self.departures.left(sends)
        if sends and sends[0].lane is Lane.CELLS:
            self.counters["cells sent"] += 1

    def load(self, now: float) -> float:
        """How much of what this relay may carry it carries: the largest of its shares of bandwidth (average of half a
        minute), circuits and memory. 1 is all."""
        circuits = len(self._table) / self._limits.max_circuits
        return max(self.departures.use(now), circuits, self._table.held / self._limits.max_held_cells)

    # ------------------------------------------------------------------------------------------------ endings

    def close_all(self, reason: str, now: float) -> list[RelayEffect]:
        """End every circuit, and tell both its sides, so that its client builds another way at once."""
        effects: list[RelayEffect] = []
        for circuit in list(self._table):
            if circuit.is_open:
                effects += self._close(circuit, reason)
            else:
                effects += self._end_set_up(circuit, SetUpStatus.NEXT_REFUSED)
        return effects + self._depart(now)

    def _on_destroy(self, peer: NodeId, message: DestroyCircuit) -> list[RelayEffect]:
        circuit, from_previous = self._table.find(peer, message.circuit_id)
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
        if not self._table.remove(circuit):
            return []
        self.counters[f"closed: {reason}"] += 1
        effects: list[RelayEffect] = []
        for side, told in ((circuit.previous, to_previous), (circuit.next_side, to_next)):
            if side is not None and told and side.peer in self._links:
                effects.append(side.destroy())
        self._waiting.circuit_closed(circuit.number)
        effects += self._proxy.circuit_closed(circuit.number)
        return effects

    def _account(self, circuit: RelayCircuit) -> list[RelayEffect]:
        """Put the circuit in line for what it has, and add up what is held; where that is too much, the circuit that
        holds most is closed."""
        if circuit not in self._table:
            return []
        self.departures.enlist(circuit)
        return self._recount(circuit)

    def _recount(self, circuit: RelayCircuit) -> list[RelayEffect]:
        greedy = self._table.recount(circuit)
        return [] if greedy is None else self._close(greedy, "the relay holds as many cells as it may")

    def _expel(self, peer: NodeId, reason: str) -> list[RelayEffect]:
        self.counters["malformed message"] += 1
        return [Disconnect(peer, reason)]


def _counted(error: Exception) -> str:
    """A name for ``counters``; what a decoder says of strangers' bytes has no bound and stays out."""
    return "malformed message" if isinstance(error, WireError) else str(error)
