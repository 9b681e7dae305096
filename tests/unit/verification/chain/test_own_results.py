"""What blocks say of one node's answers, and that only blocks count that a believed one leads to."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.errors import VerificationError, WireError
from engine.ids import NodeId
from engine.verification.chain.own_results import Results, named_block, results_of, together
from engine.wire.blocks import block_decoder
from engine.wire.codec import encode
from tests.support.judging import score
from tests.support.records import identity
from tests.unit.node.test_standings import NODES, judged

ME, OTHER = NODES[0].node_id, NODES[1].node_id


def test_passes_fails_and_what_decides_nothing_are_counted_apart() -> None:
    found: list[tuple[NodeId, int, int]] = [(ME, -3_000, 4), (ME, 5_000, 6), (ME, 0, 5), (OTHER, 5_000, 9)]
    entries = [SimpleNamespace(node=node, epoch=epoch, score=score(said)) for node, said, epoch in found]
    block = cast(Any, SimpleNamespace(entries=entries))
    assert results_of(block, ME) == Results(1, 1, 1, 6)
    assert results_of(block, identity(77).node_id) == Results()
    assert together([Results(1, 1, 1, 6), Results(2, 0, 0, 3)]) == Results(3, 1, 1, 6)
    assert together([]).answers == 0


def test_a_real_block_is_read_by_the_digest_that_names_it_and_no_other() -> None:
    network = judged(1)
    certified = network.blocks[-1]
    digest = hashlib.sha256(certified.block).digest()
    block = named_block(encode(certified), digest)
    assert block == block_decoder.decode(certified.block)
    assert results_of(block, NODES[2].node_id).failed > 0
    assert results_of(block, ME).passed > 0
    with pytest.raises(VerificationError):
        named_block(encode(network.blocks[0]), digest)
    with pytest.raises(WireError):
        named_block(b"nonsense", digest)
