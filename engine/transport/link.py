"""What every transport offers to the protocol machines: links to neighbours, and a handler that hears of them.

Shared by the WebRTC transport and the memory transport, so that the same machines run on both.
"""

from __future__ import annotations

import enum
from typing import Protocol

from engine.ids import NodeId


class Channel(enum.Enum):
    """The two data channels of a link."""

    CONTROL = "control"
    """Reliable and ordered; ``engine.wire.link`` messages of at most 65,536 bytes."""
    CELLS = "cells"
    """Reliable and unordered; raw cells."""


class LinkHandler(Protocol):
    """Hears of links; called on the event loop, must not block and must not raise."""

    def link_up(self, peer: NodeId, peer_is_client: bool) -> None:
        """A link is open and its peer has proven its identity. Replaces any earlier link of this peer."""
        ...

    def link_down(self, peer: NodeId, reason: str) -> None:
        """The link is gone (closed, timed out, replaced by nothing)."""
        ...

    def link_message(self, peer: NodeId, channel: Channel, data: bytes) -> None:
        """A message of at most 65,536 bytes. Heartbeats and CloseLink are handled below this interface."""
        ...


class LinkSender(Protocol):
    """Sends over links; implemented by meshes."""

    def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        """Queue one message. False: no such link, or its bounded buffer is full (the link is then cut with that
        reason if it does not drain within the transport's time-out). Never blocks, never raises."""
        ...

    def links(self) -> frozenset[NodeId]:
        """The peers with an open link."""
        ...

    def backlog(self, peer: NodeId) -> int:
        """Bytes that wait in the link's buffer; 0 without a link."""
        ...

    def round_trip(self, peer: NodeId) -> float | None:
        """Smoothed round-trip time in seconds, None before the first heartbeat's return."""
        ...

    def heard_at(self, peer: NodeId) -> float | None:
        """When anything last came from this peer (monotonic seconds), None without a link."""
        ...

    def probe(self, peer: NodeId) -> None:
        """Ask this peer for a sign of life now."""
        ...

    def disconnect(self, peer: NodeId, reason: str) -> None:
        """Close the link of this peer; ``link_down`` follows."""
        ...
