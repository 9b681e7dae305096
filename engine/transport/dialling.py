"""When to dial whom: exponential backoff with jitter. Pure bookkeeping, shared by the transports."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.ids import NodeId

FIRST_DELAY = 1.0
"""Seconds after the first failed dial, halved to full by jitter; doubles with each further failure."""
LONGEST_DELAY = 60.0
"""Seconds between two dials of a peer that never answers."""
STABLE_AFTER = 10.0
"""A link that lived for less than this counts as a failed dial."""
EXPECTED_DELAY = 2.0
"""Seconds that the other side has before we dial where it is expected to, so that both do not dial at once."""
REMEMBERED = 1_024
"""Peers no longer wanted whose failures are remembered for a while: who comes and goes is not dialled anew at each
coming."""
_DOUBLINGS = 7


@dataclass(slots=True)
class _Peer:
    due: float
    failures: int = 0
    grace: float = 0.0
    linked_at: float | None = None


class DialPlan:
    """Which peers are wanted and when each is next dialled. Times are seconds of one monotonic clock."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._wanted: frozenset[NodeId] = frozenset()
        self._peers: dict[NodeId, _Peer] = {}
        self._past: dict[NodeId, _Peer] = {}

    @property
    def wanted(self) -> frozenset[NodeId]:
        """The peers that are to be kept linked."""
        return self._wanted

    def want(
        self, peers: Collection[NodeId], now: float, expected: Collection[NodeId] = (), *, unheard: bool = False
    ) -> None:
        """Replace the set of wanted peers; new ones are due at once, known ones keep their backoff. The ``expected``
        ones among them are to dial us; they are dialled only when they have not for :data:`EXPECTED_DELAY`, or at once
        where nobody can have heard that we are here."""
        before, self._wanted = self._wanted, frozenset(peers) | frozenset(expected)
        # In an order of their own, not the set's: the same seed gives the same run of a simulation.
        for peer in sorted(self._wanted - self._peers.keys()):
            self._peers[peer] = self._past.pop(peer) if peer in self._past else _Peer(due=now)
            if peer in expected and not unheard:
                self._peers[peer].due += EXPECTED_DELAY * self._random.uniform(1.0, 1.5)
        for peer in self._wanted:
            self._peers[peer].grace = EXPECTED_DELAY if peer in expected else 0.0
        for peer in before - self._wanted:
            entry = self._peers.pop(peer, None)
            if entry is not None and entry.failures:
                self._past[peer] = entry
        self._past = {peer: entry for peer, entry in self._past.items() if entry.due + LONGEST_DELAY > now}
        for peer in list(self._past)[: max(0, len(self._past) - REMEMBERED)]:
            del self._past[peer]

    def dial(self, peer: NodeId, now: float) -> None:
        """``peer`` is due now, wanted or not, whatever has failed before."""
        entry = self._peers.setdefault(peer, _Peer(due=now))
        entry.due = now

    def hurry(self, now: float) -> None:
        """What has failed before counts no more: all are due within a second, spread by jitter."""
        for entry in self._peers.values():
            entry.failures = 0
        self.bring_forward(now)

    def bring_forward(self, now: float) -> None:
        """All are due within a second; what has failed before still counts, should they fail again."""
        for entry in self._peers.values():
            entry.due = min(entry.due, now + self._random.uniform(0.0, FIRST_DELAY))

    def due(self, now: float, skip: Callable[[NodeId], bool], limit: int) -> list[NodeId]:
        """At most ``limit`` peers to dial now, the longest overdue first, without those that ``skip`` names."""
        ready = [(entry.due, peer) for peer, entry in self._peers.items() if entry.due <= now and not skip(peer)]
        ready.sort()
        return [peer for _, peer in ready[:limit]]

    def next_deadline(self, skip: Callable[[NodeId], bool]) -> float | None:
        """When the next dial is due; None when nobody is to be dialled."""
        return min((entry.due for peer, entry in self._peers.items() if not skip(peer)), default=None)

    def linked(self, peer: NodeId, now: float) -> None:
        """A link with ``peer`` is open, whoever dialled."""
        entry = self._peers.get(peer)
        if entry is not None:
            entry.linked_at = now

    def failed(self, peer: NodeId, now: float) -> None:
        """A dial failed, or the link with ``peer`` was lost: it is due again after a delay, if wanted."""
        entry = self._peers.get(peer)
        if entry is None:
            return
        if peer not in self._wanted:
            del self._peers[peer]
            return
        if entry.linked_at is not None and now - entry.linked_at >= STABLE_AFTER:
            entry.failures = 0
        entry.linked_at = None
        delay = min(FIRST_DELAY * 2.0 ** min(entry.failures, _DOUBLINGS), LONGEST_DELAY)
        entry.failures += 1
        entry.due = now + entry.grace + delay * self._random.uniform(0.5, 1.0)
