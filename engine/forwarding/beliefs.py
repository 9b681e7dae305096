"""How far advertised capacity is believed: as far as it is measured. Pure.

An entry node compares what a member's own statements promised for the requests that it forwarded there with what it
then measured, and keeps one number per member: measured over advertised speed, at most 1 (``Member.trust``), by which
every rate of that member is multiplied.

What is not held against a member:

- a burst: requests of others that no statement could tell of yet make an honest member late now and then, so its better
  measurements count (the upper quartile of the last ones), not the worst;
- a slow network: the round trip is part of the promise, and so is an allowance for jitter and the age of the news;
- a slow spell: without measurements the doubt halves every ``HALF_LIFE`` seconds, and new ones replace the old.

Who exaggerates is late every time, whatever the luck, and has to live with its best measurements.

The time tells of the cache, too: who holds what it said to hold need not read it. Whose answers come again and again as
late as if it had read it does not hold it, whatever it says afterwards.

Where the entry node has a member's word alone for when the first token came and how many there were, the whole is
measured beside the parts: a first token that is claimed early makes the writing late, and what was never claimed counts
as not there until the end.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace

from engine.forwarding.members import Member
from engine.forwarding.policies.interface import Asked
from engine.forwarding.prediction import predict
from engine.ids import NodeId

MEASUREMENTS = 16
"""Measurements of each kind that are kept of a member, the newest."""
ENOUGH = 3
"""So many are needed before anything is held against it."""
QUARTILE = 0.75
WINDOW = 60.0
"""Seconds after which a measurement no longer counts."""
HALF_LIFE = 60.0
"""Seconds in which a doubt halves while nothing new is measured."""
ALLOWANCE = 0.25
"""Seconds beyond the promise that are nobody's fault, besides two round trips and the age of the statement."""
LATE = 1.5
"""Up to so many times the promise counts as kept: predictions are no better than that."""
LEAST_TRUST = 0.001
MOST_OPEN = 4096
"""Forwarded requests whose end is waited for; beyond, the oldest are forgotten."""
MOST_MEMBERS = 4096
COLD = 3
"""So many answers of a member in a row, as late as without its cache, show that it does not hold what it says."""
LEAST_WRITTEN = 16
"""Output tokens that make the time of writing them worth counting."""


@dataclass(slots=True)
class _Open:
    """A request on its way: what was promised, and what has been seen."""

    node_id: NodeId
    sent: float
    first_token: float  # promised, seconds after ``sent``
    allowance: float
    seconds_per_token: float  # promised
    saved: float  # of ``first_token``, by what its cache was said to hold
    seen: float | None = None  # when the first token came
    cold: bool = False  # too late for that, by the first token


@dataclass(slots=True)
class _Measured:
    """Speeds over promised ones, at most 1, with the time of each."""

    reading: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MEASUREMENTS))
    writing: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MEASUREMENTS))
    whole: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MEASUREMENTS))
    cold: int = 0  # answers in a row, up to the last one

    def is_cold(self, request: _Open, last: bool) -> bool:
        """Whether its word about its cache is not to be believed, now that ``request`` has shown this."""
        if request.saved > 0:
            self.cold = self.cold + 1 if last else 0
        return request.saved > 0 and self.cold >= COLD


