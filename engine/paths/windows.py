"""Per circuit, direction and hop: replay windows and credit windows. They count cells; they do not look into them."""

from __future__ import annotations

from collections import deque
from typing import Final

from engine.errors import PathError
from engine.paths.cells import MAX_CELLS, SEQUENCE_MASK

WINDOW: Final = 64
"""Cells that may be on their way without a credit."""
CREDIT_STEP: Final = 16
"""Cells that one credit message opens."""
REPLAY_SPAN: Final = 1024
"""Numbers behind the highest one that are still told apart; at least ``WINDOW``, as cells overtake each other."""

_SPAN_MASK: Final = (1 << REPLAY_SPAN) - 1


class ReceiveWindow:
    """The receiving end of one direction on one link: refuses replays and what exceeds the window."""

    __slots__ = ("_base", "_highest", "_outstanding", "_seen", "_undeclared")

    def __init__(self, base: int) -> None:
        self._base = base
        self._highest = -1
        self._seen = 0
        self._outstanding = 0
        self._undeclared = 0

    def admit(self, sequence: int) -> int | None:
        """Count a cell in; returns its number, or None for one that came before (it keeps its place in the window).

        Raises ``PathError`` for a cell beyond the window or with an impossible number.
        """
        self._outstanding += 1
        if self._outstanding > WINDOW:
            raise PathError("the sender exceeded its window")
        number = (sequence - self._base) & SEQUENCE_MASK
        if number >= MAX_CELLS:
            raise PathError("a cell has an impossible sequence number")
        behind = self._highest - number
        if behind >= REPLAY_SPAN or (behind >= 0 and self._seen >> behind & 1):
            return None
        return number

    def mark(self, number: int) -> None:
        """The cell with this number is genuine; it will not be admitted again."""
        behind = self._highest - number
        if behind < 0:
            self._seen = ((self._seen << min(-behind, REPLAY_SPAN)) | 1) & _SPAN_MASK
            self._highest = number
        else:
            self._seen |= 1 << behind

    def consumed(self) -> bool:
        """One admitted cell left this hop. True: a credit of ``CREDIT_STEP`` is due."""
        self._undeclared += 1
        if self._undeclared < CREDIT_STEP:
            return False
        self._undeclared -= CREDIT_STEP
        self._outstanding -= CREDIT_STEP
        return True


class SendWindow:
    """The sending end of one direction on one link: what waits for credit, in order."""

    __slots__ = ("_credit", "_waiting")

    def __init__(self) -> None:
        self._credit = WINDOW
        self._waiting: deque[bytes] = deque()

    def __len__(self) -> int:
        """Items that wait."""
        return len(self._waiting)

    def push(self, item: bytes) -> None:
        """Queue one item; the caller bounds the queue."""
        self._waiting.append(item)

    @property
    def ready(self) -> bool:
        """Whether something may leave now."""
        return bool(self._waiting) and self._credit > 0

    def pop(self) -> bytes | None:
        """The next item that may leave now."""
        if not self._waiting or not self._credit:
            return None
        self._credit -= 1
        return self._waiting.popleft()

    def credited(self, cells: int) -> None:
        """The receiver opened the window. Raises ``PathError`` if it opens more than it was given."""
        self._credit += cells
        if self._credit > WINDOW:
            raise PathError("the receiver gave more credit than the window has")
