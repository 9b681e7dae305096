"""Whether the answer to a timed question counts: words sent at once are no sign that a prompt was read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from enum import Enum

from engine.clock import Clock
from engine.errors import GenTorrentError
from engine.ids import NetworkId, short_id
from engine.node.answer_scorer import AnswerScorer
from engine.node.receipt_chain import ReceiptChain
from engine.paths.running_answer import AnswerSummary
from engine.verification.reputation.rule import FAIL, PASS
from engine.wire.answer import Finished, receipt_decoder

logger = logging.getLogger(__name__)


class Worth(Enum):
    """``COUNTS``: the node has read what it answered, or nobody here can tell; ``NOTHING``: it cannot be said;
    ``FALSE``: it has not."""

    COUNTS = "counts"
    NOTHING = "nothing"
    FALSE = "false"


class TimedAnswers:
    """Scores them as answers to challenges are scored, one at a time."""

    def __init__(self, scorer: AnswerScorer, network_id: NetworkId, clock: Clock) -> None:
        self._scorer = scorer
        self._network_id = network_id
        self._clock = clock
        self._one = asyncio.Lock()

    async def worth(self, end: Finished, summary: AnswerSummary, ids: Sequence[int]) -> Worth:
        """Of an answer that has come to its end, with all of its tokens."""
        chain, request = ReceiptChain(self._network_id, self._clock), summary.outgoing.request
        chain.begin(0)
        problem, _ = chain.finished(end, summary, ids)
        part = chain.latest
        if problem or part is None:
            logger.info("the answer of %s to a timed question is not signed for: %s", _name(summary), problem)
            return Worth.FALSE
        if not self._scorer.can_judge(request.model_digest):
            return Worth.COUNTS
        try:
            async with self._one:
                score = await self._scorer.score_signed(request, ids, part.key, receipt_decoder.decode(part.record))
        except GenTorrentError as error:
            logger.warning("the answer of %s to a timed question cannot be scored: %s", _name(summary), error)
            return Worth.NOTHING
        return {PASS: Worth.COUNTS, FAIL: Worth.FALSE}.get(score.verdict, Worth.NOTHING)


def _name(summary: AnswerSummary) -> str:
    return short_id(summary.outgoing.target.node_id)
