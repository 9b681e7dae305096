"""Blocks without content but for results that were not judged and commitments: what tells them apart, and whether the
rest of them is valid, stands in two of their fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from engine.crypto.identity import Identity
from engine.errors import WireError
from engine.verification.committee.committee import Committee
from engine.wire.blocks import Block, Unjudged, block_decoder
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord

HEIGHT = 7
NETWORK_ID = b"\7" * 32
_INVALID = b"\xff" * 32


@dataclass(frozen=True, slots=True)
class Content:
    """What a leader takes into its block."""

    unjudged: tuple[Unjudged, ...] = ()
    commitments: tuple[SignedRecord, ...] = ()


NOTHING = Content()


@cache
def identity_of(index: int) -> Identity:
    """The same keys in every schedule: making them takes longer than most of what is done with them."""
    return Identity.from_seed(index.to_bytes(32, "big"))


def make_block(
    committee: Committee,
    proposer: int,
    round_number: int,
    mark: int,
    content: Content = NOTHING,
    *,
    valid: bool = True,
) -> bytes:
    """A block of this round; ``mark`` tells it from others of the same proposer."""
    block = Block(
        version=1,
        network_id=NETWORK_ID,
        height=HEIGHT,
        epoch=HEIGHT,
        round=round_number,
        previous=bytes(32),
        proposer=committee.members[proposer],
        proof=bytes(80),
        issued=mark,
        commitments=content.commitments,
        duties=(),
        entries=(),
        unjudged=content.unjudged,
        missed=(),
        contradictions=(),
        hidden=(),
        change=(),
        next_members=(),
        speeds=(),
        state=bytes(32) if valid else _INVALID,
    )
    return encode(block)


def validate(block: bytes) -> str | None:
    """Why an honest member does not vote for it, whatever results it names."""
    try:
        return "it was made to be invalid" if block_decoder.decode(block).state == _INVALID else None
    except WireError as error:
        return str(error)
