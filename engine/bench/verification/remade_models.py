"""Other versions of an installed model: its weights in float32, rounded to few bits, or everything in half precision.

The graph is read as it is on the disk; quantised products and look-ups become products and look-ups of plain matrices.
What is written is a model folder like any other, with an identity of its own.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from engine.bench.verification.rounding import Array, Scheme, rounded
from engine.errors import BenchmarkError
from engine.inference.models.folder import ModelFolder

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
_GIVEN_SUFFIXES = (".q8", ".rows", ".transposed")
Change = Callable[[str, Array], Array]
"""What becomes of a matrix [outputs, inputs], by its name; the embedding and the output matrix are called "head"."""


def remake(
    model: ModelFolder,
    target: Path,
    scheme: Scheme | None = None,
    *,
    half: bool = False,
    weights: Path | None = None,
    change: Change | None = None,
) -> Path:
    """Write the model with float32 weights to ``target`` (replaced if it is there); changed by ``change``; rounded by
    ``scheme``; computed in ``half`` precision. ``weights``: a safetensors file with matrices that take the place of the
    graph's own (those of higher precision that a quantised graph was made from). :class:`BenchmarkError` for a graph
    that is not understood."""
    graph = onnx.load(str(model.graph))
    given = read_safetensors(weights) if weights is not None else {}

    def changed(name: str, matrix: Array) -> Array:
        exact = given.get(_plain(name))
        if exact is not None:
            if exact.shape != matrix.shape:
                raise BenchmarkError(f"{weights} has {name} in the shape {exact.shape}, the graph in {matrix.shape}.")
            matrix = exact
        if change is not None:
            matrix = change(name, matrix)
        if scheme is None or (not scheme.head and _is_head(graph, matrix)):
            return matrix
        return rounded(matrix, scheme)

    _with_plain_matrices(graph.graph, changed)
    if half:
        _in_half_precision(graph.graph)
    unfinished = target.with_name(f"unfinished-{target.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for path in model.path.iterdir():
        if path.is_file() and path.suffix in (".json", ".jinja", ".txt"):
            shutil.copyfile(path, unfinished / path.name)
    onnx.save(
        graph,
        str(unfinished / "model.onnx"),
        save_as_external_data=True,
        location="model.onnx_data",
        size_threshold=4096,
    )
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)
    return target


def read_safetensors(path: Path) -> dict[str, Array]:
    """The float32 matrices of a safetensors file (a header of JSON, then the numbers)."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            found[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return found


def _plain(name: str) -> str:
    return next((name.removesuffix(end) for end in _GIVEN_SUFFIXES if name.endswith(end)), name)


def _is_head(graph: Any, matrix: Array) -> bool:
    """Whether a matrix has a row for each token: the embedding, the output matrix."""
    logits = next(one for one in graph.graph.output if one.name == "logits")
    rows: int = matrix.shape[0]
    return bool(rows == logits.type.tensor_type.shape.dim[-1].dim_value)


class _Matrices:
    """The plain matrices of one graph, made of what its nodes multiply with or look up."""

    def __init__(self, graph: Any, change: Change) -> None:
        self.graph = graph
        self.constants = {one.name: one for one in graph.initializer}
        self._change = change
        self._made: set[str] = set()

    def put(self, name: str, matrix: Array, *, transposed: bool) -> str:
        """Add the changed ``matrix`` [outputs, inputs] as a constant; its name."""
        plain = f"{name}.plain{'.transposed' if transposed else ''}"
        if plain not in self._made:
            matrix = self._change(name, matrix).astype(np.float32)
            values = np.ascontiguousarray(matrix.T if transposed else matrix)
            self.graph.initializer.append(numpy_helper.from_array(values, plain))
            self._made.add(plain)
        return plain

    def matrix(self, name: str) -> Array | None:
        """The constant of two dimensions and floating point that is called so."""
        constant = self.constants.get(name)
        if constant is None or len(constant.dims) != 2 or constant.data_type not in _FLOATS:
            return None
        found: Array = numpy_helper.to_array(constant).astype(np.float32)
        return found


