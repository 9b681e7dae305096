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
        self._outputs = [one.name for one in self._session.get_outputs()]
        self._shape = (1, numbers["num_key_value_heads"], 0, width)

    def logits(self, ids: Sequence[int], chunk: int) -> Any:
        """Logits [tokens, vocabulary] float32 after every token, fed ``chunk`` tokens at a time."""
        caches = {
            name: np.zeros(self._shape, dtype=_TYPES[kind])
            for name, kind in self._inputs.items()
            if name.startswith("past_key_values")
        }
        found = []
        for start in range(0, len(ids), chunk):
            end = min(start + chunk, len(ids))
            feeds = {
                "input_ids": np.array([ids[start:end]], dtype=np.int64),
                "attention_mask": np.ones((1, end), dtype=np.int64),
                "position_ids": np.arange(start, end, dtype=np.int64)[None],
            }
            feeds = {name: value for name, value in feeds.items() if name in self._inputs}
            outputs = dict(zip(self._outputs, self._session.run(None, feeds | caches), strict=True))
            found.append(outputs["logits"][0].astype(np.float32))
            caches = {name: outputs[name.replace("past_key_values", "present")] for name in caches}
        return np.concatenate(found)


def golden_sequences(path: Path) -> Iterator[tuple[list[int], Any, Any]]:
    """Token ids, places in them and PyTorch's logits [places, vocabulary] after these places."""
    with np.load(path) as content:
        for number in range(sum(1 for key in content if key.startswith("ids."))):
            yield (
                [int(one) for one in content[f"ids.{number}"]],
                content[f"places.{number}"],
                content[f"logits.{number}"],
            )
