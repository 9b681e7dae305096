"""What a member knows of a height: rounds near its own, quorums of prevotes, how far others are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from engine.verification.committee.ballots import Offered, Round
from engine.verification.committee.committee import Committee
from engine.wire.blocks import Proposal, Vote
from engine.wire.signed import SignedRecord

PROPOSE, PREVOTE, PRECOMMIT = 0, 1, 2
"""The steps of a round: for the proposal, for the prevotes, for the precommits."""
AHEAD, BEHIND = 2, 3
"""Rounds after and before the present one whose votes are kept."""
LAST_ROUND = 0xFFFE
"""What a proposal can name; nobody goes beyond it."""
QUORUMS = 32
"""Rounds whose quorums of prevotes are kept, the newest ones."""


class Known:
    """Everything that was heard and checked."""

    def __init__(self, committee: Committee) -> None:
        self._committee = committee
        self.rounds: dict[int, Round] = {}
        self._quorums: dict[int, tuple[bytes, tuple[tuple[int, bytes], ...]]] = {}
        self._furthest = [-1] * len(committee.members)

    def round(self, number: int) -> Round:
        """What was said in a round near the present one."""
        return self.rounds.setdefault(number, Round.of(self._committee.quorum))

    def heard_of(self, member: int, number: int) -> None:
        """A member has signed something of this round."""
        self._furthest[member] = max(self._furthest[member], number)

    def round_of_others(self) -> int:
        """The last round in which, or beyond which, f + 1 members are; -1 before any."""
        return sorted(self._furthest, reverse=True)[self._committee.faulty]

    def is_news(self, member: int, item: SignedRecord, record: Proposal | Vote, present: int) -> bool:
        """Whether a record is worth the check of its signature, at a member in round ``present``."""
        if record.round > present + AHEAD:
            return record.round > self._furthest[member]
        if record.round < present - BEHIND:
            return False
        one = self.rounds.get(record.round)
        if one is None:
            return True
        if isinstance(record, Vote):
            return not one.ballots(record.precommit).holds(member, record.digest)
        decided = one.precommits.majority or self.quorum_of(record.round)
        return all(offered.item != item for offered in one.proposals) and one.wants(
            hashlib.sha256(record.block).digest(), decided
        )

    def add(self, member: int, item: SignedRecord, record: Proposal | Vote) -> SignedRecord | None:
        """Keep a record that is news; returns an earlier one that it contradicts."""
        one = self.round(record.round)
        if isinstance(record, Proposal):
            earlier = one.proposals[0].item if one.proposals else None
            one.proposals.append(Offered(item, record, hashlib.sha256(record.block).digest()))
            return earlier
        ballots = one.ballots(record.precommit)
        earlier = ballots.add(member, record.digest, item)
        if not record.precommit and record.round not in self._quorums and (digest := ballots.majority):
            self.add_quorum(record.round, digest, ballots.signatures(digest))
        return earlier

    # ------------------------------------------------------------------------------------------- quorums of prevotes

    def wants_quorum(self, number: int) -> bool:
        """Whether a quorum of prevotes of this round is new, and new enough to be kept."""
        newer = sum(one > number for one in self._quorums)
        return number not in self._quorums and newer < QUORUMS

    def add_quorum(self, number: int, digest: bytes, signatures: Sequence[tuple[int, bytes]]) -> None:
        """A quorum has prevoted for a block in this round."""
        if signatures:
            self._quorums[number] = (digest, tuple(signatures))
        while len(self._quorums) > QUORUMS:
            del self._quorums[min(self._quorums)]

    def quorum_of(self, number: int) -> bytes | None:
        """The digest that a quorum has prevoted for in a round."""
        found = self._quorums.get(number)
        return found[0] if found is not None else None

    def quorum_signatures(self, number: int) -> tuple[tuple[int, bytes], ...]:
        """Theirs."""
        return self._quorums[number][1]

    def rounds_with_quorum(self) -> list[int]:
        """The newest first."""
        return sorted(self._quorums, reverse=True)

    def offered(self, digest: bytes) -> Offered | None:
        """A proposal of the block with this digest, in any round that is kept."""
        found = (one.offered(digest) for one in self.rounds.values())
        return next((one for one in found if one is not None), None)

    def can_judge(self, offered: Offered) -> bool:
        """Whether everything is here that the lock rule asks of a proposal."""
        valid_round = offered.proposal.valid_round - 1
        return valid_round < 0 or self.quorum_of(valid_round) == offered.digest

    def forget(self, present: int) -> None:
        """Drop what is too old for a member in round ``present``."""
        for number in [one for one in self.rounds if one < present - BEHIND]:
            del self.rounds[number]
