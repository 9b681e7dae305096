"""What a node counts for where it depends on its reputation. Pure.

Reputations are the committee's: readers fetch them certified (``engine.verification.chain.standings``) and check them
against the genesis. What the server writes beside a descriptor is not believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.ids import NodeId
from engine.verification.capacity.speeds import MARK_BYTES
from engine.verification.reputation.page import OURS
from engine.verification.reputation.rule import ONE, THRESHOLD
from engine.wire.blocks import NodeStanding


@dataclass(frozen=True, slots=True)
class Standing:
    """``reputation`` is in [0, 1]. Who is not ``established`` gets a small share of traffic by lot; who is ``excluded``
    gets none."""

    reputation: float
    established: bool
    excluded: bool = False


FULL = Standing(1.0, True)
"""Everybody's where nobody judges."""
NEWCOMER = Standing(OURS.start / ONE, False)
"""Of whom the committee has judged no answer yet."""


@dataclass(frozen=True, slots=True)
class StandingBook:
    """Everybody's standing after one block. ``committee`` False: the genesis names none, so nobody judges."""

    committee: bool
    nodes: Mapping[NodeId, NodeStanding] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    height: int = 0
    contradicted: frozenset[NodeId] = frozenset()
    """Who has signed two things that contradict each other, as this reader has seen itself."""

    def of(self, node_id: NodeId) -> Standing:
        """This node's standing."""
        if not self.committee:
            return FULL
        if node_id in self.contradicted:
            return Standing(0.0, False, True)
        found = self.nodes.get(node_id)
        if found is None:
            return NEWCOMER
        established = found.reputation >= THRESHOLD and not found.excluded
        return Standing(found.reputation / ONE, established, found.excluded)

    def reads(self, node_id: NodeId, model_digest: bytes) -> float | None:
        """Tokens a second that the committee has found this node to read with a model, where that is less than it
        says; None: nothing is known against its word."""
        found = self.nodes.get(node_id) if self.committee else None
        mark = model_digest[:MARK_BYTES]
        return next((float(rate) for model, rate in found.slower if model == mark), None) if found is not None else None


NOBODY_JUDGES = StandingBook(False)
