"""A session that says it is CUDA's and computes on the processor: what can be tested of a GPU without one."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np


class PretendedGpu:
    """Wraps a session of the processor; bindings take the device "cuda" as main memory, for caches alone. ``wrong`` is
    added to some logits; ``failure`` is what a run raises, after ``runs`` good ones."""

    def __init__(self, session: Any, wrong: float = 0.0, failure: str = "", runs: int = 0) -> None:
        self._session, self._wrong, self._failure, self._runs = session, wrong, failure, runs

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def get_outputs(self) -> Any:
        return self._session.get_outputs()

    def io_binding(self) -> Any:
        return _Binding(self._session.io_binding())

    def run_with_iobinding(self, binding: Any) -> None:
        if self._failure and self._runs <= 0:
            raise RuntimeError(self._failure)
        self._runs -= 1
        self._session.run_with_iobinding(binding.inner)
        if self._wrong:
            logits = np.ctypeslib.as_array(binding.logits, (binding.count,))
            logits[::7] += self._wrong


class _Binding:
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def bind_input(self, name: str, device: str, number: int, kind: Any, shape: Any, pointer: int) -> None:
        assert device == "cpu" or name.startswith("past_key_values."), name
        self.inner.bind_input(name, "cpu", 0, kind, shape, pointer)

    def bind_output(self, name: str, device: str, *place: Any) -> None:
        assert device == "cpu" or name.startswith("present."), name
        self.inner.bind_output(name, "cpu", *place)
        if name == "logits":
            self.count = int(np.prod(place[2]))
            self.logits = ctypes.cast(place[3], ctypes.POINTER(ctypes.c_float))

    def bind_ortvalue_input(self, name: str, value: Any) -> None:
        self.inner.bind_ortvalue_input(name, value)

    def get_outputs(self) -> Any:
        return self.inner.get_outputs()
