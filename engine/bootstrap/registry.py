"""Who is listed, who is away, and when the next snapshot is due. No I/O: the server tells it what happens and when.

``wall`` is seconds since 1970 (it goes into signed records), ``monotonic`` is for durations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.bootstrap.admission import Admission
from engine.crypto.identity import Identity
from engine.directory.beacons import NOT_ADMITTED, Beacons, beacon_number, beacons_per_day
from engine.directory.descriptor import check_descriptor, node_id
from engine.directory.genesis import GenesisRecord
from engine.directory.snapshot import WRONG_CLOCK_SECONDS, ChainPoint, sign_mark, sign_snapshot
from engine.errors import DirectoryError
from engine.ids import NodeId
from engine.wire.records import AwayMark, Descriptor, Listing, Signed, SignedSnapshot, descriptor_decoder
from engine.wire.signaling import Marked

SILENT_SECONDS = 60.0
"""A connected node that says nothing for this long is away."""
DROPPED_SECONDS = 5.0
"""A node whose connection dropped is away after this long, unless it is back."""
MARKS_PER_TICK = 256
"""So that a thousand nodes that go at once do not fill everybody's queue."""
REFRESH_SECONDS = 600.0
"""A snapshot is made at least this often, changed or not: its age shows that the server lives."""
REMEMBER_SECONDS = 30 * 86_400
"""How long the first-seen date of a node that is gone is kept."""
MAXIMUM_REMEMBERED = 100_000
HOURS = 168
Content = frozenset[tuple[bytes, str, int, int]]
"""What of a snapshot is worth a new one: signature, prefix, first seen and admission of everybody."""
_HOURS_MASK = (1 << HOURS) - 1