class Beliefs:
    """What one entry node has measured of the members of a group. ``key`` is whatever names a request there."""

    def __init__(self) -> None:
        self._open: OrderedDict[object, _Open] = OrderedDict()
        self._measured: OrderedDict[NodeId, _Measured] = OrderedDict()

    def sent(self, key: object, member: Member, asked: Asked, cached: int, now: float) -> None:
        """A request was forwarded to ``member``, as it was seen when it was chosen, of whose cache ``cached`` tokens
        were expected."""
        promise = predict(replace(member, trust=1.0), asked, cached, now)
        allowance = ALLOWANCE + 2 * member.round_trip + min(max(now - member.heard, 0.0), 2.0)
        each = promise.write / asked.output_tokens if asked.output_tokens > 0 else 0.0
        saved = predict(replace(member, trust=1.0), asked, 0, now).read - promise.read
        self._open[key] = _Open(member.node_id, now, promise.first_token, allowance, each, saved)
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)

    def first_token(self, key: object, now: float) -> None:
        """Its first token has come."""
        request = self._open.get(key)
        if request is None or request.seen is not None:
            return
        request.seen = now
        took = now - request.sent - request.allowance
        request.cold = _is_cold(request.first_token, took, request.saved)
        self._of(request.node_id).reading.append((now, _speed(request.first_token, took)))

    def finished(self, key: object, output_tokens: int, now: float) -> bool:
        """Its answer is complete since ``now``. Gives whether the member's word about its cache is not to be believed,
        as far as times can tell."""
        request = self._open.pop(key, None)
        if request is None:
            return False
        measured = self._of(request.node_id)
        promised = request.first_token + request.seconds_per_token * output_tokens
        whole = now - request.sent - request.allowance
        measured.whole.append((now, _speed(promised, whole)))
        if request.seen is not None and output_tokens >= LEAST_WRITTEN:
            took = max(now - request.seen, 0.0) / (output_tokens - 1)
            measured.writing.append((now, _speed(request.seconds_per_token, took)))
        return measured.is_cold(request, request.cold or _is_cold(promised, whole, request.saved))

    def unfinished(self, key: object, most_tokens: int, now: float) -> bool:
        """It has ended without being complete, whoever wanted that: what was promised for an earlier moment is late,
        and what was promised for a later one says nothing. ``most_tokens``: that the answer could have had. Gives the
        same as :meth:`finished`."""
        request = self._open.pop(key, None)
        if request is None:
            return False
        promised = request.first_token
        if request.seen is not None:
            promised += request.seconds_per_token * most_tokens
        whole = now - request.sent - request.allowance
        speed, measured = _speed(promised, whole), self._of(request.node_id)
        if speed < 1.0:
            measured.whole.append((now, speed))
        cold = request.cold or _is_cold(promised, whole, request.saved)
        return cold and measured.is_cold(request, cold)

    def failed(self, key: object) -> None:
        """It was refused, cancelled or lost: that says nothing of the member's speed."""
        self._open.pop(key, None)

    def forget(self, node_id: NodeId) -> None:
        """The member has left the group."""
        self._measured.pop(node_id, None)

    def trust(self, node_id: NodeId, now: float) -> float:
        """Measured over advertised speed, in (0, 1]; 1 where nothing speaks against it."""
        measured = self._measured.get(node_id)
        if measured is None:
            return 1.0
        return min(_believed(one, now) for one in (measured.reading, measured.writing, measured.whole))

    def _of(self, node_id: NodeId) -> _Measured:
        measured = self._measured.setdefault(node_id, _Measured())
        self._measured.move_to_end(node_id)
        if len(self._measured) > MOST_MEMBERS:
            self._measured.popitem(last=False)
        return measured


def _speed(promised: float, took: float) -> float:
    """Promised over measured seconds, 1 where the promise was kept (within reason)."""
    if took <= promised * LATE:
        return 1.0
    return max(promised / took, LEAST_TRUST)


def _is_cold(promised: float, took: float, saved: float) -> bool:
    """Whether it took so long that what was to be saved was probably not."""
    return saved > 0 and took > promised * LATE and took - promised > saved / 2


def _believed(speeds: deque[tuple[float, float]], now: float) -> float:
    recent = sorted(speed for at, speed in speeds if now - at <= WINDOW)
    if len(recent) >= ENOUGH:
        found, last = recent[int(QUARTILE * (len(recent) - 1))], now
    elif len(speeds) >= ENOUGH:  # nothing new: what was found last is doubted more and more
        every = sorted(speed for _, speed in speeds)
        found, last = every[int(QUARTILE * (len(every) - 1))], speeds[-1][0] + WINDOW
    else:
        return 1.0
    fading: float = 0.5 ** (max(now - last, 0.0) / HALF_LIFE)
    return 1.0 - (1.0 - found) * fading
