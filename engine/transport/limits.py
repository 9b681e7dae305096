"""How many offers a node looks at: by minute, by who brings them, by peer, at the same time, and each only once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from engine.errors import LinkError
from engine.ids import NodeId
from engine.transport.handshake import CLOCK_SKEW, OFFER_LIFETIME

OFFERS_PER_PEER = 12
"""Offers that one peer has signed, per minute."""
LOOKS_PER_SENDER = 60
"""Offers per minute in the name of one sender by one way, whoever signed them: a flood of one member leaves room."""
LOOKS_PER_MINUTE = 6_000
"""Offers of all whose signatures are checked: about a second of a core."""
_MINUTE = 60.0
_NONCE_PERIOD = OFFER_LIFETIME + 2 * CLOCK_SKEW


class OfferGate:
    """Admits offers, at most ``per_minute`` that are signed. Its memory is bounded by ``LOOKS_PER_MINUTE``. Times are
    seconds of one monotonic clock."""

    def __init__(self, per_minute: int, maximum_pending: int) -> None:
        self._per_minute = per_minute
        self._maximum_pending = maximum_pending
        self._minute_ends = 0.0
        self._by_peer: Counter[NodeId] = Counter()
        self._by_sender: Counter[Hashable] = Counter()
        self._period_ends = 0.0
        # Two generations, so that a nonce is remembered for at least as long as its offer can be valid.
        self._nonces: set[bytes] = set()
        self._older_nonces: set[bytes] = set()

    def admit(self, sender: Hashable, now: float, *, pending: int) -> None:
        """Count one offer that ``sender`` (a peer's name and the way on which it came) brings, while ``pending`` others
        are being answered; :class:`LinkError` if it is one too many. Comes before anything is checked, so that a flood
        costs few signature checks."""
        self._roll(now)
        if self._by_sender[sender] >= LOOKS_PER_SENDER or self._by_sender.total() >= LOOKS_PER_MINUTE:
            raise LinkError("too many offers; try again in a minute")
        if pending >= self._maximum_pending:
            raise LinkError("this node is busy with other offers; try again")
        self._by_sender[sender] += 1

    def admit_peer(self, peer: NodeId, now: float) -> None:
        """Count one offer that ``peer`` has signed; :class:`LinkError` if it is one too many of this peer or of all.
        Unsigned ones do not count: whoever carries signals could use up the offers of others."""
        self._roll(now)
        if self._by_peer[peer] >= OFFERS_PER_PEER or self._by_peer.total() >= self._per_minute:
            raise LinkError("too many offers; try again in a minute")
        self._by_peer[peer] += 1

    def is_new(self, nonce: bytes, now: float) -> bool:
        """Whether an offer with this nonce has not been here before; from now on it has."""
        self._roll(now)
        if nonce in self._nonces or nonce in self._older_nonces:
            return False
        self._nonces.add(nonce)
        return True

    def forget(self, nonce: bytes) -> None:
        """The offer was refused: it may be refused again to who asks by another way."""
        self._nonces.discard(nonce)

    def _roll(self, now: float) -> None:
        """Forget what is old."""
        if now >= self._minute_ends:
            self._minute_ends = now + _MINUTE
            self._by_peer.clear()
            self._by_sender.clear()
        if now >= self._period_ends:
            self._period_ends = now + _NONCE_PERIOD
            self._older_nonces, self._nonces = self._nonces, set()
