"""The bare loop: ``run_with_iobinding`` on the same graph with shared cache buffers and an argmax, nothing around it.

Not a peer but the floor: what the engine adds to it is the engine's overhead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.bench.drivers.protocol import serve
from engine.bench.work import Settings

CAPACITY = 1024
"""Tokens that each row of the cache has room for."""


class BareLoop:
    """One session; buffers for each batch size."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(1)
        self._session: Any = None
        self._loaded: tuple[Path, str] | None = None
        self._caches: list[str] = []
        self._row = (0, 0)  # key-value heads, numbers of one head
        self._vocabulary = 0

    def load(self, model: Path, settings: Settings) -> dict[str, str]:
        """See ``Driver``."""
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when onnxruntime is imported
        import onnxruntime

        key = (model, repr(sorted(settings.items())))
        if self._loaded != key:
            self._session = None
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = settings["threads"]
            options.inter_op_num_threads = 1
            options.add_session_config_entry("session.intra_op.allow_spinning", str(int(settings["spinning"])))
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(
                str(model / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._loaded = key
            names = [one.name for one in self._session.get_inputs()]
            self._caches = [name for name in names if name.startswith("past_key_values")]
            config = json.loads((model / "config.json").read_text(encoding="utf-8"))
            heads = config["num_attention_heads"]
            self._row = config["num_key_value_heads"], config["hidden_size"] // heads
            self._vocabulary = self._session.get_outputs()[0].shape[-1]
        self.prefill(8)
        return {"onnxruntime": str(onnxruntime.__version__)}

    def decode(self, batch: int, prompt: int, steps: int, draw: str) -> tuple[float, int]:
        """See ``Driver``."""
        buffers = self._buffers(batch)
        token = self._run(buffers, self._prompt(batch, prompt), 0)
        output = self._logits(batch, 1)
        begin = perf_counter()
        for step in range(steps):
            token = self._run(buffers, token, prompt + step, output)
        return perf_counter() - begin, batch * steps

    def prefill(self, tokens: int) -> float:
        """See ``Driver``."""
        buffers, prompt = self._buffers(1), self._prompt(1, tokens)
        begin = perf_counter()
        self._run(buffers, prompt, 0)
        return perf_counter() - begin

    def _prompt(self, batch: int, tokens: int) -> NDArray[np.int64]:
        return self._random.integers(0, 256, (batch, tokens), dtype=np.int64)

    def _buffers(self, batch: int) -> list[Any]:
        import onnxruntime

        heads, numbers = self._row
        shape = (batch, heads, CAPACITY, numbers)  # not from NumPy: values made from one array share its memory
        return [onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32) for _ in self._caches]

    def _logits(self, batch: int, tokens: int) -> Any:
        import onnxruntime

        return onnxruntime.OrtValue.ortvalue_from_shape_and_type((batch, tokens, self._vocabulary), np.float32)

    def _run(self, buffers: list[Any], ids: NDArray[np.int64], past: int, output: Any = None) -> NDArray[np.int64]:
        """Feed ``ids`` [batch, tokens]; the likeliest next ones [batch, 1]."""
        batch, tokens = ids.shape
        output = output or self._logits(batch, tokens)
        binding = self._session.io_binding()
        binding.bind_cpu_input("input_ids", ids)
        binding.bind_cpu_input("attention_mask", np.ones((batch, past + tokens), dtype=np.int64))
        for name, buffer in zip(self._caches, buffers, strict=True):
            binding.bind_ortvalue_input(name, buffer)
            binding.bind_ortvalue_output(name.replace("past_key_values", "present"), buffer)
        binding.bind_ortvalue_output("logits", output)
        self._session.run_with_iobinding(binding)
        logits: NDArray[np.float32] = output.numpy()[:, -1]
        likeliest: NDArray[np.int64] = logits.argmax(axis=-1)[:, None]
        return likeliest


if __name__ == "__main__":
    serve(BareLoop())
