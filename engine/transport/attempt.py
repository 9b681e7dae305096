"""A link in the making."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from engine.errors import LinkError
from engine.ids import NodeId
from engine.transport.established import EstablishedLink
from engine.transport.handshake import OfferTerms
from engine.transport.link import Channel
from engine.transport.rtc import RtcConnection
from engine.transport.sdp import Session

MAXIMUM_EARLY_MESSAGES = 1_024
MAXIMUM_EARLY_BYTES = 1024 * 1024
"""What may overtake the first control message of a connection: the lanes are not ordered with each other."""


@dataclass(eq=False, slots=True)
class Attempt:
    """One try to link with ``peer``, ``dialled`` by us or by the peer; needs a running event loop. ``replaces``: the
    link whose place it takes, from the moment at which the peer was told so."""

    peer: NodeId
    peer_is_client: bool
    connection: RtcConnection
    dialled: bool
    started: float
    terms: OfferTerms | None = None
    replaces: EstablishedLink | None = None
    early: list[tuple[Channel, bytes]] = field(default_factory=list)
    early_bytes: int = 0
    answer: asyncio.Future[Session] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    opened: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def proven(self) -> bool:
        """Whether the peer has signed its part, so that it was alive a moment ago."""
        if not self.dialled:
            return True
        return self.answer.done() and not self.answer.cancelled() and self.answer.exception() is None

    def keep(self, channel: Channel, data: bytes) -> None:
        """A message that overtook the first control message."""
        self.early_bytes += len(data)
        if len(self.early) >= MAXIMUM_EARLY_MESSAGES or self.early_bytes > MAXIMUM_EARLY_BYTES:
            self.fail("the peer sent too much before it said which connection this one replaces")
        else:
            self.early.append((channel, data))

    def fail(self, reason: str) -> None:
        """End it; whoever waits for it gets :class:`LinkError`."""
        self.connection.end(reason)
        for future in (self.answer, self.opened):
            if not future.done():
                future.set_exception(LinkError(reason))
                future.exception()  # somebody may wait for the other one only
