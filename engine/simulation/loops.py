"""Ticks a machine in simulated time when it is due, as :class:`engine.node.loop.MachineLoop` does on the event loop."""

from __future__ import annotations

from engine.node.loop import SHORTEST_SECONDS, MachineLoop
from engine.transport.scheduler import ManualScheduler


class SimulatedLoop(MachineLoop):
    """Stands in for the loop that a driver made itself; it looks at the deadline again at most every ``coalesce``
    seconds, however often it is woken. Unlike the real one it never ticks without a deadline: a machine that forgets to
    name one stands still here, and the forgotten wake-up is found."""

    def __init__(self, scheduler: ManualScheduler, loop: MachineLoop, coalesce: float = SHORTEST_SECONDS) -> None:
        super().__init__(scheduler.clock, loop._tick, loop._next_deadline)
        self._scheduler = scheduler
        self._coalesce = coalesce
        self._due: float | None = None
        self._looked = -1.0
        self.alive = True

    def wake(self) -> None:
        """Look at the deadline soon."""
        if self.alive:
            self._look_at(max(self._scheduler.now(), self._looked + self._coalesce))

    def _look_at(self, at: float) -> None:
        if self._due is None or at < self._due:
            self._due = at
            self._scheduler.call_at(at, lambda: self._look(at))

    def _look(self, at: float) -> None:
        if self._due != at or not self.alive:
            return
        now = self._looked = self._scheduler.now()
        deadline = self._next_deadline()
        if deadline is not None and deadline <= now:
            self._tick()  # may wake this loop, whose look then lies a moment ahead
            deadline = self._next_deadline()
        self._due = None
        if deadline is not None:
            self._look_at(max(deadline, now + self._coalesce))
