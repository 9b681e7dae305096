"""The client's end of many circuits: set-up, layered errors, cells, credit windows, bounded queues. Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from engine.crypto.onion import Hop, HopKeys, OpenedReply, build, open_reply
from engine.errors import CryptoError, PathError, SealError, WireError
from engine.ids import CircuitId, NodeId
from engine.paths.cells import (
    CELL_LENGTH,
    MAX_CELLS,
    PAYLOAD_LENGTH,
    SEQUENCE_MASK,
    TAG_LENGTH,
    TAG_SLOTS,
    LayerCipher,
    header_of,
    open_layers,
    seal_layers,
)
from engine.paths.effects import (
    CircuitClosed,
    CircuitEffect,
    CircuitFailed,
    CircuitOpened,
    CircuitReceived,
    Disconnect,
    Lane,
    Send,
    circuit_field,
)
from engine.paths.fragments import Reassembler, fragment
from engine.paths.setup import SetUpStatus, body_status, status_reason
from engine.paths.windows import CREDIT_STEP, ReceiveWindow, SendWindow
from engine.wire.circuit import CircuitMessage, DispatchFailed, ProbeReply, Released, Return, circuit_decoder
from engine.wire.codec import encode
from engine.wire.link import CircuitReply, CreateCircuit, Credit, DestroyCircuit, LinkMessage, link_decoder

RandomBytes = Callable[[int], bytes]
SWEEP_INTERVAL: Final = 15.0
"""Seconds between looks for unfinished messages."""


@dataclass(frozen=True, slots=True)
class PathHop:
    """One relay of a path, as the directory describes it."""

    node_id: NodeId
    onion_key: bytes
    """X25519 public key (32 bytes)."""


@dataclass(frozen=True, slots=True)
class CircuitLimits:
    """Bounds and time-outs of a :class:`CircuitClient` (seconds, bytes)."""

    max_circuits: int = 256
    set_up_timeout: float = 10.0
    """The guard waits for 4/5 of it, the middle for 3/5."""
    max_queued_bytes: int = 512 * 1024
    """Per circuit, of payloads that wait for the window."""


class _ClientCircuit:
    """One circuit: its guard, layers and windows."""

    def __init__(self, handle: int, guard: NodeId, ids: Sequence[int], keys: Sequence[HopKeys], now: float) -> None:
        self.handle = handle
        self.guard = guard
        self.field = ids[0].to_bytes(8, "big")
        self.keys = keys
        self.started = now
        self.is_open = False
        self.outgoing = SendWindow()
        self.incoming = ReceiveWindow(keys[0].backward_base)
        self.reassembler = Reassembler()
        self.messages = 0
        self._cells = 0
        self._ids = ids
        self._forward = [LayerCipher(own.forward_key) for own in keys]
        self._backward = [LayerCipher(own.backward_key) for own in keys]

    def destroy(self) -> Send:
        return Send(self.guard, Lane.CONTROL, encode(DestroyCircuit(self.field)))

    def flush(self, random_bytes: RandomBytes) -> list[CircuitEffect]:
        """Cells for what may leave now. Raises ``PathError`` at the end of the circuit's numbers."""
        effects: list[CircuitEffect] = []
        while (payload := self.outgoing.pop()) is not None:
            if self._cells >= MAX_CELLS:
                raise PathError("the circuit has carried as many cells as it may")
            number, self._cells = self._cells, self._cells + 1
            headers = [
                (circuit_id, (own.forward_base + number) & SEQUENCE_MASK)
                for circuit_id, own in zip(self._ids, self.keys, strict=True)
            ]
            filler = random_bytes((TAG_SLOTS - 1) * TAG_LENGTH)
            effects.append(Send(self.guard, Lane.CELLS, seal_layers(self._forward, headers, filler, payload)))
        return effects

    def open_cell(self, cell: bytes) -> bytes | None:
        """The payload of a cell from the proxy; None for a repeated one. Raises ``PathError`` or ``SealError``."""
        number = self.incoming.admit(header_of(cell)[1])
        if number is None:
            return None
        headers = [
            (circuit_id, (own.backward_base + number) & SEQUENCE_MASK)
            for circuit_id, own in zip(self._ids, self.keys, strict=True)
        ]
        payload = open_layers(self._backward, headers, cell)
        self.incoming.mark(number)
        return payload


