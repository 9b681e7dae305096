"""The links of a relay and the circuits on them: who is found where, and what each takes of the relay's bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.ids import NodeId
from engine.paths.relay_circuit import RelayCircuit
from engine.paths.relay_limits import RelayLimits
from engine.paths.setup import TokenBucket


@dataclass(slots=True)
class RelayLink:
    """A link, and the circuits that go over it."""

    is_client: bool
    bucket: TokenBucket
    accepted: int = 0
    """Circuits that came over it."""
    circuits: dict[int, RelayCircuit] = field(default_factory=dict)


class CircuitTable:
    """Circuits by number, and by the ids that they have on the links at their two ends."""

    def __init__(self, limits: RelayLimits) -> None:
        self.links: dict[NodeId, RelayLink] = {}
        self.held = 0
        """Cells and payloads in the memory of all circuits."""
        self._limits = limits
        self._circuits: dict[int, RelayCircuit] = {}
        self._ends: dict[tuple[NodeId, bytes], tuple[RelayCircuit, bool]] = {}
        self._next_number = 0

    def __len__(self) -> int:
        """Circuits, pending ones included."""
        return len(self._circuits)

    def __iter__(self) -> Iterator[RelayCircuit]:
        """All of them as they are now; they may be removed meanwhile."""
        return iter(list(self._circuits.values()))

    def __contains__(self, circuit: RelayCircuit) -> bool:
        return circuit.number in self._circuits

    def get(self, number: int) -> RelayCircuit | None:
        """The circuit of this number, None if it is gone."""
        return self._circuits.get(number)

    def find(self, peer: NodeId, circuit_id: bytes) -> tuple[RelayCircuit | None, bool]:
        """The circuit with this id on the link with ``peer``, and whether that is the side that it came from."""
        return self._ends.get((peer, circuit_id), (None, False))

    def next_number(self) -> int:
        """A number that no circuit has had."""
        self._next_number += 1
        return self._next_number

    def add(self, circuit: RelayCircuit) -> None:
        """A new circuit; both links exist and its ids are free on them."""
        self._circuits[circuit.number] = circuit
        self.links[circuit.previous.peer].accepted += 1
        for side in (circuit.previous, circuit.next_side):
            if side is not None:
                self._ends[(side.peer, side.field)] = (circuit, side is circuit.previous)
                self.links[side.peer].circuits[circuit.number] = circuit

    def remove(self, circuit: RelayCircuit) -> bool:
        """Forget it; False if it was gone already. Its links may be gone before it."""
        if self._circuits.pop(circuit.number, None) is None:
            return False
        self.held -= circuit.counted
        for side in (circuit.previous, circuit.next_side):
            if side is None:
                continue
            del self._ends[(side.peer, side.field)]
            link = self.links.get(side.peer)
            if link is not None:
                link.circuits.pop(circuit.number, None)
                link.accepted -= side is circuit.previous
        return True

    # Bounds

    def has_place(self, peer: NodeId) -> bool:
        """Whether the link with ``peer`` may bring one more circuit, apart from the bound of all links together."""
        link = self.links[peer]
        return link.accepted < (
            self._limits.max_circuits_per_client if link.is_client else self._limits.max_circuits_per_relay
        )

    def is_full(self) -> bool:
        """Whether the relay has as many circuits as it may."""
        return len(self._circuits) >= self._limits.max_circuits

    def gives_way(self, peer: NodeId) -> RelayCircuit | None:
        """For a client whose circuit finds no place: the least active one of the client that has most, if that one has
        more of them. So clients that open all they can leave places for others."""
        own = self.links[peer]
        clients = [link for link in self.links.values() if link.is_client]
        greedy = max(clients, key=lambda link: link.accepted, default=own)
        if not own.is_client or greedy.accepted <= own.accepted + 1:
            return None
        accepted = (one for one in greedy.circuits.values() if self.links.get(one.previous.peer) is greedy)
        return min(accepted, key=lambda circuit: circuit.active_at)

    def recount(self, circuit: RelayCircuit) -> RelayCircuit | None:
        """Note what the circuit holds now. The circuit that has to end, the one that holds most, if all together hold
        more than they may."""
        held = circuit.held()
        self.held += held - circuit.counted
        circuit.counted = held
        if self.held <= self._limits.max_held_cells:
            return None
        return max(self._circuits.values(), key=lambda one: one.counted)
