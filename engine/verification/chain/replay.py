"""Replaying a whole chain from its genesis, to say what of it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.directory.genesis import GenesisRecord
from engine.errors import VerificationError, WireError
from engine.ids import NodeId
from engine.verification.chain.certificate import check_certified
from engine.verification.chain.results import MissingRecordError
from engine.verification.chain.state import ChainState, encoded_standings, first_state
from engine.wire.blocks import (
    MAX_ENTRIES,
    MAX_UNJUDGED,
    Block,
    block_decoder,
    certified_block_decoder,
    committee_record_decoder,
)
from engine.wire.challenges import SpeedReport
from engine.wire.signed import SignedRecord

MAX_NAMED = MAX_ENTRIES + MAX_UNJUDGED
"""Records that one block can name."""


def records_named(block: Block) -> list[bytes]:
    """The digests of the evidence that a block names."""
    return [*(entry.evidence for entry in block.entries), *(one.record for one in block.unjudged)]


def measured_in(signed: SignedRecord) -> int:
    """How many speeds a report in a block holds."""
    report = committee_record_decoder.decode(signed.record)
    return len(report.measured) if isinstance(report, SpeedReport) else 0


@dataclass(slots=True)
class Replay:
    """Takes blocks in their order until one does not hold. ``judged`` counts the answers in them, ``measured`` the
    speeds, ``unseen`` the blocks of which not all evidence was there: that they hold rests on f + 1 members' signatures
    for each answer."""

    genesis: GenesisRecord
    state: ChainState = field(init=False)
    judged: int = 0
    measured: int = 0
    unseen: int = 0
    problem: str = ""

    def __post_init__(self) -> None:
        self.state = first_state(self.genesis)

    def take(self, encoded: bytes, records: Mapping[bytes, SignedRecord]) -> bool:
        """The next block (an encoded ``CertifiedBlock``); False when it does not hold, and ``problem`` says why."""
        try:
            certified = certified_block_decoder.decode(encoded)
            block = block_decoder.decode(certified.block)
            try:
                state = check_certified(self.state, certified, record_of=records.get)
            except MissingRecordError:
                state = check_certified(self.state, certified)
                self.unseen += 1
        except (VerificationError, WireError) as error:
            self.problem = f"Block {self.state.height + 1} does not hold: {error}"
            return False
        self.state = state
        self.judged += len(block.entries)
        self.measured += sum(map(measured_in, block.speeds))
        return True

    @property
    def standings(self) -> bytes:
        """The encoded ``Standings`` that follow."""
        return encoded_standings(self.state.height, self.state.epoch, self.state.standings)

    @property
    def excluded(self) -> list[NodeId]:
        """Who is excluded after the last block."""
        return [node for node, standing in sorted(self.state.standings.items()) if standing.excluded]
