"""Which members of a group keep links with each other. Pure; everybody computes the same from the directory."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from engine.ids import NodeId

FULL_MESH = 16
"""Up to so many members everybody is linked with everybody."""


def group_neighbours(members: Collection[NodeId], myself: NodeId, model_digest: bytes) -> frozenset[NodeId]:
    """Whom ``myself`` (one of ``members``) keeps linked: everybody in a small group; in a larger one those that stand
    1, 2, 4, 8 … places away on either side in the order of SHA-256(model digest, node id), 2·log2(n) of them. Both
    sides say the same, and the loss of some of them cuts nobody off."""
    others = frozenset(members) - {myself}
    if len(others) < FULL_MESH:
        return others
    order = sorted((*others, myself), key=lambda name: hashlib.sha256(model_digest + name).digest())
    place, count = order.index(myself), len(order)
    steps = [1 << power for power in range((count // 2).bit_length())]
    return frozenset(order[(place + way * step) % count] for step in steps for way in (1, -1)) - {myself}
