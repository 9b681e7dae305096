"""The published rule (arXiv 2504.20101), for comparison: R ← αR + βC with the mean credit C of an epoch.

When c of the last W scores are abnormal (below τ) and c exceeds γW, β becomes (W + 1) / (W + c/γ + 2). A credit that
stays just above τ never is abnormal and keeps R there: a cheat with C = 0.41 is never found. Everybody begins at 0.5,
above the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.ids import NodeId
from engine.verification.reputation.page import MAX_GOOD, MAX_JUDGED
from engine.verification.reputation.rule import (
    ONE,
    RECENT,
    THRESHOLD,
    Duties,
    Earlier,
    mean_credit,
    remember,
    unjudged,
)
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRule:
    """α and β in tenths, γ as one part in ``gamma_parts``, τ in millionths. Below τ a node is not trusted, which
    ``excluded`` says; suspicion is not computed. ``good`` counts epochs in a row that were not abnormal."""

    alpha_tenths: int = 4
    beta_tenths: int = 6
    gamma_parts: int = 5
    threshold: int = THRESHOLD
    start: int = 500_000

    def newcomer(self, node_id: NodeId) -> NodeStanding:
        """See :class:`~engine.verification.reputation.rule.Rule`."""
        return unjudged(node_id, self.start)

    def against(self, scores: Sequence[Score]) -> int:
        """Nothing: it knows the mean of what a block says alone."""
        return 0

    def judge(
        self, standing: NodeStanding, duties: Duties, *, again: bool = False, earlier: Earlier = ()
    ) -> NodeStanding:
        """See :class:`~engine.verification.reputation.rule.Rule`."""
        credit = mean_credit(duties)
        recent = remember(standing.recent, credit)
        abnormal = sum(one < self.threshold for one in recent)
        if abnormal * self.gamma_parts > RECENT:
            gained = credit * (RECENT + 1) // (RECENT + abnormal * self.gamma_parts + 2)
        else:
            gained = credit * self.beta_tenths // 10
        reputation = min(ONE, standing.reputation * self.alpha_tenths // 10 + gained)
        return msgspec.structs.replace(
            standing,
            reputation=reputation,
            good=0 if credit < self.threshold else min(MAX_GOOD, standing.good + 1),
            judged=min(MAX_JUDGED, standing.judged + sum(map(len, duties))),
            excluded=reputation < self.threshold,
            recent=recent,
        )


PUBLISHED = PublishedRule()
