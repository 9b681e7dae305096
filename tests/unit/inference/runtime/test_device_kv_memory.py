"""Device memory does what main memory does, by the code that runs on a GPU (ONNX Runtime's values and copies)."""

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.inference.runtime.device_kv_memory import DeviceKvMemory
from engine.inference.runtime.kv_memory import CpuKvMemory, KvShape, TensorShape
from engine.inference.scheduling.plan import BLOCK_TOKENS

SLOTS = 3
SHAPES = (TensorShape(2, 4), TensorShape(2, 4), TensorShape(1, 6), TensorShape(2, 4))


def device_memory(element):
    return DeviceKvMemory(KvShape(SHAPES, element), SLOTS, "cpu", 0, ["CPUExecutionProvider"])


def content(memory, tensor, slot, length):
    """The first ``length`` tokens of a tensor in a slot, read where the graph would: [heads, length, dim]."""
    shape, size = SHAPES[tensor], memory.shape.item_size
    count = shape.kv_heads * memory.capacity * shape.head_dim * size
    raw = (ctypes.c_ubyte * count).from_address(memory.pointer(tensor, slot))
    return np.frombuffer(raw, np.uint8).reshape(shape.kv_heads, memory.capacity, -1)[:, :length]


def fill(memories, tensor, slot, length, dice):
    for head in range(SHAPES[tensor].kv_heads):
        wide = SHAPES[tensor].head_dim * memories[0].shape.item_size
        values = dice.integers(0, 256, length * wide, dtype=np.uint8)
        for memory in memories:
            address = memory.pointer(tensor, slot) + head * memory.capacity * wide
            ctypes.memmove(address, values.tobytes(), len(values))


def same(memories, lengths):
    for tensor in range(len(SHAPES)):
        for slot, length in enumerate(lengths):
            parts = [content(memory, tensor, slot, length) for memory in memories]
            assert np.array_equal(*parts), (tensor, slot)


@pytest.mark.parametrize("element", ["tensor(float)", "tensor(float16)", "tensor(bfloat16)"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_story_ends_as_it_does_in_main_memory(element, data):
    memories = [device_memory(element), CpuKvMemory(KvShape(SHAPES, element), SLOTS)]
    dice = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    lengths, blocks = [0] * SLOTS, set()
    for memory in memories:
        memory.reserve(BLOCK_TOKENS, lengths)
    for _ in range(data.draw(st.integers(1, 12))):
        room = min(memory.capacity for memory in memories)
        match data.draw(st.sampled_from(["fill", "grow", "move", "store", "load", "free"])):
            case "fill":
                slot = data.draw(st.integers(0, SLOTS - 1))
                lengths[slot] = data.draw(st.integers(0, room))
                for tensor in range(len(SHAPES)):
                    fill(memories, tensor, slot, lengths[slot], dice)
            case "grow":
                for memory in memories:
                    memory.reserve(room + BLOCK_TOKENS, lengths)
            case "move":
                source, target = data.draw(st.permutations(range(SLOTS)))[:2]
                for memory in memories:
                    memory.move(source, target, lengths[source])
                lengths[source], lengths[target] = 0, lengths[source]
            case "store":
                slot, block = data.draw(st.integers(0, SLOTS - 1)), data.draw(st.integers(0, 4))
                if lengths[slot] >= BLOCK_TOKENS:
                    position = data.draw(st.integers(0, lengths[slot] // BLOCK_TOKENS - 1)) * BLOCK_TOKENS
                    for memory in memories:
                        memory.store_block(slot, position, block)
                    blocks.add(block)
            case "load":
                known = st.sampled_from(sorted(blocks) or [0])
                chain = data.draw(st.lists(known, max_size=room // BLOCK_TOKENS if blocks else 0))
                slot = data.draw(st.integers(0, SLOTS - 1))
                for memory in memories:
                    memory.load_blocks(slot, chain)
                lengths[slot] = len(chain) * BLOCK_TOKENS
            case "free":
                for memory in memories:
                    memory.free_blocks(sorted(blocks)[:1])
                blocks.discard(min(blocks, default=0))
        same(memories, lengths)
    for memory in memories:
        memory.close()


def test_a_block_that_was_never_stored_is_an_error():
    memory = device_memory("tensor(float16)")
    memory.reserve(64, [0] * SLOTS)
    with pytest.raises(KeyError):
        memory.load_blocks(0, [7])
