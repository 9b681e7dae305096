"""A link in the making."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from engine.errors import LinkError
from engine.ids import NodeId
from engine.transport.handshake import OfferTerms
from engine.transport.rtc import RtcConnection
from engine.wire.signaling import LinkAnswer


@dataclass(eq=False, slots=True)
class Attempt:
    """One try to link with ``peer``, ``dialled`` by us or by the peer; needs a running event loop."""

    peer: NodeId
    peer_is_client: bool
    connection: RtcConnection
    dialled: bool
    started: float
    terms: OfferTerms | None = None
    answer: asyncio.Future[LinkAnswer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    opened: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, reason: str) -> None:
        """End it; whoever waits for it gets :class:`LinkError`."""
        self.connection.end(reason)
        for future in (self.answer, self.opened):
            if not future.done():
                future.set_exception(LinkError(reason))
                future.exception()  # somebody may wait for the other one only
