"""What leaves a relay, when: circuits take turns, as far as their links and the relay's bandwidth go. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from engine.ids import NodeId
from engine.paths.cells import CELL_LENGTH
from engine.paths.effects import Send
from engine.paths.fair_sharing import Bandwidth, FairQueue
from engine.paths.relay_circuit import RelayCircuit

LINK_BACKLOG: Final = 128 * 1024
"""Bytes that wait in a link; further cells wait in their circuits, which take turns."""
TURN_SECONDS: Final = 0.005
"""What has to wait is looked at again this soon."""


class Departures:
    """The line of the circuits, by number and direction."""

    def __init__(self, bandwidth: float | None) -> None:
        """``bandwidth``: bytes per second, None for no limit."""
        self.backlog: Callable[[NodeId], int] = lambda _: 0
        """Bytes that wait in the link with a peer; attached by the driver."""
        self.next_turn: float | None = None
        """When to call :meth:`turns` again; None if nothing waits."""
        self._line: FairQueue[NodeId, tuple[int, bool]] = FairQueue()
        self._bandwidth = Bandwidth(bandwidth, 0.0)

    def limit(self, bandwidth: float | None, now: float) -> None:
        """Pass on at most so many bytes per second from now on; None for no limit."""
        self._bandwidth = Bandwidth(bandwidth, now)

    def enlist(self, circuit: RelayCircuit) -> None:
        """Put the circuit in line for what it has to send."""
        self.enlist_direction(circuit, True)
        self.enlist_direction(circuit, False)

    def enlist_direction(self, circuit: RelayCircuit, backward: bool) -> None:
        """The same for one direction."""
        if circuit.is_ready(backward):
            self._line.add(circuit.link_of(backward), (circuit.number, backward))

    @property
    def idle(self) -> bool:
        """Whether nobody is in line."""
        return not self._line

    def may_pass(self, peer: NodeId, now: float) -> bool:
        """Whether something for this link may leave at once: nobody is in line, and there is room."""
        return not self._line and self._bandwidth.may_send(now) and self._room(peer) > 0

    def turns(self, now: float) -> Iterator[tuple[int, bool]]:
        """Whose turn it is, one after the other: the circuit's number, and whether backwards. Whoever has more is to be
        enlisted again, and what it sent told to :meth:`left`, before the next turn."""
        self.next_turn = None
        if not self._line:
            return
        turns = self._line.turns(self._room)
        while self._bandwidth.may_send(now) and (turn := next(turns, None)) is not None:
            yield turn[1]
        if self._line:
            self.next_turn = max(self._bandwidth.next_at(now), now + TURN_SECONDS)

    def left(self, sends: Iterable[Send]) -> None:
        """So much leaves the relay now."""
        size = 0
        for sent in sends:
            size += len(sent.data)
        self._bandwidth.spend(size)

    def use(self, now: float) -> float:
        """The share of the bandwidth that is in use, on average; 0 without a limit."""
        return self._bandwidth.use(now)

    def _room(self, peer: NodeId) -> int:
        """Cells that the link takes before they would wait in it, where turns are not taken any more."""
        return (LINK_BACKLOG - self.backlog(peer)) // CELL_LENGTH
