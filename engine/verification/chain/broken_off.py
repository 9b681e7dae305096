"""What follows where nodes break off answers to challenges: nobody is excluded for it, and nobody gains standing by it.

That an answer broke off is one member's word, and may be the fault of a line or of a machine that died. So it counts
for what it costs little to be wrong in: one word of a node of standing has it checked as a new one is, until it has let
itself be checked; and where more than f members say so of one epoch, the node's reputation falls by a part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, MutableMapping

import msgspec

from engine.ids import NodeId
from engine.verification.challenges.duties import Basis, is_checked_by_all
from engine.wire.blocks import NodeStanding

LEFT_OF_TEN = 7
"""Of a reputation, after an epoch in which more than f members were broken off."""


def broken_by(broken: Collection[tuple[bytes, NodeId]], members: Collection[bytes]) -> Counter[NodeId]:
    """By how many of these members each node is said to have broken off a conversation of one epoch."""
    return Counter(node for member, node in broken if member in members)


def take_broken(
    standings: MutableMapping[NodeId, NodeStanding], basis: Basis, said: Mapping[NodeId, int], faulty: int
) -> None:
    """To the standings, when all of an epoch with this basis is told; ``faulty``: members that may lie."""
    for node, words in said.items():
        standing = standings.get(node)
        if not words or standing is None or standing.excluded:
            continue
        if words > faulty:
            reputation = standing.reputation * LEFT_OF_TEN // 10
            standings[node] = msgspec.structs.replace(standing, good=0, reputation=reputation)
        elif not is_checked_by_all(basis, node):
            standings[node] = msgspec.structs.replace(standing, good=0)
