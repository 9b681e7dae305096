"""Whether a peer is still there: the library's own checks take 28 to 32 s to notice a dead one, this takes 8 s.

Pure bookkeeping: the caller sends what :meth:`Heartbeat.tick` returns and asks :meth:`Heartbeat.silence`.
"""

from __future__ import annotations

from collections import deque

from engine.wire.link import Ping, Pong

PING_INTERVAL = 2.0
"""Seconds between two pings on a link; the leading side (the dialler) sends them."""
FOLLOWER_PATIENCE = 3.0
"""Seconds without the leader's ping after which the other side pings too."""
FOLLOWER_INTERVAL = 10.0
"""Seconds between two pings of the other side while the leader pings: it hears every 2 s anyway, and measures the round
trip this often. A ping costs four packets, and a relay has hundreds of idle links."""
SILENCE_LIMIT = 7.0
"""Seconds without a word after which a peer counts as dead; with the watch's own period that is under 8 s."""
MAXIMUM_PINGS_PER_INTERVAL = 8
"""More pings than this between two of our own are a misbehaving peer."""
_SMOOTHING = 0.25
_OUTSTANDING = 4


class Heartbeat:
    """One side of the heartbeat of one link. All times are seconds of one monotonic clock."""

    __slots__ = (
        "_heard",
        "_last_ping",
        "_leads",
        "_next_ping",
        "_outstanding",
        "_ping_heard",
        "_pings_heard",
        "round_trip",
    )

    def __init__(self, now: float, *, leads: bool) -> None:
        self._leads = leads
        self._heard = now
        self._ping_heard = now
        self._last_ping = now - FOLLOWER_INTERVAL
        self._next_ping = now
        self._outstanding: deque[int] = deque(maxlen=_OUTSTANDING)
        self._pings_heard = 0
        self.round_trip: float | None = None

    def heard(self, now: float) -> None:
        """Anything at all came from the peer."""
        self._heard = now

    def silence(self, now: float) -> float:
        """Seconds since the last word of the peer."""
        return now - self._heard

    def is_dead(self, now: float) -> bool:
        """Whether the peer has been silent for too long."""
        return now - self._heard > SILENCE_LIMIT

    def excuse(self, seconds: float) -> None:
        """This process itself stood still for ``seconds``: that is not the peer's silence."""
        self._heard += seconds

    def tick(self, now: float) -> Ping | None:
        """The ping that is due, if one is."""
        if now < self._next_ping:
            return None
        self._next_ping = now + PING_INTERVAL
        self._pings_heard = 0
        if not self._leads and now - self._ping_heard < FOLLOWER_PATIENCE and now - self._last_ping < FOLLOWER_INTERVAL:
            return None
        return self._make_ping(now)

    def ping(self, ping: Ping, now: float) -> Pong | None:
        """The answer to a peer's ping; None when it sends so many that the link should be closed."""
        self._ping_heard = now
        self._pings_heard += 1
        if self._pings_heard > MAXIMUM_PINGS_PER_INTERVAL:
            return None
        return Pong(sent_us=ping.sent_us)

    def probe(self, now: float) -> Ping:
        """A ping out of turn: whether the peer still hears us is to be known soon."""
        self._next_ping = now + PING_INTERVAL
        return self._make_ping(now)

    def pong(self, pong: Pong, now: float) -> float | None:
        """Measure the round trip; the sample in seconds. A pong that answers none of our pings is ignored, so that it
        cannot be forged."""
        if pong.sent_us not in self._outstanding:
            return None
        self._outstanding.remove(pong.sent_us)
        sample = max(0.0, now - pong.sent_us / 1_000_000)
        if self.round_trip is None:
            self.round_trip = sample
        else:
            self.round_trip += _SMOOTHING * (sample - self.round_trip)
        return sample

    def _make_ping(self, now: float) -> Ping:
        self._last_ping = now
        sent = int(now * 1_000_000)
        self._outstanding.append(sent)
        return Ping(sent_us=sent)