class CircuitClient:
    """Opens circuits over links that exist and carries circuit messages over them."""

    def __init__(self, random_bytes: RandomBytes, limits: CircuitLimits | None = None) -> None:
        self._random_bytes = random_bytes
        self._limits = limits or CircuitLimits()
        self._circuits: dict[int, _ClientCircuit] = {}
        self._by_link: dict[tuple[NodeId, bytes], _ClientCircuit] = {}
        self._last_handle = 0
        self._next_sweep: float | None = None

    def open(self, hops: Sequence[PathHop], now: float, wall: float) -> tuple[int, list[CircuitEffect]]:
        """Start a circuit over 1 to 3 relays, guard first; the link with the guard must exist.

        Returns its handle (never reused) and effects; :class:`CircuitOpened` or :class:`CircuitFailed` follows.
        Raises ``PathError`` when there are too many circuits or the hops are not valid.
        """
        if len(self._circuits) >= self._limits.max_circuits:
            raise PathError(f"there are {len(self._circuits)} circuits already; close some before opening more")
        if not 1 <= len(hops) <= TAG_SLOTS or len({hop.node_id for hop in hops}) < len(hops):
            raise PathError(f"a path has 1 to {TAG_SLOTS} different relays")
        ids = [self._new_id(hop.node_id) for hop in hops]
        timeout_ms = int(self._limits.set_up_timeout * 1000)
        onion_hops = [
            Hop(hop.node_id, hop.onion_key, ids[index], timeout_ms * (4 - index) // 5) for index, hop in enumerate(hops)
        ]
        try:
            packet, keys = build(onion_hops, wall, self._random_bytes)
        except CryptoError as error:
            raise PathError(f"a relay's onion key cannot be used: {error}") from error
        self._last_handle += 1
        circuit = _ClientCircuit(self._last_handle, hops[0].node_id, ids, keys, now)
        self._circuits[circuit.handle] = circuit
        self._by_link[(circuit.guard, circuit.field)] = circuit
        if self._next_sweep is None:
            self._next_sweep = now + SWEEP_INTERVAL
        return circuit.handle, [Send(circuit.guard, Lane.CONTROL, encode(CreateCircuit(circuit.field, packet)))]

    def _new_id(self, peer: NodeId) -> CircuitId:
        while True:
            field = self._random_bytes(8)
            if (peer, field) not in self._by_link:
                return CircuitId(int.from_bytes(field, "big"))

    def send(self, handle: int, message: CircuitMessage, now: float) -> list[CircuitEffect]:
        """Send a message to the proxy. Raises ``PathError`` if the circuit is not open or its queue is full."""
        circuit = self._circuits.get(handle)
        if circuit is None or not circuit.is_open:
            raise PathError("the circuit is not open")
        try:
            payloads = fragment(circuit.messages, encode(message))
        except WireError as error:
            raise PathError(str(error)) from error
        if (len(circuit.outgoing) + len(payloads)) * PAYLOAD_LENGTH > self._limits.max_queued_bytes:
            raise PathError("the circuit's queue is full: the path takes data more slowly than it is sent")
        circuit.messages += 1
        for payload in payloads:
            circuit.outgoing.push(payload)
        return self._flush(circuit)

    def close(self, handle: int, now: float) -> list[CircuitEffect]:
        """Give a circuit up (pending or open); unknown handles are ignored. No event follows."""
        circuit = self._circuits.get(handle)
        if circuit is None:
            return []
        self._forget(circuit)
        return [circuit.destroy()]

    def receive(self, peer: NodeId, lane: Lane, data: bytes, now: float) -> list[CircuitEffect]:
        """What a guard sent: never raises; link messages of other roles are ignored."""
        if lane is Lane.CELLS:
            if len(data) != CELL_LENGTH:
                return [Disconnect(peer, f"a cell has {CELL_LENGTH} bytes, not {len(data)}")]
            return self._on_cell(peer, data, now)
        try:
            message = link_decoder.decode(data)
        except WireError as error:
            return [Disconnect(peer, str(error))]
        return self.receive_message(peer, message, now)

    def receive_message(self, peer: NodeId, message: LinkMessage, now: float) -> list[CircuitEffect]:
        """A control message that the driver has decoded already."""
        if not isinstance(message, CircuitReply | DestroyCircuit | Credit):
            return []
        circuit = self._by_link.get((peer, message.circuit_id))
        if circuit is None:
            return []
        if isinstance(message, CircuitReply):
            return [] if circuit.is_open else self._on_reply(circuit, message.sealed, now)
        if isinstance(message, DestroyCircuit):
            return self._end(circuit, "a relay of the path closed it", 0, tell=False)
        try:
            circuit.outgoing.credited(message.cells)
        except PathError as error:
            return self._end(circuit, str(error), 0)
        return self._flush(circuit)

    def refused(self, sent: Send) -> list[CircuitEffect]:
        """``sent`` did not fit into the link's buffer: its circuit has a hole in it and ends. Never raises."""
        field = circuit_field(sent)
        circuit = None if field is None else self._by_link.get((sent.peer, field))
        if circuit is None:
            return []
        return self._end(circuit, "the link with the guard takes less than is sent", 0)

    def link_down(self, peer: NodeId, now: float) -> list[CircuitEffect]:
        """The link with a guard is gone: its circuits fail or close."""
        lost = [circuit for circuit in self._circuits.values() if circuit.guard == peer]
        effects: list[CircuitEffect] = []
        for circuit in lost:
            effects += self._end(circuit, "the link with the guard is gone", 0, tell=False)
        return effects

    def tick(self, now: float) -> list[CircuitEffect]:
        """Time-outs due at ``now``."""
        effects: list[CircuitEffect] = []
        for circuit in list(self._circuits.values()):
            if not circuit.is_open and circuit.started + self._limits.set_up_timeout <= now:
                effects += self._end(circuit, "no relay of the path answered in time", None)
        if self._next_sweep is not None and self._next_sweep <= now:
            for circuit in self._circuits.values():
                circuit.reassembler.expire(now)
            self._next_sweep = now + SWEEP_INTERVAL if self._circuits else None
        return effects

    def next_deadline(self) -> float | None:
        """When :meth:`tick` must be called next, None if nothing waits."""
        timeout = self._limits.set_up_timeout
        due = [circuit.started + timeout for circuit in self._circuits.values() if not circuit.is_open]
        if self._next_sweep is not None:
            due.append(self._next_sweep)
        return min(due, default=None)

    def is_open(self, handle: int) -> bool:
        """Whether messages can be sent."""
        circuit = self._circuits.get(handle)
        return circuit is not None and circuit.is_open

    def queued_bytes(self, handle: int) -> int:
        """Payload bytes that wait for the window; 0 for unknown handles."""
        circuit = self._circuits.get(handle)
        return 0 if circuit is None else len(circuit.outgoing) * PAYLOAD_LENGTH

    def _on_reply(self, circuit: _ClientCircuit, sealed: bytes, now: float) -> list[CircuitEffect]:
        try:
            opened = open_reply(circuit.keys, sealed)
        except SealError as error:
            return self._end(circuit, str(error), None)
        if (
            opened.stale
            or opened.hop_index < len(circuit.keys) - 1
            or body_status(opened.body) is not SetUpStatus.OPENED
        ):
            return self._end(circuit, _failure(opened), opened.hop_index)
        circuit.is_open = True
        return [CircuitOpened(circuit.handle, now - circuit.started)]

    def _on_cell(self, peer: NodeId, cell: bytes, now: float) -> list[CircuitEffect]:
        circuit = self._by_link.get((peer, cell[:8]))
        if circuit is None:  # cells may arrive after the circuit's end: the lanes are not ordered with each other
            return []
        if not circuit.is_open:
            return self._end(circuit, "a cell came before the circuit was open", 0)
        effects: list[CircuitEffect] = []
        try:
            payload = circuit.open_cell(cell)
            if payload is None:
                return []
            if circuit.incoming.consumed():
                effects.append(Send(peer, Lane.CONTROL, encode(Credit(circuit.field, CREDIT_STEP))))
            data = circuit.reassembler.receive(payload, now)
            if data is not None:
                message = circuit_decoder.decode(data)
                if not isinstance(message, DispatchFailed | Return | Released | ProbeReply):
                    raise WireError("the proxy sent a client's message")
                effects.append(CircuitReceived(circuit.handle, message))
        except (PathError, SealError, WireError) as error:
            return effects + self._end(circuit, str(error), None)
        return effects

    def _flush(self, circuit: _ClientCircuit) -> list[CircuitEffect]:
        try:
            return circuit.flush(self._random_bytes)
        except PathError as error:
            return self._end(circuit, str(error), None)

    def _end(
        self, circuit: _ClientCircuit, reason: str, hop_index: int | None, tell: bool = True
    ) -> list[CircuitEffect]:
        self._forget(circuit)
        effects: list[CircuitEffect] = [circuit.destroy()] if tell else []
        if circuit.is_open:
            effects.append(CircuitClosed(circuit.handle, reason))
        else:
            effects.append(CircuitFailed(circuit.handle, hop_index, reason))
        return effects

    def _forget(self, circuit: _ClientCircuit) -> None:
        del self._circuits[circuit.handle]
        del self._by_link[(circuit.guard, circuit.field)]


def _failure(opened: OpenedReply) -> str:
    if opened.stale:
        return "the relay's clock and this one differ by more than two minutes, or the set-up took too long"
    status = body_status(opened.body)
    if status is None or status is SetUpStatus.OPENED:
        return "a relay of the path garbled the answer"
    return status_reason(status)