def _with_plain_matrices(graph: Any, change: Change) -> None:
    """Replace every quantised product and look-up, and change every matrix."""
    matrices = _Matrices(graph, change)
    nodes = [_plain_node(node, matrices) or node for node in graph.node]
    if all(one is other for one, other in zip(nodes, graph.node, strict=True)):
        raise BenchmarkError("The graph multiplies with nothing that is understood here, so it cannot be remade.")
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    used = {name for node in graph.node for name in node.input}
    for one in list(graph.initializer):
        if one.name not in used:
            graph.initializer.remove(one)


def _plain_node(node: Any, matrices: _Matrices) -> Any | None:
    """The node that takes this one's place, or None where it stays."""
    inputs, outputs = list(node.input), list(node.output)
    if node.op_type == "MatMulNBits":
        name = matrices.put(inputs[1], _unpacked(node, matrices, inputs[1:4]), transposed=True)
        if any(inputs[4:]):
            raise BenchmarkError("The graph has quantised products in an order of their own, which is not understood.")
        return helper.make_node("MatMul", [inputs[0], name], outputs, name=node.name)
    if node.op_type == "GatherBlockQuantized":
        data, ids, *rest = inputs
        name = matrices.put(data, _unpacked(node, matrices, [data, *rest]), transposed=False)
        return helper.make_node("Gather", [name, ids], outputs, name=node.name)
    if node.op_type == "MatMul" and (matrix := matrices.matrix(inputs[1])) is not None:
        name = matrices.put(inputs[1], matrix.T, transposed=True)
        return helper.make_node("MatMul", [inputs[0], name], outputs, name=node.name)
    if node.op_type == "Gather" and (matrix := matrices.matrix(inputs[0])) is not None:
        name = matrices.put(inputs[0], matrix, transposed=False)
        return helper.make_node("Gather", [name, inputs[1]], outputs, name=node.name, axis=0)
    return None


def _unpacked(node: Any, matrices: _Matrices, names: list[str]) -> Array:
    """The matrix [outputs, inputs] of block-quantised weights: packed numbers, scales and, maybe, zero points."""
    constants = matrices.constants
    attributes = {one.name: one.i for one in node.attribute}
    bits, block = attributes["bits"], attributes["block_size"]
    packed = numpy_helper.to_array(constants[names[0]])
    outputs = packed.shape[0]
    values = _numbers(packed.reshape(outputs, -1), bits)
    scales = numpy_helper.to_array(constants[names[1]]).astype(np.float32).reshape(outputs, -1)
    zeros: NDArray[Any] = np.full(scales.shape, 1 << (bits - 1), np.float32)
    if len(names) > 2 and names[2]:
        zeros = numpy_helper.to_array(constants[names[2]])
        if zeros.dtype == np.uint8:
            zeros = _numbers(zeros.reshape(outputs, -1), bits)[:, : scales.shape[1]]
    blocks = values.reshape(outputs, scales.shape[1], block).astype(np.float32) - zeros.reshape(outputs, -1, 1)
    matrix: Array = (blocks * scales[:, :, None]).astype(np.float32).reshape(outputs, -1)
    return matrix[:, : attributes.get("K", matrix.shape[1])]


def _numbers(packed: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Numbers of 4 or 8 bits, the lower half of a byte first."""
    if bits == 8:
        return packed
    if bits != 4:
        raise BenchmarkError(f"Weights of {bits} bits are not understood here.")
    return np.stack((packed & 15, packed >> 4), axis=-1).reshape(len(packed), -1)


def _in_half_precision(graph: Any) -> None:
    """Every float32 constant, input and output becomes float16: what a GPU computes a 16-bit model with."""
    for one in list(graph.initializer):
        if one.data_type == TensorProto.FLOAT:
            half = numpy_helper.from_array(numpy_helper.to_array(one).astype(np.float16), one.name)
            one.CopyFrom(half)
    for one in (*graph.input, *graph.output):
        if one.type.tensor_type.elem_type == TensorProto.FLOAT:
            one.type.tensor_type.elem_type = TensorProto.FLOAT16
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
            elif attribute.HasField("t") and attribute.t.data_type == TensorProto.FLOAT:
                attribute.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(attribute.t).astype(np.float16)))
    del graph.value_info[:]
