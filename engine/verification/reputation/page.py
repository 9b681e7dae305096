"""The rule of the network: two Page's tests, and a reputation that is earned slowly and lost fast.

Each result's likelihood says how much better cheating explains it than honest noise does (natural logarithm). Their
sum that never goes below zero is Page's cumulative sum (Biometrika 41, 1954): among the tests with as few false alarms
it finds a change soonest in the worst case. So a node that turns after a thousand good results is found as soon as one
that begins badly, and no result alone is enough.

That sum asks what a node does on average, and forgets: who cheats seldom, or stops while it is suspected, stays below
it. The second one, ``lapses``, counts how often conversations fail, each alike, and is the cumulative sum for that
share (Reynolds and Stoumbos, Journal of Quality Technology 31, 1999): it takes long to clear and outlasts an
exclusion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from engine.ids import NodeId
from engine.verification.reputation.rule import (
    COUNTED_FOR,
    FAILS_ABOVE,
    INCONCLUSIVE,
    ONE,
    PASSES_BELOW,
    Duties,
    Earlier,
    mean_credit,
    remember,
    unjudged,
)
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import Score

MAX_GOOD = 0xFFFF
MAX_JUDGED = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRule:
    """Likelihoods and suspicion in thousandths, reputation in millionths. ``limit``: of the suspicion, at which a node
    is excluded; ``most``: that it can be, so that who was bad for long can come back; ``bound``: of what an answer and
    what one verifier's conversation says, ``inconclusive_bound`` of a conversation that decides nothing and speaks
    against the node; ``return_after``: so many good conversations in a row let an excluded node begin anew, once its
    suspicion is gone.

    ``lapse``: what a failed conversation adds to the lapses, ``lapse_relief``: what an epoch of good ones alone takes
    from them. They are ln(p1 / p0) and -ln((1 - p1) / (1 - p0)) for a share of failed conversations of p1 = 0.05
    against p0 = 0.0025. At ``lapse_limit`` a node is excluded, too; it comes back no sooner
    than its lapses are down to ``lapse_return``.

    Verifiers may lie, and a score cannot: f + 1 members compute it. So a fail is a fact, whoever asked; but a pass is
    one only if the node did not know that it was asked by a verifier, and a verifier that is its friend tells it. What
    speaks against a node therefore adds up, and what speaks for it counts once an epoch, as far as all agree, and for
    ``relief`` at most: no number of friends can wash away what one honest verifier finds. And one verifier that is the
    node's enemy is one, in however many blocks it spreads what it finds in an epoch: of its blocks the worst counts."""

    start: int = 300_000
    limit: int = 12_000
    most: int = 24_000
    bound: int = 5_000
    inconclusive_bound: int = 1_000
    relief: int = 1_000
    lapse: int = 3_000
    lapse_relief: int = 50
    lapse_limit: int = 12_000
    lapse_return: int = 9_000
    gain: int = 10  # a pass adds one part in so many of what is missing
    loss: int = 2  # a fail divides by it
    return_after: int = 10

    def newcomer(self, node_id: NodeId) -> NodeStanding:
        """See :class:`~engine.verification.reputation.rule.Rule`."""
        return unjudged(node_id, self.start)

    def judge(
        self, standing: NodeStanding, duties: Duties, *, again: bool = False, earlier: Earlier = ()
    ) -> NodeStanding:
        """See :class:`~engine.verification.reputation.rule.Rule`. What speaks for a node counts once an epoch, however
        many blocks its verifiers spread it over; of what speaks against it, only what is more than a verifier has said
        of the epoch before."""
        recent = remember(standing.recent, mean_credit(duties))
        reputation, good = standing.reputation, standing.good
        earlier = earlier or [None] * len(duties)
        again = again or any(before is not None for before in earlier)
        for said, before in zip(map(self.said, duties), earlier, strict=True):
            if said > FAILS_ABOVE:
                if (before or 0) <= FAILS_ABOVE:
                    reputation, good = reputation // self.loss, 0
            elif said < PASSES_BELOW and before in (None, 0):  # 0: an earlier block has decided nothing
                reputation, good = reputation + (ONE - reputation) // self.gain, min(MAX_GOOD, good + 1)
        suspicion = self.suspicion_after(standing.suspicion, duties, again=again, earlier=earlier)
        lapses = self.lapses_after(standing.lapses, duties, again=again, earlier=earlier)
        excluded = standing.excluded or suspicion >= self.limit or lapses >= self.lapse_limit
        if excluded:
            reputation = 0
            if suspicion == 0 and good >= self.return_after and lapses <= self.lapse_return:
                excluded, reputation, good = False, self.start, 0
        return msgspec.structs.replace(
            standing,
            reputation=reputation,
            suspicion=suspicion,
            lapses=lapses,
            good=good,
            judged=min(MAX_JUDGED, standing.judged + sum(map(len, duties))),
            excluded=excluded,
            recent=recent,
        )

    def against(self, scores: Sequence[Score]) -> int:
        """See :class:`~engine.verification.reputation.rule.Rule`."""
        said = self.said(scores)
        if said < PASSES_BELOW:
            return COUNTED_FOR
        return said if said > FAILS_ABOVE else max(0, min(self.inconclusive_bound, said))

    def suspicion_after(self, suspicion: int, duties: Duties, *, again: bool = False, earlier: Earlier = ()) -> int:
        """The sum after the results of one more epoch, thousandths."""
        counted = [max(0, before or 0) for before in earlier or [None] * len(duties)]
        against = sum(max(0, self.against(scores) - before) for scores, before in zip(duties, counted, strict=True))
        step = against or (0 if again else max(-self.relief, *map(self.said, duties)))
        return min(self.most, max(0, suspicion + step))

    def lapses_after(self, lapses: int, duties: Duties, *, again: bool = False, earlier: Earlier = ()) -> int:
        """The sum of failed conversations after those of one more epoch, thousandths."""
        found = [self.said(scores) for scores in duties]
        counted = [before or 0 for before in earlier or [None] * len(duties)]
        failed = sum(said > FAILS_ABOVE >= before for said, before in zip(found, counted, strict=True))
        if failed:
            return min(self.lapse_limit, lapses + failed * self.lapse)
        return max(0, lapses - self.lapse_relief) if min(found) < PASSES_BELOW and not again else lapses

    def said(self, scores: Sequence[Score]) -> int:
        """What one conversation says, turn after turn: the sum of all, or of the run of turns that speaks the most
        against the node, where that makes it a fail. Else a node could cheat in later turns and be excused by the
        first one."""
        total = run = most = 0
        for score in scores:
            low, high = (PASSES_BELOW, FAILS_ABOVE) if score.verdict == INCONCLUSIVE else (-self.bound, self.bound)
            turn = max(low, min(high, score.likelihood))
            total, run = total + turn, max(0, run) + turn
            most = max(most, run)
        return max(-self.bound, min(self.bound, most if most > FAILS_ABOVE else total))


OURS = PageRule()
