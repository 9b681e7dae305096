"""The plainest way to run an exported graph, as a reference for the engine, and the golden logits of PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class PlainModel:
    """One sequence at a time by ``session.run``, caches handed from call to call."""

    def __init__(self, graph: Path, config: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        numbers = json.loads(config.read_text(encoding="utf-8"))
        width = numbers.get("head_dim") or numbers["hidden_size"] // numbers["num_attention_heads"]
        self._inputs = {one.name: one.type for one in self._session.get_inputs()}
        # Later layers may differ from what the configuration says of the first.
        self._shapes = {one.name: one.shape for one in self._session.get_inputs()}
        self._outputs = [one.name for one in self._session.get_outputs()]
        self._sizes = numbers["num_key_value_heads"], width

    def logits(self, ids: Sequence[int], chunk: int) -> Any:
        """Logits [tokens, vocabulary] float32 after every token, fed ``chunk`` tokens at a time."""
        sequence = PlainSequence(self)
        return np.concatenate([sequence.feed(ids[start : start + chunk]) for start in range(0, len(ids), chunk)])

    def empty_caches(self) -> dict[str, Any]:
        """Caches of a sequence without tokens."""
        return {
            name: np.zeros(self._empty(self._shapes[name]), dtype=_TYPES[kind])
            for name, kind in self._inputs.items()
            if name.startswith("past_key_values")
        }

    def _empty(self, shape: Sequence[int | str]) -> tuple[int, ...]:
        named = (size if isinstance(size, int) else usual for size, usual in zip(shape[1::2], self._sizes, strict=True))
        heads, width = named
        return (1, heads, 0, width)

    def run(self, ids: Sequence[int], start: int, caches: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Logits [tokens, vocabulary] after each of ``ids``, fed behind ``start`` tokens, and the caches then."""
        end = start + len(ids)
        feeds = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, end), dtype=np.int64),
            "position_ids": np.arange(start, end, dtype=np.int64)[None],
        }
        feeds = {name: value for name, value in feeds.items() if name in self._inputs}
        outputs = dict(zip(self._outputs, self._session.run(None, feeds | caches), strict=True))
        after = {name: outputs[name.replace("past_key_values", "present")] for name in caches}
        return outputs["logits"][0].astype(np.float32), after


class PlainSequence:
    """Tokens that are fed to a plain model one after the other."""

    def __init__(self, model: PlainModel) -> None:
        self._model = model
        self._caches = model.empty_caches()
        self._length = 0

    def feed(self, ids: Sequence[int]) -> Any:
        """Logits [tokens, vocabulary] after each of these further tokens."""
        logits, self._caches = self._model.run(ids, self._length, self._caches)
        self._length += len(ids)
        return logits


def golden_sequences(path: Path) -> Iterator[tuple[list[int], Any, Any]]:
    """Token ids, places in them and PyTorch's logits [places, vocabulary] after these places."""
    with np.load(path) as content:
        for number in range(sum(1 for key in content if key.startswith("ids."))):
            yield (
                [int(one) for one in content[f"ids.{number}"]],
                content[f"places.{number}"],
                content[f"logits.{number}"],
            )