@dataclass(slots=True)
class Member:
    """A node that published here: its newest descriptor, and what the server attests beside it."""

    node_id: NodeId
    signed: Signed
    issued: int
    expires: int
    prefix: str
    first_seen: int
    last_seen: int
    hours: int = 0  # bit i: was listed and present in the hour `hour` - i
    hour: int = 0
    withdrawn: bool = False
    connected: bool = False
    heard: float = 0.0  # monotonic: last message, or when the connection dropped
    away: bool = False
    relays: bool = False
    admission: Admission = field(default_factory=Admission)

    def present(self, wall: float, monotonic: float, newest_beacon: int) -> None:
        """Note that the node is listed and not away now."""
        if self.relays:
            self.admission.relaying(newest_beacon, monotonic)
        hour = int(wall) // 3600
        self.hours = ((self.hours << min(max(0, hour - self.hour), HOURS)) & _HOURS_MASK) | 1
        self.hour = max(hour, self.hour)
        self.last_seen = max(self.last_seen, int(wall))

    def availability(self, wall: float) -> float:
        """The share of the last 168 hours in which the node was present."""
        missed = min(max(0, int(wall) // 3600 - self.hour), HOURS)
        return ((self.hours << missed) & _HOURS_MASK).bit_count() / HOURS


class Registry:
    """All members, the marks and the chain of snapshots of one network."""

    def __init__(
        self,
        genesis: GenesisRecord,
        server: Identity,
        point: ChainPoint,
        members: Iterable[Member],
        monotonic: float,
        maximum_nodes: int = 20_000,
        *,
        beacons: Beacons | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``beacons`` are those of the last snapshot."""
        self._genesis = genesis
        self._server = server
        self._maximum_nodes = maximum_nodes
        self._last_snapshot = float("-inf")
        self._published: Content | None = None
        self._random_bytes = random_bytes
        self.beacons = beacons or Beacons()
        self.point = point
        self._removed: set[NodeId] = set()  # for want of room; the database still has them
        self.members: dict[NodeId, Member] = {}
        for member in members:
            # After a restart nobody is connected; give them the time to come back before calling them away.
            member.heard = monotonic + SILENT_SECONDS - DROPPED_SECONDS
            # Nor is anybody blamed for the time in which the server was away.
            member.admission.seen = monotonic - max(0, point.issued - member.last_seen)
            member.relays = descriptor_decoder.decode(member.signed.record).relay
            self.members[member.node_id] = member

    # ------------------------------------------------------------------------------------------------ what happens

    def accept(self, signed: Signed, prefix: str, wall: float, monotonic: float) -> tuple[Member, Descriptor]:
        """Take a descriptor from its own node; :class:`DirectoryError` with the reason if it is refused."""
        descriptor = check_descriptor(signed, self._genesis.network_id, wall, self._genesis.parameters)
        name = node_id(descriptor)
        member = self.members.get(name)
        if member is None:
            self._make_room(wall)
            member = Member(name, signed, descriptor.issued, descriptor.expires, prefix, int(wall), int(wall))
            member.connected, member.heard, member.admission.seen = True, monotonic, monotonic
            self.members[name] = member
            self._removed.discard(name)
        elif descriptor.issued < member.issued:
            raise DirectoryError("a newer descriptor of this node is already listed; set this computer's clock")
        elif member.withdrawn and signed.record == member.signed.record:
            raise DirectoryError("this descriptor was withdrawn; publish a new one")
        member.signed, member.issued, member.expires = signed, descriptor.issued, descriptor.expires
        member.prefix, member.withdrawn, member.relays = prefix, False, descriptor.relay
        member.present(wall, monotonic, self._newest_beacon(wall))
        return member, descriptor

    def withdraw(self, name: NodeId) -> Member | None:
        """The node leaves politely; it is not in the next snapshot."""
        member = self.members.get(name)
        if member is not None:
            member.withdrawn = True
        return member

    def heard(self, name: NodeId, monotonic: float) -> None:
        """The node is connected and said something."""
        member = self.members.get(name)
        if member is not None:
            member.connected, member.heard = True, monotonic

    def dropped(self, name: NodeId, monotonic: float) -> None:
        """The node's connection ended."""
        member = self.members.get(name)
        if member is not None:
            member.connected, member.heard = False, monotonic

    # -------------------------------------------------------------------------------------------------------- marks

    def tick(self, wall: float, monotonic: float) -> list[Marked]:
        """The marks that are new now, signed; at most ``MARKS_PER_TICK``, the others follow with the next call."""
        marks: list[Marked] = []
        newest = self._newest_beacon(wall)
        for member in self.members.values():
            if not self._is_listed(member, wall):
                member.away = False
                continue
            limit = SILENT_SECONDS if member.connected else DROPPED_SECONDS
            away = monotonic - member.heard > limit
            if away != member.away and len(marks) < MARKS_PER_TICK:
                member.away = away
                marks.append(self._mark(member, wall))
            if not away:
                member.present(wall, monotonic, newest)
        return marks

    def away_marks(self, wall: float) -> list[Marked]:
        """A mark for every node that is away now, for somebody who has just logged in."""
        return [self._mark(member, wall) for member in self.listed(wall) if member.away]

    def _mark(self, member: Member, wall: float) -> Marked:
        mark = AwayMark(
            network_id=self._genesis.network_id,
            epoch=self.point.epoch,
            node=member.node_id,
            away=member.away,
            issued=int(wall),
        )
        return Marked(mark=mark, key=self._server.public_key, signature=sign_mark(self._server, mark))

    # ---------------------------------------------------------------------------------------------------- snapshots

    def listed(self, wall: float) -> list[Member]:
        """The members with a descriptor that holds at ``wall``, in the order of their ids."""
        listed = [member for member in self.members.values() if self._is_listed(member, wall)]
        return sorted(listed, key=lambda member: member.node_id)[: self._maximum_nodes]

    def hurry(self) -> None:
        """The next snapshot is due now."""
        self._published = None

    def due(self, wall: float, monotonic: float) -> bool:
        """Whether a snapshot should be made now."""
        age = monotonic - self._last_snapshot
        if age >= self._genesis.parameters.snapshot_seconds and self._newest_beacon(wall) != self.beacons.newest:
            return True
        if age >= REFRESH_SECONDS or self._published is None:
            return True
        return age >= self._genesis.parameters.snapshot_seconds and self._content(self.listed(wall)) != self._published

    def build(self, wall: float) -> tuple[SignedSnapshot, ChainPoint, Content]:
        """The next snapshot; it counts once :meth:`commit` is called with what this returned."""
        listed = self.listed(wall)
        self._extend_beacons(wall)
        listings = tuple(
            Listing(
                descriptor=member.signed,
                prefix=member.prefix,
                first_seen=member.first_seen,
                last_seen=member.last_seen,
                reputation=0.0,
                availability=member.availability(wall),
                admission=member.admission.number if member.relays else NOT_ADMITTED,
            )
            for member in listed
        )
        signed, point = sign_snapshot(self._server, self._genesis.network_id, self.point, wall, listings, self.beacons)
        return signed, point, self._content(listed)

    def commit(self, point: ChainPoint, content: Content, monotonic: float) -> None:
        """The snapshot is on disk: the chain stands there now."""
        self.point = point
        self._published = content
        self._last_snapshot = monotonic

    @staticmethod
    def _content(members: list[Member]) -> Content:
        return frozenset(
            (member.signed.signature, member.prefix, member.first_seen, member.admission.number) for member in members
        )

    def _newest_beacon(self, wall: float) -> int:
        """The number of the newest beacon that there is, or that the next snapshot will show."""
        number = beacon_number(wall, self._genesis.genesis.created, self._genesis.parameters)
        ahead = (self.beacons.newest - number) * self._genesis.parameters.beacon_seconds
        return number if ahead > WRONG_CLOCK_SECONDS else max(number, self.beacons.newest)

    def _extend_beacons(self, wall: float) -> None:
        newest = self._newest_beacon(wall)
        if newest < self.beacons.newest:  # the clock was wrong, and nobody has believed what it said
            self.beacons = Beacons()
        self.beacons = self.beacons.extended(newest, beacons_per_day(self._genesis.parameters), self._random_bytes)

    @staticmethod
    def _is_listed(member: Member, wall: float) -> bool:
        return not member.withdrawn and member.expires > wall

    def _make_room(self, wall: float) -> None:
        """Before a new member: forget the long gone; refuse when the directory is full."""
        if sum(self._is_listed(member, wall) for member in self.members.values()) >= self._maximum_nodes:
            raise DirectoryError("the directory of this network is full; try again later")
        if len(self.members) < MAXIMUM_REMEMBERED:
            return
        oldest = min(self._gone(wall), key=lambda gone: gone.last_seen, default=None)
        if oldest is None:
            raise DirectoryError("this network has too many nodes; try again later")
        for name in self._long_gone(wall) or [oldest.node_id]:
            del self.members[name]
            self._removed.add(name)

    def forgettable(self, wall: float) -> list[NodeId]:
        """Who is to be deleted with the next snapshot: members that have been gone for so long that even their
        first-seen date is dropped, and those that had to make room."""
        return [*self._long_gone(wall), *self._removed]

    def forget(self, names: Iterable[NodeId], wall: float) -> None:
        """They are deleted. Who has come back in the meantime stays."""
        still = set(self.forgettable(wall))
        for name in names:
            if name in still:
                self.members.pop(name, None)
                self._removed.discard(name)

    def _long_gone(self, wall: float) -> list[NodeId]:
        return [member.node_id for member in self._gone(wall) if wall - member.last_seen > REMEMBER_SECONDS]

    def _gone(self, wall: float) -> list[Member]:
        return [
            member for member in self.members.values() if not member.connected and not self._is_listed(member, wall)
        ]
