"""onnxruntime-genai on the ONNX graph."""

from __future__ import annotations

import importlib.metadata
import json
import random
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.bench.drivers.protocol import serve
from engine.bench.work import Settings


class GenAi:
    """Its own generator loop, greedy."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._model: Any = None

    def load(self, model: Path, settings: Settings) -> dict[str, str]:
        """See ``Driver``."""
        import onnxruntime_genai

        self._model = None
        config = onnxruntime_genai.Config(str(model))
        options = {"intra_op_num_threads": settings["threads"]}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
        if settings.get("provider") == "cuda":
            config.clear_providers()
            config.append_provider("cuda")
        self._model = onnxruntime_genai.Model(config)
        self.prefill(8)
        return {"onnxruntime-genai": importlib.metadata.version("onnxruntime-genai")}

    def decode(self, batch: int, prompt: int, steps: int, draw: str) -> tuple[float, int]:
        """See ``Driver``."""
        generator = self._generator(batch, prompt + steps + 1)
        generator.append_tokens(self._prompts(batch, prompt))
        generator.generate_next_token()
        begin = perf_counter()
        for _ in range(steps):
            generator.generate_next_token()
        return perf_counter() - begin, batch * steps

    def prefill(self, tokens: int) -> float:
        """See ``Driver``."""
        generator = self._generator(1, tokens + 2)
        prompt = self._prompts(1, tokens)
        begin = perf_counter()
        generator.append_tokens(prompt)
        generator.generate_next_token()
        return perf_counter() - begin

    def _generator(self, batch: int, length: int) -> Any:
        import onnxruntime_genai

        parameters = onnxruntime_genai.GeneratorParams(self._model)
        # Longer than ever reached, so that no row ends early.
        parameters.set_search_options(batch_size=batch, max_length=length + 1, min_length=length + 1, do_sample=False)
        return onnxruntime_genai.Generator(self._model, parameters)

    def _prompts(self, batch: int, tokens: int) -> Any:
        import numpy as np

        return np.array([[self._random.randrange(256) for _ in range(tokens)] for _ in range(batch)], dtype=np.int32)


if __name__ == "__main__":
    serve(GenAi())
