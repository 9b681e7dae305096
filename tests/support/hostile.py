"""Relays and model nodes that do not keep to the protocol: what they send passes through a function first."""

from __future__ import annotations

from collections.abc import Callable

from engine.ids import NodeId
from engine.transport.link import Channel
from tests.support.overlay import Member

Alter = Callable[[NodeId, Channel, bytes], list[bytes]]


class Hostile:
    """Stands between a member and its links: ``alter`` sees every message that it sends and gives what goes out."""

    def __init__(self, member: Member, alter: Alter) -> None:
        self._endpoint = member.endpoint
        self._alter = alter
        self.altered = 0
        member.peer.sender = self

    def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        out = self._alter(peer, channel, data)
        self.altered += out != [data]
        sent = [self._endpoint.send(peer, channel, one) for one in out]
        return all(sent)

    def links(self) -> frozenset[NodeId]:
        return self._endpoint.links()

    def round_trip(self, peer: NodeId) -> float | None:
        return self._endpoint.round_trip(peer)

    def disconnect(self, peer: NodeId, reason: str) -> None:
        self._endpoint.disconnect(peer, reason)
