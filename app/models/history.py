"""The newest measurements, for charts: so many seconds of them, and no more."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

SECONDS = 600
MOST = 1200
"""Measurements that are kept, however fast they come."""


class History:
    """Values by name over time. What was not measured at a time is None."""

    def __init__(self, seconds: float = SECONDS, most: int = MOST) -> None:
        self._seconds = seconds
        self._rows: deque[tuple[float, Mapping[str, float | None]]] = deque(maxlen=most)

    def add(self, at: float, values: Mapping[str, float | None]) -> None:
        """Add what was measured ``at`` (seconds). What a clock that was put back would put before others starts
        anew."""
        if self._rows and at < self._rows[-1][0]:
            self._rows.clear()
        self._rows.append((at, values))
        while self._rows[0][0] < at - self._seconds:
            self._rows.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def newest(self) -> Mapping[str, float | None]:
        """What was measured last."""
        return self._rows[-1][1] if self._rows else {}

    def line(self, name: str, most: int = MOST) -> tuple[list[float], list[float]]:
        """(seconds before the newest measurement, values), oldest first; "not a number" where there is none. More than
        ``most`` are made fewer: means of as many neighbours, up to the newest."""
        if not self._rows:
            return [], []
        newest = self._rows[-1][0]
        step = -(-len(self._rows) // most)
        rows = [(at - newest, row.get(name)) for at, row in self._rows]
        parts = [rows[max(0, end - step) : end] for end in range(len(rows), 0, -step)]
        parts.reverse()
        return [part[-1][0] for part in parts], [_mean([value for _, value in part]) for part in parts]


def _mean(values: list[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")
