"""Notices that models were downloaded, imported or removed while the engine runs.

Every change ends with a new time of the models folder or of its pins, whoever made it, also a user who moves folders:
looking at two times every few seconds is all that is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

INTERVAL = 2.0
"""Seconds."""


async def watch_models(models: Path, changed: Callable[[], Awaitable[None]], interval: float = INTERVAL) -> None:
    """Call ``changed`` after every change of the models folder, until cancelled."""
    seen = _times(models)
    while True:
        await asyncio.sleep(interval)
        now = await asyncio.to_thread(_times, models)
        if now != seen:
            seen = now
            await changed()


def _times(models: Path) -> tuple[int, int]:
    return _time(models), _time(models / ".pins.json")


def _time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
