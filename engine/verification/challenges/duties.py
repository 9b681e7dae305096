"""Who has to check whom in an epoch: by a public draw where little is known of a node, by a private one elsewhere.

The rates are those of BOINC's adaptive replication: a node with fewer than ten good results in a row is checked in
every epoch, one with more at a rate of 1 in so many, but not below 2 %. Beyond BOINC, the network makes up its mind
quickly: in each of those epochs four members check the node, and whoever is suspected is checked so as well. Lapses
that are not yet made up for keep the rate up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.ids import NodeId
from engine.verification.members import faulty
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import ChallengeCommitment

ALWAYS_BELOW = 10
"""Good conversations in a row, below which a node is checked in every epoch."""
CHECKERS = 4
"""Members that check such a node: all of a small committee, f + 1 of a large one if that is more."""
LEAST_RATE_PARTS = 50
"""The floor of the rate: one in so many."""
SAMPLED_RATE_PARTS = 10
"""A node of standing may be checked at a rate of one in so many, by all members together, where users doubt it."""
MAX_SAMPLED = 8
"""So many such nodes of a member and epoch: those in the first places of its promise."""
LAPSES_PER_GOOD = 300
"""Thousandths of a standing's lapses for which it takes one good conversation more: ten for a failed one."""
LAPSED_RATE_PARTS = 10
"""The floor of the rate of a node with lapses."""
KIN_BYTES = 8
"""Of a node id, in a commitment's list of its member's family."""
_WHOLE = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What all duties of one epoch follow from: the committee, the VRF output and the standings after the newest block
    before it, and what that block says was promised (member key → commitment). ``serving``: for which model's answer
    nodes were judged last (its digest); ``doubted``: who has scored an answer against the majority in that block."""

    members: tuple[bytes, ...]
    output: bytes
    standings: Mapping[NodeId, NodeStanding]
    commitments: Mapping[bytes, ChallengeCommitment]
    serving: Mapping[NodeId, bytes] = field(default_factory=lambda: MappingProxyType({}))
    doubted: frozenset[NodeId] = frozenset()


def is_kin(commitment: ChallengeCommitment | None, node: NodeId) -> bool:
    """Whether a member has said that this node is of its own family."""
    return commitment is not None and node[:KIN_BYTES] in commitment.kin


def related(basis: Basis, node: NodeId) -> frozenset[bytes]:
    """The members of a node's own family, which neither check nor score it. A family of so many members that fewer than
    2f + 1 others are left is not kept out: a node that names it must not escape all checks."""
    found = frozenset(member for member, promised in basis.commitments.items() if is_kin(promised, node))
    left = len(basis.members) - len(found)
    return found if left > 2 * faulty(len(basis.members)) else frozenset()


def is_drawn_publicly(standing: NodeStanding | None) -> bool:
    """Whether a node is checked in every epoch: new, suspected or excluded. None: no block has judged it. Who has
    contradicted itself is out for good, and never checked."""
    if standing is None:
        return True
    if standing.contradicted:
        return False
    if standing.excluded or standing.suspicion > 0:
        return True
    return standing.good < ALWAYS_BELOW + standing.lapses // LAPSES_PER_GOOD


def is_checked_by_all(basis: Basis, node: NodeId) -> bool:
    """Whether it is checked in this epoch, by those whom everybody knows: see :func:`is_drawn_publicly`, and who has
    scored against the majority."""
    standing = basis.standings.get(node)
    out_for_good = standing is not None and standing.contradicted
    return is_drawn_publicly(standing) or (node in basis.doubted and not out_for_good)


def publicly_drawn(basis: Basis, node: NodeId) -> tuple[bytes, ...]:
    """The members that check such a node: ``CHECKERS`` at least, where so many are not of its family; an excluded one
    is checked by f + 1, of which one is honest."""
    own = related(basis, node)
    others = [member for member in basis.members if member not in own]
    drawn = sorted(others, key=lambda member: hashlib.sha256(basis.output + node + member).digest())
    standing, least = basis.standings.get(node), faulty(len(basis.members)) + 1
    return tuple(drawn[: least if standing is not None and standing.excluded else max(CHECKERS, least)])


def is_drawn_privately(basis: Basis, standing: NodeStanding, output: bytes, least_parts: int = 0) -> bool:
    """Whether the member whose own VRF output this is checks a node of standing. All members together check it at the
    node's rate, one in ``least_parts`` at least (0: the usual floor)."""
    if standing.contradicted:
        return False
    floor = LAPSED_RATE_PARTS if standing.lapses else LEAST_RATE_PARTS
    parts = min(least_parts or floor, floor, max(standing.good, 1))
    share = _WHOLE // parts // len(basis.members)
    return int.from_bytes(hashlib.sha256(output + standing.node_id).digest()[:8], "big") < share


def has_duty(basis: Basis, member: bytes, node: NodeId, output: bytes | None) -> bool:
    """Whether ``member`` has to check ``node``; ``output``: of its VRF for this epoch, None while it is unknown."""
    standing = basis.standings.get(node)
    if standing is None or is_checked_by_all(basis, node):
        return member in publicly_drawn(basis, node)
    if output is None or member in related(basis, node):
        return False
    return is_drawn_privately(basis, standing, output)


def may_check(basis: Basis, member: bytes, node: NodeId, output: bytes | None, index: int) -> bool:
    """Whether an answer to the challenge in this place of a member's promise can be judged: of a duty, or of a node of
    standing that the member has put into one of the first places because users doubt it, where the same lot has drawn
    it at the higher rate. That one is no duty: who leaves it out has missed nothing."""
    if has_duty(basis, member, node, output):
        return True
    standing = basis.standings.get(node)
    if index >= MAX_SAMPLED or standing is None or output is None:
        return False
    if is_checked_by_all(basis, node) or member in related(basis, node):
        return False
    return is_drawn_privately(basis, standing, output, SAMPLED_RATE_PARTS)
