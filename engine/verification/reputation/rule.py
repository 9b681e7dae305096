"""What a rule of reputation is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine.ids import NodeId
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import Score

ONE = 1_000_000
"""Reputation and credit are millionths."""
THRESHOLD = 400_000
"""From here on a node is established: it gets traffic as others do."""
RECENT = 5
"""Epochs whose mean credit a standing remembers (W of the published rule)."""
INCONCLUSIVE, PASS, FAIL = range(3)
PASSES_BELOW = -1_000
FAILS_ABOVE = 3_000
"""Likelihoods (thousandths) between which a result decides nothing. One odd token says up to 3 against its maker and
honest half precision makes one in a hundred answers, so it takes two to fail."""


Duties = Sequence[Sequence[Score]]
"""Results of one node and epoch: for each verifier that judged it what came of its conversation, turn by turn. There is
at least one, and none is empty."""


Earlier = Sequence[int | None]
"""For each of the :data:`Duties` what earlier blocks have counted against the node of the same verifier's results in
the same epoch (:meth:`Rule.against`), None where they have none. Empty: nowhere."""
COUNTED_FOR = -1
"""In its place: what speaks for the node has counted, and does once."""


class Rule(Protocol):
    """Standings before and after; ``signed`` is kept by who calls (``engine.verification.chain``)."""

    def newcomer(self, node_id: NodeId) -> NodeStanding:
        """The standing of whom no block has judged."""

    def judge(
        self, standing: NodeStanding, duties: Duties, *, again: bool = False, earlier: Earlier = ()
    ) -> NodeStanding:
        """The standing after what a block says of one epoch; ``again``: an earlier block has spoken of that epoch."""

    def against(self, scores: Sequence[Score]) -> int:
        """What the results of one verifier and epoch count against the node, thousandths; ``COUNTED_FOR`` where they
        speak for it."""


def unjudged(node_id: NodeId, reputation: int) -> NodeStanding:
    """The standing of a node of which nothing is known, with what a rule gives it to begin with (millionths)."""
    return NodeStanding(
        node_id=node_id,
        reputation=reputation,
        suspicion=0,
        lapses=0,
        good=0,
        judged=0,
        signed=0,
        excluded=False,
        recent=(),
    )


def mean_credit(duties: Duties) -> int:
    """Of all results, in millionths, rounded down."""
    credits = [score.credit for scores in duties for score in scores]
    return sum(credits) // len(credits)


def remember(recent: Sequence[int], credit: int) -> tuple[int, ...]:
    """The newest credits, oldest first."""
    return (*recent, credit)[-RECENT:]
