"""How many offers a node looks at: by minute, by peer, at the same time, and each only once."""

from __future__ import annotations

from engine.errors import LinkError
from engine.ids import NodeId
from engine.transport.handshake import CLOCK_SKEW, OFFER_LIFETIME

OFFERS_PER_PEER = 12
"""Offers of one peer that are looked at per minute."""
_MINUTE = 60.0
_NONCE_PERIOD = OFFER_LIFETIME + 2 * CLOCK_SKEW


class OfferGate:
    """Admits offers. Its memory is bounded by ``per_minute``. Times are seconds of one monotonic clock."""

    def __init__(self, per_minute: int, maximum_pending: int) -> None:
        self._per_minute = per_minute
        self._maximum_pending = maximum_pending
        self._minute_ends = 0.0
        self._by_peer: dict[NodeId, int] = {}
        self._total = 0
        self._period_ends = 0.0
        # Two generations, so that a nonce is remembered for at least as long as its offer can be valid.
        self._nonces: set[bytes] = set()
        self._older_nonces: set[bytes] = set()

    def admit(self, now: float, *, pending: int) -> None:
        """Count one offer while ``pending`` others are being answered; :class:`LinkError` if it is one too many. Comes
        before anything is checked, so that a flood costs no signature checks."""
        self._roll(now)
        if self._total >= self._per_minute:
            raise LinkError("too many offers; try again in a minute")
        if pending >= self._maximum_pending:
            raise LinkError("this node is busy with other offers; try again")
        self._total += 1

    def admit_peer(self, peer: NodeId, now: float) -> None:
        """Count one offer that ``peer`` has signed; :class:`LinkError` if it is one too many of this peer. Unsigned
        ones do not count: whoever carries signals could use up the offers of others."""
        self._roll(now)
        from_peer = self._by_peer.get(peer, 0)
        if from_peer >= OFFERS_PER_PEER:
            raise LinkError("too many offers; try again in a minute")
        self._by_peer[peer] = from_peer + 1

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
            self._total = 0
        if now >= self._period_ends:
            self._period_ends = now + _NONCE_PERIOD
            self._older_nonces, self._nonces = self._nonces, set()
