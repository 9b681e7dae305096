"""A session together with cache memory: what the slots hold, and a step carried out call by call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError
from engine.inference.runtime.calls import Batching, CallRules, Feed, split_calls
from engine.inference.runtime.concatenated import ConcatenatedGraph
from engine.inference.runtime.graph import GraphFacts
from engine.inference.runtime.kv_memory import CpuKvMemory, KvMemory
from engine.inference.runtime.shared_buffer import SharedBufferGraph
from engine.inference.runtime.signature import Signature
from engine.inference.runtime.tensors import LogitsBuffer
from engine.inference.scheduling.plan import BLOCK_TOKENS, Row

CALL_OVERHEAD = 4.0
"""What a call costs beside its tokens, in tokens (0.5B model, int4, two cores: 14 ms beside 3.6 ms a token)."""
SMALLEST_CAPACITY = 256
CAPACITY_STEP = 64


class Execution:
    """Slots of cache memory and the graph that fills them. ``batching`` may be set before the first step."""

    def __init__(
        self, session: Any, signature: Signature, facts: GraphFacts, memory: KvMemory, vocabulary: int, limit: int
    ) -> None:
        self.memory = memory
        self.batching: Batching = "single"
        self._vocabulary, self._limit, self._shared = vocabulary, limit, facts.shared_buffer
        self._lengths = np.zeros(memory.slots, np.int64)
        shape = next(one.shape for one in session.get_outputs() if one.name == "logits")
        # A graph's vocabulary may be padded beyond the tokenizer's.
        width = shape[-1] if isinstance(shape[-1], int) else vocabulary
        self._logits = LogitsBuffer(width)
        self._graph: SharedBufferGraph | ConcatenatedGraph
        if facts.shared_buffer:
            self._graph = SharedBufferGraph(session, signature, facts.gathered, memory, self._lengths)
        else:
            assert isinstance(memory, CpuKvMemory)
            self._graph = ConcatenatedGraph(session, signature, facts.gathered, memory)

    def reserve(self, capacity: int) -> None:
        """See ``Runner.reserve``. Room grows by half at least, because growing copies."""
        if capacity > self._limit:
            raise InferenceError(f"{capacity} tokens are more than the {self._limit} of the model's context")
        # One place more than asked for: what is computed for an idle slot is written beyond what the slot holds.
        if capacity + 1 <= self.memory.capacity:
            return
        room = max(capacity, SMALLEST_CAPACITY, self.memory.capacity * 3 // 2)
        room = min(-(-room // CAPACITY_STEP) * CAPACITY_STEP, self._limit) + 1
        self._graph.flush()
        try:
            moved = self.memory.reserve(room, [int(length) for length in self._lengths])
        except (MemoryError, OSError) as error:
            raise InferenceError(
                f"There is no memory for {capacity} tokens in each of {self.memory.slots} places. Allow the model less "
                "memory or fewer answers at a time."
            ) from error
        if moved:
            self._graph.forget_addresses()

    def release(self, slots: Sequence[int]) -> None:
        """See ``Runner.release_slots``."""
        self._graph.forget(slots)
        self._lengths[list(slots)] = 0
        self.memory.release(slots)

    def move(self, source: int, target: int, length: int) -> None:
        """See ``Runner.move``."""
        self._graph.flush()
        self._graph.forget((source, target))
        self.memory.move(source, target, length)
        self._lengths[source], self._lengths[target] = 0, length

    def load_blocks(self, slot: int, blocks: Sequence[int]) -> None:
        """See ``Runner.load_blocks``."""
        self.reserve(len(blocks) * BLOCK_TOKENS)
        self._graph.forget((slot,))
        try:
            self.memory.load_blocks(slot, blocks)
        except KeyError as error:
            raise InferenceError(f"block {error} of the prefix cache was never stored") from error
        self._lengths[slot] = len(blocks) * BLOCK_TOKENS

    def store_block(self, slot: int, position: int, block: int) -> None:
        """See ``Runner.store_block``."""
        self._graph.flush()
        self.memory.store_block(slot, position, block)

    def run(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """Feed ``rows``; logits [all that they draw, vocabulary] in their order, valid until the next step."""
        self.reserve(max(row.start + len(row.ids) for row in rows))
        lengths = self._lengths
        room = min(self.memory.capacity, self._limit)
        rules = CallRules(self.batching, self._shared, room, lambda slot: int(lengths[slot]), CALL_OVERHEAD)
        calls = split_calls([Feed(row.slot, row.start, len(row.ids)) for row in rows], rules)
        drawn = [index for index, row in enumerate(rows) for _ in range(row.draw)]
        out = self._logits.rows(len(drawn))
        order: list[int] = []
        for call in calls:
            begin = len(order)
            order += [index for index in call.rows for _ in range(rows[index].draw)]
            self._graph.run(call, [rows[index] for index in call.rows], out[begin : len(order)])
            for index in call.rows:
                lengths[rows[index].slot] = rows[index].start + len(rows[index].ids)
        if order != drawn:
            out[:] = out[np.argsort(order, kind="stable")]
        return out[:, : self._vocabulary]

    def failed(self, rows: Sequence[Row]) -> None:
        """A run of ``rows`` broke off: what their slots hold from ``start`` on is worth nothing."""
        self._graph.flush()
        self._graph.forget([row.slot for row in rows])
        for row in rows:
            self._lengths[row.slot] = min(int(self._lengths[row.slot]), row.start)

    def close(self) -> None:
        """Give all memory back."""
        self._graph.forget(range(self.memory.slots))
        self._graph.forget_addresses()
        self.memory.close()
