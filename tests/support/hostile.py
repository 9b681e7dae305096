"""Relays and model nodes that do not keep to the protocol: what they send passes through a function first."""

from __future__ import annotations

import random
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

    def backlog(self, peer: NodeId) -> int:
        return self._endpoint.backlog(peer)

    def round_trip(self, peer: NodeId) -> float | None:
        return self._endpoint.round_trip(peer)

    def heard_at(self, peer: NodeId) -> float | None:
        return self._endpoint.heard_at(peer)

    def probe(self, peer: NodeId) -> None:
        self._endpoint.probe(peer)

    def disconnect(self, peer: NodeId, reason: str) -> None:
        self._endpoint.disconnect(peer, reason)


def flipped(data: bytes, source: random.Random) -> bytes:
    """``data`` with one bit changed."""
    place = source.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << source.randrange(8)]) + data[place + 1 :]


class Mischief:
    """Alters one message in three, each time in another way: drops, delays, repeats, reorders, corrupts, replays from
    long ago, and forges (the right head, random bytes behind). ``only`` narrows it to one channel; at most 50 messages
    are remembered."""

    def __init__(self, member: Member, source: random.Random, only: Channel | None = None) -> None:
        self._member, self._source, self._only = member, source, only
        self._past: list[tuple[NodeId, Channel, bytes]] = []
        self.hostile = Hostile(member, self._alter)

    def _alter(self, peer: NodeId, channel: Channel, data: bytes) -> list[bytes]:
        source = self._source
        if self._only not in (None, channel):
            return [data]
        past = [old for to, by, old in self._past if (to, by) == (peer, channel)]
        self._past = [*self._past[-49:], (peer, channel, data)]
        if source.random() > 1 / 3:
            return [data]
        match source.choice(("drop", "delay", "repeat", "corrupt", "replay", "forge")):
            case "drop":
                return []
            case "delay":  # what is sent meanwhile overtakes it
                later = source.uniform(0.01, 2.0)
                endpoint = self._member.endpoint
                self._member.overlay.scheduler.call_later(later, lambda: endpoint.send(peer, channel, data) and None)
                return []
            case "repeat":
                return [data] * source.randint(2, 5)
            case "corrupt":
                return [flipped(data, source)]
            case "replay":
                return [data, source.choice(past)] if past else [data]
            case _:
                return [data[:12] + source.randbytes(len(data) - 12), data]
