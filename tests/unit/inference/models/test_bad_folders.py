"""Whatever a folder lacks or contradicts is refused before anything is loaded, by the name of the file and the fix."""

import contextlib
import json
import os
import shutil
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from engine.errors import ModelFolderError
from engine.inference.models.files import MAX_JSON
from engine.inference.models.folder import read_model_folder, variants
from engine.inference.models.graph_file import read_outline

MODELS = Path(__file__).resolve().parents[3] / "families" / "models"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345\n"


@pytest.fixture
def folder(tmp_path):
    """A builder's folder: graph and weights apart."""
    return shutil.copytree(MODELS / "llama-gqa", tmp_path / "model")


@pytest.fixture
def several(tmp_path):
    return shutil.copytree(MODELS / "qwen2-variants", tmp_path / "model")


def refused(folder, *words, **choice):
    with pytest.raises(ModelFolderError) as caught:
        read_model_folder("m", folder, **choice)
    for word in words:
        assert word in str(caught.value), str(caught.value)
    return str(caught.value)


def change(path, **values):
    content = json.loads(path.read_text())
    content.update(values)
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def change_graph(path, edit):
    model = onnx.load(path, load_external_data=False)
    edit(model)
    path.write_bytes(model.SerializeToString())


# ------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    "name",
    ["config.json", "tokenizer.json", "tokenizer_config.json", "genai_config.json", "model.onnx", "model.onnx.data"],
)
@pytest.mark.parametrize("content", ["", POINTER])
def test_an_empty_file_or_a_pointer_in_its_place(folder, name, content):
    (folder / name).write_text(content)
    said = refused(folder, name)
    assert ("Git LFS pointer" in said) == bool(content)


def test_missing_weights(folder):
    (folder / "model.onnx.data").unlink()
    refused(folder, "model.onnx.data", "is missing", "Download")


def test_weights_cut_off(folder):
    with (folder / "model.onnx.data").open("r+b") as stream:
        stream.truncate(1000)
    refused(folder, "model.onnx.data", "1,000 bytes", "320,768", "Download both again")


def test_a_missing_piece_of_several(folder):
    """Large models come in pieces: model.onnx_data, model.onnx_data_1."""

    def split(model):
        for number, tensor in enumerate(model.graph.initializer):
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = "model.onnx_data" + ("_1" if number % 2 else "")

    change_graph(folder / "model.onnx", split)
    (folder / "model.onnx.data").rename(folder / "model.onnx_data")
    refused(folder, "model.onnx_data_1", "is missing")
    shutil.copyfile(folder / "model.onnx_data", folder / "model.onnx_data_1")
    assert {one.name for one in read_model_folder("m", folder).files} >= {"model.onnx_data", "model.onnx_data_1"}


@pytest.mark.parametrize(
    "place", ["../secret", "/etc/passwd", "a/../../secret", "C:\\secret", "\\\\host\\share", "..\\x"]
)
def test_weights_elsewhere_are_never_opened(folder, place):
    def move(model):
        for tensor in model.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = place

    (folder.parent / "secret").write_bytes(bytes(1 << 20))
    change_graph(folder / "model.onnx", move)
    refused(folder, "model.onnx", "outside")


@pytest.mark.parametrize("name", ["model.onnx.data", "model.onnx", "config.json", "tokenizer.json"])
def test_a_link_out_of_the_folder(folder, name):
    shutil.move(folder / name, folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)
    refused(folder, name, "link")


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data", "tokenizer.json"])
def test_a_link_to_itself(folder, name):
    (folder / name).unlink()
    (folder / name).symlink_to(folder / name)
    refused(folder, name, "")


def test_links_of_the_cache_of_the_hub_are_followed(folder, tmp_path):
    blobs, snapshot = tmp_path / "models--x" / "blobs", tmp_path / "models--x" / "snapshots" / "0123"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, path in enumerate(folder.iterdir()):
        shutil.move(path, blobs / str(number))
        (snapshot / path.name).symlink_to(Path("../../blobs") / str(number))
    assert read_model_folder("m", snapshot).family == "llama"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(folder):
    (folder / "model.onnx").chmod(0)
    refused(folder, "model.onnx", "permissions")


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer_config.json", "generation_config.json", "genai_config.json"]
)
@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"])
def test_a_configuration_that_is_no_json_object(folder, name, content):
    (folder / name).write_bytes(content)
    refused(folder, name)


def test_a_configuration_that_is_far_too_long(folder):
    with (folder / "config.json").open("wb") as stream:
        stream.truncate(MAX_JSON + 1)
    refused(folder, "config.json", "larger")


