"""Which way an offer takes to a peer: through a common neighbour, the bootstrap server, or the peer's own listener.

Neighbours come first, so that the server neither sees every pair nor is needed. A way that fails is left at once, one
that says nothing after :data:`PATIENCE`; the same offer then takes the next way (a peer takes each offer once, however
often it arrives). Answers go back the way on which the offer came. None of the ways is trusted with more than delivery:
offers and answers are signed by the two nodes.
"""

from __future__ import annotations

import asyncio
import enum
import random
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from engine.ids import NodeId
from engine.transport.signaling import SignalHandler, SignalingPort

PATIENCE = 1.5
"""Seconds without a word of the peer after which the next way is tried."""
MAXIMUM_INTRODUCERS = 2
"""Common neighbours that are asked before another kind of way."""
MAXIMUM_PENDING = 256
"""Offers under way, and peers whose way back is remembered."""


class Kind(enum.Enum):
    """The kinds of ways."""

    NEIGHBOUR = "a common neighbour"
    SERVER = "the bootstrap server"
    DIRECT = "the peer's own listener"


@dataclass(frozen=True, slots=True)
class Way:
    """One way; ``via`` is the neighbour's id, empty for the other kinds."""

    kind: Kind
    via: bytes = b""


SERVER = Way(Kind.SERVER)
DIRECT = Way(Kind.DIRECT)


class Carrier(Protocol):
    """Carries by one kind of way other than the server; implemented by introductions and direct signaling."""

    def carry(self, way: Way, peer: NodeId, payload: bytes) -> bool:
        """Queue ``payload`` for ``peer``; False if nothing was sent. Never blocks, never raises."""
        ...


@dataclass(slots=True)
class _Pending:
    """An offer that has no answer yet; ``ways`` are those left, ``current`` the one that is being tried."""

    payload: bytes
    ways: list[Way]
    current: Way | None = None
    reason: str = ""
    timer: asyncio.TimerHandle | None = field(default=None)


