"""What the answer to a set-up says, and the limits that a relay puts on set-ups."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable

from engine.crypto.onion import BODY_LENGTH, REPLAY_MEMORY

_REASONS: dict[int, str]


class SetUpStatus(enum.IntEnum):
    """First byte of an answer's body; the rest is zero. Only the client can read it."""

    OPENED = 0
    NOT_A_RELAY = 1
    NOT_LINKED = 2
    BUSY = 3
    NEXT_REFUSED = 4
    NEXT_LOST = 5
    NEXT_SILENT = 6


_REASONS = {
    SetUpStatus.OPENED: "opened",
    SetUpStatus.NOT_A_RELAY: "the relay's directory does not list the next node as a relay",
    SetUpStatus.NOT_LINKED: "the relay has no link with the next relay",
    SetUpStatus.BUSY: "the relay carries as many circuits as it may",
    SetUpStatus.NEXT_REFUSED: "the relay after it refused the set-up",
    SetUpStatus.NEXT_LOST: "the relay after it went away during the set-up",
    SetUpStatus.NEXT_SILENT: "the relay after it did not answer in time",
}


def status_body(status: SetUpStatus) -> bytes:
    """The body (64 bytes) of an answer."""
    return bytes((status,)).ljust(BODY_LENGTH, b"\0")


def body_status(body: bytes) -> SetUpStatus | None:
    """The inverse of :func:`status_body`; None for anything that no relay of this version writes."""
    if len(body) != BODY_LENGTH or any(body[1:]):
        return None
    try:
        return SetUpStatus(body[0])
    except ValueError:
        return None


def status_reason(status: SetUpStatus) -> str:
    """What a status says, for people."""
    return _REASONS[status]


class ReplayCache:
    """Remembers the tags of accepted set-ups for as long as the same packet would be acceptable; bounded."""

    def __init__(
        self,
        capacity: int,
        kept: Iterable[tuple[float, bytes]] = (),
        keep: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        """``kept``: tags of an earlier run, with when to forget each (monotonic); ``keep`` writes one down for a later
        run, before its set-up goes on."""
        self._capacity = capacity
        self._expiries = deque(sorted(kept)[-capacity:])
        self._tags = {tag for _, tag in self._expiries}
        self._keep = keep

    def __len__(self) -> int:
        return len(self._tags)

    def admit(self, tag: bytes, now: float) -> bool:
        """Remember ``tag``. False: it was seen already, or there is no room to remember it (then nothing is safe)."""
        while self._expiries and self._expiries[0][0] <= now:
            self._tags.discard(self._expiries.popleft()[1])
        if tag in self._tags or len(self._tags) >= self._capacity:
            return False
        self._keep(tag)
        self._tags.add(tag)
        self._expiries.append((now + REPLAY_MEMORY, tag))
        return True


class TokenBucket:
    """At most ``rate`` events per second on average and ``burst`` at once."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._at = burst, now

    def take(self, now: float, amount: float = 1) -> bool:
        """Whether one more event (or ``amount``) is allowed now; if not, nothing is taken."""
        if self._left(now) < amount:
            return False
        self._level -= amount
        return True

    def has(self, now: float) -> bool:
        """Whether :meth:`take` would allow one more event now."""
        return self._left(now) >= 1

    def share_left(self, now: float) -> float:
        """How much of the burst is left, from 0 to 1."""
        return self._left(now) / self._burst

    def _left(self, now: float) -> float:
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        return self._level


class SetUpGate:
    """Which set-ups a relay looks into at all: each costs public-key work, which nobody may make it do without bound.

    Each link has a bucket of its own, and all of them together one. When that is half empty, links that have used half
    of theirs have to wait: a flood over a few links leaves room for everybody else.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._all: TokenBucket | None = None

    def admits(self, own: TokenBucket, now: float) -> bool:
        """Whether one more set-up from the link with this bucket is looked into now."""
        if self._all is None:
            self._all = TokenBucket(self._rate, self._burst, now)
        if not own.take(now):
            return False
        if self._all.share_left(now) < 0.5 and own.share_left(now) < 0.5:
            return False
        return self._all.take(now)
