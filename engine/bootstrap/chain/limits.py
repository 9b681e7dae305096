"""How much one address and one node may bring to the chain."""

from __future__ import annotations

from collections import OrderedDict

from engine.bootstrap.limits import TokenBucket

REMEMBERED = 20_000
"""Addresses or nodes; who has brought nothing for longest is forgotten first."""
RATE, BURST = 2.0, 200.0
"""Records per second of one address."""


class Buckets:
    """A token bucket for each name."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[object, TokenBucket] = OrderedDict()

    def take(self, name: object, now: float) -> bool:
        """Whether ``name`` may go on now."""
        bucket = self._buckets.pop(name, None) or TokenBucket(self._rate, self._burst, now)
        self._buckets[name] = bucket
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket.take(now)
