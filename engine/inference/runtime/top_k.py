"""The largest logits of every row, found by ONNX's TopK: at a vocabulary of 152,000 many times faster than NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from engine.inference.runtime.session import session_options


class TopK:
    """A session of one node. Values fall; equal ones stand by rising id."""

    def __init__(self, threads: int) -> None:
        node = helper.make_node("TopK", ["logits", "k"], ["values", "ids"], axis=-1, largest=1, sorted=1)
        graph = helper.make_graph(
            [node],
            "top_k",
            [
                helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", "vocabulary"]),
                helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
            ],
            [
                helper.make_tensor_value_info("values", TensorProto.FLOAT, ["rows", "k"]),
                helper.make_tensor_value_info("ids", TensorProto.INT64, ["rows", "k"]),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        self._session: Any = onnxruntime.InferenceSession(
            model.SerializeToString(), session_options(threads), providers=["CPUExecutionProvider"]
        )

    def __call__(self, logits: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """``count`` (at most the vocabulary) best of each row of ``logits`` [rows, vocabulary]: values and ids."""
        count = min(count, logits.shape[1])
        values, ids = self._session.run(None, {"logits": logits, "k": np.array([count], np.int64)})
        return values, ids
