"""The members that one is linked with: how much each may send and get, and whom to tell next. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from engine.forwarding.policies.interface import Random
from engine.ids import NodeId
from engine.paths.setup import TokenBucket

MUTED_SECONDS = 60.0
"""For which nothing is heard from who passes on what is forged or malformed."""
MESSAGE_RATE, MESSAGE_BURST = 50.0, 400.0
"""Messages of one neighbour, per second and at once."""
SERVED_RATE, SERVED_BURST = 65_536.0, 524_288.0
"""Bytes that one neighbour gets for its asking, per second and at once."""


@dataclass(slots=True)
class _Neighbour:
    """A link with a member, and what it may use up."""

    messages: TokenBucket
    served: TokenBucket
    muted_until: float = -math.inf


class Linked(Collection[NodeId]):
    """The linked members of one group. Times are seconds of one monotonic clock."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._neighbours: dict[NodeId, _Neighbour] = {}

    def __len__(self) -> int:
        return len(self._neighbours)

    def __iter__(self) -> Iterator[NodeId]:
        return iter(self._neighbours)

    def __contains__(self, peer: object) -> bool:
        return peer in self._neighbours

    def set(self, peers: Collection[NodeId], now: float) -> None:
        """Exactly these are linked now; who was keeps what it has used up."""
        self._neighbours = {
            peer: self._neighbours.get(peer)
            or _Neighbour(TokenBucket(MESSAGE_RATE, MESSAGE_BURST, now), TokenBucket(SERVED_RATE, SERVED_BURST, now))
            for peer in peers
        }

    def remove(self, peer: NodeId) -> None:
        """This one is no member any more."""
        self._neighbours.pop(peer, None)

    def refusal(self, peer: NodeId, now: float) -> str:
        """Why a message of this peer, which counts from now on, is not looked at; empty if it is."""
        neighbour = self._neighbours.get(peer)
        if neighbour is None:
            return "stranger"
        if now < neighbour.muted_until:
            return "muted"
        return "" if neighbour.messages.take(now) else "too many messages"

    def mute(self, peer: NodeId, now: float) -> None:
        """Nothing is heard from this one for a while."""
        self._neighbours[peer].muted_until = now + MUTED_SECONDS

    def may_get(self, peer: NodeId, size: int, now: float) -> bool:
        """Whether so many bytes are sent to this one for its asking."""
        return self._neighbours[peer].served.take(now, size)

    def some(self, count: int) -> list[NodeId]:
        """At most so many of them, by chance."""
        peers = list(self._neighbours)
        for place in range(min(count, len(peers))):
            other = place + self._random.randrange(len(peers) - place)
            peers[place], peers[other] = peers[other], peers[place]
        return peers[:count]
