"""What members have promised to ask, and what a new block leaves out of it.

A commitment has to be certified before its epoch begins. A leader that leaves out those of the others would let nobody
be checked in that epoch, so members do not vote for its block. What each of them has held for a while it has also
passed on, so an honest leader has it, whoever has shown it to whom (decision 0105).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from engine.errors import VerificationError
from engine.verification.chain.derivation import open_commitment
from engine.verification.chain.state import ChainState
from engine.verification.members import faulty
from engine.wire.blocks import Block
from engine.wire.challenges import ChallengeCommitment
from engine.wire.signed import SignedRecord

HELD_FOR = 0.1
"""Of an epoch: who has held a commitment for so long has passed it on, and all others have it, too."""
_AHEAD = 2
"""Epochs in the future for which commitments are kept."""


def last_bound_round(members: int) -> int:
    """The last round in which a block that leaves something out gets no vote. In the first f + 1 rounds members that
    show their evidence to some can keep each block from being agreed on; among the leaders of the next f + 1 is an
    honest one again. In later rounds any block will do, so that nobody can hold up all of them."""
    return 2 * faulty(members) + 1


@dataclass(frozen=True, slots=True)
class _Held:
    signed: SignedRecord
    since: float


class Promises:
    """The first commitment of each member and epoch that this member has heard of, and since when it has it."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, bytes], _Held] = {}

    def __iter__(self) -> Iterator[SignedRecord]:
        return (held.signed for held in self._held.values())

    def of_member(self, member: bytes, soonest: int) -> list[SignedRecord]:
        """Of this member for epoch ``soonest`` and later ones."""
        return [held.signed for (epoch, key), held in self._held.items() if key == member and epoch >= soonest]

    def add(self, signed: SignedRecord, record: ChallengeCommitment, state: ChainState, epoch: int, now: float) -> bool:
        """Whether it is new. What no block can take any more is not wanted: the next one is of a later epoch than the
        newest, and takes what is promised for the epoch behind its own."""
        if not max(epoch, state.epoch + 2) <= record.epoch <= epoch + _AHEAD:
            raise VerificationError(f"A commitment for epoch {record.epoch} is not wanted in epoch {epoch}.")
        if (record.epoch, record.member) in self._held:
            return False
        open_commitment(signed, state.network_id, record.epoch, state.members)
        self._held[record.epoch, record.member] = _Held(signed, now)
        return True

    def lacked_by(self, block: Block, state: ChainState) -> list[SignedRecord]:
        """All that are here, could stand in the block, and do not."""
        return [held.signed for held in self._lacked_by(block, state)]

    def left_out(self, block: Block, state: ChainState, now: float) -> int:
        """So many of them its leader must have had; none where any block will do."""
        if block.round > last_bound_round(len(state.members)):
            return 0
        since = now - HELD_FOR * state.genesis.parameters.epoch_seconds
        return sum(held.since <= since for held in self._lacked_by(block, state))

    def _lacked_by(self, block: Block, state: ChainState) -> list[_Held]:
        """Whichever of several a member has signed, one of them is enough."""
        there = {signed.key for signed in block.commitments}
        able = (key for key in block.next_members or state.members if key not in there)
        found = (self._held.get((block.epoch + 1, key)) for key in able)
        return [held for held in found if held is not None]

    def decided(self, state: ChainState, members: Collection[bytes]) -> None:
        """A block is certified: forget what no later one can take."""
        for key in [key for key in self._held if key[0] < state.epoch + 2 or key[1] not in members]:
            del self._held[key]
