"""Who may send next: circuits take turns on every link, links take turns at the relay's bandwidth. Pure.

All cells have one length, so that deficit round robin (Shreedhar and Varghese 1995) is plain round robin here: however
much one circuit has waiting, another one waits for at most one cell of each circuit that is in line before it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Final, Generic, TypeVar

LinkName = TypeVar("LinkName", bound=Hashable)
Flow = TypeVar("Flow", bound=Hashable)
BURST_SECONDS: Final = 0.25
"""Of the bandwidth may leave at once after a pause."""
USE_SECONDS: Final = 30.0
"""Time constant of the average use."""
SATURATED_ABOVE: Final = 0.8
"""Load above which a relay wants no new paths,"""
SATURATED_UNTIL: Final = 0.5
"""until it is below this one,"""
SATURATED_SECONDS: Final = 60.0
"""and not sooner than this after its last change."""


class FairQueue(Generic[LinkName, Flow]):
    """Flows in line for links. A flow is in line once per link, whatever it has waiting."""

    def __init__(self) -> None:
        self._lines: dict[LinkName, deque[Flow]] = {}  # in the order of their turns
        self._waiting: set[tuple[LinkName, Flow]] = set()

    def __len__(self) -> int:
        """Flows in line."""
        return len(self._waiting)

    def add(self, link: LinkName, flow: Flow) -> None:
        """``flow`` has something for ``link``: it goes to the end of the line, unless it is in it already."""
        if (link, flow) not in self._waiting:
            self._waiting.add((link, flow))
            self._lines.setdefault(link, deque()).append(flow)

    def turns(self, room: Callable[[LinkName], int]) -> Iterator[tuple[LinkName, Flow]]:
        """Whose turn it is, one after the other, until nobody is left or no link has room (asked once per link, in
        turns). A flow that has more to send is to be added again before the next turn is taken."""
        rooms: dict[LinkName, int] = {}
        links = deque(self._lines)
        while links:
            link = links.popleft()
            line = self._lines.get(link)
            left = rooms[link] if link in rooms else room(link)
            if not line or left < 1:
                continue
            rooms[link] = left - 1
            flow = line.popleft()
            self._waiting.discard((link, flow))
            del self._lines[link]
            if line:
                self._lines[link] = line
            yield link, flow
            if link in self._lines:
                links.append(link)


class Bandwidth:
    """A token bucket of bytes, and how much of it is used. ``rate``: bytes per second, None for no limit."""

    def __init__(self, rate: float | None, now: float) -> None:
        self._rate = rate
        self._burst = 0.0 if rate is None else rate * BURST_SECONDS
        self._level, self._at = self._burst, now
        self._used = 0.0

    def may_send(self, now: float) -> bool:
        """Whether something may leave now; what leaves then may go a little below zero."""
        self._advance(now)
        return self._rate is None or self._level > 0

    def spend(self, count: int) -> None:
        """So many bytes leave."""
        self._level -= count
        self._used += count

    def next_at(self, now: float) -> float:
        """When :meth:`may_send` holds again."""
        if self._rate is None or self._level > 0:
            return now
        return max(now, self._at + (1.0 - self._level) / self._rate)

    def use(self, now: float) -> float:
        """The share that is in use, on average; 0 without a limit."""
        self._advance(now)
        return 0.0 if self._rate is None else self._used / USE_SECONDS / self._rate

    def _advance(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        if not passed:
            return
        self._at = now
        self._used *= math.exp(-passed / USE_SECONDS)
        if self._rate is not None:
            self._level = min(self._burst, self._level + passed * self._rate)


class Saturation:
    """Whether a relay wants new paths, from its load (1 is all that it may carry). Slow to change its mind, since each
    change is published."""

    def __init__(self) -> None:
        self.holds = False
        self._since = -math.inf

    def look(self, load: float, now: float) -> bool:
        """True if :attr:`holds` has changed."""
        limit = SATURATED_UNTIL if self.holds else SATURATED_ABOVE
        if (load > limit) == self.holds or now < self._since + SATURATED_SECONDS:
            return False
        self.holds = not self.holds
        self._since = now
        return True
