"""transformers on PyTorch, eager, greedy. In 32 bits, or in bfloat16 where int4 is asked for, which it lacks."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.bench.drivers.protocol import serve
from engine.bench.work import Settings


class PyTorch:
    """The model's own forward pass with its own cache."""

    def __init__(self) -> None:
        self._model: Any = None
        self._loaded: tuple[Path, str] | None = None

    def load(self, model: Path, settings: Settings) -> dict[str, str]:
        """See ``Driver``."""
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(settings["threads"])
        kind = settings.get("type", "float32")
        if self._loaded != (model, kind):
            self._model = None
            self._model = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, kind)).eval()
            self._loaded = (model, kind)
        torch.manual_seed(1)
        self.prefill(8)
        return {name: importlib.metadata.version(name) for name in ("torch", "transformers")}

    def decode(self, batch: int, prompt: int, steps: int, draw: str) -> tuple[float, int]:
        """See ``Driver``."""
        import torch

        with torch.inference_mode():
            result = self._model(torch.randint(0, 256, (batch, prompt)), use_cache=True, logits_to_keep=1)
            token = result.logits[:, -1:].argmax(-1)
            begin = perf_counter()
            for _ in range(steps):
                result = self._model(token, past_key_values=result.past_key_values, use_cache=True)
                token = result.logits[:, -1:].argmax(-1)
            return perf_counter() - begin, batch * steps

    def prefill(self, tokens: int) -> float:
        """See ``Driver``."""
        import torch

        with torch.inference_mode():
            prompt = torch.randint(0, 256, (1, tokens))
            begin = perf_counter()
            result = self._model(prompt, use_cache=True, logits_to_keep=1)
            result.logits[:, -1].argmax(-1)
            return perf_counter() - begin


if __name__ == "__main__":
    serve(PyTorch())
