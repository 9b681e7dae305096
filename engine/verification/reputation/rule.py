"""What a rule of reputation is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.ids import NodeId
from engine.wire.verification import NodeStanding, Score

ONE = 1_000_000
"""Reputation and credit are millionths."""
THRESHOLD = 400_000
"""From here on a node is established: it gets traffic as others do."""
RECENT = 5
"""Epochs whose mean credit a standing remembers (W of the published rule)."""
INCONCLUSIVE, PASS, FAIL = range(3)


class Rule(Protocol):
    """Standings before and after; ``signed`` is kept by who calls (``engine.verification.chain``)."""

    def newcomer(self, node_id: NodeId) -> NodeStanding:
        """The standing of whom no block has judged."""

    def judge(self, standing: NodeStanding, scores: Sequence[Score]) -> NodeStanding:
        """The standing after one block's results, in the block's order; there is at least one."""


def mean_credit(scores: Sequence[Score]) -> int:
    """Of one block's results, in millionths, rounded down."""
    return sum(score.credit for score in scores) // len(scores)


def remember(recent: Sequence[int], credit: int) -> tuple[int, ...]:
    """The newest credits, oldest first."""
    return (*recent, credit)[-RECENT:]
