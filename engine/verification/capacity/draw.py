"""Who is asked at one moment, and when: nodes that may be one machine, at an instant that nobody can foresee."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.ids import NodeId

MOST_TOGETHER = 16
"""Nodes that one member asks at one moment."""
CAME_TOGETHER_SECONDS = 3600
"""Nodes that were listed for the first time within this time of each other may be of one owner."""
RATE_PARTS = 8
"""Of the nodes one in so many is the first of a group that a member asks in an epoch."""
FIRST, LAST = 0.1, 0.7
"""Of an epoch: between them lies the instant."""
_WHOLE = 1 << 64


@dataclass(frozen=True, slots=True)
class Claimant:
    """A listed model node: ``prefix`` as the server attests it, ``family`` as the node declares it ("": none),
    ``first_seen`` in seconds since 1970, ``model`` the digest of what it serves."""

    node_id: NodeId
    model: bytes
    prefix: str
    family: str
    first_seen: int


def is_drawn(output: bytes, node: NodeId) -> bool:
    """Whether a group begins with this node; ``output``: of the member's VRF for its duties in the epoch."""
    return _number(b"gentorrent/capacity/v1", output + node) < _WHOLE // RATE_PARTS


def instant(output: bytes, node: NodeId) -> float:
    """When that group is asked, as a share of the epoch."""
    return FIRST + (LAST - FIRST) * _number(b"gentorrent/capacity-instant/v1", output + node) / _WHOLE


def group_of(first: Claimant, nodes: Collection[Claimant], output: bytes) -> list[Claimant]:
    """Who is asked together with ``first``, itself included: of those with the same model that share its prefix or
    family or came when it came, so many by lot."""
    near = [one for one in nodes if one.node_id != first.node_id and _may_be_one(first, one)]
    near.sort(key=lambda one: hashlib.sha256(b"gentorrent/capacity-group/v1" + output + one.node_id).digest())
    return [first, *near[: MOST_TOGETHER - 1]]


def groups_of(nodes: Sequence[Claimant], output: bytes) -> list[tuple[float, list[Claimant]]]:
    """All groups that a member asks in an epoch, with their instants, in time."""
    drawn = [one for one in nodes if is_drawn(output, one.node_id)]
    found = [(instant(output, one.node_id), group_of(one, nodes, output)) for one in drawn]
    return sorted(found, key=lambda one: (one[0], one[1][0].node_id))


def _may_be_one(one: Claimant, other: Claimant) -> bool:
    if one.model != other.model:
        return False
    close = abs(one.first_seen - other.first_seen) <= CAME_TOGETHER_SECONDS
    return one.prefix == other.prefix or (one.family != "" and one.family == other.family) or close


def _number(purpose: bytes, data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(purpose + data).digest()[:8], "big")