def test_only_a_sentencepiece_tokenizer(folder):
    (folder / "tokenizer.json").rename(folder / "tokenizer.model")
    refused(folder, "tokenizer.json", "tokenizer.model alone")


# ---------------------------------------------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_key_value_heads": 3}, ("config.json", "4 attention heads", "3 key-value heads")),
        ({"head_dim": None, "hidden_size": 63}, ("config.json", "hidden_size 63")),
        ({"vocab_size": 4}, ("config.json", "eos_token_id")),
        ({"vocab_size": 321}, ("model.onnx", "vocab_size")),
        ({"num_hidden_layers": 3}, ("model.onnx", "2 layers", "config.json")),
        ({"num_key_value_heads": 4}, ("model.onnx", "config.json")),
        ({"max_position_embeddings": -1}, ("config.json", "max_position_embeddings")),
        ({"max_position_embeddings": 1e9}, ("config.json", "max_position_embeddings")),
        ({"architectures": ["BertModel"]}, ("config.json", "BertModel", "does not generate text")),
        ({"architectures": ["CLIPVisionModel"]}, ("CLIPVisionModel", "does not generate text")),
        ({"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}, ("encoder-decoder",)),
        ({"rope_scaling": {"type": "longrope"}}, ("config.json", "original_max_position_embeddings")),
    ],
)
def test_numbers_that_contradict_each_other(folder, changes, words):
    (folder / "genai_config.json").unlink()
    change(folder / "config.json", **changes)
    refused(folder, *words)


@pytest.mark.parametrize("changes", [{"head_dim": 32}, {"num_hidden_layers": 3}, {"num_key_value_heads": 1}])
def test_two_configurations_that_contradict_each_other(folder, changes):
    change(folder / "config.json", **changes)
    refused(folder, "genai_config.json", "config.json", "different models")


def test_the_builders_configuration_alone_is_enough(folder):
    whole = read_model_folder("m", folder)
    (folder / "config.json").unlink()
    (folder / "generation_config.json").unlink()
    alone = read_model_folder("m", folder)
    assert (alone.kv, alone.vocabulary, alone.context_length) == (whole.kv, whole.vocabulary, whole.context_length)
    assert alone.end_ids == whole.end_ids
    assert alone.digest != whole.digest
    (folder / "genai_config.json").write_text("{}")
    refused(folder, "genai_config.json", "no decoder")


def test_the_shorter_of_two_context_lengths_counts(folder):
    change(folder / "config.json", max_position_embeddings=100_000)
    assert read_model_folder("m", folder).context_length == 256


def test_the_numbers_of_the_text_part_of_a_multimodal_configuration(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "genai_config.json").unlink()
    wrapped = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": config,
        "vision_config": {"depth": 2},
    }
    (folder / "config.json").write_text(json.dumps(wrapped))
    assert read_model_folder("m", folder).context_length == 256


def test_every_file_may_name_ends_of_a_turn(folder):
    change(folder / "generation_config.json", eos_token_id=[7])
    change(folder / "config.json", eos_token_id=8)
    assert read_model_folder("m", folder).end_ids == {1, 4, 5, 7, 8}


# -------------------------------------------------------------------------------------------------------- the graph


def graph(folder, inputs, outputs):
    """A graph of nothing but these inputs and outputs."""
    values = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in one] for one in (inputs, outputs)
    ]
    nodes = [helper.make_node("Identity", [inputs[0]], [name]) for name in outputs]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", *values)), folder / "model.onnx")


@pytest.mark.parametrize(
    ("inputs", "outputs", "word"),
    [
        (["input_ids", "encoder_hidden_states"], ["logits"], "encoder-decoder"),
        (["inputs_embeds"], ["logits"], "pictures"),
        (["input_ids", "use_cache_branch"], ["logits"], "use_cache_branch"),
        (["input_ids"], ["last_hidden_state"], "no logits"),
        (["input_ids"], ["logits"], "no key-value cache"),
    ],
)
def test_a_graph_for_something_else(folder, inputs, outputs, word):
    graph(folder, inputs, outputs)
    refused(folder, "model.onnx", word)


def test_caches_of_another_shape(folder):
    def widen(model):
        for value in model.graph.input:
            if value.name == "past_key_values.0.key":
                value.type.tensor_type.shape.dim[1].dim_value = 4

    change_graph(folder / "model.onnx", widen)
    refused(folder, "past_key_values.0.key", "different models")


