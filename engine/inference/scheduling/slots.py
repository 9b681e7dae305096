"""Which rows of the cache memory are in use, and when one is moved to keep them together. Pure."""

from __future__ import annotations

import heapq

from engine.inference.scheduling.plan import Move
from engine.inference.scheduling.sequence import Sequence

IDLE_ROW_TOKENS = 256
"""An idle row that a step has to cover costs about as much as copying so many tokens' keys and values."""


class SlotTable:
    """Slots 0 to ``count`` - 1. The lowest free one is given out first, so that the ones in use lie together."""

    def __init__(self, count: int) -> None:
        self._holders: dict[int, Sequence] = {}
        self._free = list(range(count))
        self._freed: set[int] = set()  # not yet told to the runner
        self._waste = 0  # idle rows that were covered since the slots were compact

    @property
    def free(self) -> int:
        """How many are free."""
        return len(self._free)

    @property
    def pending(self) -> bool:
        """Whether :meth:`take_freed` has something to tell."""
        return bool(self._freed)

    def give(self, sequence: Sequence) -> None:
        """Give ``sequence`` the lowest free slot."""
        self._hold(sequence, heapq.heappop(self._free))

    def take_back(self, sequence: Sequence) -> None:
        """``sequence`` leaves its slot."""
        del self._holders[sequence.slot]
        heapq.heappush(self._free, sequence.slot)
        self._freed.add(sequence.slot)
        sequence.slot = -1

    def take_freed(self) -> tuple[int, ...]:
        """Slots that were left since the last call. Some may have a new holder, which has fed nothing yet."""
        freed = tuple(sorted(self._freed))
        self._freed.clear()
        return freed

    def compact(self) -> list[Move]:
        """Fill holes from the top. Empty slots change hands for nothing; one that holds tokens is copied once the idle
        rows that it caused have cost as much as the copy. What was freed before must have been taken: the sources of
        these moves are freed by the next step."""
        moves: list[Move] = []
        if not self._holders:
            return moves
        self._waste += max(self._holders) + 1 - len(self._holders)
        while self._free and self._free[0] < (top := max(self._holders)):
            sequence = self._holders[top]
            if sequence.fed > self._waste * IDLE_ROW_TOKENS:
                return moves
            self._waste -= sequence.fed // IDLE_ROW_TOKENS
            target = heapq.heappop(self._free)
            del self._holders[top]
            heapq.heappush(self._free, top)
            self._freed.add(top)
            if sequence.fed:
                moves.append(Move(top, target, sequence.fed))
            self._hold(sequence, target)
        self._waste = 0
        return moves

    def longest(self) -> int:
        """Blocks that the longest sequence in a slot holds."""
        return max((one.blocks for one in self._holders.values()), default=0)

    def holders(self) -> dict[int, Sequence]:
        """Who holds which slot."""
        return dict(self._holders)

    def _hold(self, sequence: Sequence, slot: int) -> None:
        self._holders[slot] = sequence
        sequence.slot = slot
