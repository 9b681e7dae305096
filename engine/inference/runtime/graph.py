"""What a graph file holds, and how it is rewritten before a session is made of it.

Only the file's own structure decides, never a model's name. Whatever is not recognised stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from engine.errors import ModelFolderError
from engine.sentences import say

LENGTHS = "gentorrent.lengths"
"""New input, int32 [batch]: tokens in each row's cache after the step, less one."""
TOTAL = "gentorrent.total"
"""New input, int32 []: the longest of these, not less one."""
COUNTS = "gentorrent.counts"
"""New input, int32 [batch]: tokens of the step that are each row's own; the rest of the width is padding."""
POSITIONS = "gentorrent.positions"
"""New input, int64 [n]: which of the batch * width places want logits."""

_PAST = re.compile(r"past_key_values\.(\d+)\.(key|value)")
_ATTENTION = "GroupQueryAttention"
_LENGTHS_AT, _TOTAL_AT, _COUNTS_AT = 5, 6, 16
_HEADS = frozenset({"MatMul", "MatMulNBits", "MatMulBnb4", "FusedMatMul"})
# What may stand between the head and the logits: scaling, soft-capping, conversions.
_AFTER_HEAD = frozenset({"Cast", "Mul", "Div", "Tanh", "Add", "Sub", "Identity"})
_PER_TENSOR = "DynamicQuantizeLinear"
_HALF = {TensorProto.FLOAT16, TensorProto.BFLOAT16}


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """``model``: the rewritten graph, serialised. ``shared_buffer``: keys and values are written in place.
    ``gathered``: logits come for the places named in ``POSITIONS`` alone, [1, n, vocabulary]. ``mixed``: ``COUNTS`` is
    an input. ``per_tensor``: activations are quantised together, so that a row depends on its neighbours."""

    model: bytes
    shared_buffer: bool
    gathered: bool
    mixed: bool
    per_tensor: bool


def prepare(path: Path, query_lengths: bool) -> GraphFacts:
    """Read and rewrite ``path``. ``query_lengths``: the runtime's GroupQueryAttention knows its 17th input.

    External data stays where it is. Raises :class:`ModelFolderError` naming the file.
    """
    model = read_graph(path)
    graph = model.graph
    if not any(one.name == "logits" for one in graph.output):
        raise ModelFolderError(say("folder.no_logits_output", path=str(path)))
    shared = _shared_buffer(graph)
    mixed = shared and query_lengths
    if shared:
        _name_lengths(graph, mixed)
    gathered = _gather(graph)
    _float_logits(graph)
    per_tensor = any(node.op_type == _PER_TENSOR for node in _nodes(graph))
    try:
        return GraphFacts(model.SerializeToString(), shared, gathered, mixed, per_tensor)
    except Exception as error:  # a protocol buffer beyond 2 GiB
        raise ModelFolderError(say("folder.too_large_graph", path=str(path), reason=str(error))) from error


