"""Two signed heads of one epoch are a proof; nothing else is."""

from __future__ import annotations

import msgspec
import pytest

from engine.directory.heads import FURTHEST_AHEAD, MAXIMUM_HEADS, Heads, head_fields, head_of
from engine.wire.link import DirectoryHash
from tests.support.records import SERVER, genesis, identity
from tests.unit.directory.test_snapshot import NETWORK, chain

GENESIS = genesis()


def head(epoch: int, digest: bytes = b"d" * 32, server=SERVER) -> DirectoryHash:
    signature = server.sign("snapshot", NETWORK, *head_fields(epoch, digest))
    return DirectoryHash(epoch=epoch, digest=digest, key=server.public_key, signature=signature)


def test_the_head_of_a_snapshot_is_signed_by_its_server():
    heads = Heads(GENESIS)
    assert heads.hear(head_of(chain(3)[2], 3)) is None
    assert heads.newest == 3


@pytest.mark.parametrize("epoch", [1, 5, 9])
def test_two_heads_of_one_epoch_are_a_proof_whoever_is_ahead(epoch):
    heads = Heads(GENESIS)
    heads.hold(head(5))
    assert heads.hear(head(epoch)) is None
    proof = heads.hear(head(epoch, b"e" * 32))
    assert proof is not None
    assert {one.digest for one in proof} == {b"d" * 32, b"e" * 32}
    assert heads.held == 5


def test_a_directory_that_is_fetched_later_is_compared_with_what_others_showed_before():
    heads = Heads(GENESIS)
    assert heads.hear(head(7, b"e" * 32)) is None
    assert heads.hold(head(7)) is not None


def test_forged_heads_accuse_nobody():
    heads = Heads(GENESIS)
    heads.hold(head(5))
    stranger = head(5, b"e" * 32, identity(1))
    in_its_name = msgspec.structs.replace(stranger, key=SERVER.public_key)
    moved = msgspec.structs.replace(head(4, b"e" * 32), epoch=5)
    for forged in (stranger, in_its_name, moved):
        assert heads.hear(forged) is None
    assert heads.newest == 5


def test_what_is_remembered_is_bounded():
    heads = Heads(GENESIS)
    heads.hold(head(1))
    assert heads.hear(head(FURTHEST_AHEAD + 2)) is None
    assert heads.newest == 1
    for epoch in range(2, MAXIMUM_HEADS + 50):
        heads.hear(head(epoch))
    assert len(heads._heads) == MAXIMUM_HEADS
