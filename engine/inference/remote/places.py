"""Who may ask the server now: so many at once, the owner before strangers, the others in the order of their coming."""

from __future__ import annotations

import asyncio

from engine.errors import OverloadedError


class Places:
    """``slots`` answers at once, ``queue_limit`` requests waiting. Of one event loop."""

    def __init__(self, slots: int, queue_limit: int) -> None:
        self._slots = self._free = slots
        self._limit = queue_limit
        self._waiting: list[tuple[bool, asyncio.Future[None]]] = []

    @property
    def taken(self) -> int:
        """Places that are not free."""
        return self._slots - self._free

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._waiting)

    def ahead(self, owner: bool) -> int:
        """How many would be served before a new request; 0 when it can begin at once."""
        if self._free:
            return 0
        return 1 + sum(owners or not owner for owners, _ in self._waiting)

    async def enter(self, owner: bool) -> None:
        """Wait for a place; :class:`OverloadedError` when too many wait already. :meth:`leave` gives it back."""
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= self._limit:
            raise OverloadedError(f"{len(self._waiting)} requests wait for this model already. Try again later.")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (owner, turn)
        at = next((place for place, (owners, _) in enumerate(self._waiting) if owner and not owners), None)
        self._waiting.insert(len(self._waiting) if at is None else at, entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the turn came while its owner was going
            elif entry in self._waiting:  # not passed over already
                self._waiting.remove(entry)
            raise

    def leave(self) -> None:
        """The next one's turn. One who was cancelled a moment ago may still stand in the queue: it is passed over."""
        while self._waiting:
            turn = self._waiting.pop(0)[1]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
