"""The votes and proposals of one round, bounded whatever is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.wire.blocks import Proposal
from engine.wire.signed import SignedRecord

VOTES_OF_A_MEMBER = 2
"""That are kept in one round and step: a second one, for something else, is the proof of a contradiction."""
PROPOSALS_OF_A_ROUND = 2


@dataclass(frozen=True, slots=True)
class Offered:
    """A proposal with its record and the SHA-256 of its block."""

    item: SignedRecord
    proposal: Proposal
    digest: bytes


class Ballots:
    """The votes of one round and step. A member that votes for two things counts for both of them, as another may have
    seen only one."""

    def __init__(self, quorum: int) -> None:
        self._quorum = quorum
        self._votes: dict[int, dict[bytes, SignedRecord]] = {}
        self._tally: Counter[bytes] = Counter()

    def holds(self, member: int, digest: bytes) -> bool:
        """Whether this vote, or as many others of the member as are kept, are here already."""
        votes = self._votes.get(member, {})
        return digest in votes or len(votes) >= VOTES_OF_A_MEMBER

    def add(self, member: int, digest: bytes, item: SignedRecord) -> SignedRecord | None:
        """Count a vote that is not held yet; returns the member's earlier one, which it contradicts."""
        votes = self._votes.setdefault(member, {})
        earlier = next(iter(votes.values()), None)
        votes[digest] = item
        self._tally[digest] += 1
        return earlier

    @property
    def voters(self) -> int:
        """How many members have voted."""
        return len(self._votes)

    @property
    def majority(self) -> bytes | None:
        """What a quorum has voted for: a digest, ``NO_BLOCK`` (empty), or None where there is no quorum."""
        for digest, votes in self._tally.items():
            if votes >= self._quorum:
                return digest
        return None

    def signatures(self, digest: bytes) -> tuple[tuple[int, bytes], ...]:
        """The signatures under the votes for one thing, members ascending."""
        return tuple(
            (member, votes[digest].signature) for member, votes in sorted(self._votes.items()) if digest in votes
        )

    def bitmap(self) -> bytes:
        """Bit i (of byte i / 8, the lowest first) is set if member i has voted."""
        number = sum(1 << member for member in self._votes)
        return number.to_bytes((number.bit_length() + 7) // 8, "little")

    def missing(self, bitmap: bytes) -> Iterator[SignedRecord]:
        """Every vote of the members whose bit is not set."""
        number = int.from_bytes(bitmap, "little")
        for member, votes in self._votes.items():
            if not number >> member & 1:
                yield from votes.values()


@dataclass(slots=True)
class Round:
    """Everything that was said in one round."""

    prevotes: Ballots
    precommits: Ballots
    proposals: list[Offered] = field(default_factory=list)

    @classmethod
    def of(cls, quorum: int) -> Round:
        """An empty one."""
        return cls(Ballots(quorum), Ballots(quorum))

    def ballots(self, precommit: bool) -> Ballots:
        """Those of one step."""
        return self.precommits if precommit else self.prevotes

    def offered(self, digest: bytes) -> Offered | None:
        """The first proposal of the block with this digest."""
        return next((one for one in self.proposals if one.digest == digest), None)

    def wants(self, digest: bytes, decided: bytes | None) -> bool:
        """Whether one more proposal is taken: two, and besides one that a quorum has voted for (``decided``)."""
        if len(self.proposals) < PROPOSALS_OF_A_ROUND:
            return True
        return len(self.proposals) == PROPOSALS_OF_A_ROUND and digest == decided
