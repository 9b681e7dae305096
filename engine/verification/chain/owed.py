"""Results and duties that a new block leaves out, though its leader must have them.

Blocks of two epochs behind an epoch take its results. Leaders that left them out of all of these would keep from the
chain what members have found, so members vote for no such block: see ``promises`` for commitments (decision 0120).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.errors import VerificationError
from engine.verification.chain.derivation import shown_output, wanted_duties
from engine.verification.chain.fairness import fair_place
from engine.verification.chain.results import Material, choose_results, with_outputs
from engine.verification.chain.room import ENTRY_BYTES, SCORE_BYTES, UNJUDGED_BYTES, room_for_duties, room_for_results
from engine.verification.chain.state import ChainState, OpenEpoch
from engine.verification.members import faulty
from engine.verification.signing import digest_of
from engine.wire.blocks import MAX_ENTRIES, MAX_MEMBERS, MAX_UNJUDGED, Block, BlockEntry, Unjudged
from engine.wire.challenges import Duties
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

TAKEN_AFTER = 0.025
"""Of an epoch: what has been here for so long others have, too, so a leader takes it. It is much less than
``promises.HELD_FOR``, after which members miss it."""
_SLACK = ENTRY_BYTES + SCORE_BYTES * MAX_MEMBERS
"""Of bytes by which what its leader knew of an entry may be longer."""


def last_owing_round(members: int) -> int:
    """The last round in which it counts: behind it a block has its leader's own results alone. Among the leaders of
    these f + 1 is an honest one."""
    return faulty(members)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Duties, and results with what is known of their scores."""

    duties: tuple[SignedRecord, ...] = ()
    results: tuple[SignedRecord, ...] = ()
    attestations: tuple[SignedRecord, ...] = ()

    def __len__(self) -> int:
        return len(self.duties) + len(self.results)

    def __iter__(self) -> Iterator[SignedRecord]:
        """In an order in which whoever lacks all of it can take them."""
        yield from self.duties
        yield from self.results
        yield from self.attestations


def left_out(block: Block, state: ChainState, held: Material) -> LeftOut:
    """What of all that a member has ``held`` could stand in a block that it finds valid, and does not."""
    duties, epochs = _duties(block, state, held)
    entries, unjudged = choose_results(
        state, held, b"", epoch=block.epoch, round_number=0, epochs=epochs, room=sys.maxsize
    )
    missing = {*_entries_left_out(block, state, held, entries), *_unjudged_left_out(block, state, unjudged)}
    results = [signed for signed in held.records if digest_of(signed) in missing]
    attestations = [one for signed in results for one in held.attestations.get(digest_of(signed), ())]
    return LeftOut(tuple(duties), tuple(results), tuple(attestations))


def _duties(block: Block, state: ChainState, held: Material) -> tuple[list[SignedRecord], Mapping[int, OpenEpoch]]:
    """Those that are left out, and the epochs with what the others show."""
    epochs, there = dict(state.epochs), set[tuple[int, bytes]]()
    for signed in block.duties:
        shown, output = shown_output(signed, state, block.epoch)
        there.add((shown.epoch, shown.member))
        epochs[shown.epoch] = with_outputs(epochs[shown.epoch], {shown.member: output})
    room = room_for_duties(block) - sum(len(encode(signed)) for signed in block.duties)
    missing = []
    for signed in held.duties:
        duties = _wanted(signed, state, block.epoch)
        is_there = duties is None or (duties.epoch, duties.member) in there
        if not is_there and len(encode(signed)) <= room and len(block.duties) < MAX_MEMBERS:
            missing.append(signed)
    return missing, epochs


def _wanted(signed: SignedRecord, state: ChainState, epoch: int) -> Duties | None:
    try:
        return wanted_duties(signed, state, epoch)[0]
    except VerificationError:
        return None


def _entries_left_out(
    block: Block, state: ChainState, held: Material, wanted: tuple[BlockEntry, ...]
) -> Iterator[bytes]:
    """The evidence of those for which the block had room behind what comes before them: its order is everybody's."""
    opened = {(one.epoch, one.author, one.asked): one.index for one in block.entries}
    turns = {(one.epoch, one.author, one.asked, one.turn) for one in block.entries}
    room = room_for_results(block, state)
    sizes = [
        (fair_place(state, held.opened[one.evidence]), len(encode(one)))
        for one in block.entries
        if one.evidence in held.opened
    ]
    for one in wanted:
        duty = (one.epoch, one.author, one.asked)
        if (*duty, one.turn) in turns or opened.get(duty, one.index) != one.index:
            continue
        place = fair_place(state, held.opened[one.evidence])
        before = [size for other, size in sizes if other < place]
        if len(before) < MAX_ENTRIES and sum(before) + len(encode(one)) + _SLACK <= room:
            yield one.evidence


def _unjudged_left_out(block: Block, state: ChainState, wanted: tuple[Unjudged, ...]) -> Iterator[bytes]:
    judged = {(one.epoch, one.author, one.asked) for one in block.entries}
    said = {(one.epoch, one.author, one.asked, one.broken) for one in block.unjudged}
    used = sum(len(encode(one)) for one in block.entries) + UNJUDGED_BYTES * len(block.unjudged)
    if len(block.unjudged) >= MAX_UNJUDGED or used + UNJUDGED_BYTES > room_for_results(block, state):
        return
    for one in wanted:
        duty = (one.epoch, one.author, one.asked)
        is_there = (*duty, one.broken) in said or (not one.broken and (duty in judged or (*duty, True) in said))
        if not is_there:
            yield one.record