def read_graph(path: Path) -> Any:
    """The protocol buffer in ``path``, weights in other files not read."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # the protocol buffer library has classes of its own
        raise ModelFolderError(say("load.damaged", path=str(path), problem=str(error)[:200])) from error
    if not model.graph.node:
        raise ModelFolderError(say("load.damaged", path=str(path), problem=say("load.no_graph")))
    return model


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _shared_buffer(graph: Any) -> bool:
    """Every cache input goes straight into a GroupQueryAttention of the main graph."""
    inside = {name for node in graph.node if node.op_type == _ATTENTION for name in list(node.input)[3:5]}
    caches = [one.name for one in graph.input if _PAST.fullmatch(one.name)]
    return bool(caches) and all(name in inside for name in caches)


def _name_lengths(graph: Any, mixed: bool) -> None:
    """Feed lengths to GroupQueryAttention directly, in the place of what the graph makes of the attention mask."""
    for node in graph.node:
        if node.op_type != _ATTENTION:
            continue
        wanted = {_LENGTHS_AT: LENGTHS, _TOTAL_AT: TOTAL} | ({_COUNTS_AT: COUNTS} if mixed else {})
        while len(node.input) <= max(wanted):
            node.input.append("")
        for place, name in wanted.items():
            node.input[place] = name
    _add_input(graph, LENGTHS, TensorProto.INT32, ["batch_size"])
    _add_input(graph, TOTAL, TensorProto.INT32, [])
    if mixed:
        _add_input(graph, COUNTS, TensorProto.INT32, ["batch_size"])
    _drop_unused(graph)


def _drop_unused(graph: Any) -> None:
    """Remove nodes whose results nobody wants, then the mask if nobody reads it."""
    outputs = {one.name for one in graph.output}
    while True:
        used = outputs | {name for node in _nodes(graph) for name in node.input} | _captured(graph)
        dead = [node for node in graph.node if not any(name in used for name in node.output if name)]
        if not dead:
            break
        for node in dead:
            graph.node.remove(node)
    for one in list(graph.input):
        if one.name == "attention_mask" and one.name not in used:
            graph.input.remove(one)


def _captured(graph: Any) -> set[str]:
    """Names that subgraphs hand out."""
    return {
        one.name
        for node in _nodes(graph)
        for attribute in node.attribute
        if attribute.HasField("g")
        for one in attribute.g.output
    }


def _gather(graph: Any) -> bool:
    """Take the wanted places out of the last hidden state, before the head multiplies each with the vocabulary."""
    head = _head(graph)
    if head is None:
        return False
    hidden = head.input[0]
    constants = [
        helper.make_tensor("gentorrent.front", TensorProto.INT64, [1], [0]),
        helper.make_tensor("gentorrent.last", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("gentorrent.all", TensorProto.INT64, [1], [-1]),
    ]
    graph.initializer.extend(constants)
    make = helper.make_node
    nodes = [
        # [batch, width, hidden] -> [batch * width, hidden], whatever hidden is
        make("Shape", [hidden], ["gentorrent.shape"], name="gentorrent.Shape"),
        make("Gather", ["gentorrent.shape", "gentorrent.last"], ["gentorrent.wide"], name="gentorrent.Wide"),
        make("Concat", ["gentorrent.all", "gentorrent.wide"], ["gentorrent.rows"], name="gentorrent.Rows", axis=0),
        make("Reshape", [hidden, "gentorrent.rows"], ["gentorrent.places"], name="gentorrent.Reshape"),
        make("Gather", ["gentorrent.places", POSITIONS], ["gentorrent.wanted"], name="gentorrent.Gather"),
        make(
            "Unsqueeze", ["gentorrent.wanted", "gentorrent.front"], ["gentorrent.hidden"], name="gentorrent.Unsqueeze"
        ),
    ]
    at = next(index for index, node in enumerate(graph.node) if node is head or node.output == head.output)
    head.input[0] = "gentorrent.hidden"
    for offset, node in enumerate(nodes):
        graph.node.insert(at + offset, node)
    _add_input(graph, POSITIONS, TensorProto.INT64, ["wanted"])
    _set_logits_shape(graph)
    return True


def _head(graph: Any) -> Any | None:
    """The node that multiplies by the vocabulary: the first one met walking back from the logits."""
    makers = {name: node for node in graph.node for name in node.output if name}
    constants = {one.name for one in graph.initializer} | {
        node.output[0] for node in graph.node if node.op_type == "Constant"
    }
    readers: dict[str, int] = {}
    for node in _nodes(graph):
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    name = "logits"
    while True:
        node = makers.get(name)
        if node is None or (name != "logits" and readers.get(name, 0) != 1):
            return None
        if node.op_type in _HEADS:
            return node
        flowing = [one for one in node.input if one and one not in constants]
        if node.op_type not in _AFTER_HEAD or len(flowing) != 1:
            return None
        name = flowing[0]


def _float_logits(graph: Any) -> None:
    logits = next(one for one in graph.output if one.name == "logits")
    if logits.type.tensor_type.elem_type not in _HALF:
        return
    for node in graph.node:
        for index, name in enumerate(node.output):
            if name == "logits":
                node.output[index] = "gentorrent.half"
        for index, name in enumerate(node.input):
            if name == "logits":
                node.input[index] = "gentorrent.half"
    graph.node.append(
        helper.make_node("Cast", ["gentorrent.half"], ["logits"], name="gentorrent.Cast", to=TensorProto.FLOAT)
    )
    logits.type.tensor_type.elem_type = TensorProto.FLOAT


def _set_logits_shape(graph: Any) -> None:
    logits = next(one for one in graph.output if one.name == "logits")
    dims = logits.type.tensor_type.shape.dim
    if len(dims) == 3:
        dims[0].dim_value = 1
        dims[1].dim_param = "wanted"
    del graph.value_info[:]  # shapes after the head are others now


def _add_input(graph: Any, name: str, kind: int, shape: list[str]) -> None:
    graph.input.append(helper.make_tensor_value_info(name, kind, shape))
