"""How many bytes of a block each of its parts may take, so that none takes the room of the next ones."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.verification.chain.state import ChainState
from engine.verification.members import faulty
from engine.wire.blocks import MAX_ENTRIES, MAX_MEMBERS, Block
from engine.wire.codec import encode
from engine.wire.signed import MAX_RECORD, SignedRecord

MAX_BLOCK = MAX_RECORD - 256
"""Bytes of an encoded block: it fits into a proposal."""
ENTRY_BYTES, SCORE_BYTES = 152, 87
"""Of a judged answer, and for each member that has scored it, at most."""
UNJUDGED_BYTES = 80
"""Of one entry in either list, at most."""
_HEAD_BYTES, _MEMBER_BYTES = 400, 500
"""Of a block without answers, and for each member: its commitment, its duties, what it missed."""
_MISSED_BYTES, _KEY_BYTES = 6, 34
_ROOM = MAX_BLOCK - _HEAD_BYTES - _MISSED_BYTES * MAX_MEMBERS
"""For all that a block contains."""


def entries_that_fit(members: int) -> int:
    """So many judged answers find a place in a block of a committee of this size, all of its members at work."""
    room = MAX_BLOCK - _HEAD_BYTES - _MEMBER_BYTES * members
    return min(MAX_ENTRIES, room // (ENTRY_BYTES + SCORE_BYTES * (2 * faulty(members) + 1)))


def bytes_of(records: Sequence[SignedRecord]) -> int:
    """Of these, one after the other."""
    return sum(len(encode(signed)) for signed in records)


def room_behind(commitments: Sequence[SignedRecord], change: Sequence[SignedRecord], members: Sequence[bytes]) -> int:
    """Bytes that a block has for all else behind what is promised, and a change of the committee to ``members``."""
    return _ROOM - bytes_of(commitments) - bytes_of(change) - _KEY_BYTES * len(members)


def room_for_duties(block: Block) -> int:
    """Bytes for the duties that members show."""
    return room_behind(block.commitments, block.change, block.next_members) // 2


def left_for_results(block: Block, state: ChainState) -> int:
    """Bytes for results in a block without any."""
    return MAX_BLOCK - len(encode(block)) - _MISSED_BYTES * len(state.members) - 16


def room_for_results(block: Block, state: ChainState) -> int:
    """The same of one with results; at least what every maker of a block leaves for them, whatever else it has."""
    empty = msgspec.structs.replace(block, entries=(), unjudged=(), missed=())
    behind = room_behind(block.commitments, block.change, block.next_members)
    return max(left_for_results(empty, state), behind // 8)
