"""The graph of relays once more, slow and plain, from docs/protocol.md; shares no code with ``engine.directory``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def position(beacon: bytes, ring: int, node_id: bytes) -> int:
    digest = hashlib.sha256(beacon + bytes([ring // 4]) + node_id).digest()
    return int.from_bytes(digest[ring % 4 * 8 : ring % 4 * 8 + 8], "big")


def placing_beacon(admission: int, beacons: Mapping[int, bytes], per_day: int) -> bytes | None:
    """``beacons`` by number, those of the last day."""
    newest = max(beacons, default=-1)
    number = admission
    while number + per_day <= newest:
        number += per_day
    return beacons.get(number) if 0 < admission <= newest else None


def neighbours(
    node_id: bytes,
    relays: Mapping[bytes, tuple[int, bool]],
    beacons: Mapping[int, bytes],
    *,
    per_day: int,
    mesh_relays: int,
    rings: int,
) -> set[bytes]:
    """``relays``: admission, and whether it is away, by id."""
    place = {name: placing_beacon(admission, beacons, per_day) for name, (admission, _) in relays.items()}
    placed = {name: beacon for name, beacon in place.items() if beacon is not None}
    if len(placed) <= mesh_relays:
        first = sorted(relays, key=lambda name: (relays[name][0] or 10**18, name))[:mesh_relays]
        return {name for name in first if name != node_id and not relays[name][1]} if node_id in first else set()
    if node_id not in placed:
        return set()
    found = set()
    for ring in range(rings):
        there = [name for name in placed if name == node_id or not relays[name][1]]
        there.sort(key=lambda name: (position(placed[name], ring, name), name))
        index = there.index(node_id)
        if len(there) > 1:
            found |= {there[index - 1], there[(index + 1) % len(there)]}
    return found
