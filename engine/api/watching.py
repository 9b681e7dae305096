"""A client of the control API that watches the picture of this machine's links, paths and groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from engine.api.schema import TOPOLOGY_SECONDS, ControlEvent, Topology, WatchTopology

Look = Callable[[str], Topology]
"""The picture of this moment, with the paths of a chat marked."""


class TopologyWatch:
    """One client's wish to watch; :meth:`run` tells it what is new."""

    def __init__(self, look: Look, tell: Callable[[ControlEvent], None], seconds: float = TOPOLOGY_SECONDS) -> None:
        self._look = look
        self._tell = tell
        self._seconds = seconds
        self._wish = WatchTopology(on=False)
        self._wished = asyncio.Event()
        self._told: Topology | None = None

    def ask(self, request: WatchTopology) -> None:
        """Tell the picture now, and go on with it or not."""
        self._wish = request
        self._told = self._look(request.chat)
        self._tell(msgspec.structs.replace(self._told, ref=request.ref))
        if request.on:
            self._wished.set()
        else:
            self._wished.clear()

    async def run(self) -> None:
        """Until cancelled: nothing is looked at while nobody watches."""
        while True:
            await self._wished.wait()
            await asyncio.sleep(self._seconds)
            if self._wished.is_set() and (now := self._look(self._wish.chat)) != self._told:
                self._told = now
                self._tell(now)
