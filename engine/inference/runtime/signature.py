"""What a session's inputs and outputs say about the graph, checked against the model's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.errors import ModelFolderError
from engine.inference.models.folder import ModelFolder
from engine.inference.runtime import graph
from engine.inference.runtime.kv_memory import ONNX_TYPES, KvShape, TensorShape
from engine.sentences import say

_KINDS = ("key", "value")
LOGITS_TO_KEEP = ("num_logits_to_keep", "logits_to_keep")
"""Inputs of newer exports: for how many last places logits are made; 0 means all."""
CACHE_BRANCH = "use_cache_branch"
"""Input of merged decoders: whether there is a past."""
KNOWN_INPUTS = frozenset(
    {
        "input_ids",
        "attention_mask",
        "position_ids",
        CACHE_BRANCH,
        *LOGITS_TO_KEEP,
        graph.LENGTHS,
        graph.TOTAL,
        graph.COUNTS,
        graph.POSITIONS,
    }
)


@dataclass(frozen=True, slots=True)
class Signature:
    """``inputs``: types by name, as ONNX Runtime writes them. ``pasts`` and ``presents``: cache tensors in order."""

    inputs: dict[str, str]
    pasts: tuple[str, ...]
    presents: tuple[str, ...]
    kv: KvShape


def read_signature(session: Any, folder: ModelFolder) -> Signature:
    """Check the session against ``folder``; raises :class:`ModelFolderError` naming file and fix."""
    inputs = {one.name: one for one in session.get_inputs()}
    outputs = {one.name: one for one in session.get_outputs()}
    pasts = tuple(f"past_key_values.{layer}.{kind}" for layer in range(folder.kv.layers) for kind in _KINDS)
    presents = tuple(name.replace("past_key_values", "present") for name in pasts)
    _check_names(folder, inputs, outputs, pasts, presents)
    element = inputs[pasts[0]].type
    if element not in ONNX_TYPES or any(inputs[name].type != element for name in pasts):
        raise ModelFolderError(
            say("folder.cache_type", path=str(folder.graph), kind=str(element), kinds=", ".join(ONNX_TYPES))
        )
    shapes = tuple(_tensor_shape(folder, inputs[name]) for name in pasts)
    vocabulary = outputs["logits"].shape[-1]
    if isinstance(vocabulary, int) and vocabulary < folder.vocabulary:
        raise ModelFolderError(
            say("folder.fewer_logits", path=str(folder.graph), tokens=vocabulary, expected=folder.vocabulary)
        )
    return Signature({name: one.type for name, one in inputs.items()}, pasts, presents, KvShape(shapes, element))


def _check_names(
    folder: ModelFolder, inputs: Any, outputs: Any, pasts: tuple[str, ...], presents: tuple[str, ...]
) -> None:
    missing = [name for name in ("input_ids", *pasts) if name not in inputs]
    missing += [name for name in ("logits", *presents) if name not in outputs]
    if missing:
        raise ModelFolderError(
            say("folder.lacks_input", path=str(folder.graph), name=missing[0], layers=folder.kv.layers)
        )
    unknown = [name for name in inputs if name not in KNOWN_INPUTS and name not in pasts]
    if unknown and unknown[0].startswith("past_key_values."):
        raise ModelFolderError(
            say("folder.more_caches", path=str(folder.graph), name=unknown[0], layers=folder.kv.layers)
        )
    if unknown:
        raise ModelFolderError(say("folder.unknown_input", path=str(folder.graph), name=unknown[0]))


def _tensor_shape(folder: ModelFolder, one: Any) -> TensorShape:
    """The graph's own numbers where it names them (layers may differ in theirs), config.json's elsewhere."""
    layout = folder.kv
    if len(one.shape) != 4:
        raise ModelFolderError(
            say("folder.cache_dimensions", path=str(folder.graph), name=one.name, count=len(one.shape))
        )
    heads, dim = one.shape[1], one.shape[3]
    shape = TensorShape(
        heads if isinstance(heads, int) else layout.kv_heads, dim if isinstance(dim, int) else layout.head_dim
    )
    first = one.name in ("past_key_values.0.key", "past_key_values.0.value")
    if first and (shape.kv_heads, shape.head_dim) != (layout.kv_heads, layout.head_dim):
        raise ModelFolderError(
            say(
                "folder.caches_differ",
                path=str(folder.graph),
                heads=shape.kv_heads,
                numbers=shape.head_dim,
                expected_heads=layout.kv_heads,
                expected_numbers=layout.head_dim,
            )
        )
    return shape
