"""The receipts of one answer: one of each machine that made a part of it, checked as they come, exported as a chain."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from engine.clock import Clock
from engine.crypto.identity import verify
from engine.errors import ReceiptError
from engine.ids import NetworkId, NodeId
from engine.paths.outgoing import OutgoingRequest
from engine.paths.running_answer import AnswerSummary
from engine.sentences import say, together
from engine.verification.receipt_file import ReceiptPart, export_text
from engine.verification.receipts import CommittedRequest, check_receipt, is_ahead, is_before_request, verify_against
from engine.wire.answer import Checkpoint, Finished, Receipt

MAX_VERIFIED = 8
"""Signatures that are known to hold; one that has been forgotten is looked at again."""


class ReceiptChain:
    """Parts follow each other; the last machine's final receipt ends the chain. A machine that is killed signs nothing
    about its last tokens: the next one goes on behind them, and they are counted as unsigned."""

    def __init__(self, network_id: NetworkId, clock: Clock) -> None:
        self._network_id = network_id
        self._clock = clock
        self._parts: list[ReceiptPart] = []
        self._latest: ReceiptPart | None = None  # of the machine that answers now
        self._newest: ReceiptPart | None = None  # the same, or one whose date is wrong
        self._asked: tuple[OutgoingRequest, CommittedRequest] | None = None
        self._verified: deque[tuple[bytes, str, bytes, bytes, bytes]] = deque(maxlen=MAX_VERIFIED)
        self._first = 0
        self._signed_until = 0
        self._unsigned = 0
        self.machines: list[NodeId] = []
        """Who made tokens, in order."""

    @property
    def latest(self) -> ReceiptPart | None:
        """What the machine that answers now has signed last, and holds; its date may be wrong, as that shall keep
        nobody from judging it."""
        return self._newest

    def begin(self, first: int) -> None:
        """A machine goes on from token ``first``; what the one before it signed last is its part."""
        if self._latest is not None:
            self._parts.append(self._latest)
        self._unsigned += first - max(self._first, self._signed_until)
        self._latest, self._newest, self._first = None, None, first

    def made(self, node: NodeId) -> None:
        """Tokens came from this machine."""
        if self.machines[-1:] != [node]:
            self.machines.append(node)

    def checkpoint(self, event: Checkpoint, summary: AnswerSummary, ids: Sequence[int]) -> str:
        """What is wrong with it, in plain words; empty when it holds. ``ids`` are all tokens of the answer."""
        try:
            receipt = check_receipt(event.record, event.signature, self._network_id, self._verify)
            return self._take(event, receipt, summary, ids)
        except ReceiptError as error:
            return str(error)

    def finished(self, event: Finished, summary: AnswerSummary, ids: Sequence[int]) -> tuple[str, str]:
        """What is wrong with the last receipt (empty: it holds), and the export of the whole chain as JSON."""
        try:
            receipt = check_receipt(event.record, event.signature, self._network_id, self._verify)
            if problem := self._take(event, receipt, summary, ids, end=True):
                return problem, ""
            assert self._latest is not None
            return "", export_text(self._network_id, [*self._parts, self._latest], self._verify)
        except ReceiptError as error:
            return str(error), ""

    def _verify(self, key: bytes, purpose: str, network_id: bytes, signature: bytes, record: bytes) -> None:
        """Once for each signature: the export has what was checked when it came."""
        claim = (key, purpose, network_id, signature, record)
        if claim not in self._verified:
            verify(*claim)
            self._verified.append(claim)

    def _committed(self, outgoing: OutgoingRequest) -> CommittedRequest:
        """Once for each machine that is asked."""
        if self._asked is None or self._asked[0] is not outgoing:
            self._asked = outgoing, CommittedRequest(outgoing.encoded)
        return self._asked[1]

    def _take(
        self,
        event: Checkpoint | Finished,
        receipt: Receipt,
        summary: AnswerSummary,
        ids: Sequence[int],
        *,
        end: bool = False,
    ) -> str:
        """What is wrong with it; what holds is kept."""
        asked = self._committed(summary.outgoing)
        found = verify_against(
            receipt,
            asked=asked,
            output_ids=ids[self._first :],
            first=self._first,
            serving_node=summary.serving,
            asked_node=summary.outgoing.target.node_id,
            attempt=summary.attempt,
        )
        if end and not receipt.final:
            found.append("it is not the final one")
        if found:
            return "; ".join(found)
        self._newest = ReceiptPart(
            record=event.record,
            signature=event.signature,
            key=asked.key,
            request=summary.outgoing.encoded,
            output_ids=tuple(ids[receipt.first : receipt.last]),
        )
        if is_before_request(receipt.issued, asked.request.sealed_at) or is_ahead(receipt.issued, self._clock.wall()):
            return say("badge.misdated")
        self._latest, self._signed_until = self._newest, receipt.last
        return ""

    def verdict(self) -> str:
        """What the receipts show, for people."""
        if len(self.machines) <= 1 and not self._unsigned:
            return say("badge.signed")
        said = say("badge.signed_all", count=len(self.machines))
        return together(said, say("badge.unsigned", count=self._unsigned)) if self._unsigned else said
