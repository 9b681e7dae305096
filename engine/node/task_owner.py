"""A part of the node that starts tasks when something comes in, and ends them with itself."""

from __future__ import annotations

import asyncio


class TaskOwner:
    """``_tasks`` is there while :meth:`run` runs."""

    def __init__(self) -> None:
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Own the tasks until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await asyncio.Event().wait()
        finally:
            self._tasks = None
