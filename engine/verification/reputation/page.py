"""The rule of the network: Page's test on likelihoods, and a reputation that is earned slowly and lost fast.

Each result's likelihood says how much better cheating explains it than honest noise does (natural logarithm). Their
sum that never goes below zero is Page's cumulative sum (Biometrika 41, 1954): among the tests with as few false alarms
it finds a change soonest in the worst case. So a node that turns after a thousand good results is found as soon as one
that begins badly, and no result alone is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.ids import NodeId
from engine.verification.reputation.rule import FAIL, INCONCLUSIVE, ONE, PASS, mean_credit, remember
from engine.wire.verification import NodeStanding, Score

MAX_SUSPICION = 1_000_000
MAX_GOOD = 0xFFFF
MAX_JUDGED = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRule:
    """Likelihoods and suspicion in thousandths, reputation in millionths. ``limit``: of the suspicion, at which a node
    is excluded; ``bound``: of one likelihood, ``inconclusive_bound`` of one that decides nothing; ``return_after``: so
    many good results in a row let an excluded node begin anew, once its suspicion is gone."""

    start: int = 300_000
    limit: int = 12_000
    bound: int = 5_000
    inconclusive_bound: int = 1_000
    gain: int = 10  # a pass adds one part in so many of what is missing
    loss: int = 2  # a fail divides by it
    return_after: int = 10

    def newcomer(self, node_id: NodeId) -> NodeStanding:
        """See :class:`~engine.verification.reputation.rule.Rule`."""
        return NodeStanding(
            node_id=node_id,
            reputation=self.start,
            suspicion=0,
            good=0,
            judged=0,
            signed=0,
            excluded=False,
            recent=(),
        )

    def judge(self, standing: NodeStanding, scores: Sequence[Score]) -> NodeStanding:
        """See :class:`~engine.verification.reputation.rule.Rule`."""
        recent = remember(standing.recent, mean_credit(scores))
        for score in scores:
            standing = self._after(standing, score)
        return msgspec.structs.replace(standing, recent=recent)

    def suspicion_after(self, suspicion: int, score: Score) -> int:
        """The sum after one more result, thousandths."""
        bound = self.inconclusive_bound if score.verdict == INCONCLUSIVE else self.bound
        likelihood = max(-bound, min(bound, score.likelihood))
        return min(MAX_SUSPICION, max(0, suspicion + likelihood))

    def _after(self, standing: NodeStanding, score: Score) -> NodeStanding:
        suspicion = self.suspicion_after(standing.suspicion, score)
        judged = min(MAX_JUDGED, standing.judged + 1)
        reputation, good = standing.reputation, standing.good
        if score.verdict == PASS:
            reputation, good = reputation + (ONE - reputation) // self.gain, min(MAX_GOOD, good + 1)
        elif score.verdict == FAIL:
            reputation, good = reputation // self.loss, 0
        excluded = standing.excluded or suspicion >= self.limit
        if excluded:
            reputation = 0
            if suspicion == 0 and good >= self.return_after:
                excluded, reputation, good = False, self.start, 0
        return msgspec.structs.replace(
            standing, reputation=reputation, suspicion=suspicion, good=good, judged=judged, excluded=excluded
        )


OURS = PageRule()
