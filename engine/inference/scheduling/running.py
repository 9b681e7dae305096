"""Who has a place: admission, giving way, memory of those who run. Pure."""

from __future__ import annotations

from collections.abc import Collection

from engine.inference.scheduling.building import find
from engine.inference.scheduling.kv_cache import KvMemory
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.sequence import Sequence, blocks_for
from engine.inference.scheduling.slots import SlotTable
from engine.inference.scheduling.waiting import WaitingLine

STRANGERS_SHARE = 4
"""The owner's requests take strangers' places, but leave them one in so many (at least one)."""
PATIENCE = 3
"""A stranger who gave way so often does not give way to the owner any more, only to those who came earlier."""


class RunningSequences:
    """The sequences that have a slot and those that wait for one, and the memory that they share with the cache."""

    def __init__(self, cache: PrefixCache, slots: int, reserved: int = 0) -> None:
        self.cache = cache
        self.memory = KvMemory(cache, reserved)
        self.slots = SlotTable(slots)
        self.waiting = WaitingLine()
        self.by_key: dict[int, Sequence] = {}
        self._spared = max(1, slots // STRANGERS_SHARE)

    def in_order(self) -> list[Sequence]:
        """Those that run, oldest first."""
        return sorted(self.by_key.values(), key=_order)

    def add(self, sequence: Sequence) -> None:
        """A newcomer: it gets a place at once or waits."""
        self.waiting.add(sequence)
        self.admit()

    def remove(self, sequence: Sequence) -> None:
        """Forget ``sequence``, wherever it stands. Its place is not given out yet (see :meth:`admit`)."""
        if sequence.slot >= 0:
            self._leave(sequence)
        else:
            self.waiting.remove(sequence)

    def admit(self) -> None:
        """Give out places. Whoever is first and does not fit yet keeps everybody behind waiting, so that a long request
        is not overtaken for ever."""
        while (first := self.waiting.first()) is not None:
            if not self._has_room(first, ()):
                victims = self._in_the_way(first)
                if not victims:
                    return
                for victim in victims:
                    self._preempt(victim)
            sequence = self.waiting.take()
            self.slots.give(sequence)
            self.by_key[sequence.key] = sequence
            sequence.admitted = True
            find(self.cache, sequence)

    def empty(self, sequence: Sequence) -> None:
        """Its slot holds nothing any more; it keeps its place."""
        self.memory.give_back(sequence.blocks)
        sequence.reset()

    def grow(self, sequence: Sequence, tokens: int) -> bool:
        """Make its slot hold ``tokens``; the youngest give way. False if it was the one who had to."""
        extra = blocks_for(tokens) - sequence.blocks
        if extra <= 0:
            return True
        sequence.blocks += extra
        missing = self.memory.hold(extra)
        while missing:
            victim = self._youngest()
            self._preempt(victim)
            if victim is sequence:
                return False
            missing = self.memory.missing()
        return True

    def resize(self, blocks: int) -> None:
        """From now on there is memory for ``blocks``: the cache gives way, then the youngest."""
        self.memory.total = blocks
        while self.memory.held > blocks and self.by_key:
            self._preempt(self._youngest())
        self.memory.missing()

    def _has_room(self, sequence: Sequence, without: Collection[Sequence]) -> bool:
        if self.slots.free + len(without) < 1:
            return False
        promised = sum(one.promise for one in self.by_key.values() if one not in without)
        return promised + sequence.promise <= self.memory.total

    def _in_the_way(self, sequence: Sequence) -> list[Sequence]:
        """Which strangers, youngest first, make room for ``sequence`` of the owner. Some places stay strangers'."""
        if not sequence.owner:
            return []
        strangers = [one for one in reversed(self.in_order()) if not one.owner]
        able = [one for one in strangers if one.gave_way < PATIENCE]
        for number in range(1, min(len(able), len(strangers) - self._spared) + 1):
            if self._has_room(sequence, able[:number]):
                return able[:number]
        return []

    def _youngest(self) -> Sequence:
        """Who gives way next: strangers before the owner's, the youngest first."""
        return max(self.by_key.values(), key=lambda one: (not one.owner and one.gave_way < PATIENCE, one.order))

    def _preempt(self, sequence: Sequence) -> None:
        """It gives up its place and waits first in line; what it had is computed again, or is in the prefix cache."""
        self._leave(sequence)
        sequence.gave_way += 1
        self.waiting.add(sequence)

    def _leave(self, sequence: Sequence) -> None:
        self.empty(sequence)
        self.slots.take_back(sequence)
        del self.by_key[sequence.key]


def _order(sequence: Sequence) -> int:
    return sequence.order
