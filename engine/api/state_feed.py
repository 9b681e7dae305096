"""Tells any number of listeners that the engine's state has changed, merging what comes fast."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from engine.api.schema import State

INTERVAL_SECONDS = 0.2
"""A listener is told at most so often."""
POLL_SECONDS = 2.0
"""So often the state is looked at without being told, for counters that nobody announces."""


class StateFeed:
    """Implements ``ControlService.changes``. ``state`` gives the present state; call :meth:`notify` after a change."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self._wakers: set[asyncio.Event] = set()
        self._closed = False

    def notify(self) -> None:
        """Something in the state may have changed."""
        for waker in self._wakers:
            waker.set()

    def close(self) -> None:
        """End every listener's iteration."""
        self._closed = True
        self.notify()

    async def changes(self) -> AsyncGenerator[State, None]:
        """The present state, then each newer one that differs."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        told: State | None = None
        try:
            while not self._closed:
                waker.clear()
                current = self._state()
                if current != told:
                    told = current
                    yield current
                    await asyncio.sleep(INTERVAL_SECONDS)
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await waker.wait()
                except TimeoutError:
                    pass
        finally:
            self._wakers.discard(waker)
