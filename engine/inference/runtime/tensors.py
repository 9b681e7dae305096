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


def bind(binding: Any, name: str, array: NDArray[Any], keep: list[NDArray[Any]]) -> None:
    """Bind ``array`` in place as an input; ``keep`` holds it until the run is over."""
    keep.append(array)
    binding.bind_input(name, "cpu", 0, array.dtype.type, list(array.shape), array.ctypes.data)
