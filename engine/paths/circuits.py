"""The client's end of many circuits: set-up, layered errors, cells, credit windows, bounded queues. Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.ids import NodeId
from engine.paths.effects import CircuitEffect, Lane
from engine.wire.circuit import CircuitMessage

RandomBytes = Callable[[int], bytes]


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


class CircuitClient:
    """Opens circuits over links that exist and carries circuit messages over them."""

    def __init__(self, random_bytes: RandomBytes, limits: CircuitLimits | None = None) -> None:
        raise NotImplementedError

    def open(self, hops: Sequence[PathHop], now: float, wall: float) -> tuple[int, list[CircuitEffect]]:
        """Start a circuit over 1 to 3 relays, guard first; the link with the guard must exist.

        Returns its handle (never reused) and effects; :class:`CircuitOpened` or :class:`CircuitFailed` follows.
        Raises ``PathError`` when there are too many circuits or the hops are not valid.
        """
        raise NotImplementedError

    def send(self, handle: int, message: CircuitMessage, now: float) -> list[CircuitEffect]:
        """Send a message to the proxy. Raises ``PathError`` if the circuit is not open or its queue is full."""
        raise NotImplementedError

    def close(self, handle: int, now: float) -> list[CircuitEffect]:
        """Give a circuit up (pending or open); unknown handles are ignored. No event follows."""
        raise NotImplementedError

    def receive(self, peer: NodeId, lane: Lane, data: bytes, now: float) -> list[CircuitEffect]:
        """What a guard sent: never raises; link messages of other roles are ignored."""
        raise NotImplementedError

    def link_down(self, peer: NodeId, now: float) -> list[CircuitEffect]:
        """The link with a guard is gone: its circuits fail or close."""
        raise NotImplementedError

    def tick(self, now: float) -> list[CircuitEffect]:
        """Time-outs due at ``now``."""
        raise NotImplementedError

    def next_deadline(self) -> float | None:
        """When :meth:`tick` must be called next, None if nothing waits."""
        raise NotImplementedError

    def is_open(self, handle: int) -> bool:
        """Whether messages can be sent."""
        raise NotImplementedError

    def queued_bytes(self, handle: int) -> int:
        """Payload bytes that wait for the window; 0 for unknown handles."""
        raise NotImplementedError
