"""Machines are ticked in simulated time when they are due, once, and not before."""

from __future__ import annotations

from engine.node.loop import MachineLoop
from engine.simulation.loops import SimulatedLoop
from engine.transport.scheduler import ManualScheduler

TOLERANCE = 1e-9


class Machine:
    """Notes when it is ticked, and has one deadline after another."""

    def __init__(self, deadlines: list[float]) -> None:
        self.scheduler = ManualScheduler()
        self.begun = self.scheduler.now()
        self.deadlines = deadlines
        self.ticks: list[float] = []
        real = MachineLoop(self.scheduler.clock, self.tick, self.next_deadline)
        self.loop = SimulatedLoop(self.scheduler, real, coalesce=0.1)

    def tick(self) -> None:
        self.ticks.append(round(self.scheduler.now() - self.begun, 6))
        now = self.scheduler.now() - self.begun + TOLERANCE
        self.deadlines = [deadline for deadline in self.deadlines if deadline > now]

    def next_deadline(self) -> float | None:
        return self.begun + min(self.deadlines) if self.deadlines else None


def test_it_ticks_at_each_deadline_and_never_else() -> None:
    machine = Machine([0.5, 2.0, 30.0])
    machine.loop.wake()
    machine.scheduler.advance(100.0)
    assert machine.ticks == [0.5, 2.0, 30.0]


def test_deadlines_close_together_are_one_tick() -> None:
    machine = Machine([1.0, 1.01, 1.02])
    machine.loop.wake()
    machine.scheduler.advance(10.0)
    assert machine.ticks == [1.0, 1.1]


def test_a_wake_up_brings_a_nearer_deadline_forward() -> None:
    machine = Machine([50.0])
    machine.loop.wake()
    machine.scheduler.advance(10.0)
    machine.deadlines.append(12.0)
    machine.loop.wake()
    machine.scheduler.advance(10.0)
    assert machine.ticks == [12.0]


def test_without_a_wake_up_nothing_is_looked_at() -> None:
    machine = Machine([1.0])
    machine.scheduler.advance(10.0)
    assert machine.ticks == []


def test_a_dead_machine_stands_still() -> None:
    machine = Machine([1.0])
    machine.loop.wake()
    machine.loop.alive = False
    machine.scheduler.advance(10.0)
    assert machine.ticks == []
