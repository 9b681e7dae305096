"""The bootstrap server's list in simulated time: snapshots, away and back marks, beacons and admissions, unsigned."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field, replace

from engine.bootstrap.admission import Admission
from engine.directory.beacons import Beacons, beacons_per_day
from engine.directory.directory import Directory, DirectoryNode
from engine.ids import NodeId
from engine.simulation.anonymity.network import NOW, listed_relay
from engine.wire.records import Parameters

SILENCE_SECONDS = 60.0
"""Who has said nothing for so long is marked away."""
LISTED_SECONDS = (900.0, 1800.0)
"""A descriptor of who has gone expires after between so many seconds."""


@dataclass(slots=True)
class Member:
    """Who is listed, or will be with the next snapshot."""

    listing: DirectoryNode
    admission: Admission = field(default_factory=Admission)
    alive: bool = True
    silent_since: float = 0.0
    away: bool = False
    expires: float = 0.0


class Server:
    """Ask :meth:`tick` every second whether there is a newer directory."""

    def __init__(self, parameters: Parameters, source: random.Random) -> None:
        self.parameters = parameters
        self._random = source
        self._kept = beacons_per_day(parameters)
        self.first_beacon = 2 * self._kept
        """The newest one at the beginning."""
        self.beacons = Beacons().extended(self.first_beacon, self._kept, source.randbytes)
        self.members: dict[NodeId, Member] = {}
        self._numbers = 0
        self._changed = False
        self._epoch = 0
        self._snapshot_at = 0.0
        self.directory = self._build(0.0)

    def join(self, node_id: NodeId, now: float, *, long_ago: bool = False) -> None:
        """A relay is there; ``long_ago``: it was admitted at some time of the last day."""
        member = self.members.get(node_id)
        if member is None:
            self._numbers += 1
            member = self.members[node_id] = Member(listed_relay(node_id, self._numbers), Admission(seen=now))
            self._changed = True
        before = member.admission.number
        member.alive = True
        member.admission.relaying(self.beacons.newest, now)
        if long_ago:
            member.admission.number = self._random.randint(self.first_beacon - self._kept + 1, self.first_beacon)
        self._changed |= before != member.admission.number

    def leave(self, node_id: NodeId, now: float, *, connection_ends: bool) -> None:
        """A relay is gone without a word; where its operating system lives, its connection ends at once."""
        member = self.members[node_id]
        member.alive, member.silent_since = False, now - (SILENCE_SECONDS if connection_ends else 0.0)
        member.expires = now + self._random.uniform(*LISTED_SECONDS)

    def tick(self, now: float) -> bool:
        """Whether :attr:`directory` is another one now."""
        newest = self.first_beacon + int(now // self.parameters.beacon_seconds)
        if newest != self.beacons.newest:
            self.beacons = self.beacons.extended(newest, self._kept, self._random.randbytes)
            self._changed = True
        marks = False
        for node_id, member in list(self.members.items()):
            if member.alive:
                member.admission.relaying(self.beacons.newest, now)
            elif now >= member.expires:
                del self.members[node_id]
                self._changed = True
                continue
            away = not member.alive and now >= member.silent_since + SILENCE_SECONDS
            marks |= away != member.away
            member.away = away
        if self._changed and now >= self._snapshot_at:
            self.directory = self._build(now)
            return True
        if marks:
            self.directory = self.directory.with_away(name for name, known in self.members.items() if known.away)
        return marks

    def _build(self, now: float) -> Directory:
        self._changed, self._snapshot_at = False, now + self.parameters.snapshot_seconds
        self._epoch += 1
        return Directory(
            (
                replace(member.listing, admission=member.admission.number, away=member.away)
                for member in self.members.values()
            ),
            parameters=self.parameters,
            created=NOW,
            epoch=self._epoch,
            issued=NOW,
            digest=hashlib.sha256(self._epoch.to_bytes(8, "big")).digest(),
            beacons=self.beacons,
        )
