"""The geometry of a long column: where its items stand, of most of which the height is only estimated."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Anchor:
    """What stands at the upper edge: the pixel ``offset`` of the item ``index``, counted from its beginning or, with
    ``from_end``, from its end."""

    index: int
    offset: int
    from_end: bool = False

    def moved(self, by: int) -> Anchor:
        """The same where so many items are there before the first."""
        return replace(self, index=self.index + by)

    def place(self, column: Column) -> int:
        """Where the upper edge is in ``column``, which has items; of one that is gone the last one takes the place."""
        index = min(self.index, len(column) - 1)
        return column.top(index) + (column.height(index) if self.from_end else 0) + self.offset


class Column:
    """Heights of items one below the other, in pixels, with the same gap between all of them and at both ends."""

    def __init__(self, gap: int) -> None:
        self._gap = gap
        self._heights: list[int] = []
        self._tops: list[int] | None = None

    def __len__(self) -> int:
        return len(self._heights)

    def fill(self, heights: Iterable[int]) -> None:
        """Begin anew with items of these heights."""
        self._heights = list(heights)
        self._tops = None

    def append(self, height: int) -> None:
        """One more item at the end."""
        self._heights.append(height)
        self._tops = None

    def set_height(self, index: int, height: int) -> bool:
        """Item ``index`` is ``height`` high; whether that is news."""
        if self._heights[index] == height:
            return False
        self._heights[index] = height
        self._tops = None
        return True

    def height(self, index: int) -> int:
        """The height of one item."""
        return self._heights[index]

    def top(self, index: int) -> int:
        """Where item ``index`` begins."""
        return self._all_tops()[index]

    @property
    def total(self) -> int:
        """The height of the whole column."""
        return self._all_tops()[-1]

    def at(self, y: int) -> int:
        """The item at ``y``, or the one above the gap there; the nearest outside of the column. -1 without items."""
        return min(len(self), max(1, bisect.bisect_right(self._all_tops(), y))) - 1

    def within(self, top: int, bottom: int) -> range:
        """The items that show between ``top`` and ``bottom``."""
        if not self._heights or bottom <= top:
            return range(0)
        return range(self.at(top), self.at(bottom) + 1)

    def _all_tops(self) -> list[int]:
        """Of all items, and of one behind the last."""
        if self._tops is None:
            steps = itertools.accumulate((height + self._gap for height in self._heights), initial=self._gap)
            self._tops = list(steps)
        return self._tops
