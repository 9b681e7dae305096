"""Memory of keys and values: slots that the graph reads and writes in place, and blocks of the prefix cache.

All tensors of one shape lie in one piece of memory [tensors, slots, kv_heads, capacity, head_dim], so that a block of
tokens is copied in one go for all layers. The system gives the pages when they are first written, and gets those of a
freed slot back.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.inference.scheduling.plan import BLOCK_TOKENS

ONNX_TYPES: dict[str, tuple[int, int]] = {
    "tensor(float)": (1, 4),
    "tensor(float16)": (10, 2),
    "tensor(bfloat16)": (16, 2),
}
"""ONNX's number and the bytes of each element type that a cache may have."""

_NO_RESERVE = 0x4000
"""MAP_NORESERVE of Linux on x86-64 and ARM64; not every Python's mmap names it."""


@dataclass(frozen=True, slots=True)
class TensorShape:
    """One cache tensor of the graph: [batch, kv_heads, length, head_dim]."""

    kv_heads: int
    head_dim: int


@dataclass(frozen=True, slots=True)
class KvShape:
    """All cache tensors of a graph, in the order of its inputs, and their element type as ONNX Runtime names it."""

    tensors: tuple[TensorShape, ...]
    element: str

    @property
    def onnx_type(self) -> int:
        """ONNX's number of the element type."""
        return ONNX_TYPES[self.element][0]

    @property
    def item_size(self) -> int:
        """Bytes of one number."""
        return ONNX_TYPES[self.element][1]

    @property
    def bytes_per_token(self) -> int:
        """Memory of one token in one slot."""
        return sum(one.kv_heads * one.head_dim for one in self.tensors) * self.item_size


