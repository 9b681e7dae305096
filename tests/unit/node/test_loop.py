"""The driver ticks when a deadline is due and at once when it is brought forward."""

from __future__ import annotations

import asyncio

import pytest

from engine.clock import SystemClock
from engine.node import loop as driver
from engine.node.loop import SLOWEST_SECONDS, MachineLoop


class Machine:
    """Wants to be ticked at its deadline."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.deadline: float | None = None
        self.ticked = asyncio.Event()
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1
        if self.deadline is not None and self.clock.monotonic() >= self.deadline:
            self.deadline = None
            self.ticked.set()


async def test_a_deadline_that_comes_later_is_met_after_wake() -> None:
    machine = Machine()
    loop = MachineLoop(machine.clock, machine.tick, lambda: machine.deadline)
    task = asyncio.ensure_future(loop.run())  # noqa: TID251 - ended below
    await asyncio.sleep(0.01)
    begun = machine.clock.monotonic()
    machine.deadline = begun + 0.05
    loop.wake()
    async with asyncio.timeout(SLOWEST_SECONDS):
        await machine.ticked.wait()
    assert 0.05 <= machine.clock.monotonic() - begun < SLOWEST_SECONDS / 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_idle_machine_is_ticked_seldom_and_a_stuck_deadline_does_not_spin() -> None:
    machine = Machine()
    loop = MachineLoop(machine.clock, machine.tick, lambda: 0.0)  # always overdue
    task = asyncio.ensure_future(loop.run())  # noqa: TID251 - ended below
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 2 <= machine.ticks <= 100


@pytest.mark.parametrize("deadline", [None, float("inf")])
async def test_whoever_wakes_it_all_the_time_does_not_put_the_next_tick_off(
    deadline: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "SLOWEST_SECONDS", 0.05)
    machine = Machine()
    loop = MachineLoop(machine.clock, machine.tick, lambda: deadline)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(loop.run())
        while machine.ticks < 3:
            loop.wake()
            await asyncio.sleep(0)
        task.cancel()
