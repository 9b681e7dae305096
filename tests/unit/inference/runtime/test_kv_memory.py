"""Slots and blocks in main memory: what is copied, what stays, what goes back to the system."""

import sys

import numpy as np
import psutil
import pytest

from engine.inference.runtime.kv_memory import CpuKvMemory, KvShape, TensorShape
from engine.inference.scheduling.plan import BLOCK_TOKENS

# Layers may differ in heads and head size; the first two tensors share a piece of memory, and so do the others.
SHAPE = KvShape((TensorShape(2, 16), TensorShape(2, 16), TensorShape(1, 8), TensorShape(1, 8)), "tensor(float)")


def filled(memory, slot, length):
    """Numbers of its own in every tensor of ``slot``; a copy of them."""
    rng = np.random.default_rng(slot + 100 * length)
    for number, shape in enumerate(memory.shape.tensors):
        values = rng.standard_normal((shape.kv_heads, length, shape.head_dim)).astype(np.float32)
        memory.tensor(number, slot)[:, :length] = values
    return content(memory, slot, length)


def content(memory, slot, length):
    return [memory.tensor(number, slot)[:, :length].copy() for number in range(len(memory.shape.tensors))]


def same(found, expected):
    return all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_what_is_stored_is_what_is_loaded_in_every_layer():
    memory = CpuKvMemory(SHAPE, 3)
    memory.reserve(4 * BLOCK_TOKENS, [0] * 3)
    source = filled(memory, 0, 3 * BLOCK_TOKENS)
    beside = filled(memory, 1, 4 * BLOCK_TOKENS)
    for place, block in ((0, 7), (1, 2), (2, 9)):
        memory.store_block(0, place * BLOCK_TOKENS, block)
    filled(memory, 0, 4 * BLOCK_TOKENS)  # the slot goes on; the blocks are copies
    memory.load_blocks(2, (7, 2, 9))
    assert same(content(memory, 2, 3 * BLOCK_TOKENS), source)
    assert same(content(memory, 1, 4 * BLOCK_TOKENS), beside)
    memory.free_blocks((2, 12345))
    with pytest.raises(KeyError):
        memory.load_blocks(2, (7, 2))


def test_growing_and_moving_keep_what_is_held():
    memory = CpuKvMemory(SHAPE, 3)
    memory.reserve(10, [0] * 3)
    first, second = filled(memory, 0, 7), filled(memory, 2, 10)
    assert memory.reserve(50, [7, 0, 10])
    assert not memory.reserve(50, [7, 0, 10])
    assert same(content(memory, 0, 7), first)
    assert same(content(memory, 2, 10), second)
    memory.move(2, 1, 10)
    assert same(content(memory, 1, 10), second)
    assert same(content(memory, 0, 7), first)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take pages back when they like")
def test_the_pages_of_a_released_slot_go_back_to_the_system():
    memory = CpuKvMemory(KvShape((TensorShape(4, 64),) * 8, "tensor(float)"), 3)
    memory.reserve(4096, [0] * 3)
    for slot in range(3):
        for number in range(8):
            memory.tensor(number, slot)[:] = slot + 1
    process = psutil.Process()
    held = process.memory_info().rss
    memory.release([1])
    # One slot is 32 MiB; a page at either end of each of its 8 pieces may stay.
    assert held - process.memory_info().rss > 24 << 20
    for number in range(8):
        assert (memory.tensor(number, 0) == 1).all()
        assert (memory.tensor(number, 2) == 3).all()
        assert not memory.tensor(number, 1)[1:-1].any()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count what is not touched")
def test_room_for_more_than_the_machine_has_costs_nothing_until_it_is_used():
    """Eight slots of a long context: one conversation fills its own, the others stay untouched."""
    memory = CpuKvMemory(KvShape((TensorShape(8, 128),) * 4, "tensor(float)"), 8)
    tokens = 2 * psutil.virtual_memory().total // (8 * memory.shape.bytes_per_token)
    held = psutil.Process().memory_info().rss
    memory.reserve(tokens, [0] * 8)
    expected = filled(memory, 3, 10)
    assert same(content(memory, 3, 10), expected)
    assert psutil.Process().memory_info().rss - held < 64 << 20
    memory.close()