class KvMemory(Protocol):
    """Slots and blocks on some device. Positions and lengths count tokens."""

    device: str  # as ONNX Runtime names it: "cpu", "cuda"
    device_id: int
    shape: KvShape
    slots: int
    capacity: int  # tokens that every slot has room for

    def reserve(self, capacity: int, lengths: Sequence[int]) -> bool:
        """Give every slot room for ``capacity`` tokens, keeping its first ``lengths[slot]``. True: memory moved."""
        ...

    def pointer(self, tensor: int, slot: int) -> int:
        """Address of a tensor's first number in ``slot``."""
        ...

    def release(self, slots: Sequence[int]) -> None:
        """The content of these slots is not needed any more."""
        ...

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of ``source`` to ``target``."""
        ...

    def load_blocks(self, slot: int, blocks: Sequence[int]) -> None:
        """Copy blocks to the beginning of ``slot``. KeyError for a block that was never stored."""
        ...

    def store_block(self, slot: int, position: int, block: int) -> None:
        """Copy ``BLOCK_TOKENS`` tokens from ``position`` on into ``block``."""
        ...

    def free_blocks(self, blocks: Sequence[int]) -> None:
        """Give the memory of these blocks back."""
        ...

    def close(self) -> None:
        """Give everything back. Nothing may be bound to it any more."""
        ...


class _Group:
    """Tensors of one shape: ``members`` are their numbers among all tensors."""

    def __init__(self, shape: TensorShape, members: list[int], dtype: Any) -> None:
        self.shape, self.members, self.dtype = shape, members, dtype
        self.memory: mmap.mmap | None = None
        self.array: NDArray[Any] = np.empty((len(members), 0, shape.kv_heads, 0, shape.head_dim), dtype)

    def grow(self, slots: int, capacity: int, lengths: Sequence[int]) -> None:
        shape = (len(self.members), slots, self.shape.kv_heads, capacity, self.shape.head_dim)
        memory = _anonymous(int(np.prod(shape)) * self.dtype.itemsize)
        array = np.frombuffer(memory, self.dtype).reshape(shape)
        if self.memory is not None:
            for slot, length in enumerate(lengths):
                array[:, slot, :, :length] = self.array[:, slot, :, :length]
        self.memory, self.array = memory, array

    def release(self, slot: int) -> None:
        """Whole pages of a slot go back to the system; it reads zeros there afterwards."""
        if self.memory is None or not hasattr(self.memory, "madvise"):
            return
        length = self.array.strides[1]
        for tensor in range(len(self.members)):
            begin = tensor * self.array.strides[0] + slot * length
            first = -(-begin // mmap.PAGESIZE) * mmap.PAGESIZE
            last = (begin + length) // mmap.PAGESIZE * mmap.PAGESIZE
            if last > first:
                self.memory.madvise(mmap.MADV_DONTNEED, first, last - first)


def _anonymous(size: int) -> mmap.mmap:
    """Memory without a file.

    Private: pages of a shared mapping, Python's default, never go back to the system. Not reserved: every slot has room
    for the longest sequence, of which little is ever touched (the scheduler's budget bounds that), and Linux would
    refuse more than the machine has.
    """
    if hasattr(mmap, "MAP_PRIVATE") and hasattr(mmap, "MAP_ANONYMOUS"):
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | (_NO_RESERVE if sys.platform == "linux" else 0)
        return mmap.mmap(-1, size, flags=flags)
    return mmap.mmap(-1, size)


class CpuKvMemory:
    """Keys and values in main memory."""

    device = "cpu"
    device_id = 0

    def __init__(self, shape: KvShape, slots: int) -> None:
        self.shape, self.slots, self.capacity = shape, slots, 0
        dtype = np.dtype({1: np.float32, 10: np.float16, 16: np.uint16}[shape.onnx_type])
        groups: dict[TensorShape, list[int]] = {}
        for number, tensor in enumerate(shape.tensors):
            groups.setdefault(tensor, []).append(number)
        self._groups = [_Group(one, members, dtype) for one, members in groups.items()]
        self._places = {number: (group, place) for group in self._groups for place, number in enumerate(group.members)}
        self._blocks: dict[int, list[NDArray[Any]]] = {}

    def reserve(self, capacity: int, lengths: Sequence[int]) -> bool:
        """See :class:`KvMemory`."""
        if capacity <= self.capacity:
            return False
        self.capacity = capacity
        for group in self._groups:
            group.grow(self.slots, self.capacity, lengths)
        return True

    def pointer(self, tensor: int, slot: int) -> int:
        """See :class:`KvMemory`."""
        group, place = self._places[tensor]
        address: int = group.array.ctypes.data
        return address + place * group.array.strides[0] + slot * group.array.strides[1]

    def tensor(self, tensor: int, slot: int) -> NDArray[Any]:
        """One tensor of one slot, in place: [kv_heads, capacity, head_dim] (bfloat16 as uint16)."""
        group, place = self._places[tensor]
        view: NDArray[Any] = group.array[place, slot]
        return view

    def release(self, slots: Sequence[int]) -> None:
        """See :class:`KvMemory`."""
        for group in self._groups:
            for slot in slots:
                group.release(slot)

    def move(self, source: int, target: int, length: int) -> None:
        """See :class:`KvMemory`."""
        for group in self._groups:
            group.array[:, target, :, :length] = group.array[:, source, :, :length]

    def load_blocks(self, slot: int, blocks: Sequence[int]) -> None:
        """See :class:`KvMemory`."""
        for place, block in enumerate(blocks):
            begin = place * BLOCK_TOKENS
            for group, part in zip(self._groups, self._blocks[block], strict=True):
                group.array[:, slot, :, begin : begin + BLOCK_TOKENS] = part

    def store_block(self, slot: int, position: int, block: int) -> None:
        """See :class:`KvMemory`."""
        end = position + BLOCK_TOKENS
        self._blocks[block] = [group.array[:, slot, :, position:end].copy() for group in self._groups]

    def free_blocks(self, blocks: Sequence[int]) -> None:
        """See :class:`KvMemory`. A block that is unknown is none to free."""
        for block in blocks:
            self._blocks.pop(block, None)

    def close(self) -> None:
        """See :class:`KvMemory`."""
        self._blocks.clear()
        self._groups.clear()
        self._places.clear()
