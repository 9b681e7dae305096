"""What other members send, checked before it counts: whose it is, of which height, whether it is news, and signed."""

from __future__ import annotations

from collections import Counter

from engine.errors import VerificationError, WireError
from engine.verification.chain.certificate import check_certificate
from engine.verification.committee.committee import Committee, is_signed
from engine.verification.committee.effects import Contradicted
from engine.verification.committee.state import AHEAD, Known
from engine.verification.quorums import Check, check_quorum
from engine.wire.blocks import CertifiedBlock, CommitteePrevotes, Proposal, Vote, agreement_decoder
from engine.wire.receipts import Contradiction
from engine.wire.signed import SignedRecord


class Hearing:
    """Puts into ``known`` what holds; ``dropped`` counts why the rest did not."""

    def __init__(self, committee: Committee, height: int, known: Known, check: Check) -> None:
        self._committee = committee
        self._height = height
        self._known = known
        self._check = check
        self._accused: set[int] = set()
        self.dropped: Counter[str] = Counter()  # why -> messages

    def record(self, item: SignedRecord, present: int) -> Contradicted | None:
        """A vote or proposal, at a member in round ``present``; the first proof that its signer contradicts itself."""
        try:
            record = agreement_decoder.decode(item.record)
        except WireError:
            self.dropped["malformed"] += 1
            return None
        member = self._committee.index(item.key)
        if member is None or record.network_id != self._committee.network_id or record.height != self._height:
            self.dropped["not of this height"] += 1
        elif not self._known.is_news(member, item, record, present):
            self.dropped["known"] += 1
        elif isinstance(record, Proposal) and self._committee.leader(record.round) != member:
            self.dropped["not the leader"] += 1
        elif not _makes_sense(record):
            self.dropped["malformed"] += 1
        elif not is_signed(item, record, self._committee.network_id, self._check):
            self.dropped["forged"] += 1
        else:
            return self._take(member, item, record, present)
        return None

    def _take(self, member: int, item: SignedRecord, record: Proposal | Vote, present: int) -> Contradicted | None:
        self._known.heard_of(member, record.round)
        if record.round > present + AHEAD:
            return None  # it is asked for again when its round has come
        earlier = self._known.add(member, item, record)
        if earlier is None or member in self._accused:
            return None
        self._accused.add(member)
        return Contradicted(member, Contradiction(earlier, item))

    def quorum(self, message: CommitteePrevotes) -> None:
        """A quorum of prevotes."""
        if message.height != self._height or not self._known.wants_quorum(message.round):
            self.dropped["known"] += 1
            return
        vote = Vote(self._committee.network_id, self._height, message.round, False, message.digest)
        try:
            check_quorum(self._committee.network_id, self._committee.members, vote, message.signatures, self._check)
        except VerificationError:
            self.dropped["forged"] += 1
            return
        for member, _ in message.signatures:
            self._known.heard_of(member, message.round)
        self._known.add_quorum(message.round, message.digest, message.signatures)

    def certified(self, block: CertifiedBlock) -> bool:
        """Whether the committee has agreed on this block."""
        committee = self._committee
        try:
            check_certificate(block.certificate, block.block, self._height, committee.members, committee.network_id)
        except VerificationError:
            self.dropped["forged"] += 1
            return False
        return True


def _makes_sense(record: Proposal | Vote) -> bool:
    if isinstance(record, Vote):
        return len(record.digest) in (0, 32)
    return record.valid_round <= record.round  # it is one more than the round that it names
