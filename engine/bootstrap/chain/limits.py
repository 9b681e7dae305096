"""How much one address and one node may bring to the chain."""

from __future__ import annotations

from collections import OrderedDict

from engine.bootstrap.limits import TokenBucket

REMEMBERED = 20_000
"""Addresses or nodes; who has brought nothing for longest is forgotten first."""
RATE, BURST = 2.0, 200.0
"""Records per second of one address."""
READ_RATE, READ_BURST = 200.0, 20_000.0
"""What one address may read, per second and at once: an answer costs one, and one more for each ``READ_PIECE``."""
READ_PIECE = 6_554
"""Bytes; so 1.3 MB a second, and 130 MB at once."""
PAGE_COST = 200.0
"""What a page of blocks or batches costs at least: the database makes it, which has other things to do. Engines read
neither again and again, so people who share an address do not feel it."""


class Buckets:
    """A token bucket for each name."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[object, TokenBucket] = OrderedDict()

    def take(self, name: object, now: float) -> bool:
        """Whether ``name`` may go on now."""
        return self._bucket(name, now).take(now)

    def is_free(self, name: object, now: float) -> bool:
        """Whether ``name`` owes nothing."""
        return self._bucket(name, now).is_free(now)

    def spend(self, name: object, count: float, now: float) -> None:
        """It costs ``name`` so much, whether it has that or not."""
        self._bucket(name, now).spend(count, now)

    def _bucket(self, name: object, now: float) -> TokenBucket:
        bucket = self._buckets.pop(name, None) or TokenBucket(self._rate, self._burst, now)
        self._buckets[name] = bucket
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket
