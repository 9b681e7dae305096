"""The outline of a graph is what the ONNX library reads from the whole file."""

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import SparseTensorProto, TensorProto, helper, numpy_helper

from engine.errors import ModelFolderError
from engine.inference.models.graph_file import GraphOutline, read_outline

ROOT = Path(__file__).resolve().parents[4]
GRAPHS = sorted((ROOT / "tests" / "families" / "models").rglob("*.onnx"))
BUILTIN = ROOT / "resources" / "engine" / "builtin" / "model" / "model.onnx"


def reference(path):
    """The same by the library, which reads everything."""
    model = onnx.load(path, load_external_data=False)
    outline = GraphOutline()

    def shape(value):
        kind = value.type.tensor_type
        return kind.elem_type, tuple(
            one.dim_value if one.HasField("dim_value") else one.dim_param for one in kind.shape.dim
        )

    def tensor(one):
        if one.data_location == TensorProto.EXTERNAL:
            entries = {entry.key: entry.value for entry in one.external_data}
            end = int(entries.get("offset", 0)) + int(entries["length"])
            outline.external[entries["location"]] = max(end, outline.external.get(entries["location"], 0))

    def graph(inner):
        for one in inner.initializer:
            tensor(one)
        for node in inner.node:
            outline.operators.add(node.op_type)
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    tensor(attribute.t)
                if attribute.HasField("g"):
                    graph(attribute.g)
                if attribute.name == "bits" and node.op_type in ("MatMulNBits", "GatherBlockQuantized"):
                    outline.bits = min(outline.bits or attribute.i, attribute.i)
                if attribute.name == "accuracy_level":
                    outline.accuracy_level = max(outline.accuracy_level, attribute.i)
                outline.windowed |= attribute.name == "sliding_window_cache" and attribute.i > 0

    graph(model.graph)
    outline.inputs = {one.name: shape(one) for one in model.graph.input}
    outline.outputs = {one.name: shape(one) for one in model.graph.output}
    return outline


@pytest.mark.parametrize("path", [*GRAPHS, BUILTIN], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_outline_is_that_of_the_library(path):
    assert read_outline(path) == reference(path)


def test_weights_inside_the_file_are_not_read(tmp_path):
    weights = numpy_helper.from_array(np.ones((3_000, 1_000), np.float32), "w")
    node = helper.make_node("Identity", ["w"], ["logits"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", 1_000])
    onnx.save(helper.make_model(helper.make_graph([node], "g", [], [logits], [weights])), tmp_path / "large.onnx")
    assert (tmp_path / "large.onnx").stat().st_size > 12_000_000
    tracemalloc.start()
    assert read_outline(tmp_path / "large.onnx").outputs == {"logits": (TensorProto.FLOAT, ("rows", 1_000))}
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("content", [b"", b"\x00", b"PK\x03\x04 a zip", b"\x3a\x00", b"\xff" * 40, b"<html></html>"])
def test_what_is_no_graph_is_said(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"x\.onnx"):
        read_outline(tmp_path / "x.onnx")


def test_graphs_within_graphs_end(tmp_path):
    """A loop in a loop in a loop … does not go on for ever."""
    inner = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [], [])
    for _ in range(30):
        inner = helper.make_graph([helper.make_node("Loop", ["n", "c"], ["y"], body=inner)], "g", [], [])
    onnx.save(helper.make_model(inner), tmp_path / "deep.onnx")
    with pytest.raises(ModelFolderError, match="nested too deeply"):
        read_outline(tmp_path / "deep.onnx")


def elsewhere(name):
    weights = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    weights.external_data.add(key="location", value=f"{name}.bin")
    return weights


def sparse(name):
    return SparseTensorProto(values=elsewhere(name), indices=elsewhere(f"{name}-places"), dims=[4])


def test_weights_outside_are_found_wherever_the_format_lets_them_be(tmp_path):
    """What the runtime reads and the outline does not would be no part of the model's identity."""
    constant = helper.make_node("Constant", [], ["c"], value=elsewhere("in-function"))
    default = helper.make_attribute("default", elsewhere("as-default"))
    function = helper.make_function(
        "my", "F", ["x"], ["y"], [constant, helper.make_node("Add", ["x", "c"], ["y"])], [helper.make_opsetid("", 17)]
    )
    function.attribute_proto.append(default)
    nodes = [
        helper.make_node("F", ["x"], ["y"], domain="my"),
        helper.make_node("Constant", [], ["s"], sparse_value=sparse("in-sparse-constant")),
    ]
    graph = helper.make_graph(nodes, "g", [], [])
    graph.sparse_initializer.append(sparse("in-sparse"))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("my", 1)]
    (tmp_path / "x.onnx").write_bytes(
        helper.make_model(graph, functions=[function], opset_imports=opsets).SerializeToString()
    )
    outline = read_outline(tmp_path / "x.onnx")
    names = ["in-function", "as-default", "in-sparse", "in-sparse-places"]
    names += ["in-sparse-constant", "in-sparse-constant-places"]
    assert outline.external == {f"{name}.bin": 16 for name in names}
    assert outline.operators == {"F", "Constant", "Add"}
