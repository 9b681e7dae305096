"""What the committee has found of one node's answers, read from blocks that a certified one leads back to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.reputation.rule import FAIL, PASS
from engine.wire.blocks import Block, block_decoder, certified_block_decoder


@dataclass(frozen=True, slots=True)
class Results:
    """Judged answers: how many passed, failed, and decide nothing; ``last``: the epoch of the newest."""

    passed: int = 0
    failed: int = 0
    undecided: int = 0
    last: int = 0

    @property
    def answers(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.undecided


def results_of(block: Block, node: NodeId) -> Results:
    """What a block says of the answers that ``node`` has signed."""
    found = [entry for entry in block.entries if entry.node == node]
    passed = sum(entry.score.verdict == PASS for entry in found)
    failed = sum(entry.score.verdict == FAIL for entry in found)
    last = max((entry.epoch for entry in found), default=0)
    return Results(passed, failed, len(found) - passed - failed, last)


def together(results: Iterable[Results]) -> Results:
    """The sum of several."""
    found = list(results)
    return Results(
        sum(one.passed for one in found),
        sum(one.failed for one in found),
        sum(one.undecided for one in found),
        max((one.last for one in found), default=0),
    )


def named_block(record: bytes, digest: bytes) -> Block:
    """The block in an encoded ``CertifiedBlock``, if it has this SHA-256: whoever believes the block that names it
    needs no certificate. :class:`VerificationError` or ``WireError``."""
    block = certified_block_decoder.decode(record).block
    if hashlib.sha256(block).digest() != digest:
        raise VerificationError("The server shows another block than the one that the newest block leads back to.")
    return block_decoder.decode(block)
