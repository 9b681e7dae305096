"""llama.cpp through llama-cpp-python's bindings of its C API, greedy, one ``llama_decode`` a step for all rows."""

from __future__ import annotations

import importlib.metadata
import random
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.bench.drivers.protocol import serve
from engine.bench.work import Settings

CONTEXT = 1024
"""Tokens that each sequence has room for."""


class LlamaCpp:
    """One model, a context for every batch size."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._model: Any = None
        self._path: Path | None = None
        self._settings: Settings = {}
        self._contexts: dict[int, Any] = {}
        self._vocabulary = 0

    def load(self, model: Path, settings: Settings) -> dict[str, str]:
        """See ``Driver``."""
        import llama_cpp

        for context in self._contexts.values():
            llama_cpp.llama_free(context)
        self._contexts.clear()
        if self._path != model:
            if self._model is not None:
                llama_cpp.llama_model_free(self._model)
            _be_quiet()
            parameters = llama_cpp.llama_model_default_params()
            self._model = llama_cpp.llama_model_load_from_file(str(model).encode(), parameters)
            if not self._model:
                raise RuntimeError(f"llama.cpp cannot load {model}")
            self._path = model
            self._vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model))
        self._settings = settings
        self.prefill(8)
        return {"llama-cpp-python": importlib.metadata.version("llama-cpp-python")}

    def decode(self, batch: int, prompt: int, steps: int, draw: str) -> tuple[float, int]:
        """See ``Driver``."""
        context = self._context(batch)
        last: list[int] = []
        for row in range(batch):
            self._feed(context, [(row, place, self._token(), place == prompt - 1) for place in range(prompt)])
            last.append(self._likeliest(context, 0, 1)[0])
        begin = perf_counter()
        for step in range(steps):
            self._feed(context, [(row, prompt + step, last[row], True) for row in range(batch)])
            last = self._likeliest(context, 0, batch)
        return perf_counter() - begin, batch * steps

    def prefill(self, tokens: int) -> float:
        """See ``Driver``."""
        context = self._context(1)
        prompt = [(0, place, self._token(), place == tokens - 1) for place in range(tokens)]
        begin = perf_counter()
        self._feed(context, prompt)
        self._likeliest(context, 0, 1)
        return perf_counter() - begin

    def _token(self) -> int:
        return self._random.randrange(256)

    def _context(self, batch: int) -> Any:
        """An empty cache for ``batch`` sequences."""
        import llama_cpp

        if batch not in self._contexts:
            parameters = llama_cpp.llama_context_default_params()
            parameters.n_ctx = CONTEXT * batch
            parameters.n_seq_max = batch
            parameters.n_batch = CONTEXT
            parameters.n_ubatch = self._settings.get("ubatch", 512)
            parameters.n_threads = parameters.n_threads_batch = self._settings["threads"]
            flash = self._settings.get("flash_attention")
            if flash is not None:
                parameters.flash_attn_type = int(flash)
            context = llama_cpp.llama_init_from_model(self._model, parameters)
            if not context:
                raise RuntimeError(f"llama.cpp cannot make a context for {batch} sequences")
            self._contexts[batch] = context
        context = self._contexts[batch]
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), False)
        return context

    def _feed(self, context: Any, entries: list[tuple[int, int, int, bool]]) -> None:
        """Feed (sequence, position, token, whether its logits are wanted)."""
        import llama_cpp

        batch = llama_cpp.llama_batch_init(len(entries), 0, 1)
        try:
            batch.n_tokens = len(entries)
            for place, (sequence, position, token, wanted) in enumerate(entries):
                batch.token[place] = token
                batch.pos[place] = position
                batch.n_seq_id[place] = 1
                batch.seq_id[place][0] = sequence
                batch.logits[place] = int(wanted)
            status = llama_cpp.llama_decode(context, batch)
        finally:
            llama_cpp.llama_batch_free(batch)
        if status:
            raise RuntimeError(f"llama_decode failed with status {status}")

    def _likeliest(self, context: Any, first: int, count: int) -> list[int]:
        import llama_cpp
        import numpy as np

        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits(context), shape=(first + count, self._vocabulary))
        return [int(token) for token in logits[first:].argmax(axis=1)]


def _be_quiet() -> None:
    import llama_cpp

    llama_cpp.llama_log_set(_silence(), None)


_keep: list[Any] = []  # the callback must outlive its use


def _silence() -> Any:
    import llama_cpp

    if not _keep:
        _keep.append(llama_cpp.llama_log_callback(lambda level, text, data: None))
    return _keep[0]


if __name__ == "__main__":
    serve(LlamaCpp())
