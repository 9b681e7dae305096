"""Runs an exported graph with ONNX Runtime: just enough for checks, with no sampling, in batches of equal lengths."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # must be set before the import: ONNX Runtime would report to its maker

import onnxruntime

RUNTIME_VERSION = onnxruntime.__version__
Logits = NDArray[np.float32]


def open_session(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """A CPU session."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def empty_past(session: onnxruntime.InferenceSession, rows: int) -> dict[str, Logits]:
    """Key-value inputs of length zero."""
    past = [entry for entry in session.get_inputs() if entry.name.startswith("past_key_values.")]
    return {entry.name: np.zeros((rows, entry.shape[1], 0, entry.shape[3]), dtype=np.float32) for entry in past}


def forward(session: onnxruntime.InferenceSession, rows: Sequence[Sequence[int]]) -> Logits:
    """Logits [rows, positions, vocabulary] of sequences of one length."""
    ids = np.array(rows, dtype=np.int64)
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), **empty_past(session, len(rows))}
    logits: Logits = session.run(["logits"], feeds)[0]
    return logits


def greedy(session: onnxruntime.InferenceSession, prompt: Sequence[int], end: int, limit: int = 200) -> list[int]:
    """The most likely continuation, up to the end mark or ``limit`` tokens, with a growing key-value cache."""
    outputs = [entry.name for entry in session.get_outputs()]
    past = empty_past(session, 1)
    ids = np.array([prompt], dtype=np.int64)
    length = 0
    answer: list[int] = []
    while len(answer) < limit:
        length += ids.shape[1]
        mask = np.ones((1, length), dtype=np.int64)
        results = dict(
            zip(outputs, session.run(outputs, {"input_ids": ids, "attention_mask": mask, **past}), strict=True)
        )
        token = int(results["logits"][0, -1].argmax())
        if token == end:
            break
        answer.append(token)
        past = {name: results[name.replace("past_key_values", "present")] for name in past}
        ids = np.array([[token]], dtype=np.int64)
    return answer
