"""Calls of a GroupQueryAttention graph: keys and values are read and written in place, no cache is ever copied."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.inference.runtime import graph
from engine.inference.runtime.calls import Call
from engine.inference.runtime.kv_memory import KvMemory
from engine.inference.runtime.signature import LOGITS_TO_KEEP, Signature
from engine.inference.runtime.tensors import INTEGERS, Bound
from engine.inference.scheduling.plan import Row

_KEPT_BINDINGS = 16
"""Bindings of the cache that are kept for further steps, by the slots that they cover."""


class SharedBufferGraph:
    """Runs calls over neighbouring slots. ``lengths`` [slots] (tokens each slot holds) is the caller's and is read
    only: it says where the operator may write for slots that take no part."""

    def __init__(
        self, session: Any, signature: Signature, gathered: bool, memory: KvMemory, lengths: NDArray[np.int64]
    ) -> None:
        self._session, self._signature, self._gathered = session, signature, gathered
        self._memory, self._lengths = memory, lengths
        self._mixed = graph.COUNTS in signature.inputs
        self._bindings: OrderedDict[tuple[int, int], Bound] = OrderedDict()

    def forget_addresses(self) -> None:
        """The cache memory has moved."""
        self._bindings.clear()

    def flush(self) -> None:
        """Nothing is held back: what a call computed is in the cache memory."""

    def forget(self, slots: Sequence[int]) -> None:
        """Nothing is held outside the cache memory."""

    def run(self, call: Call, rows: Sequence[Row], out: NDArray[np.float32]) -> None:
        """Feed ``rows`` (the call's own, by rising slot) and write the logits of those that draw to ``out``."""
        bound = self._bound(call.first, call.span)
        wanted = self._feed_rows(bound, call, rows)
        if self._gathered:
            target = out if len(out) else np.empty((1, out.shape[1]), np.float32)
            bound.feed(graph.POSITIONS, np.array(wanted or [0], np.int64))
            bound.fill("logits", target, (1, max(1, len(wanted)), out.shape[1]))
            self._session.run_with_iobinding(bound.binding)
            return
        every = np.empty((call.span, call.width, out.shape[1]), np.float32)
        bound.fill("logits", every, every.shape)
        self._session.run_with_iobinding(bound.binding)
        out[:] = every.reshape(-1, out.shape[1])[wanted]

    def _feed_rows(self, bound: Bound, call: Call, rows: Sequence[Row]) -> list[int]:
        span, width, inputs = call.span, call.width, self._signature.inputs
        starts = self._lengths[call.first : call.first + span].copy()
        counts = np.zeros(span, np.int64)
        ids = np.zeros((span, width), INTEGERS[inputs["input_ids"]])
        wanted: list[int] = []
        for row in rows:
            place, count = row.slot - call.first, len(row.ids)
            ids[place, :count] = row.ids
            starts[place], counts[place] = row.start, count
            wanted += range(place * width + count - row.draw, place * width + count)
        # With query lengths an idle slot is left alone. Without, it is fed one made-up token beyond what it holds.
        ends = np.maximum(starts + counts, 1) if self._mixed else starts + np.maximum(counts, 1)
        total = max(int(ends.max()), width)
        bound.feed("input_ids", ids)
        bound.feed(graph.LENGTHS, (ends - 1).astype(np.int32))
        bound.feed(graph.TOTAL, np.array(total, np.int32))
        if self._mixed:
            bound.feed(graph.COUNTS, counts.astype(np.int32))
        if "position_ids" in inputs:
            places = starts[:, None] + np.arange(width)
            # Padding gets positions that exist, whatever the row's start.
            places = np.minimum(places, np.maximum(ends - 1, 0)[:, None])
            bound.feed("position_ids", places.astype(INTEGERS[inputs["position_ids"]]))
        if "attention_mask" in inputs:
            mask = np.arange(total) < ends[:, None]
            bound.feed("attention_mask", mask.astype(INTEGERS[inputs["attention_mask"]]))
        for name in LOGITS_TO_KEEP:
            if name in inputs:
                bound.feed(name, np.zeros((), INTEGERS[inputs[name]]))
        return wanted

    def _bound(self, first: int, span: int) -> Bound:
        found = self._bindings.get((first, span))
        if found is not None:
            self._bindings.move_to_end((first, span))
            return found
        binding, memory, kind = self._session.io_binding(), self._memory, self._signature.kv.onnx_type
        names = zip(self._signature.pasts, self._signature.presents, self._signature.kv.tensors, strict=True)
        for number, (past, present, tensor) in enumerate(names):
            shape = [span, tensor.kv_heads, memory.capacity, tensor.head_dim]
            place = memory.pointer(number, first)
            binding.bind_input(past, memory.device, memory.device_id, kind, shape, place)
            binding.bind_output(present, memory.device, memory.device_id, kind, shape, place)
        bound = self._bindings[first, span] = Bound(binding, in_place=memory.device == "cpu")
        if len(self._bindings) > _KEPT_BINDINGS:
            self._bindings.popitem(last=False)
        return bound
