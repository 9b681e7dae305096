"""Chat template and tokens of a repository, bad conversations refused in words."""

import json
import subprocess
import sys

import pytest

from engine.errors import InvalidRequestError
from engine.inference.models.folder import read_model_folder
from engine.inference.text.tokenizer import ChatTokenizer
from engine.inference.types import PromptMessage
from tests.support.tiny_model import make_tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def tokenizer(folder):
    return ChatTokenizer(read_model_folder("tiny", folder))


def test_the_template_opens_the_assistants_turn(tokenizer):
    ids = tokenizer.prompt_ids([PromptMessage("system", "Be brief."), PromptMessage("user", "é?")])
    assert ids[0] == 1
    assert ids.count(1) == 3
    assert ids.count(2) == 2
    assert tokenizer.decode(ids) == "system\nBe brief.\nuser\né?\nassistant\n"
    assert tokenizer.end_ids == {2}


def test_half_a_character_becomes_a_replacement(tokenizer):
    ids = tokenizer.prompt_ids([PromptMessage("user", "€")])
    euro = ids[ids.index(201) + 1 : ids.index(2)]
    assert len(euro) > 1
    assert tokenizer.decode(euro) == "€"
    assert tokenizer.decode(euro[:-1]).strip("�") == ""


def test_roles_that_nobody_knows_are_refused(tokenizer):
    with pytest.raises(InvalidRequestError, match="wizard"):
        tokenizer.prompt_ids([PromptMessage("wizard", "hello")])
    with pytest.raises(InvalidRequestError, match="no messages"):
        tokenizer.prompt_ids([])


def test_what_the_template_refuses_is_the_requests_fault(tokenizer):
    with pytest.raises(InvalidRequestError, match="system message comes first"):
        tokenizer.prompt_ids([PromptMessage("user", "a"), PromptMessage("system", "b")])


def test_a_broken_template_is_an_error_not_a_crash(tmp_path):
    folder = make_tiny_model(tmp_path / "tiny")
    (folder / "chat_template.jinja").write_text("{% for message in %}")
    broken = ChatTokenizer(read_model_folder("tiny", folder))
    with pytest.raises(InvalidRequestError, match="chat template"):
        broken.prompt_ids([PromptMessage("user", "a")])


def test_a_template_cannot_reach_the_machine(tmp_path):
    folder = make_tiny_model(tmp_path / "tiny")
    (folder / "chat_template.jinja").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(InvalidRequestError, match="chat template"):
        ChatTokenizer(read_model_folder("tiny", folder)).prompt_ids([PromptMessage("user", "a")])


def test_truncation_written_into_the_file_does_not_cut_prompts(tmp_path):
    folder = make_tiny_model(tmp_path / "tiny")
    content = json.loads((folder / "tokenizer.json").read_text())
    content["truncation"] = {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    cut = ChatTokenizer(read_model_folder("tiny", folder))
    assert len(cut.prompt_ids([PromptMessage("user", "x" * 200)])) > 100


def test_neither_the_library_nor_torch_is_imported_before_it_is_needed():
    code = (
        "import sys, engine.inference.worker, engine.inference.supervisor.supervisor, engine.inference.text.tokenizer\n"
        "print([name for name in ('transformers', 'torch', 'onnxruntime', 'aiohttp') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert out.stdout.strip() == "[]"
