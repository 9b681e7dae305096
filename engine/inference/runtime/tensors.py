"""Inputs that every graph style has in common: ids and positions of a call's rows, padded to its width."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTEGERS: dict[str, Any] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class LogitsBuffer:
    """One buffer for the logits of a step, [rows, vocabulary], grown as needed."""

    def __init__(self, vocabulary: int) -> None:
        self._buffer: NDArray[np.float32] = np.empty((0, vocabulary), np.float32)

    def rows(self, count: int) -> NDArray[np.float32]:
        """A view of ``count`` rows; their content is the last step's."""
        if len(self._buffer) < count:
            self._buffer = np.empty((count, self._buffer.shape[1]), np.float32)
        return self._buffer[:count]


class Bound:
    """A ``binding`` that is used again and again. Binding costs more than copying a few numbers: an input that has the
    same shape as before is copied to where the last one lies. ``in_place``: the session reads inputs where they are;
    others, on a device of their own, copy them while they are bound."""

    def __init__(self, binding: Any, *, in_place: bool) -> None:
        self.binding = binding
        self._in_place = in_place
        self._inputs: dict[str, NDArray[Any]] = {}
        self._outputs: dict[str, tuple[int, tuple[int, ...]]] = {}

    def feed(self, name: str, array: NDArray[Any]) -> None:
        """Let ``array``, which is nobody else's, be the input ``name`` of the next run."""
        held = self._inputs.get(name)
        if self._in_place and held is not None and (held.shape, held.dtype) == (array.shape, array.dtype):
            held[...] = array
            return
        self._inputs[name] = array
        self.binding.bind_input(name, "cpu", 0, array.dtype.type, list(array.shape), array.ctypes.data)

    def fill(self, name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
        """Let the next run write the output ``name``, of ``shape``, to ``array``."""
        place = array.ctypes.data, shape
        if not self._in_place or self._outputs.get(name) != place:
            self.binding.bind_output(name, "cpu", 0, array.dtype.type, list(shape), place[0])
            self._outputs[name] = place


def bind(binding: Any, name: str, array: NDArray[Any], keep: list[NDArray[Any]]) -> None:
    """Bind ``array`` in place as an input; ``keep`` holds it until the run is over."""
    keep.append(array)
    binding.bind_input(name, "cpu", 0, array.dtype.type, list(array.shape), array.ctypes.data)
