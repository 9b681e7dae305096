"""Chat templates are found wherever repositories keep them."""

import json
import shutil
from pathlib import Path

import pytest

from engine.errors import ModelFolderError
from engine.inference.models.folder import read_model_folder
from engine.inference.models.templates import MAX_TEMPLATE, read_templates

MODELS = Path(__file__).resolve().parents[3] / "families" / "models"


@pytest.fixture
def folder(tmp_path):
    """Without any template."""
    folder = shutil.copytree(MODELS / "llama-concat", tmp_path / "model")
    put(folder, None)
    return folder


def put(folder, value, name="tokenizer_config.json"):
    path = folder / name
    content = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**content, "chat_template": value}))


def templates(folder):
    return read_templates(read_model_folder("m", folder))


def test_a_model_without_one(folder):
    assert templates(folder) == {}


def test_every_place_in_its_order(folder):
    put(folder, "in the configuration")
    assert templates(folder) == {"default": "in the configuration"}
    put(folder, [{"name": "default", "template": "of a list"}, {"name": "tool_use", "template": "tools"}])
    assert templates(folder) == {"default": "of a list", "tool_use": "tools"}
    put(folder, "in its own JSON", "chat_template.json")
    assert templates(folder) == {"default": "in its own JSON", "tool_use": "tools"}
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text("more tools")
    (folder / "additional_chat_templates" / "rag.jinja").write_text("documents")
    (folder / "chat_template.jinja").write_text("its own file")
    assert templates(folder) == {"default": "its own file", "tool_use": "more tools", "rag": "documents"}


@pytest.mark.parametrize(
    "name", ["chat_template.jinja", "additional_chat_templates/tool_use.jinja", "chat_template.json"]
)
def test_every_place_decides_the_identity(folder, name):
    before = read_model_folder("m", folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text('{"chat_template": "other"}')
    after = read_model_folder("m", folder)
    assert before.digest != after.digest
    assert before.tokenizer_digest != after.tokenizer_digest


@pytest.mark.parametrize("value", [1, [1], [{"name": "default"}], {"default": "x"}, "x" * (MAX_TEMPLATE + 1)])
def test_what_is_no_template_is_named(folder, value):
    put(folder, value)
    with pytest.raises(ModelFolderError, match=r"tokenizer_config\.json"):
        templates(folder)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * (MAX_TEMPLATE + 1)])
def test_a_damaged_file_is_named(folder, content):
    (folder / "chat_template.jinja").write_bytes(content)
    with pytest.raises(ModelFolderError, match=r"chat_template\.jinja"):
        templates(folder)


def test_every_family_has_one():
    for path in sorted(MODELS.iterdir()):
        assert "default" in read_templates(read_model_folder("m", path, lambda _: bytes(32))), path.name
