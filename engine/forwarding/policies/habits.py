"""What an entry node has seen of the requests that it was asked about, and so expects of the other entry nodes."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from engine.forwarding.prediction import NOTHING_SEEN, Traffic

REMEMBERED = 0.95  # weight of the past in the means
MEMORY_SECONDS = 10.0
MOST_READING = 0.9
"""Seconds of reading per second that others may be taken to send: more could not be served."""


@dataclass(slots=True)
class Habits:
    """Running means of what was asked here. Entry nodes are drawn at random, so what comes here is like what comes to
    the others."""

    uncached: float = 0.0  # tokens of a request that had to be read
    rate: float = 0.0  # prompt tokens/s of those that were chosen
    _recent: float = 0.0  # requests, each counting less the longer ago it was
    _at: float = 0.0

    def asked(self, now: float, members: int) -> Traffic:
        """One more request; what each of so many members probably gets from others."""
        self._recent = self._recent * exp(min((self._at - now) / MEMORY_SECONDS, 0.0)) + 1.0
        self._at = now
        if not self.uncached or members < 2:
            return NOTHING_SEEN
        requests = self._recent / MEMORY_SECONDS * (members - 1) / members
        return Traffic(self.uncached, requests, min(requests * self.uncached / self.rate, MOST_READING))

    def chosen(self, uncached: int, rate: float) -> None:
        """Where it went there were so many tokens to be read, at so many a second."""
        self.uncached = REMEMBERED * self.uncached + (1 - REMEMBERED) * uncached if self.uncached else float(uncached)
        self.rate = REMEMBERED * self.rate + (1 - REMEMBERED) * rate if self.rate else rate
