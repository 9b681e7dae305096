"""Whether a series of measurements grows, by medians of its first and its last third."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """The median of the last third may exceed that of the first by this factor and this much."""

    factor: float
    more: float


LIMITS: Mapping[str, Limit] = {
    "round_trip_ms": Limit(1.5, 2.0),
    "memory_mib": Limit(1.03, 4.0),
    "objects": Limit(1.02, 2_000.0),
    "tasks": Limit(1.0, 2.0),
    "threads": Limit(1.0, 1.0),
    "open_files": Limit(1.0, 1.0),
    "table_entries": Limit(1.05, 20.0),
}


def thirds(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the first and of the last third; at least three values."""
    if len(values) < 3:
        raise ValueError(f"{len(values)} measurements show no trend")
    third = len(values) // 3
    return statistics.median(values[:third]), statistics.median(values[-third:])


def growth(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """What has grown beyond its limit, in words. Each row holds the measurements of one moment."""
    found = []
    for name, limit in LIMITS.items():
        values = [row[name] for row in rows if name in row]
        if not values:
            continue
        first, last = thirds(values)
        if last > first * limit.factor + limit.more:
            found.append(f"{name} grew from {first:.1f} to {last:.1f}")
    return found
