"""Who is asked at one moment, and when: nodes that may be one machine, at an instant that nobody can foresee."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from engine.ids import NodeId
from engine.verification.capacity.agreeing import LEAST_SHARE, Moment, least_calm
from engine.wire.challenges import MAX_MEASURED

MOST_TOGETHER = 16
"""Nodes that one member asks at one moment."""
CAME_TOGETHER_SECONDS = 3600
"""Nodes that were listed for the first time within this time of each other may be of one owner."""
UNKNOWN_SECONDS, KNOWN_SECONDS = 2_400.0, 38_400.0
"""All members together ask a node once in so many seconds (4 and 64 epochs of ten minutes): while some of them know too
little of it, and then."""
CLAIM_GREW = 1.5
"""A claim that has grown by so much since it was measured is a new one."""
FIRST, LAST = 0.15, 0.7
"""Of an epoch: between them lies the instant."""
_WHOLE = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """A listed model node: ``prefix`` as the server attests it, ``family`` as the node declares it ("": none),
    ``first_seen`` in seconds since 1970, ``model`` the digest of what it serves under this ``model_id``,
    ``claimed`` how many tokens it says to
    read in a second, of ``context`` at most. ``known``: the asking member has measured this claim before."""

    node_id: NodeId
    model: bytes
    prefix: str
    family: str
    first_seen: int
    model_id: str = ""
    claimed: float = 0.0
    context: int = 0
    known: bool = False


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds in which all members together ask a node once: of which they know too little, and others."""

    unknown: float = UNKNOWN_SECONDS
    known: float = KNOWN_SECONDS


USUAL = Rates()


def is_known(moments: Sequence[Moment], claimed: float, faulty: int) -> bool:
    """Whether a member has measured enough of a node that claims this now. Not so where its last measurement
    contradicts the claim: then it looks again soon."""
    calm = [one for one in moments if one.calm]
    if len(calm) < least_calm(faulty):
        return False
    last = calm[-1]
    return last.share >= LEAST_SHARE and claimed <= last.claimed * CLAIM_GREW


def is_drawn(output: bytes, node: NodeId, parts: float) -> bool:
    """Whether a group begins with this node, as one in so many does; ``output``: of the member's VRF for its duties in
    the epoch."""
    return _number(b"gentorrent/capacity/v1", output + node) * max(parts, 1) < _WHOLE


def instant(output: bytes, node: NodeId) -> float:
    """When that group is asked, as a share of the epoch."""
    return FIRST + (LAST - FIRST) * _number(b"gentorrent/capacity-instant/v1", output + node) / _WHOLE


def group_of(first: Claimant, nodes: Collection[Claimant], output: bytes) -> list[Claimant]:
    """Who is asked together with ``first``, itself included: of those with the same model that share its prefix or
    family or came when it came, so many by lot."""
    near = [one for one in nodes if one.node_id != first.node_id and _may_be_one(first, one)]
    near.sort(key=lambda one: hashlib.sha256(b"gentorrent/capacity-group/v1" + output + one.node_id).digest())
    return [first, *near[: MOST_TOGETHER - 1]]


def groups_of(
    nodes: Sequence[Claimant], output: bytes, members: int, epoch_seconds: float, rates: Rates = USUAL
) -> list[tuple[float, list[Claimant]]]:
    """All groups that one of so many members asks in an epoch, with their instants, in time. The more nodes a group
    has, the more rarely one of them begins it: each is asked as often as a node that stands alone. Nobody is in two
    groups, and groups for which a report has no room are left out."""
    drawn = [one for one in nodes if is_drawn(output, one.node_id, _epochs(one, epoch_seconds, rates) * members)]
    found, asked = list[tuple[float, list[Claimant]]](), set[NodeId]()
    for one in sorted(drawn, key=lambda one: (instant(output, one.node_id), one.node_id)):
        if one.node_id in asked or not is_drawn(
            output, one.node_id, _epochs(one, epoch_seconds, rates) * members * _group_size(one, nodes)
        ):
            continue
        group = group_of(one, [other for other in nodes if other.node_id not in asked], output)
        if len(asked) + len(group) > MAX_MEASURED:
            break
        asked.update(other.node_id for other in group)
        found.append((instant(output, one.node_id), group))
    return found


def _epochs(one: Claimant, epoch_seconds: float, rates: Rates) -> float:
    return (rates.known if one.known else rates.unknown) / epoch_seconds


def _group_size(one: Claimant, nodes: Sequence[Claimant]) -> int:
    near = (other for other in nodes if other.node_id == one.node_id or _may_be_one(one, other))
    return sum(1 for _ in islice(near, MOST_TOGETHER))


def _may_be_one(one: Claimant, other: Claimant) -> bool:
    if one.model != other.model:
        return False
    close = abs(one.first_seen - other.first_seen) <= CAME_TOGETHER_SECONDS
    return one.prefix == other.prefix or (one.family != "" and one.family == other.family) or close


def _number(purpose: bytes, data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(purpose + data).digest()[:8], "big")
