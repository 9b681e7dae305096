"""Whether a block can be voted for: whose it is, and what its content was found to be, looked at once a round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import WireError
from engine.verification.committee.committee import Committee
from engine.wire.blocks import block_decoder

Validate = Callable[[bytes], str | None]
"""Why a block cannot be voted for; None if everything in it has been checked."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """``reason``: why a block cannot be voted for; None if it can. ``is_new``: its content has just been refused."""

    reason: str | None
    is_new: bool = False


class BlockJudge:
    """``validate_seen``: the same as ``validate`` of a block for which a quorum has prevoted."""

    def __init__(self, committee: Committee, height: int, validate: Validate, validate_seen: Validate) -> None:
        self._committee = committee
        self._height = height
        self._validate = validate
        self._validate_seen = validate_seen
        # (digest, whether a quorum has prevoted for it) -> what was found in this round; None: valid, for good
        self._found: dict[tuple[bytes, bool], str | None] = {}

    def judge(self, digest: bytes, block: bytes, present: int, valid_round: int) -> Judgement:
        """A block in a proposal of round ``present`` that was found valid in ``valid_round`` (below 0: it is new)."""
        reason = made_by(block, self._committee, self._height, present, valid_round)
        if reason is not None:
            return Judgement(reason)
        is_seen = valid_round >= 0 and self._found.get((digest, False), "") is not None
        place = (digest, is_seen)
        if place in self._found:
            return Judgement(self._found[place])
        found = self._validate_seen(block) if is_seen else self._validate(block)
        self._found[place] = found
        return Judgement(found, is_new=found is not None)

    def has_found_valid(self, digest: bytes) -> None:
        """Before a restart, together with a quorum."""
        self._found[digest, True] = None

    def begin_round(self, is_here: Callable[[bytes], bool]) -> None:
        """What was refused is looked at again, as evidence may have come; what is not here any more is forgotten."""
        self._found = {place: reason for place, reason in self._found.items() if reason is None and is_here(place[0])}


def made_by(block: bytes, committee: Committee, height: int, present: int, valid_round: int) -> str | None:
    """Why a block cannot be one of this height in a proposal of round ``present``; None if it can.

    A new block (``valid_round`` below 0) must have been made in this very round: who leads twice could else choose
    between two rounds, and with them between two outputs. Another one was made before it was found valid.
    """
    try:
        found = block_decoder.decode(block)
    except WireError as error:
        return f"this is not a block: {error}"
    if found.network_id != committee.network_id or found.height != height:
        return "the block is of another network or height"
    if (valid_round < 0 and found.round != present) or (valid_round >= 0 and found.round > valid_round):
        return f"the block says that it was made in round {found.round}"
    if committee.members[committee.leader(found.round)] != found.proposer:
        return f"the block names a proposer that does not lead round {found.round}"
    return None
