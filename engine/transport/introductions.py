"""Signals by way of a common neighbour: asking one, and being one.

An introducer passes signals between two nodes that it is linked with, reads nothing, keeps nothing and answers for
nothing; how many it passes is limited per link. Clients neither ask nor are asked: a guard that passed its client's
offers would learn the client's other guards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.ids import NodeId
from engine.paths.setup import TokenBucket
from engine.transport.established import EstablishedLink
from engine.transport.link import Channel
from engine.transport.signal_router import Kind, SignalRouter, Way
from engine.wire.codec import encode
from engine.wire.link import Introduce, NotIntroduced

PER_SECOND = 5.0
BURST = 200.0
"""Signals that one neighbour may have passed on, and may deliver; a relay that comes back meets 96 at once."""


class Introductions:
    """The introductions of one mesh. ``links``: the mesh's open links. Implements ``Carrier``."""

    def __init__(
        self, links: Mapping[NodeId, EstablishedLink], router: SignalRouter, monotonic: Callable[[], float]
    ) -> None:
        self._links = links
        self._router = router
        self._monotonic = monotonic
        self._asked: dict[NodeId, TokenBucket] = {}
        self._delivered: dict[NodeId, TokenBucket] = {}
        router.add(Kind.NEIGHBOUR, self)

    def carry(self, way: Way, peer: NodeId, payload: bytes) -> bool:
        """See ``Carrier``."""
        return self._send(NodeId(way.via), Introduce(peer=peer, delivered=False, payload=payload))

    def take(self, neighbour: NodeId, message: Introduce | NotIntroduced) -> None:
        """What ``neighbour`` said of introductions."""
        link = self._links.get(neighbour)
        if link is None or link.peer_is_client:
            return
        way = Way(Kind.NEIGHBOUR, neighbour)
        if isinstance(message, NotIntroduced):
            self._router.failed(way, NodeId(message.peer), message.reason)
        elif not message.delivered:
            self._introduce(neighbour, message)
        elif self._allowed(self._delivered, neighbour):
            self._router.arrived(way, NodeId(message.peer), message.payload)

    def _introduce(self, sender: NodeId, message: Introduce) -> None:
        """Pass a signal on."""
        target = NodeId(message.peer)
        link = self._links.get(target)
        reason = ""
        if not self._allowed(self._asked, sender):
            reason = "too many introductions; try again in a moment"
        elif link is None or link.peer_is_client or target == sender:
            reason = "not linked with that node"
        elif not self._send(target, Introduce(peer=sender, delivered=True, payload=message.payload)):
            reason = "the link with that node is busy"
        if reason:
            self._send(sender, NotIntroduced(peer=target, reason=reason))

    def _allowed(self, table: dict[NodeId, TokenBucket], peer: NodeId) -> bool:
        """Whether ``peer`` has something left. Kept for as long as the mesh has links at all, so that a link made anew
        brings no new allowance, and pruned to those that are linked when it grows."""
        now = self._monotonic()
        if len(table) > 2 * max(64, len(self._links)):
            for gone in [one for one in table if one not in self._links]:
                del table[gone]
        return table.setdefault(peer, TokenBucket(PER_SECOND, BURST, now)).take(now)

    def _send(self, peer: NodeId, message: Introduce | NotIntroduced) -> bool:
        link = self._links.get(peer)
        return link is not None and link.send(Channel.CONTROL, encode(message))
