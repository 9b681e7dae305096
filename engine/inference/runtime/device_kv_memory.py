"""Memory of keys and values on a device: ONNX Runtime holds it and copies inside it, nothing comes to main memory.

The slots of all tensors of one shape are one piece of memory [tensors, slots, kv_heads, capacity, head_dim]. Copies see
it as pieces of ``BLOCK_TOKENS`` tokens of one head: [tensors * slots * kv_heads * capacity / 32, words], in words of 32
bits whatever the numbers' type. A block of the prefix cache is [tensors * kv_heads, words] of its own. The copies are
two graphs of one node (Gather, and ScatterND in place), which run on the provider that has the memory: with the device
"cpu" the same code is tested in main memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from engine.errors import ProviderFailedError
from engine.inference.runtime.kv_memory import KvShape, TensorShape
from engine.inference.scheduling.plan import BLOCK_TOKENS

_WORD = 4
"""Bytes of the numbers that are copied."""


class _Copies:
    """Copies of rows between two-dimensional pieces of device memory [rows, words], by row numbers."""

    def __init__(self, device: str, device_id: int, providers: Sequence[Any]) -> None:
        self._device, self._device_id = device, device_id
        self._gather = _session("Gather", ["data", "rows"], ["count"], providers)
        self._scatter = _session("ScatterND", ["data", "rows", "updates"], ["count", 1], providers)

    def allocate(self, rows: int, words: int) -> Any:
        """New memory [rows, words]; :class:`ProviderFailedError` when there is none."""
        try:
            return onnxruntime.OrtValue.ortvalue_from_shape_and_type(
                [rows, words], np.int32, self._device, self._device_id
            )
        except Exception as error:
            size = rows * words * _WORD / (1 << 20)
            raise ProviderFailedError(
                f"The GPU has no memory for {size:.0f} MiB of caches. Close other programs that use it, or set "
                "cache_memory to less."
            ) from error

    def gather(self, source: Any, rows: NDArray[np.int64], target: Any) -> None:
        """``target[i] = source[rows[i]]``."""
        binding = self._gather.io_binding()
        self._bind(binding, "data", source)
        binding.bind_cpu_input("rows", rows)
        self._bind(binding, "out", target)
        self._gather.run_with_iobinding(binding)

    def scatter(self, source: Any, rows: NDArray[np.int64], target: Any) -> None:
        """``target[rows[i]] = source[i]``, in place: the operator's input and output are the same memory."""
        binding = self._scatter.io_binding()
        self._bind(binding, "data", target)
        binding.bind_cpu_input("rows", rows[:, None])
        self._bind(binding, "updates", source)
        self._bind(binding, "out", target)
        self._scatter.run_with_iobinding(binding)

    def _bind(self, binding: Any, name: str, value: Any) -> None:
        bind = binding.bind_output if name == "out" else binding.bind_input
        bind(name, self._device, self._device_id, np.int32, value.shape(), value.data_ptr())


class _Group:
    """Tensors of one shape: ``members`` are their numbers among all tensors."""

    def __init__(self, shape: TensorShape, members: list[int], item_size: int) -> None:
        self.shape, self.members = shape, members
        self.words = BLOCK_TOKENS * shape.head_dim * item_size // _WORD
        self.value: Any = None
        self.pieces = 0  # of BLOCK_TOKENS tokens in one head of one slot

    def rows(self, slots: int, slot: int, first: int, count: int) -> NDArray[np.int64]:
        """Row numbers of ``count`` pieces from piece ``first`` on, in every head of every tensor of ``slot``."""
        tensors = np.arange(len(self.members))[:, None, None] * slots + slot
        heads = tensors * self.shape.kv_heads + np.arange(self.shape.kv_heads)[:, None]
        return (heads * self.pieces + np.arange(first, first + count)).reshape(-1).astype(np.int64)


