"""How a mesh exchanges offers and answers with peers it has no link to yet: a port that somebody else implements.

The bootstrap client implements it over its WebSocket; introductions through a common neighbour are a second
implementation of the same port. A signaling service is trusted with delivery only: what it carries is signed by the two
nodes (``engine.wire.signaling``), so a service that swaps keys or addresses gets its offers refused.
"""

from __future__ import annotations

from typing import Protocol

from engine.ids import NodeId

MAXIMUM_SIGNAL_LENGTH = 16_384
"""Bytes of one payload, the limit of ``engine.wire.signaling.Signal.payload``."""


class SignalHandler(Protocol):
    """Hears of signals; called on the event loop, must not block and must not raise."""

    def on_signal(self, peer: NodeId, payload: bytes) -> None:
        """``peer``, as named by the signaling service (a claim: the payload's own signature proves it), sent
        ``payload``, an encoded ``LinkOffer``, ``LinkAnswer`` or ``LinkRefusal`` of at most 16,384 bytes."""
        ...

    def on_signal_failed(self, peer: NodeId, reason: str) -> None:
        """A signal that was sent to ``peer`` earlier was not delivered, e.g. because it is not online."""
        ...


class SignalingPort(Protocol):
    """Carries signaling payloads between two nodes, at most once and in order."""

    def attach(self, handler: SignalHandler) -> None:
        """Name the handler, once, before anything runs. Signals that arrive without a handler are dropped."""
        ...

    def send_signal(self, peer: NodeId, payload: bytes) -> bool:
        """Queue ``payload`` (at most 16,384 bytes) for ``peer``. False: not connected to the signaling service, or its
        bounded queue is full; nothing was sent. Never blocks, never raises."""
        ...