class SignalRouter:
    """Implements ``SignalHandler`` towards the server's port, and is what a mesh sends its signals with."""

    def __init__(
        self,
        server: SignalingPort,
        handler: SignalHandler,
        source: random.Random,
        introducers: Callable[[NodeId], Collection[NodeId]],
    ) -> None:
        """``introducers``: the neighbours that may know a peer, in any order."""
        self._server = server
        self._handler = handler
        self._random = source
        self._introducers = introducers
        self._carriers: dict[Kind, Carrier] = {}
        self._pending: dict[NodeId, _Pending] = {}
        self._ways_back: OrderedDict[NodeId, Way] = OrderedDict()
        self._arriving = SERVER
        server.attach(self)

    def add(self, kind: Kind, carrier: Carrier) -> None:
        """Ways of this kind exist from now on."""
        self._carriers[kind] = carrier

    def send_offer(self, peer: NodeId, payload: bytes, *, server_first: bool = False) -> bool:
        """Send an offer by the best way; False if no way took it. ``on_signal_failed`` follows when all have failed.
        ``server_first``: the peer has fallen silent, so it is perhaps in another network and its other neighbours do
        not reach it either."""
        self.forget(peer)
        if len(self._pending) >= MAXIMUM_PENDING:
            return False
        pending = self._pending[peer] = _Pending(payload, self._ways_to(peer))
        if server_first:
            pending.ways.sort(key=lambda way: way.kind is not Kind.SERVER)
        if self._advance(peer, pending):
            return True
        self.forget(peer)
        return False

    def repeat_offer(self, peer: NodeId) -> None:
        """Send the offer that ``peer`` has not answered once more, by the way on which its own is just arriving: that
        one leads to it. Nothing if there is none; the peer takes an offer once, whatever its ways."""
        pending = self._pending.get(peer)
        if pending is not None:
            self._carry(self._arriving, peer, pending.payload)

    @property
    def from_server(self) -> bool:
        """Whether what is being handled came by the bootstrap server."""
        return self._arriving == SERVER

    @property
    def arriving(self) -> Way:
        """The way on which what is being handled came."""
        return self._arriving

    def send_reply(self, peer: NodeId, payload: bytes) -> bool:
        """Send an answer or refusal back the way on which the peer's offer came."""
        return self._carry(self._ways_back.get(peer, SERVER), peer, payload)

    def forget(self, peer: NodeId) -> None:
        """The offer to ``peer`` is no longer of interest."""
        pending = self._pending.pop(peer, None)
        if pending is not None and pending.timer is not None:
            pending.timer.cancel()

    def close(self) -> None:
        """No offer is of interest any more."""
        for peer in tuple(self._pending):
            self.forget(peer)

    # ------------------------------------------------------------------------------------------------ what the ways say

    def on_signal(self, peer: NodeId, payload: bytes) -> None:
        """See ``SignalHandler``; by the server."""
        self.arrived(SERVER, peer, payload)

    def on_signal_failed(self, peer: NodeId, reason: str) -> None:
        """See ``SignalHandler``; by the server."""
        self.failed(SERVER, peer, reason)

    def arrived(self, way: Way, peer: NodeId, payload: bytes) -> None:
        """``payload`` came by ``way``, from ``peer`` as it is said."""
        self._ways_back[peer] = way
        self._ways_back.move_to_end(peer)
        if len(self._ways_back) > MAXIMUM_PENDING:
            self._ways_back.popitem(last=False)
        self._arriving = way
        self._handler.on_signal(peer, payload)

    def refused(self, peer: NodeId, reason: str) -> None:
        """What just arrived from ``peer`` is a refusal, or no valid answer. Refusals are not signed: one by way of a
        neighbour may be the neighbour's own, so it only means that the next way is tried."""
        self.failed(self._arriving, peer, reason)

    def failed(self, way: Way, peer: NodeId, reason: str) -> None:
        """What was sent to ``peer`` by ``way`` did not arrive. Only the way that is being tried is
        believed, so that a liar ends its own way and no other."""
        pending = self._pending.get(peer)
        if pending is None or pending.current != way:
            return
        pending.reason = reason if way is SERVER else f"{reason} ({way.kind.value})"
        if pending.timer is not None:
            pending.timer.cancel()
        self._next(peer, pending)

    # ------------------------------------------------------------------------------------------------------- internals

    def _ways_to(self, peer: NodeId) -> list[Way]:
        ways = []
        if Kind.NEIGHBOUR in self._carriers:
            known = sorted(self._introducers(peer))
            chosen = self._random.sample(known, min(MAXIMUM_INTRODUCERS, len(known)))
            ways = [Way(Kind.NEIGHBOUR, neighbour) for neighbour in chosen]
        ways.append(SERVER)
        if Kind.DIRECT in self._carriers:
            ways.append(DIRECT)
        return ways

    def _advance(self, peer: NodeId, pending: _Pending) -> bool:
        """Send by the next way that takes it; False if there is none left."""
        while pending.ways:
            pending.current = pending.ways.pop(0)
            if self._carry(pending.current, peer, pending.payload):
                loop = asyncio.get_running_loop()
                pending.timer = loop.call_later(PATIENCE, self._patience_over, peer, pending) if pending.ways else None
                return True
        return False

    def _patience_over(self, peer: NodeId, pending: _Pending) -> None:
        if self._pending.get(peer) is pending:
            pending.timer = None
            self._advance(peer, pending)  # where none is left the answer may still come

    def _next(self, peer: NodeId, pending: _Pending) -> None:
        if not self._advance(peer, pending):
            self.forget(peer)
            self._handler.on_signal_failed(peer, pending.reason)

    def _carry(self, way: Way, peer: NodeId, payload: bytes) -> bool:
        if way.kind is Kind.SERVER:
            return self._server.send_signal(peer, payload)
        carrier = self._carriers.get(way.kind)
        return carrier is not None and carrier.carry(way, peer, payload)
