"""A checkpoint holds all that blocks have led to, and is believed only beside the block that it names."""

from __future__ import annotations

import hashlib
import random

import msgspec
import pytest

from engine.errors import VerificationError
from engine.verification.chain.checkpoint import MAGIC, height_of, make_checkpoint, open_checkpoint
from engine.verification.chain.results import Material
from engine.verification.chain.state import first_state
from tests.support.judging import Judging, judging
from tests.support.records import identity

NODES = [identity(number) for number in range(3)]


def grown() -> Judging:
    network = judging(4)
    network.append(0, Material(commitments=network.commit_all(1, NODES)))
    for epoch in (1, 2, 3):
        network.judge_epoch(epoch, NODES, {NODES[2].node_id: 4_000})
    return network


def sealed(content: bytes) -> bytes:
    return MAGIC + hashlib.sha256(content).digest() + content


def test_the_state_comes_back_and_the_chain_goes_on_from_it() -> None:
    network = grown()
    data = make_checkpoint(network.state)
    assert height_of(data) == 4
    state = open_checkpoint(data, first_state(network.genesis), network.blocks[-1])
    assert state == network.state
    assert any(found.said for found in state.epochs.values())
    network.state = state
    network.judge_epoch(4, NODES, {})
    assert network.state.height == 5


def test_a_damaged_checkpoint_is_refused() -> None:
    network = grown()
    data, first, block = make_checkpoint(network.state), first_state(network.genesis), network.blocks[-1]
    dice = random.Random(5)
    for _ in range(60):
        changed = bytearray(data)
        changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        with pytest.raises(VerificationError, match="damaged"):
            open_checkpoint(bytes(changed), first, block)
    for cut in (b"", data[:10], data[:-1], data + b"x"):
        with pytest.raises(VerificationError, match="damaged"):
            height_of(cut)
    for content in (b"", b"\x91\x01", b"\xc1"):
        with pytest.raises(VerificationError, match="cannot be read"):
            height_of(sealed(content))


def test_a_checkpoint_of_other_blocks_or_networks_is_refused() -> None:
    network = grown()
    data, first = make_checkpoint(network.state), first_state(network.genesis)
    for block in (None, network.blocks[0]):
        with pytest.raises(VerificationError, match="not here"):
            open_checkpoint(data, first, block)
    with pytest.raises(VerificationError, match="another network"):
        open_checkpoint(data, first_state(judging(4, epoch_seconds=9.0).genesis), network.blocks[-1])


def test_what_the_block_says_otherwise_is_refused() -> None:
    network = grown()
    data, first, block = make_checkpoint(network.state), first_state(network.genesis), network.blocks[-1]
    fields = msgspec.msgpack.decode(data[len(MAGIC) + 32 :])
    for place, value in ((1, 3), (2, 9), (3, 7), (5, bytes(64)), (8, fields[8][:-1])):
        other = [*fields[:place], value, *fields[place + 1 :]]
        with pytest.raises(VerificationError, match="does not fit"):
            open_checkpoint(sealed(msgspec.msgpack.encode(other)), first, block)
