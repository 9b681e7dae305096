"""When things happen in the memory transport: on the event loop, or by hand in simulated time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Protocol

from engine.clock import Clock, ManualClock


class Scheduler(Protocol):
    """Runs actions later, in the order of their times, ties in the order of scheduling."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def call_later(self, delay: float, action: Callable[[], None]) -> None:
        """Run ``action`` ``delay`` (>= 0) seconds from now."""
        ...


class LoopScheduler:
    """On the running asyncio loop, in real time. What is still to come when the loop ends never happens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.monotonic()

    def call_later(self, delay: float, action: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if delay <= 0:
            loop.call_soon(action)
        else:
            loop.call_later(delay, action)


class ManualScheduler:
    """Simulated time: nothing happens but in :meth:`advance`, which takes no real time. ``clock`` shows it."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self._order = itertools.count()
        self._actions: list[tuple[float, int, Callable[[], None]]] = []

    def now(self) -> float:
        return self.clock.monotonic()

    def call_later(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._actions, (self.now() + max(0.0, delay), next(self._order), action))

    def call_at(self, time: float, action: Callable[[], None]) -> None:
        """Run ``action`` at ``time``, exactly: a delay added to the present may miss it by a rounding."""
        heapq.heappush(self._actions, (max(self.now(), time), next(self._order), action))

    def next_time(self) -> float | None:
        """When the next action is due; None when nothing is to come."""
        return self._actions[0][0] if self._actions else None

    def advance(self, seconds: float) -> None:
        """Run everything that is due within the next ``seconds``, each at its time."""
        end = self.now() + seconds
        while self._actions and self._actions[0][0] <= end:
            at, _, action = heapq.heappop(self._actions)
            self.clock.set(at)
            action()
        self.clock.set(end)
