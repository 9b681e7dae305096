"""Calls a machine's ``tick`` when it is due: the one driver of every sans-I/O machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.clock import Clock
from engine.paths.effects import Lane
from engine.transport.link import Channel

SLOWEST_SECONDS = 1.0
"""A machine is ticked at least this often, so that a missed :meth:`MachineLoop.wake` costs little."""
SHORTEST_SECONDS = 0.005
"""And at most this often."""

CHANNEL = {Lane.CONTROL: Channel.CONTROL, Lane.CELLS: Channel.CELLS}
LANE = {channel: lane for lane, channel in CHANNEL.items()}


class MachineLoop:
    """Ticks until cancelled; :meth:`wake` after anything that may have brought a deadline forward."""

    def __init__(self, clock: Clock, tick: Callable[[], None], next_deadline: Callable[[], float | None]) -> None:
        self._clock = clock
        self._tick = tick
        self._next_deadline = next_deadline
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at the deadline again."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        ticked = self._clock.monotonic()
        while True:
            self._woken.clear()
            if self._due_after(ticked) <= self._clock.monotonic():
                self._tick()
                ticked = self._clock.monotonic()
            wait = self._due_after(ticked) - self._clock.monotonic()
            try:
                async with asyncio.timeout(min(max(wait, SHORTEST_SECONDS), SLOWEST_SECONDS)):
                    await self._woken.wait()
                await asyncio.sleep(0)  # let everything that arrived together be handled before looking again
            except TimeoutError:
                self._tick()
                ticked = self._clock.monotonic()

    def _due_after(self, ticked: float) -> float:
        """When the next tick is, after one at ``ticked``: wakes put it off for nobody."""
        deadline = self._next_deadline()
        return ticked + SLOWEST_SECONDS if deadline is None else min(deadline, ticked + SLOWEST_SECONDS)