def test_parts_of_a_multimodal_repository(folder):
    (folder / "model.onnx").rename(folder / "vision_encoder.onnx")
    refused(folder, "vision_encoder.onnx", "parts of a model")
    (folder / "vision_encoder.onnx").rename(folder / "decoder_with_past_model.onnx")
    refused(folder, "split into two graphs")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_a_graph_cut_off(several, share):
    path = several / "onnx" / "model_q4.onnx"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(several, "model_q4.onnx", "not a whole ONNX file", variant="q4")
    damaged = next(one for one in variants(several) if one.graph == path)
    assert "model_q4.onnx" in damaged.problem


@given(st.binary(max_size=300), st.integers(0, 14_000))
@settings(max_examples=150, deadline=None)
def test_damage_anywhere_is_an_error_or_harmless(tmp_path_factory, damage, place):
    """Never another exception, never an endless walk."""
    content = bytearray((MODELS / "llama-gqa" / "model.onnx").read_bytes())
    content[place : place + len(damage)] = damage
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(content)
    with contextlib.suppress(ModelFolderError):
        read_outline(path)


# ----------------------------------------------------------------------------------------------------------- variants


def test_an_unknown_variant_is_answered_with_those_there_are(several):
    refused(several, "'q5'", "bnb4, fp16, q4, q4f16, q8", variant="q5")


def test_a_variant_that_needs_less_memory_is_taken(several):
    names = {
        memory: read_model_folder("m", several, provider="cuda", memory=memory).variant for memory in (300_000, 200_000)
    }
    assert names == {300_000: "fp16", 200_000: "q4f16"}


def test_rounding_over_whole_tensors_is_the_last_choice_and_said(several):
    for name in ("bnb4", "fp16", "q4", "q4f16"):
        assert read_model_folder("m", several).variant != "q8"
        (several / "onnx" / f"model_{name}.onnx").unlink()
    model = read_model_folder("m", several)
    assert (model.variant, model.precision, model.exact_rows) == ("q8", "dynamic-int8", False)


def test_every_variant_is_another_identity(several):
    digests = {read_model_folder("m", several, variant=one.name).digest for one in variants(several)}
    assert len(digests) == 5
    tokenizers = {read_model_folder("m", several, variant=one.name).tokenizer_digest for one in variants(several)}
    assert len(tokenizers) == 1


def test_of_two_graphs_with_few_bits_the_faster_one_is_taken(tmp_path):
    """Microsoft's repositories have both: block-32, and block-32-acc-level-4 with the fast kernels."""
    source = MODELS / "phi3-nested" / "cpu_and_mobile" / "cpu-int4-rtn-block-32-acc-level-4"
    for name in ("cpu-int4-rtn-block-32", "cpu-int4-rtn-block-32-acc-level-4"):
        shutil.copytree(source, tmp_path / "cpu_and_mobile" / name)

    def slower(model):
        for node in model.graph.node:
            for attribute in node.attribute:
                if attribute.name == "accuracy_level":
                    attribute.i = 1

    change_graph(tmp_path / "cpu_and_mobile" / "cpu-int4-rtn-block-32" / "model.onnx", slower)
    assert [one.accuracy_level for one in variants(tmp_path)] == [1, 4]
    assert read_model_folder("m", tmp_path).variant == "cpu-int4-rtn-block-32-acc-level-4"


KEYS = (
    "architectures",
    "model_type",
    "text_config",
    "is_encoder_decoder",
    "vocab_size",
    "hidden_size",
    "head_dim",
    "num_attention_heads",
    "num_key_value_heads",
    "num_hidden_layers",
    "max_position_embeddings",
    "eos_token_id",
    "rope_scaling",
    "rope_parameters",
    "type",
    "original_max_position_embeddings",
    "model",
    "decoder",
    "context_length",
    "head_size",
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 1 << 40) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)


@given(
    name=st.sampled_from(["config.json", "generation_config.json", "genai_config.json", "tokenizer_config.json"]),
    changes=st.dictionaries(st.sampled_from(KEYS), anything, max_size=4),
    alone=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_any_value_in_a_configuration_is_an_error_or_harmless(tmp_path_factory, name, changes, alone):
    folder = tmp_path_factory.getbasetemp() / "any"
    if not folder.exists():
        shutil.copytree(MODELS / "llama-gqa", folder)
    for one in ("config.json", "generation_config.json", "genai_config.json", "tokenizer_config.json"):
        shutil.copyfile(MODELS / "llama-gqa" / one, folder / one)
    content = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**content, **changes}))
    if alone and name == "genai_config.json":
        (folder / "config.json").unlink()
    try:
        model = read_model_folder("m", folder, lambda _: bytes(32))
    except ModelFolderError:
        return
    assert 0 < model.context_length <= 256
    assert max(model.end_ids) < model.vocabulary == 320
    assert (model.kv.layers, model.kv.kv_heads, model.kv.head_dim) == (2, 2, 16)
