"""What the answer to a set-up says, and the limits that a relay puts on set-ups."""

from __future__ import annotations

import enum
from collections import deque

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

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._tags: set[bytes] = set()
        self._expiries: deque[tuple[float, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._tags)

    def admit(self, tag: bytes, now: float) -> bool:
        """Remember ``tag``. False: it was seen already, or there is no room to remember it (then nothing is safe)."""
        while self._expiries and self._expiries[0][0] <= now:
            self._tags.discard(self._expiries.popleft()[1])
        if tag in self._tags or len(self._tags) >= self._capacity:
            return False
        self._tags.add(tag)
        self._expiries.append((now + REPLAY_MEMORY, tag))
        return True


class TokenBucket:
    """At most ``rate`` events per second on average and ``burst`` at once."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._at = burst, now

    def take(self, now: float) -> bool:
        """Whether one more event is allowed now."""
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
