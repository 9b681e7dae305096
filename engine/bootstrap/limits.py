"""How much one connection may ask of the server."""

from __future__ import annotations

LOGIN_SECONDS = 10.0
"""From the connection to the login."""
HEADER_SECONDS = 10.0
"""From the connection to a complete request header."""
IDLE_SECONDS = 60.0
"""A logged-in node that says nothing for this long is cut and marked away; nodes say something every 20 s."""
MAXIMUM_MESSAGE = 65_536
"""Bytes of one WebSocket message."""
OUTGOING_MESSAGES = 1_024
"""Messages that wait for one node; a node that takes none of them is cut."""
OUTGOING_SIGNAL_BYTES = 2_097_152
"""Bytes of other nodes' signals that wait for one node; more are not delivered, and it is not cut for them."""
SEND_SECONDS = 20.0
"""For one message to leave."""
DIRECTORY_SECONDS = 120.0
"""For one download of the directory."""
MESSAGE_RATE, MESSAGE_BURST = 50.0, 400.0
"""Messages per second; more are read later, so that the sender's own connection slows down."""
PUBLISH_RATE, PUBLISH_BURST = 0.2, 20.0
"""Descriptors per second; more are refused."""
STATEMENT_RATE, STATEMENT_BURST = 0.2, 20.0
"""Revocations and successions per second, of everybody together."""
STATEMENT_BYTES = 1_024
"""Of one revocation or succession."""


class TokenBucket:
    """``rate`` tokens per second, at most ``burst`` saved up."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._updated = now

    def wait(self, now: float) -> float:
        """Take one token; the seconds to wait until it is there (0 if it is there now)."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def take(self, now: float) -> bool:
        """Take one token if it is there."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def is_free(self, now: float) -> bool:
        """Whether there is a token."""
        self._refill(now)
        return self._tokens >= 1

    def spend(self, count: float, now: float) -> None:
        """Take so many, also some that are not there yet."""
        self._refill(now)
        self._tokens -= count

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
        self._updated = now
