"""Remade models answer as they should: the same in full, nearly the same in half precision, otherwise in few bits."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.bench.verification.measuring import without_layers
from engine.bench.verification.remade_models import read_safetensors, remake
from engine.bench.verification.rounding import SCHEMES
from engine.errors import BenchmarkError
from engine.inference.models.folder import read_model_folder
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.scheduling.plan import Row
from engine.resources import resource_path
from tests.support.tiny_model import make_tiny_model

IDS = tuple(range(40, 72))


@pytest.fixture(scope="module")
def builtin():
    return Catalogue(None).open(BUILTIN_MODEL)


def logits(folder):
    runner = Runner(folder, RuntimeSettings(1, 1))
    found = runner.step([Row(1, 0, 0, IDS, len(IDS))]).logits.astype(np.float64)
    runner.close()
    return found


def remade(builtin, target, *arguments, **options):
    return Catalogue(None, remake(builtin, target, *arguments, **options)).open(BUILTIN_MODEL)


def test_versions_of_the_built_in_model(builtin, tmp_path):
    expected = logits(builtin)
    plain = remade(builtin, tmp_path / "plain")
    assert (plain.precision, builtin.precision) == ("fp32", "int8")
    assert plain.digest != builtin.digest
    np.testing.assert_allclose(logits(plain), expected, atol=2e-3)
    half = remade(builtin, tmp_path / "half", half=True)
    assert half.precision == "fp16"
    assert 0 < np.abs(logits(half) - expected).max() < 0.2
    four = remade(builtin, tmp_path / "four", SCHEMES["int4 by 32"])
    kept = remade(builtin, tmp_path / "kept", SCHEMES["int4 by 32, head kept"])
    errors = [np.abs(logits(one) - expected).mean() for one in (four, kept)]
    assert errors[0] > errors[1] > 0.01
    fewer = remade(builtin, tmp_path / "fewer", change=without_layers)
    assert np.abs(logits(fewer) - expected).mean() > 0.2


def test_exact_weights_take_the_place_of_quantised_ones(builtin, tmp_path):
    weights = resource_path("engine/builtin/weights/model.safetensors")
    matrices = read_safetensors(weights)
    assert matrices["model.embed_tokens.weight"].shape == (3072, 256)
    folder = remake(builtin, tmp_path / "exact", weights=weights)
    graph = onnx.load(str(folder / "model.onnx"))
    constants = {one.name: numpy_helper.to_array(one) for one in graph.graph.initializer}
    found = constants["model.layers.3.mlp.up_proj.weight.q8.plain.transposed"]
    assert np.array_equal(found.T, matrices["model.layers.3.mlp.up_proj.weight"])
    with pytest.raises(BenchmarkError, match="shape"):
        remake(
            read_model_folder("tiny", make_tiny_model(tmp_path / "tiny")), tmp_path / "wrong", weights=_other(tmp_path)
        )


def _other(folder):
    """A safetensors file whose one matrix has the name of the tiny model's embedding and another shape."""
    graph = onnx.load(str(folder / "tiny" / "model.onnx"))
    name = next(node.input[0] for node in graph.graph.node if node.op_type == "Gather")
    header = f'{{"{name}": {{"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}}}'.encode()
    path = folder / "other.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    return path


@pytest.mark.parametrize("style", ["gqa", "concat"])
def test_models_with_plain_matrices_are_remade_too(style, tmp_path):
    folder = read_model_folder("tiny", make_tiny_model(tmp_path / "tiny", style=style))
    same = Catalogue(None, remake(folder, tmp_path / "same")).open(BUILTIN_MODEL)
    np.testing.assert_allclose(logits(same), logits(folder), atol=1e-5)
    four = Catalogue(None, remake(folder, tmp_path / "four", SCHEMES["int4 by 32"])).open(BUILTIN_MODEL)
    assert np.abs(logits(four) - logits(folder)).mean() > 1e-3


def test_a_graph_without_matrices_is_refused(tmp_path):
    folder = read_model_folder("tiny", make_tiny_model(tmp_path / "tiny"))
    graph = onnx.load(str(folder.graph))
    for node in graph.graph.node:
        if node.op_type in ("MatMul", "Gather"):
            node.op_type = "Unknown"
    onnx.save(graph, str(folder.graph))
    with pytest.raises(BenchmarkError, match="cannot be remade"):
        remake(folder, tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("zero_points", [True, False])
def test_packed_weights_are_read_as_the_runtime_reads_them(bits, zero_points, tmp_path):
    dice = np.random.default_rng(bits)
    inputs, outputs, block = 64, 6, 32
    blocks = inputs // block
    packed = dice.integers(0, 256, (outputs, blocks, block * bits // 8), dtype=np.uint8)
    scales = dice.random((outputs, blocks), dtype=np.float32)
    zeros = dice.integers(0, 256, (outputs, -(-blocks * bits // 8)), dtype=np.uint8)
    constants = {"w": packed, "s": scales} | ({"z": zeros} if zero_points else {})
    node = helper.make_node(
        "MatMulNBits", ["x", *constants], ["logits"], domain="com.microsoft", K=inputs, N=outputs, bits=bits,
        block_size=block, accuracy_level=1,
    )  # fmt: skip
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", inputs])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    operators = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=operators, ir_version=10)
    from engine.bench.verification.remade_models import _with_plain_matrices

    rows = dice.standard_normal((3, inputs)).astype(np.float32)
    expected = _run(model, rows)
    _with_plain_matrices(model.graph, lambda name, matrix: matrix)
    assert [one.op_type for one in model.graph.node] == ["MatMul"]
    np.testing.assert_allclose(_run(model, rows), expected, rtol=1e-4, atol=1e-3)


def _run(model, rows):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": rows})[0]
