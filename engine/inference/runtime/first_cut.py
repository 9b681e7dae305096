"""The model itself: an ONNX Runtime session, prefill and cached decode. Lives in the worker process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine.errors import InferenceError, ModelFolderError
from engine.inference.models.folder import ModelFolder

# ONNX Runtime's own builds report to their maker. Elsewhere than on Windows the worker's environment forbids it.
onnxruntime.disable_telemetry_events()

_KV_TYPES: dict[str, Any] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_KNOWN_INPUTS = ("input_ids", "attention_mask", "position_ids")


@dataclass(slots=True)
class KvState:
    """Keys and values of one sequence: ``length`` tokens; one ONNX Runtime value for every cache input."""

    length: int
    values: list[Any]


class Runner:
    """Feeds tokens to the graph, sequence by sequence.

    Graphs take ``input_ids`` [batch, new] int64, ``attention_mask`` [batch, past + new] int64, optionally
    ``position_ids`` [batch, new] int64, and ``past_key_values.N.key`` / ``.value`` [batch, kv_heads, past, head_dim];
    they give ``logits`` [batch, new or 1, vocabulary] and ``present.N.key`` / ``.value`` with past + new tokens. Both
    GroupQueryAttention graphs and concatenating ones have this form.
    """

    def __init__(self, folder: ModelFolder, threads: int, providers: Sequence[str] = ("CPUExecutionProvider",)) -> None:
        self._folder = folder
        self._session = _open(folder, threads, providers)
        inputs = {one.name: one.type for one in self._session.get_inputs()}
        outputs = [one.name for one in self._session.get_outputs()]
        self._caches = [f"past_key_values.{layer}.{kind}" for layer in range(folder.kv.layers) for kind in _KINDS]
        self._presents = [name.replace("past_key_values", "present") for name in self._caches]
        self._check(inputs, outputs)
        self._kv_type = _KV_TYPES[inputs[self._caches[0]]]
        self._extra = [name for name in ("attention_mask", "position_ids") if name in inputs]

    @property
    def kv_item_size(self) -> int:
        """Bytes of one number in the cache."""
        return int(np.dtype(self._kv_type).itemsize)

    @property
    def provider(self) -> str:
        """The execution provider that the session really got."""
        return str(self._session.get_providers()[0])

    def new_state(self) -> KvState:
        """An empty cache."""
        layout = self._folder.kv
        empty = np.zeros((1, layout.kv_heads, 0, layout.head_dim), dtype=self._kv_type)
        return KvState(0, [onnxruntime.OrtValue.ortvalue_from_numpy(empty) for _ in self._caches])

    def feed(self, state: KvState, ids: Sequence[int]) -> NDArray[np.float32]:
        """Append ``ids`` to the sequence; the logits [vocabulary] after the last of them.

        Raises :class:`InferenceError` when the runtime fails; the state is then unchanged.
        """
        if not ids:
            raise ValueError("a step feeds at least one token")
        try:
            outputs = self._run(state, ids)
        except Exception as error:  # the runtime raises a dozen classes of its own, none public
            raise InferenceError(
                f"The model {self._folder.model_id} failed while computing: {_first_line(error)}. If this stays so, "
                "verify the model's files or free some memory."
            ) from error
        logits: NDArray[np.float32] = outputs[0].numpy()[0, -1].astype(np.float32, copy=False)
        state.values = list(outputs[1:])
        state.length += len(ids)
        return logits

    def _run(self, state: KvState, ids: Sequence[int]) -> list[Any]:
        total = state.length + len(ids)
        tensors = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, total), dtype=np.int64),
            "position_ids": np.arange(state.length, total, dtype=np.int64)[None],
        }
        binding = self._session.io_binding()
        for name in ("input_ids", *self._extra):
            binding.bind_cpu_input(name, tensors[name])
        for name, value in zip(self._caches, state.values, strict=True):
            binding.bind_ortvalue_input(name, value)
        for name in ("logits", *self._presents):
            binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        return list(binding.get_outputs())

    def _check(self, inputs: dict[str, str], outputs: list[str]) -> None:
        graph, layers = self._folder.graph, self._folder.kv.layers
        missing = [name for name in ("input_ids", *self._caches) if name not in inputs]
        missing += [name for name in ("logits", *self._presents) if name not in outputs]
        if missing:
            raise ModelFolderError(
                f"{graph} lacks {missing[0]} (config.json says {layers} layers). It is not an export of a text model "
                "with a key-value cache, or config.json belongs to another model."
            )
        unknown = [name for name in inputs if name not in _KNOWN_INPUTS and name not in self._caches]
        if unknown:
            raise ModelFolderError(
                f"{graph} wants an input {unknown[0]} that is not known here. Choose another variant of the model."
            )
        kind = inputs[self._caches[0]]
        if kind not in _KV_TYPES:
            raise ModelFolderError(
                f"{graph} keeps its cache as {kind}; known are {', '.join(_KV_TYPES)}. Choose another variant."
            )
        for one in self._session.get_inputs():
            if one.name in self._caches and isinstance(one.shape[1], int) and isinstance(one.shape[3], int):
                expected = [self._folder.kv.kv_heads, self._folder.kv.head_dim]
                if [one.shape[1], one.shape[3]] != expected:
                    raise ModelFolderError(
                        f"{graph} has caches of {one.shape[1]} heads with {one.shape[3]} numbers, config.json says "
                        f"{expected[0]} with {expected[1]}. The files belong to different models: download both again."
                    )


_KINDS = ("key", "value")


def _open(folder: ModelFolder, threads: int, providers: Sequence[str]) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads steal the processor from the links and from other sessions.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(folder.graph), options, providers=list(providers))
    except Exception as error:
        raise ModelFolderError(
            f"{folder.graph} cannot be loaded: {_first_line(error)}. The file is damaged or made for another runtime: "
            "download it again or choose another variant."
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300] or type(error).__name__
