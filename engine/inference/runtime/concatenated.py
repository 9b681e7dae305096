"""Calls of a graph that takes past keys and values and gives back longer ones.

What such a graph computed stays where ONNX Runtime put it: as long as the same rows go on, what came out of one call
goes into the next, and nothing is copied to the slots (the graph itself copies everything in every call, that cannot
be helped). The slots are brought up to date when somebody wants to read them or the rows change.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine.inference.runtime import graph
from engine.inference.runtime.calls import Call
from engine.inference.runtime.kv_memory import CpuKvMemory
from engine.inference.runtime.signature import CACHE_BRANCH, LOGITS_TO_KEEP, Signature
from engine.inference.runtime.tensors import INTEGERS, bind
from engine.inference.scheduling.plan import Row


class _Resident:
    """Rows that go on together. ``values``: one tensor [rows, kv_heads, width, head_dim] for every cache; each row's
    ``lengths`` tokens stand at its right end, padding before them. The first ``written`` of them are in the slots."""

    def __init__(self, slots: tuple[int, ...], lengths: list[int], width: int, values: list[Any]) -> None:
        self.slots, self.lengths, self.width, self.values = slots, lengths, width, values
        self.written = list(lengths)


class ConcatenatedGraph:
    """Runs calls over any slots: one piece of a prompt, or one token for each of several rows."""

    def __init__(self, session: Any, signature: Signature, gathered: bool, memory: CpuKvMemory) -> None:
        self._session, self._signature, self._gathered, self._memory = session, signature, gathered, memory
        self._residents: dict[bool, _Resident] = {}  # of single tokens and of longer pieces

    def forget_addresses(self) -> None:
        """Nothing is bound to the cache memory between calls."""

    def flush(self) -> None:
        """Write what was computed since to the slots."""
        for resident in self._residents.values():
            self._write(resident)

    def forget(self, slots: Sequence[int]) -> None:
        """What these slots hold comes from elsewhere now. Rows beside them are written first."""
        for kind, resident in list(self._residents.items()):
            if not set(slots).isdisjoint(resident.slots):
                self._write(resident)
                del self._residents[kind]

    def run(self, call: Call, rows: Sequence[Row], out: NDArray[np.float32]) -> None:
        """Feed ``rows`` (all of the call's width) and write the logits of those that draw to ``out``."""
        resident = self._resident(call, rows)
        binding, keep = self._session.io_binding(), list[NDArray[Any]]()
        self._bind_rows(binding, resident, call.width, rows, keep)
        ends = [(place + 1) * call.width for place in range(len(rows))]
        wanted = [at for end, row in zip(ends, rows, strict=True) for at in range(end - row.draw, end)]
        every = out
        if self._gathered:
            bind(binding, graph.POSITIONS, np.array(wanted or [0], np.int64), keep)
            shape = [1, max(1, len(wanted)), out.shape[1]]
            if not wanted:
                every = np.empty(shape, np.float32)
        else:
            shape = [len(rows), call.width, out.shape[1]]
            every = np.empty(shape, np.float32)
        binding.bind_output("logits", "cpu", 0, np.float32, shape, every.ctypes.data)
        for name in self._signature.presents:
            binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        resident.values = list(binding.get_outputs())[1:]
        resident.width += call.width
        resident.lengths = [row.start + call.width for row in rows]
        if not self._gathered:
            out[:] = every.reshape(-1, out.shape[1])[wanted]

    def _resident(self, call: Call, rows: Sequence[Row]) -> _Resident:
        """The rows as the last call left them, or put together from the slots. Whoever shares slots with them is
        written to the slots and forgotten."""
        kind, slots, lengths = call.width > 1, tuple(row.slot for row in rows), [row.start for row in rows]
        found = self._residents.get(kind)
        if found is not None and (found.slots, found.lengths) == (slots, lengths):
            self._forget_other(not kind, slots)
            return found
        if found is not None:
            self._write(found)
        self._forget_other(not kind, slots)
        width = max(lengths)
        resident = self._residents[kind] = _Resident(slots, lengths, width, [])
        for number, shape in enumerate(self._signature.kv.tensors):
            dtype = self._memory.tensor(number, 0).dtype
            value = np.zeros((len(rows), shape.kv_heads, width, shape.head_dim), dtype)
            for place, (slot, length) in enumerate(zip(slots, lengths, strict=True)):
                if length:
                    value[place, :, width - length :] = self._memory.tensor(number, slot)[:, :length]
            resident.values.append(value)
        return resident

    def _forget_other(self, kind: bool, slots: tuple[int, ...]) -> None:
        other = self._residents.get(kind)
        if other is not None and not set(slots).isdisjoint(other.slots):
            self._write(other)
            del self._residents[kind]

    def _bind_rows(
        self, binding: Any, resident: _Resident, width: int, rows: Sequence[Row], keep: list[NDArray[Any]]
    ) -> None:
        inputs, total = self._signature.inputs, resident.width + width
        starts = np.array([row.start for row in rows], np.int64)
        bind(binding, "input_ids", np.array([row.ids for row in rows], INTEGERS[inputs["input_ids"]]), keep)
        if "attention_mask" in inputs:
            mask = np.arange(total) >= (resident.width - starts)[:, None]
            bind(binding, "attention_mask", mask.astype(INTEGERS[inputs["attention_mask"]]), keep)
        if "position_ids" in inputs:
            places = starts[:, None] + np.arange(width)
            bind(binding, "position_ids", places.astype(INTEGERS[inputs["position_ids"]]), keep)
        if CACHE_BRANCH in inputs:
            bind(binding, CACHE_BRANCH, np.array([resident.width > 0]), keep)
        for name in LOGITS_TO_KEEP:
            if name in inputs:
                bind(binding, name, np.zeros((), INTEGERS[inputs[name]]), keep)
        kind = self._signature.kv.onnx_type
        for name, value in zip(self._signature.pasts, resident.values, strict=True):
            if isinstance(value, np.ndarray):
                keep.append(value)
                binding.bind_input(name, "cpu", 0, kind, list(value.shape), value.ctypes.data)
            else:
                binding.bind_ortvalue_input(name, value)

    def _write(self, resident: _Resident) -> None:
        """Bring the slots up to date."""
        if resident.written == resident.lengths:
            return
        for number, value in enumerate(resident.values):
            array = _view(value, self._memory.tensor(number, 0).dtype)
            for place, slot in enumerate(resident.slots):
                begin, end = resident.written[place], resident.lengths[place]
                padding = resident.width - end
                self._memory.tensor(number, slot)[:, begin:end] = array[place, :, padding + begin : padding + end]
        resident.written = list(resident.lengths)


def _view(value: onnxruntime.OrtValue, dtype: np.dtype[Any]) -> NDArray[Any]:
    """An ONNX Runtime value in main memory as an array, in place; it lives as long as the value."""
    shape = value.shape()
    size = int(np.prod(shape)) * dtype.itemsize
    content: Any = (ctypes.c_char * size).from_address(value.data_ptr())
    view: NDArray[Any] = np.frombuffer(content, dtype).reshape(shape)
    return view
