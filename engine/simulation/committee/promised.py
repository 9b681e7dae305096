"""What members promise to ask in the epoch behind the block, whom they tell, and which blocks leave it out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import TypeVar

from engine.ids import NodeId
from engine.simulation.committee.blocks import HEIGHT, NETWORK_ID, identity_of
from engine.verification.chain.owed import last_owing_round
from engine.verification.chain.promises import HELD_FOR, last_bound_round
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.members import quorum
from engine.verification.signing import sign_record
from engine.wire.blocks import Block
from engine.wire.signed import SignedRecord

T = TypeVar("T")
LONG_AGO = -10.0
"""When everybody has promised, in schedules that were calm until the agreement began."""
ALL, NONE, PART = "all", "none", "part"
TAKEN = (ALL, ALL, ALL, NONE, PART)
"""How much of what was promised a liar takes into its block."""
LEFT_OUT = (NONE, NONE, PART)
"""And one that means to leave it out."""


@cache
def commitment_of(author: int, version: int) -> SignedRecord:
    """What a member promises; of several versions it may tell each to some."""
    identity = identity_of(author)
    committed = CommittedChallenges([b"a question of version %d" % version])
    return sign_record(identity, committed.commitment(NETWORK_ID, HEIGHT + 1, identity.public_key))


def some_of(offered: Sequence[T], how_much: str, random: Random) -> tuple[T, ...]:
    """All, none or a part of them."""
    if how_much == PART:
        return tuple(one for one in offered if random.random() < 0.5)
    return tuple(offered) if how_much == ALL else ()


class Watch:
    """Since when which honest member has a commitment of whom, by an account of its own. It goes by what must come of
    the rule, not by how members keep it: a quorum needs enough honest members that had nothing against the block."""

    def __init__(self, members: int, honest: frozenset[int], epoch_seconds: float) -> None:
        self._keys = [identity_of(index).public_key for index in range(members)]
        self._honest = honest
        self._enough = quorum(members) - (members - len(honest))
        self._held_for = HELD_FOR * epoch_seconds
        self._since: dict[tuple[int, bytes], float] = {}

    def takes(self, member: int, author: bytes, now: float) -> None:
        """A member has it now."""
        self._since.setdefault((member, author), now)

    def begins_anew(self, member: int) -> None:
        """What it has it counts from now on."""
        self._since = {place: since for place, since in self._since.items() if place[0] != member}

    def lacks(self, block: Block) -> bool:
        """Whether a block has not all that an honest member has."""
        there = {signed.key for signed in block.commitments}
        return any(member in self._honest and key not in there for member, key in self._since)

    def is_left_out(self, block: Block, made: float) -> bool:
        """Whether a block that was decided on, and first proposed at ``made``, leaves out what too many had then."""
        if block.round > last_bound_round(len(self._keys)):
            return False
        there = {signed.key for signed in block.commitments}
        for author in self._keys:
            since = (self._since.get((member, author), made) for member in self._honest)
            holders = sum(one <= made - self._held_for for one in since)
            if author not in there and holders > len(self._honest) - self._enough:
                return True
        return False


class ResultsWatch:
    """The same of results: which one of each duty an honest member has, and since when; of who has shown it two nobody
    can ask anything."""

    def __init__(self, members: int, honest: frozenset[int], epoch_seconds: float) -> None:
        self._keys = [identity_of(index).public_key for index in range(members)]
        self._most_without = len(honest) - (quorum(members) - (members - len(honest)))
        self._held_for = HELD_FOR * epoch_seconds
        self._since: dict[tuple[bytes, NodeId], dict[int, dict[bytes, float]]] = {}

    def takes(self, member: int, author: bytes, node: NodeId, digest: bytes, now: float) -> None:
        """An honest member has it now."""
        self._since.setdefault((author, node), {}).setdefault(member, {}).setdefault(digest, now)

    def begins_anew(self, member: int) -> None:
        """What it has it counts from now on."""
        for holders in self._since.values():
            holders.pop(member, None)

    def is_left_out(self, block: Block, made: float) -> bool:
        """Whether a block that was decided on, and first proposed at ``made``, leaves out what too many had then."""
        if block.round > last_owing_round(len(self._keys)):
            return False
        there = {(self._keys[one.author], NodeId(one.asked)) for one in block.unjudged}
        for duty, holders in self._since.items():
            alone = [next(iter(said.values())) for said in holders.values() if len(said) == 1]
            if duty not in there and sum(since <= made - self._held_for for since in alone) > self._most_without:
                return True
        return False
