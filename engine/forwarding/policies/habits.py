"""What an entry node has seen of the requests that it was asked about, and so expects of the other entry nodes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from math import exp, inf

from engine.forwarding.members import Member
from engine.forwarding.prediction import BATCH_SLOPE, NOTHING_SEEN, Traffic, alone_rate, batch_slope
from engine.ids import NodeId

REMEMBERED = 0.95  # weight of the past in the means
MEMORY_SECONDS = 10.0
MOST_READING = 0.9
"""Seconds of reading per second that others may be taken to send: more could not be served."""


SLOPE_SECONDS = 30.0
"""Over which what one more answer costs is averaged."""
MOST_MEMBERS = 2048
POPULAR_SECONDS = 60.0
MOST_PREFIXES = 2048


@dataclass(slots=True)
class Habits:
    """Running means of what was asked here. Entry nodes are drawn at random, so what comes here is like what comes to
    the others."""

    uncached: float = 0.0  # tokens of a request that had to be read
    answer: float = 0.0  # tokens of an answer
    _slopes: dict[NodeId, tuple[float, float]] = field(default_factory=dict)  # by member: the mean, and when stated
    _prefixes: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict)  # requests, and when
    _recent: float = 0.0  # requests, each counting less the longer ago it was
    _at: float = 0.0

    def asked(self, now: float, members: int, output_tokens: int, rate: float) -> Traffic:
        """One more request, with so many output tokens expected; what each of so many members, which usually read
        ``rate`` prompt tokens a second, probably gets from others: no more than it could read, however much comes
        here."""
        self.answer = _moved(self.answer, output_tokens)
        self._recent = self._recent * exp(min((self._at - now) / MEMORY_SECONDS, 0.0)) + 1.0
        self._at = now
        if not self.uncached or members < 2:
            return NOTHING_SEEN
        requests = min(self._recent / MEMORY_SECONDS * (members - 1) / members, MOST_READING * rate / self.uncached)
        return Traffic(self.uncached, requests, requests * self.uncached / rate, self.answer)

    def chosen(self, uncached: int) -> None:
        """Where it went there were so many tokens to be read."""
        self.uncached = _moved(self.uncached, uncached)

    def popularity(self, prefix: bytes, now: float, members: int) -> float:
        """One more request with this prefix; how many there probably were in the whole group in the last minute."""
        count, at = self._prefixes.pop(prefix, (0.0, now))
        count *= exp(min((at - now) / POPULAR_SECONDS, 0.0))
        self._prefixes[prefix] = (count + 1.0, now)
        if len(self._prefixes) > MOST_PREFIXES:
            self._prefixes.popitem(last=False)
        return count * max(members, 1)

    def slope(self, member: Member) -> float:
        """Seconds that one more answer adds to a step there, on average over its statements of the last half minute:
        an answer is written beside those that come while it is written, not only beside those of this moment."""
        known, load = self._slopes.get(member.node_id), member.load
        tells = load.running > 1 and not load.queue_tokens  # who reads counts as running and writes nothing
        if known is None and not tells:
            return BATCH_SLOPE / alone_rate(member)
        mean, stated = known or (0.0, -inf)
        if tells and member.heard > stated:
            past = exp((stated - member.heard) / SLOPE_SECONDS)
            mean = past * mean + (1.0 - past) * batch_slope(member)
            self._slopes[member.node_id] = (mean, member.heard)
            if len(self._slopes) > MOST_MEMBERS:
                del self._slopes[next(iter(self._slopes))]
        return mean


def _moved(mean: float, value: float) -> float:
    return REMEMBERED * mean + (1 - REMEMBERED) * value if mean else float(value)
