"""What others have probably sent since the news. Pure.

All entry nodes know about the same, so all would send to whoever looked least busy a moment ago. So each of them
reckons with the others: requests that nobody has told of yet go where there was least to do, as water fills a vessel.
Whoever had less than a certain level has about that much now, and nobody gains by going there (after M. Dahlin,
"Interpreting Stale Load Information", IEEE TPDS 11(10), 2000).
"""

from __future__ import annotations

from collections.abc import Sequence

_LEAST = 1e-6  # seconds that anything sent anywhere adds


def filled(loads: Sequence[float], capacities: Sequence[float]) -> float:
    """The level up to which members with these ``loads`` are filled by what is sent.

    ``loads`` and ``capacities`` in seconds, as many of both, at least one; ``capacities[i]``: what member i's load
    would have grown by, had everything been sent there (0 where nothing can have come since its news: it holds the
    level down)."""
    capacities = [max(one, _LEAST) for one in capacities]
    order = sorted(range(len(loads)), key=loads.__getitem__)
    weight = total = level = 0.0
    for count, place in enumerate(order):
        if count and loads[place] >= level:
            break
        weight += 1.0 / capacities[place]
        total += loads[place] / capacities[place]
        level = (1.0 + total) / weight
    return level
