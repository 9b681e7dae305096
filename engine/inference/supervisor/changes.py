"""Waiting for something to have changed."""

from __future__ import annotations

import asyncio


class Changes:
    """Whoever waits looks again at every change; what has changed stands elsewhere."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def notify(self) -> None:
        """Wake everybody who waits."""
        happened, self._next = self._next, asyncio.Event()
        happened.set()

    async def wait(self) -> None:
        """Until the next change."""
        await self._next.wait()
