"""What a folder lacks or contradicts is named; its identity follows its content."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from engine.errors import ModelFolderError, UnknownModelError
from engine.inference.models.folder import KvLayout, read_model_folder
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.text.tokenizer import ChatTokenizer
from tests.support.tiny_model import make_tiny_model

FAMILIES = Path(__file__).resolve().parents[3] / "families" / "models"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "tiny")


def change(path, **values):
    content = json.loads(path.read_text())
    content.update(values)
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def put_weights_aside(folder, name="model.onnx_data"):
    """The same graph with its weights in another file."""
    model = onnx.load(folder / "model.onnx")
    onnx.save(model, folder / "model.onnx", save_as_external_data=True, location=name, size_threshold=256)


def test_a_complete_folder_is_read(folder):
    model = read_model_folder("tiny", folder)
    assert model.kv == KvLayout(2, 2, 16)
    assert model.kv.bytes_per_token(4) == 2 * 2 * 2 * 16 * 4
    assert model.context_length == 512
    assert len(model.end_ids) == 1
    assert len(model.digest) == len(model.tokenizer_digest) == 32


def test_graph_may_lie_in_onnx(folder):
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    assert read_model_folder("tiny", folder).graph == folder / "onnx" / "model.onnx"


def test_digest_follows_content_and_nothing_else(folder, tmp_path):
    first = read_model_folder("tiny", folder)
    (folder / "README.md").write_text("notes")
    moved = folder.rename(tmp_path / "elsewhere")
    assert read_model_folder("other", moved).digest == first.digest
    (moved / "chat_template.jinja").write_text("{{ messages }}")
    second = read_model_folder("tiny", moved)
    assert second.digest != first.digest
    assert second.tokenizer_digest != first.tokenizer_digest
    put_weights_aside(moved)
    third = read_model_folder("tiny", moved)
    assert third.digest != second.digest
    assert third.tokenizer_digest == second.tokenizer_digest


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelFolderError, match=name):
        read_model_folder("tiny", folder)


@pytest.mark.parametrize("content", ["{", "[]", "\xff", "[" * 100_000])
def test_a_broken_file_is_named(folder, content):
    (folder / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelFolderError, match=r"config\.json"):
        read_model_folder("tiny", folder)


@pytest.mark.parametrize("name", ["num_hidden_layers", "max_position_embeddings", "vocab_size", "num_attention_heads"])
@pytest.mark.parametrize("value", [None, 0, "8", True])
def test_an_unusable_number_is_named(folder, name, value):
    change(folder / "config.json", **{name: value})
    with pytest.raises(ModelFolderError, match=name):
        read_model_folder("tiny", folder)


def test_end_of_turn_must_be_named_somewhere(folder):
    (folder / "generation_config.json").unlink()
    assert read_model_folder("tiny", folder).end_ids == {2}
    change(folder / "config.json", eos_token_id=None)
    with pytest.raises(ModelFolderError, match="eos_token_id"):
        read_model_folder("tiny", folder)


def test_no_folder_at_all(tmp_path):
    with pytest.raises(ModelFolderError, match="does not exist"):
        read_model_folder("tiny", tmp_path / "nothing")


@pytest.mark.parametrize(("name", "value"), [("num_hidden_layers", 3), ("num_key_value_heads", 4), ("head_dim", 32)])
def test_a_configuration_of_another_model_is_noticed(folder, name, value):
    change(folder / "config.json", **{name: value})
    with pytest.raises(ModelFolderError, match=r"config\.json"):
        Runner(read_model_folder("tiny", folder), RuntimeSettings(1, 2))


def test_a_damaged_graph_is_named(folder):
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelFolderError, match=r"model\.onnx is not a whole ONNX file"):
        Runner(read_model_folder("tiny", folder), RuntimeSettings(1, 2))


def test_a_missing_chat_template_is_named(folder):
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelFolderError, match="chat template"):
        ChatTokenizer(read_model_folder("tiny", folder))


def test_a_damaged_tokenizer_is_named(folder):
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(ModelFolderError, match="tokenizer"):
        ChatTokenizer(read_model_folder("tiny", folder))


def test_a_tokenizer_of_another_model_is_noticed(folder):
    change(folder / "config.json", vocab_size=100)
    with pytest.raises(ModelFolderError, match="vocab_size"):
        ChatTokenizer(read_model_folder("tiny", folder))


def test_the_catalogue_finds_the_builtin_model_and_the_downloaded_ones(original, folder, tmp_path):
    models = tmp_path / "models"
    shutil.copytree(folder, models / "good")
    (models / "broken").mkdir()
    (models / ".cache").mkdir()
    catalogue = Catalogue(models, builtin=original)
    assert list(catalogue.folders()) == [BUILTIN_MODEL, "broken", "good"]
    assert list(catalogue.usable()) == [BUILTIN_MODEL, "good"]
    assert catalogue.open("good").digest == catalogue.open(BUILTIN_MODEL).digest
    with pytest.raises(UnknownModelError, match="good"):
        catalogue.open("../good")
    with pytest.raises(ModelFolderError, match=r"model\.onnx"):
        catalogue.open("broken")


def test_why_a_model_cannot_be_used_is_said(original, folder, tmp_path):
    (tmp_path / "models").mkdir()
    shutil.copytree(folder, tmp_path / "models" / "damaged")
    (tmp_path / "models" / "damaged" / "tokenizer.json").unlink()
    catalogue = Catalogue(tmp_path / "models", original)
    assert "tokenizer.json is missing" in str(catalogue.why_not("damaged"))
    assert "It has: gentorrent-builtin, damaged" in str(catalogue.why_not("nonsense"))
    assert "There is no model 'damaged:'" in str(catalogue.why_not("damaged:"))
    assert "Start the app again" in str(catalogue.why_not(BUILTIN_MODEL))
    assert len(str(catalogue.why_not("x" * 100_000))) < 1000


def test_digests_of_large_files_survive_a_restart(folder, tmp_path, monkeypatch):
    models = tmp_path / "models"
    shutil.copytree(folder, models / "big")
    put_weights_aside(models / "big")
    with (models / "big" / "model.onnx_data").open("ab") as stream:
        stream.truncate(1 << 24)
    digest = Catalogue(models, builtin=folder).open("big").digest
    assert (models / ".digests.json").is_file()

    def refuse(path):
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr("engine.inference.models.installed.sha256_file", refuse)
    entries = json.loads((models / ".digests.json").read_text())
    assert any(name.endswith("model.onnx_data") for name in entries)
    monkeypatch.undo()
    (models / ".digests.json").write_text("damaged")
    assert Catalogue(models, builtin=folder).open("big").digest == digest
    (models / "big" / "model.onnx_data").write_bytes(bytes([1]) * (1 << 24))
    assert Catalogue(models, builtin=folder).open("big").digest != digest


@pytest.mark.skipif(os.name == "nt", reason="the time of a change is not kept there")
def test_another_file_with_the_size_and_time_of_the_old_one_has_another_digest(folder, original, tmp_path):
    """Archives give all of their files the same time, and programs that copy keep it."""
    models = tmp_path / "models"
    graph = shutil.copytree(folder, models / "m") / "model.onnx"
    catalogue = Catalogue(models, builtin=original)
    before, status, content = catalogue.open("m").digest, graph.stat(), bytearray(graph.read_bytes())
    content[-1] ^= 1
    other = models / "other"
    other.write_bytes(content)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(graph)
    assert (graph.stat().st_size, graph.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert catalogue.open("m").digest != before


def test_what_cannot_be_read_leaves_the_other_models(folder, original, tmp_path, caplog):
    models = tmp_path / "models"
    good = shutil.copytree(folder, models / "good")
    shutil.copytree(folder, models / "odd")
    odd = models / "odd" / "additional_chat_templates" / "x\udcff.jinja"  # a name that is no UTF-8
    odd.parent.mkdir()
    odd.write_bytes(b"x")
    (models / ".digests.json").write_bytes(b'{"\xff": [1, 2, "AA=="]}')
    usable = Catalogue(models, builtin=original).usable()
    assert set(usable) == {BUILTIN_MODEL, "good"}
    assert usable["good"].path == good
    assert "odd is left out" in caplog.text


def test_a_models_folder_that_cannot_be_listed_leaves_the_builtin_model(original, tmp_path, monkeypatch):
    def refused(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setattr(Path, "iterdir", refused)
    assert set(Catalogue(models, builtin=original).folders()) == {BUILTIN_MODEL}


def test_a_config_with_little_more_than_a_name_gives_way_to_the_builders(tmp_path):
    """As microsoft/mistral-7b-instruct-v0.2-ONNX has them: 68 bytes at the root, genai_config.json beside the graph."""
    folder = tmp_path / "mistral"
    shutil.copytree(FAMILIES / "mistral-gqa", folder / "cpu" / "int4")
    (folder / "cpu" / "int4" / "config.json").unlink()
    (folder / "config.json").write_text('{"model_type": "mistral", "architectures": ["MistralForCausalLM"]}')
    assert read_model_folder("x", folder).kv == read_model_folder("x", FAMILIES / "mistral-gqa").kv