class DeviceKvMemory:
    """Keys and values on a device. See ``KvMemory`` for what the methods promise."""

    def __init__(self, shape: KvShape, slots: int, device: str, device_id: int, providers: Sequence[Any]) -> None:
        self.shape, self.slots, self.capacity = shape, slots, 0
        self.device, self.device_id = device, device_id
        groups: dict[TensorShape, list[int]] = {}
        for number, tensor in enumerate(shape.tensors):
            groups.setdefault(tensor, []).append(number)
        self._groups = [_Group(one, members, shape.item_size) for one, members in groups.items()]
        self._places = {number: (group, place) for group in self._groups for place, number in enumerate(group.members)}
        self._blocks: dict[int, list[Any]] = {}
        self._copies = _Copies(device, device_id, providers)

    def reserve(self, capacity: int, lengths: Sequence[int]) -> bool:
        """See ``KvMemory``. In whole pieces; slots are copied one after the other."""
        if capacity <= self.capacity:
            return False
        pieces = -(-capacity // BLOCK_TOKENS)
        for group in self._groups:
            before, held = group.value, group.pieces
            rows = len(group.members) * self.slots * group.shape.kv_heads * pieces
            value = self._copies.allocate(rows, group.words)
            kept = [(slot, -(-length // BLOCK_TOKENS)) for slot, length in enumerate(lengths) if length]
            sources = [group.rows(self.slots, slot, 0, count) for slot, count in kept] if held else []
            group.value, group.pieces = value, pieces
            for (slot, count), source in zip(kept, sources, strict=False):
                self._copy(group, before, source, value, group.rows(self.slots, slot, 0, count))
        self.capacity = pieces * BLOCK_TOKENS
        return True

    def pointer(self, tensor: int, slot: int) -> int:
        """See ``KvMemory``."""
        group, place = self._places[tensor]
        address: int = group.value.data_ptr()
        return address + int(group.rows(self.slots, slot, 0, 1)[place * group.shape.kv_heads]) * group.words * _WORD

    def release(self, slots: Sequence[int]) -> None:
        """Slots keep their memory here; the scheduler knows (``whole_slots``)."""

    def move(self, source: int, target: int, length: int) -> None:
        """See ``KvMemory``. Copies whole pieces."""
        count = -(-length // BLOCK_TOKENS)
        if count:
            for group in self._groups:
                rows = [group.rows(self.slots, slot, 0, count) for slot in (source, target)]
                self._copy(group, group.value, rows[0], group.value, rows[1])

    def load_blocks(self, slot: int, blocks: Sequence[int]) -> None:
        """See ``KvMemory``."""
        for place, block in enumerate(blocks):
            for group, part in zip(self._groups, self._blocks[block], strict=True):
                self._copies.scatter(part, group.rows(self.slots, slot, place, 1), group.value)

    def store_block(self, slot: int, position: int, block: int) -> None:
        """See ``KvMemory``."""
        parts = []
        for group in self._groups:
            rows = group.rows(self.slots, slot, position // BLOCK_TOKENS, 1)
            part = self._copies.allocate(len(rows), group.words)
            self._copies.gather(group.value, rows, part)
            parts.append(part)
        self._blocks[block] = parts

    def free_blocks(self, blocks: Sequence[int]) -> None:
        """See ``KvMemory``."""
        for block in blocks:
            self._blocks.pop(block, None)

    def close(self) -> None:
        """See ``KvMemory``."""
        self._blocks.clear()
        self._groups.clear()
        self._places.clear()

    def _copy(
        self, group: _Group, source: Any, rows: NDArray[np.int64], target: Any, places: NDArray[np.int64]
    ) -> None:
        between = self._copies.allocate(len(rows), group.words)
        self._copies.gather(source, rows, between)
        self._copies.scatter(between, places, target)


def _session(operator: str, inputs: list[str], rows: list[Any], providers: Sequence[Any]) -> Any:
    integers, words = TensorProto.INT64, TensorProto.INT32
    shapes = {"data": (words, ["all", "words"]), "rows": (integers, rows), "updates": (words, ["count", "words"])}
    made = helper.make_graph(
        [helper.make_node(operator, inputs, ["out"], name=operator)],
        operator,
        [helper.make_tensor_value_info(name, *shapes[name]) for name in inputs],
        [helper.make_tensor_value_info("out", words, ["out rows", "words"])],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=list(providers))
