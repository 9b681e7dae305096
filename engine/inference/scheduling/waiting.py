"""Who waits for a place, and who is next. Pure."""

from __future__ import annotations

import bisect

from engine.inference.scheduling.sequence import Sequence

OWNER_BURST = 4
"""So many of the owner's requests go before a waiting stranger; then one stranger goes."""


class WaitingLine:
    """Two lines, each in the order of arrival: the owner's requests, and strangers'.

    The owner goes first, yet of every ``OWNER_BURST + 1`` places that are given out while both wait, one is a
    stranger's. Within a line nobody is overtaken: whoever was put back comes before all that arrived later.
    """

    def __init__(self) -> None:
        self._owner: list[Sequence] = []
        self._strangers: list[Sequence] = []
        self._burst = 0  # of the owner's, since a stranger went

    def __len__(self) -> int:
        return len(self._owner) + len(self._strangers)

    @property
    def owner_waits(self) -> bool:
        """Whether one of the owner's is among them."""
        return bool(self._owner)

    def newcomers(self, owner: bool) -> int:
        """How many wait in that line who never had a place."""
        return sum(1 for one in self._line(owner) if not one.admitted)

    def add(self, sequence: Sequence) -> None:
        """Put it into its line by its order of arrival."""
        bisect.insort(self._line(sequence.owner), sequence, key=lambda one: one.order)

    def remove(self, sequence: Sequence) -> None:
        """Take it out, wherever it stands."""
        self._line(sequence.owner).remove(sequence)

    def first(self) -> Sequence | None:
        """Who is next."""
        if self._owner and not (self._strangers and self._burst >= OWNER_BURST):
            return self._owner[0]
        return self._strangers[0] if self._strangers else None

    def take(self) -> Sequence:
        """Take out who is next."""
        sequence = self.first()
        if sequence is None:
            raise ValueError("nobody waits")
        self._line(sequence.owner).pop(0)
        self._burst = _next_burst(self._burst, sequence)
        return sequence

    def in_order(self) -> list[Sequence]:
        """Everybody, in the order in which they will go if nobody else comes."""
        owner, strangers, burst = list(reversed(self._owner)), list(reversed(self._strangers)), self._burst
        order = []
        while owner or strangers:
            sequence = owner.pop() if owner and not (strangers and burst >= OWNER_BURST) else strangers.pop()
            burst = _next_burst(burst, sequence)
            order.append(sequence)
        return order

    def _line(self, owner: bool) -> list[Sequence]:
        return self._owner if owner else self._strangers


def _next_burst(burst: int, taken: Sequence) -> int:
    return min(burst + 1, OWNER_BURST) if taken.owner else 0
