"""Which set-ups a relay takes: rates, freshness, replays, places, and where each goes on. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence

from engine.crypto.onion import PACKET_LENGTH, Peeled, peel, seal_reply, stale_reply
from engine.errors import CryptoError
from engine.ids import CircuitId, NodeId
from engine.paths.circuit_table import CircuitTable
from engine.paths.effects import Lane, RelayEffect, Send
from engine.paths.relay_circuit import RelayCircuit, Side
from engine.paths.relay_limits import RelayLimits
from engine.paths.setup import ReplayCache, SetUpGate, SetUpStatus, status_body
from engine.wire.codec import encode
from engine.wire.link import CircuitReply, CreateCircuit

RandomBytes = Callable[[int], bytes]


class RelaySetUps:
    """Looks at what asks for a new circuit, and puts it into ``table`` where it may be one."""

    def __init__(
        self,
        node_id: NodeId,
        onion_keys: Callable[[], Sequence[bytes]],
        is_relay: Callable[[NodeId], bool],
        random_bytes: RandomBytes,
        limits: RelayLimits,
        table: CircuitTable,
        counters: Counter[str],
        replays: ReplayCache | None,
    ) -> None:
        self.close: Callable[[RelayCircuit, str], list[RelayEffect]] = lambda _circuit, _reason: []
        """Ends a circuit; attached by the relay."""
        self._node_id = node_id
        self._onion_keys = onion_keys
        self._is_relay = is_relay
        self._random_bytes = random_bytes
        self._limits = limits
        self._table = table
        self._counters = counters
        self._replays = ReplayCache(limits.replay_tags) if replays is None else replays
        self._gate = SetUpGate(limits.all_set_ups_per_second, limits.all_set_up_burst)
        self._deadlines: list[tuple[float, int]] = []

    def receive(self, peer: NodeId, message: CreateCircuit, now: float, wall: float) -> list[RelayEffect]:
        """One set-up from the link with ``peer``."""
        previous = Side(peer, CircuitId(int.from_bytes(message.circuit_id, "big")))
        if self._table.find(peer, message.circuit_id)[0] is not None:
            self._counters["set-up: duplicate id"] += 1
            return []
        if not self._gate.admits(self._table.links[peer].bucket, now):
            return self._refuse(previous, "rate")
        try:
            if len(message.onion) != PACKET_LENGTH:
                raise CryptoError("wrong length")
            peeled = peel(message.onion, self._node_id, self._onion_keys(), wall, self._random_bytes)
        except CryptoError:
            return self._refuse(previous, "not for this relay")
        if not peeled.fresh:
            self._counters["set-up: stale"] += 1
            return [reply(previous, stale_reply(peeled.keys, self._random_bytes))]
        if not self._replays.admit(peeled.replay_tag, now):
            return self._refuse(previous, "replay")
        return self._take(previous, peeled, now)

    def overdue(self, now: float) -> list[RelayCircuit]:
        """Pending circuits whose next relay has not answered in time."""
        late = []
        while self._deadlines and self._deadlines[0][0] <= now:
            circuit = self._table.get(heapq.heappop(self._deadlines)[1])
            if circuit is not None and not circuit.is_open:
                late.append(circuit)
        return late

    def next_deadline(self) -> float | None:
        """When :meth:`overdue` has something to say."""
        while self._deadlines and self._is_settled(self._deadlines[0][1]):
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def _is_settled(self, number: int) -> bool:
        circuit = self._table.get(number)
        return circuit is None or circuit.is_open

    def _take(self, previous: Side, peeled: Peeled, now: float) -> list[RelayEffect]:
        effects: list[RelayEffect] = []
        status, next_side = self._next_side(previous.peer, peeled)
        if status is SetUpStatus.OPENED and self._table.is_full():
            yielding = self._table.gives_way(previous.peer)
            if yielding is None:
                status = SetUpStatus.BUSY
            else:
                effects += self.close(yielding, "gave way to a client with fewer")
        if status is not SetUpStatus.OPENED or next_side is None:
            self._counters[f"set-up: {status.name.lower()}"] += 1
            if status is SetUpStatus.OPENED:
                self._add(previous, None, peeled, now)
            return [*effects, reply(previous, seal_reply(peeled.keys, status_body(status), self._random_bytes))]
        circuit = self._add(previous, next_side, peeled, now)
        wait = min(peeled.reply_timeout, self._limits.max_reply_timeout)
        heapq.heappush(self._deadlines, (now + wait, circuit.number))
        assert peeled.next_packet is not None
        onward = encode(CreateCircuit(next_side.field, peeled.next_packet))
        return [*effects, Send(next_side.peer, Lane.CONTROL, onward)]

    def _next_side(self, peer: NodeId, peeled: Peeled) -> tuple[SetUpStatus, Side | None]:
        """Whether the circuit can be taken, and where it goes on (None: it ends here)."""
        if not self._table.has_place(peer):
            return SetUpStatus.BUSY, None
        if peeled.next_node is None or peeled.next_circuit is None:
            return SetUpStatus.OPENED, None
        if peeled.next_node == peer or not self._is_relay(peeled.next_node):  # no honest path turns back
            return SetUpStatus.NOT_A_RELAY, None
        if peeled.next_node not in self._table.links:
            return SetUpStatus.NOT_LINKED, None
        side = Side(peeled.next_node, peeled.next_circuit)
        if self._table.find(side.peer, side.field)[0] is not None:
            return SetUpStatus.BUSY, None
        return SetUpStatus.OPENED, side

    def _add(self, previous: Side, next_side: Side | None, peeled: Peeled, now: float) -> RelayCircuit:
        number = self._table.next_number()
        circuit = RelayCircuit(number, previous, next_side, peeled.keys, now, self._random_bytes)
        self._table.add(circuit)
        return circuit

    def _refuse(self, previous: Side, why: str) -> list[RelayEffect]:
        """Without keys, or without the right to use them again, there is no layered answer."""
        self._counters[f"set-up: {why}"] += 1
        return [previous.destroy()]


def reply(previous: Side, sealed: bytes) -> Send:
    """An answer to a set-up, for the hop before."""
    return Send(previous.peer, Lane.CONTROL, encode(CircuitReply(previous.field, sealed)))
