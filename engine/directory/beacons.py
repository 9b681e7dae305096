"""Beacons: one unpredictable number per period, from which the places of relays in the graph are computed.

Beacon number ``i`` belongs to the ``i``-th period of ``beacon_seconds`` since the network was created. Without a
committee the bootstrap server makes it (and could choose it: it is trusted with the places of relays). A snapshot
carries those of the last 24 hours, so that a place stays computable for as long as it holds.

A listed relay has an *admission*: the number of the beacon that fixes its place. It lies at least one whole period
after the relay was listed, so nobody can choose a key for its place. After each 24 hours the place is drawn anew from
the beacon of that moment; as everybody was admitted at another time, no hour moves everybody, and the admission that
the directory lists stays the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import DirectoryError
from engine.wire.records import Parameters

DAY_SECONDS = 86_400.0
NOT_ADMITTED = 0
"""The admission of who is no relay; no relay has one below 2."""


@dataclass(frozen=True, slots=True)
class Beacons:
    """The beacons of the last 24 hours, oldest first; ``newest`` is the number of the last (-1: there are none)."""

    newest: int = -1
    values: tuple[bytes, ...] = ()

    def get(self, number: int) -> bytes | None:
        """The beacon of this number, None if it is older than 24 hours or yet to come."""
        index = len(self.values) - 1 - (self.newest - number)
        return self.values[index] if 0 <= index < len(self.values) else None

    def extended(self, number: int, kept: int, random_bytes: Callable[[int], bytes]) -> Beacons:
        """With new ones up to ``number``, of which the last ``kept`` are held."""
        if number <= self.newest:
            return self
        missing = min(number - self.newest, kept)
        values = (*self.values, *(random_bytes(32) for _ in range(missing)))
        return Beacons(number, values[-min(kept, number + 1) :])

    def contradicts(self, later: Beacons) -> bool:
        """Whether ``later``, from a later snapshot, says otherwise of a beacon that is known, or goes back."""
        if later.newest < self.newest:
            return True
        first = max(self.newest - len(self.values), later.newest - len(later.values)) + 1
        return any(self.get(number) != later.get(number) for number in range(first, self.newest + 1))


def beacons_per_day(parameters: Parameters) -> int:
    """How many beacons a snapshot holds, and after how many a relay's place is drawn anew."""
    return max(1, math.ceil(DAY_SECONDS / parameters.beacon_seconds))


def beacon_number(wall: float, created: float, parameters: Parameters) -> int:
    """The number of the newest beacon at ``wall``; the network was made at ``created`` (both seconds since 1970)."""
    return max(0, int((wall - created) // parameters.beacon_seconds))


def admission_after(number: int) -> int:
    """The admission of a relay that is listed while beacon ``number`` is the newest: the first one that is made at
    least one whole period later."""
    return number + 2


def placing_number(admission: int, newest: int, per_day: int) -> int | None:
    """The number of the beacon from which a relay's place is computed while ``newest`` is the newest one; None for one
    that is not admitted yet, or no relay."""
    if admission == NOT_ADMITTED or admission > newest:
        return None
    return newest - (newest - admission) % per_day


def check_beacons(beacons: Beacons, known: Beacons, issued: float, created: float, parameters: Parameters) -> None:
    """Raise :class:`DirectoryError` if a snapshot's beacons cannot follow those ``known`` from earlier ones."""
    if known.contradicts(beacons):
        raise DirectoryError(
            "The server changed a beacon that it had shown before, and with it the places of relays. Its directory is"
            " refused; tell the operator and other users."
        )
    if beacons.newest > beacon_number(issued, created, parameters):
        raise DirectoryError("The directory holds beacons from the future. It is refused.")
    if len(beacons.values) > beacons_per_day(parameters) or len(beacons.values) > beacons.newest + 1:
        raise DirectoryError("The directory holds more beacons than a day has. It is refused.")
