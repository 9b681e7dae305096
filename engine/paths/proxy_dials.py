"""Cloves that wait at a proxy while a link with their model node is made, and how many such links it may ask for.

Only where relays are not linked with all model nodes ahead of need. What the signaling server sees of it says that
somebody behind this proxy uses this node, which its messages over the link would show to the node anyway. A path set-up
never makes a relay dial.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from engine.ids import NodeId
from engine.paths.setup import TokenBucket
from engine.wire.circuit import Dispatch

DIAL_SECONDS: Final = 8.0
"""For a link to be made; then the client is told that there is none."""
DIALS_PER_SECOND: Final = 1.0
DIAL_BURST: Final = 30.0
MAX_DIALS_PER_CIRCUIT: Final = 4
"""Different model nodes that one circuit may have dialled: a chat needs one, and another when that one fails."""
MAX_WAITING_PER_CIRCUIT: Final = 16
MAX_WAITING_BYTES: Final = 8 * 1024 * 1024


@dataclass(slots=True)
class _Waiting:
    expires: float
    cloves: list[tuple[int, Dispatch]] = field(default_factory=list)


class DialsOnDemand:
    """What waits for which model node."""

    def __init__(self) -> None:
        self._waiting: dict[NodeId, _Waiting] = {}
        self._dialled: dict[int, set[NodeId]] = {}
        self._bucket: TokenBucket | None = None
        self._held: Counter[int] = Counter()  # cloves by circuit
        self._bytes = 0

    def hold(self, circuit: int, message: Dispatch, now: float) -> bool | None:
        """Keep a clove until the link is there: whether to dial for it now, or None if it is not kept."""
        destination = NodeId(message.destination)
        waiting = self._waiting.get(destination)
        if self._bytes + len(message.clove) > MAX_WAITING_BYTES or self._held[circuit] >= MAX_WAITING_PER_CIRCUIT:
            return None
        if waiting is None:
            if not self._may_dial(circuit, destination, now):
                return None
            waiting = self._waiting[destination] = _Waiting(now + DIAL_SECONDS)
            must_dial = True
        else:
            must_dial = False
        waiting.cloves.append((circuit, message))
        self._held[circuit] += 1
        self._bytes += len(message.clove)
        return must_dial

    def _may_dial(self, circuit: int, destination: NodeId, now: float) -> bool:
        dialled = self._dialled.setdefault(circuit, set())
        if destination not in dialled and len(dialled) >= MAX_DIALS_PER_CIRCUIT:
            return False
        if self._bucket is None:
            self._bucket = TokenBucket(DIALS_PER_SECOND, DIAL_BURST, now)
        if not self._bucket.take(now):
            return False
        dialled.add(destination)
        return True

    def take(self, destination: NodeId) -> list[tuple[int, Dispatch]]:
        """The link is there: what waited for it, in order, with the circuits that it came from."""
        waiting = self._waiting.pop(destination, None)
        if waiting is None:
            return []
        self._bytes -= sum(len(message.clove) for _, message in waiting.cloves)
        self._held -= Counter(circuit for circuit, _ in waiting.cloves)
        return waiting.cloves

    def expired(self, now: float) -> list[tuple[int, Dispatch]]:
        """What has waited for too long."""
        late = [destination for destination, waiting in self._waiting.items() if waiting.expires <= now]
        return [clove for destination in late for clove in self.take(destination)]

    def circuit_closed(self, circuit: int) -> None:
        """Nobody waits for its cloves any more."""
        self._dialled.pop(circuit, None)
        if not self._held.pop(circuit, 0):
            return
        for waiting in self._waiting.values():
            dropped = [message for owner, message in waiting.cloves if owner == circuit]
            self._bytes -= sum(len(message.clove) for message in dropped)
            waiting.cloves = [clove for clove in waiting.cloves if clove[0] != circuit]

    def next_deadline(self) -> float | None:
        """When :meth:`expired` has something."""
        return min((waiting.expires for waiting in self._waiting.values()), default=None)
