"""The paths of one chat: a slot for each, and what its users hear when one opens or is lost. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.directory.shapes import Shape
from engine.ids import NodeId


@dataclass(frozen=True, slots=True)
class SlotOpened:
    """Path ``index`` of the set ``name`` works."""

    name: bytes
    index: int


@dataclass(slots=True)
class Slot:
    """One path of a set."""

    index: int
    circuit: int | None = None
    hops: tuple[NodeId, ...] = ()
    open: bool = False
    opened_at: float = 0.0
    retry_at: float = 0.0
    failures: int = 0
    avoid_guard: NodeId | None = None
    probe_sent: float | None = None
    probe_at: float = 0.0
    heard_at: float = 0.0
    round_trip: float = 0.0  # seconds, smoothed, of its probes; 0 until one has been answered
    proven: bool = False  # it has worked for a while since it opened


@dataclass(slots=True)
class PathSet:
    """The paths of one chat."""

    name: bytes
    shape: Shape
    slots: list[Slot]
    last_used: float
    busy: int = 0
    loosen_at: float = 0.0
    destinations: frozenset[NodeId] = frozenset()  # who answers this chat may not relay for it: it would see the sender

    def open_slots(self) -> list[Slot]:
        """The slots that work now."""
        return [slot for slot in self.slots if slot.open]

    def round_trip(self) -> float:
        """Seconds after which enough paths for an answer have replied; 0 until they have. A set-up takes longer than a
        round trip, much longer where much is set up: it says nothing here."""
        known = sorted(slot.round_trip for slot in self.open_slots())
        return known[self.shape.k - 1] if len(known) >= self.shape.k else 0.0

    @property
    def carries(self) -> bool:
        """Whether an answer can come over these paths now; with fewer than k of them it waits for others anyway."""
        return self.busy > 0 and len(self.open_slots()) >= self.shape.k


@dataclass(slots=True)
class GuardRecord:
    """What this run of the client remembers about a guard."""

    rest_until: float = 0.0
