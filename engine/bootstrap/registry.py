"""Who is listed, who is away, and when the next snapshot is due. No I/O: the server tells it what happens and when.

``wall`` is seconds since 1970 (it goes into signed records), ``monotonic`` is for durations.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from engine.bootstrap.admission import Admission
from engine.bootstrap.statements import Statements
from engine.crypto.identity import Identity
from engine.directory.beacons import NOT_ADMITTED, Beacons, beacon_number, beacons_per_day
from engine.directory.descriptor import check_descriptor, node_id
from engine.directory.genesis import GenesisRecord
from engine.directory.marks import BELIEVED_SHARE, sign_mark
from engine.directory.snapshot import WRONG_CLOCK_SECONDS, ChainPoint, sign_snapshot
from engine.directory.statements import Statement, check_statement
from engine.errors import DirectoryError
from engine.ids import NodeId
from engine.wire.records import AwayMark, Descriptor, Listing, Signed, SignedSnapshot, descriptor_decoder
from engine.wire.signaling import Marked

SILENT_SECONDS = 60.0
"""A connected node that says nothing for this long is away."""
DROPPED_SECONDS = 5.0
"""A node whose connection dropped is away after this long, unless it is back."""
LEFT_OUT_SECONDS = 90.0
"""Of whom nothing was heard for this long is in no further snapshot until it is heard again: else the dead of half an
hour add up, and readers believe no marks at all once more than ``BELIEVED_SHARE`` of those listed are marked away."""
MARKS_PER_TICK = 1_024
"""What one message holds of each kind."""
REFRESH_SECONDS = 600.0
"""A snapshot is made at least this often, changed or not: its age shows that the server lives."""
REMEMBER_SECONDS = 30 * 86_400
"""How long the first-seen date of a node that is gone is kept."""
MAXIMUM_REMEMBERED = 100_000
HOURS = 168
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
    came: bool = False  # since the start of this server
    left_out: bool = False  # away for so long that snapshots do without it
    relays: bool = False
    admission: Admission = field(default_factory=Admission)
    listing: Listing | None = None
    """What the last snapshots say; made anew when something else of it changes, so that a delta stays small."""
    revision: int = 0
    address: str = ""  # what it counts for, since it published here last; never written down
    neighbourhood: str = ""  # the same

    def present(self, wall: float, monotonic: float, newest_beacon: int) -> None:
        """Note that the node is listed and not away now."""
        if self.relays:
            self.admission.relaying(newest_beacon, monotonic)
        hour = int(wall) // 3600
        self.hours = ((self.hours << min(max(0, hour - self.hour), HOURS)) & _HOURS_MASK) | 1
        self.hour = max(hour, self.hour)
        self.last_seen = max(self.last_seen, int(wall))

    def inherit(self, other: Member) -> None:
        """Take over the standing of the identity that this one succeeds."""
        ahead = max(0, self.hour - other.hour)
        self.hours |= (other.hours << min(ahead, HOURS)) & _HOURS_MASK
        self.first_seen = min(self.first_seen, other.first_seen)
        if self.relays and other.relays:
            self.admission = other.admission
        self.listing = None

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
        listed: Collection[NodeId] | None = None,
        statements: Iterable[tuple[Statement, int]] = (),
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``beacons`` are those of the last snapshot, ``listed`` are in it: who is not was left out already;
        ``statements`` are all that were ever accepted."""
        self.statements = Statements(statements)
        self._genesis = genesis
        self._server = server
        self._maximum_nodes = maximum_nodes
        self._last_snapshot = float("-inf")
        self._published: frozenset[int] | None = None
        self._revisions = 0
        self._random_bytes = random_bytes
        self.beacons = beacons or Beacons()
        self.point = point
        self.chain_height = 0
        """Of the committee's newest block here; what the next snapshots name."""
        self._removed: set[NodeId] = set()  # for want of room; the database still has them
        self._listed = 0  # at least as many as are listed
        self.members: dict[NodeId, Member] = {}
        for member in members:
            # After a restart nobody is connected; give them the time to come back before calling them away.
            member.heard = monotonic + SILENT_SECONDS - DROPPED_SECONDS
            member.came = False
            is_old = member.last_seen < point.issued  # it did not publish since that snapshot
            member.left_out = listed is not None and member.node_id not in listed and is_old
            # Nor is anybody blamed for the time in which the server was away.
            member.admission.seen = monotonic - max(0, point.issued - member.last_seen)
            member.relays = descriptor_decoder.decode(member.signed.record).relay
            self.members[member.node_id] = member
        self._listed = len(self.members)

    # ------------------------------------------------------------------------------------------------ what happens

    def accept(self, signed: Signed, prefix: str, wall: float, monotonic: float) -> tuple[Member, Descriptor]:
        """Take a descriptor from its own node; :class:`DirectoryError` with the reason if it is refused."""
        descriptor = check_descriptor(signed, self._genesis.network_id, wall, self._genesis.parameters)
        name = node_id(descriptor)
        self.statements.check(name)
        member = self.members.get(name)
        if member is None:
            self._make_room(wall)
            self._listed += 1
            member = Member(name, signed, descriptor.issued, descriptor.expires, prefix, int(wall), int(wall))
            member.connected, member.heard, member.admission.seen = True, monotonic, monotonic
            member.came = True
            self.members[name] = member
            self._removed.discard(name)
        elif descriptor.issued < member.issued:
            raise DirectoryError("a newer descriptor of this node is already listed; set this computer's clock")
        elif member.withdrawn and signed.record == member.signed.record:
            raise DirectoryError("this descriptor was withdrawn; publish a new one")
        elif not self._is_listed(member, wall):
            self._listed += 1  # it is back
        member.signed, member.issued, member.expires = signed, descriptor.issued, descriptor.expires
        member.prefix, member.withdrawn, member.relays = prefix, False, descriptor.relay
        member.present(wall, monotonic, self._newest_beacon(wall))
        return member, descriptor

    def is_listed(self, name: NodeId, wall: float) -> bool:
        """Whether this node is listed at ``wall``."""
        member = self.members.get(name)
        return member is not None and self._is_listed(member, wall)

    def listed_from(self, address: str, neighbourhood: str, prefix: str, wall: float) -> tuple[int, int, int]:
        """How many are listed from an address and a neighbourhood (as far as they have published since the start) and
        from a prefix."""
        near = [one for one in self.members.values() if one.prefix == prefix and self._is_listed(one, wall)]
        here = sum(one.address == address for one in near)
        return here, sum(one.neighbourhood == neighbourhood for one in near), len(near)

    def withdraw(self, name: NodeId) -> Member | None:
        """The node leaves politely; it is not in the next snapshot."""
        member = self.members.get(name)
        if member is not None:
            member.withdrawn = True
        return member

    def check_statement(self, signed: Signed, wall: float) -> Statement:
        """A revocation or succession of a node that published here; :class:`DirectoryError` with the reason if it is
        refused."""
        statement = check_statement(signed, self._genesis.network_id, wall)
        if statement.node_id not in self.members:
            self.statements.check(statement.node_id)
            raise DirectoryError("this identity is not known here; only one that was listed can be ended")
        if statement.successor is not None:
            self.statements.check(statement.successor)
            if statement.successor not in self.members:
                raise DirectoryError("the successor has not published a descriptor yet")
        return statement

    def take_statement(self, statement: Statement, wall: float) -> Member | None:
        """Take one that was just checked: the heir, whose standing has changed."""
        self.statements.add(statement, wall)
        member = self.members.pop(statement.node_id)
        heir = None if statement.successor is None else self.members[statement.successor]
        if heir is not None:
            heir.inherit(member)
        return heir

    def heard(self, name: NodeId, monotonic: float) -> None:
        """The node is connected and said something."""
        member = self.members.get(name)
        if member is not None:
            member.connected, member.heard = True, monotonic
            self._listed += member.left_out
            member.came, member.left_out = True, False

    def dropped(self, name: NodeId, monotonic: float) -> None:
        """The node's connection ended."""
        member = self.members.get(name)
        if member is not None:
            member.connected, member.heard = False, monotonic

    # -------------------------------------------------------------------------------------------------------- marks

    def tick(self, wall: float, monotonic: float) -> list[Marked]:
        """The marks that are new now, signed; beyond ``MARKS_PER_TICK`` of a kind they follow with the next call."""
        away: list[NodeId] = []
        back: list[NodeId] = []
        newest = self._newest_beacon(wall)
        for member in self.members.values():
            if not self._is_listed(member, wall):
                member.away = member.away and member.left_out  # who comes back gets a mark that says so
                continue
            limit = SILENT_SECONDS if member.connected else DROPPED_SECONDS
            is_away = monotonic - member.heard > limit
            kind = away if is_away else back
            if is_away != member.away and len(kind) < MARKS_PER_TICK:
                member.away = is_away
                kind.append(member.node_id)
            if not is_away:
                member.present(wall, monotonic, newest)
        self._leave_out(wall, monotonic)
        return [self._mark(away, back, wall)] if away or back else []

    def _leave_out(self, wall: float, monotonic: float) -> None:
        """Who has been away for long leaves the snapshots; nobody while most are away, for then it is this server that
        has lost its connection, and nobody who was not here since its start, for all may be on their way."""
        listed = [member for member in self.members.values() if self._is_listed(member, wall)]
        away = [member for member in listed if member.away]
        if len(away) > BELIEVED_SHARE * len(listed):
            return
        for member in away:
            member.left_out = member.came and monotonic - member.heard > LEFT_OUT_SECONDS

    def away_marks(self, wall: float) -> list[Marked]:
        """Marks for every node that is away now, for somebody who has just logged in."""
        away = [member.node_id for member in self.members.values() if member.away and self._is_listed(member, wall)]
        parts = [away[start : start + MARKS_PER_TICK] for start in range(0, len(away), MARKS_PER_TICK)]
        return [self._mark(part, [], wall) for part in parts]

    def _mark(self, away: list[NodeId], back: list[NodeId], wall: float) -> Marked:
        mark = AwayMark(
            network_id=self._genesis.network_id,
            epoch=self.point.epoch,
            issued=int(wall),
            away=tuple(away),
            back=tuple(back),
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

    def counts(self, wall: float) -> tuple[int, int]:
        """How many are listed, and how many of them are away."""
        listed = [member for member in self.members.values() if self._is_listed(member, wall)]
        return min(len(listed), self._maximum_nodes), sum(member.away for member in listed)

    def due(self, wall: float, monotonic: float) -> bool:
        """Whether a snapshot should be made now."""
        age = monotonic - self._last_snapshot
        if age >= REFRESH_SECONDS or self._published is None:
            return True
        if age < self._genesis.parameters.snapshot_seconds:
            return False
        return self._newest_beacon(wall) != self.beacons.newest or self._content(wall) != self._published

    def open_in(self, monotonic: float) -> float:
        """Seconds until a snapshot may follow the last one; 0: it may now."""
        return max(0.0, self._last_snapshot + self._genesis.parameters.snapshot_seconds - monotonic)

    def build(self, wall: float) -> tuple[Callable[[], tuple[SignedSnapshot, ChainPoint]], frozenset[int]]:
        """The next snapshot: what makes and signs it (in a thread, if one likes), and what it will hold. It counts once
        :meth:`commit` is called with what that returned."""
        self._extend_beacons(wall)
        listings = tuple(self._listing(member, wall) for member in self.listed(wall))
        network_id, last, beacons = self._genesis.network_id, self.point, self.beacons
        statements, chain_height = self.statements.recent(wall), self.chain_height

        def make() -> tuple[SignedSnapshot, ChainPoint]:
            return sign_snapshot(
                self._server,
                network_id,
                last,
                wall,
                listings,
                beacons,
                revocations=statements[0],
                successions=statements[1],
                chain_height=chain_height,
            )

        return make, self._content(wall)

    def commit(self, point: ChainPoint, content: frozenset[int], monotonic: float) -> None:
        """The snapshot is on disk: the chain stands there now."""
        self.point = point
        self._published = content
        self._last_snapshot = monotonic

    def _listing(self, member: Member, wall: float) -> Listing:
        """What is attested of a member. Seldom made anew: last seen and availability follow at the next publication."""
        admission = member.admission.number if member.relays else NOT_ADMITTED
        known = member.listing
        if (
            known is None
            or known.descriptor is not member.signed
            or (known.prefix, known.first_seen, known.admission) != (member.prefix, member.first_seen, admission)
        ):
            self._revisions += 1
            member.revision = self._revisions
            known = member.listing = Listing(
                descriptor=member.signed,
                prefix=member.prefix,
                first_seen=member.first_seen,
                last_seen=member.last_seen,
                reputation=0.0,
                availability=member.availability(wall),
                admission=admission,
            )
        return known

    def _content(self, wall: float) -> frozenset[int]:
        """What is worth a new snapshot: the numbers of the listings, which stay while nothing of them changes."""
        for member in self.members.values():
            if self._is_listed(member, wall):
                self._listing(member, wall)
        listed = {member.revision for member in self.members.values() if self._is_listed(member, wall)}
        return frozenset(listed) | {-len(self.statements)}

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
        return not member.withdrawn and not member.left_out and member.expires > wall

    def _make_room(self, wall: float) -> None:
        """Before a new member: forget the long gone; refuse when the directory is full. Counting everybody for each one
        of a crowd that joins would take ever longer, so the last count holds until it says that there is no room."""
        if self._listed >= self._maximum_nodes:
            self._listed = self.counts(wall)[0]
        if self._listed >= self._maximum_nodes:
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
