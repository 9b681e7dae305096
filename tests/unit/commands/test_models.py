"""``gentorrent models``: search, fit, import, verify and remove, as a user types them; no hub is asked."""

from __future__ import annotations

import io
import json
import sys
import types
from unittest.mock import Mock

import pytest

from engine.cli import main
from engine.errors import StorageError
from tests.support.tiny_model import make_tiny_model


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("engine.library.machine.read_bandwidth", lambda *_: 40e9)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    return tmp_path / "data"


@pytest.fixture
def run(capsys):
    """The exit code, standard output and standard error of ``gentorrent models ARGUMENTS``."""

    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            main(["models", *(str(argument) for argument in arguments)])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def source(tmp_path):
    return make_tiny_model(tmp_path / "my-model")


def test_the_catalogue_is_searched_offline(run):
    code, out, _ = run("search", "qwen", "coder")
    assert code == 0
    assert "Qwen2.5-Coder-1.5B-Instruct" in out
    assert "variants: " in out
    assert "Llama" not in out
    code, out, _ = run("search", "Qwen3", "--sources")
    assert "files not pinned" in out
    assert "https://huggingface.co/onnx-community/Qwen3-0.6B-ONNX" in out
    assert run("search", "no such model")[0] == 0


def test_search_as_json(run):
    models = json.loads(run("search", "--json")[1])
    assert len(models) >= 15
    for model in models:
        assert model["repository"]["source"].startswith("https://")
        assert {"memory_need", "recommended_hardware"} <= model.keys()
    known = next(model for model in models if model["id"] == "Llama-3.2-3B-Instruct")
    assert known["memory_need"] > 3e9
    assert "GB of memory" in known["recommended_hardware"]


def test_fit_names_the_variant_to_take(run, monkeypatch):
    code, out, err = run("fit", "SmolLM2-135M-Instruct")
    assert code == 0
    assert "<- take this one" in out
    assert "SmolLM2-135M-Instruct:q4 " in out
    assert "40 GB/s" in err
    told = json.loads(run("fit", "--json")[1])
    assert {row["verdict"] for row in told["models"]} >= {"unknown"}
    assert len(told["models"]) >= 15
    assert told["machine"]["read_speed"] == 40e9


def test_fit_says_no_with_the_exit_code(run, monkeypatch):
    small = types.SimpleNamespace(total=4 * 10**9, available=3 * 10**9)
    monkeypatch.setattr("psutil.virtual_memory", lambda: small)
    code, out, _ = run("fit", "phi-4")
    assert code == 1
    assert "does not fit" in out
    assert run("fit", "SmolLM2-135M-Instruct:q4")[0] == 0
    code, _, err = run("fit", "phi-4:q9")
    assert code == 1
    assert "It has: cpu-int4-rtn-block-32-acc-level-4" in err
    code, _, err = run("fit", "Lama-3.2-1B-Instruct")
    assert code == 1
    assert "Did you mean Llama-3.2-1B-Instruct" in err


def test_import_list_verify_remove(run, source, data):
    code, out, _ = run("import", source, "--as", "mine", "--json")
    assert code == 0
    imported = json.loads(out)
    assert imported["name"] == "mine"
    code, out, _ = run("list")
    assert code == 0
    assert imported["digest"][:12] in out
    assert "pinned" in out
    listed = {model["id"]: model for model in json.loads(run("list", "--json")[1])}
    assert listed["mine"]["digest"] == imported["digest"]
    assert run("fit", "mine")[0] == 0
    assert run("verify")[0] == 0
    (data / "models" / "mine" / "config.json").write_text("{}")
    code, out, _ = run("verify", "mine")
    assert code == 1
    assert "config.json was " in out
    assert json.loads(run("verify", "--json")[1])[0]["wrong"]
    assert "mine" in run("list")[1]  # with its problem
    code, _, words = run("remove", "mine")
    assert code == 2
    assert "--yes" in words
    code, out, _ = run("remove", "mine", "--yes", "--json")
    assert code == 0
    assert json.loads(out)["freed"] > 10_000
    assert not (data / "models" / "mine").exists()


class Typed(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_licence_in_a_folder_is_shown_before_its_import_and_remembered(run, source, data, monkeypatch):
    (source / "LICENSE").write_text("You may do as you like.\x1b[2J")

    def typed(text: str, *more: object) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", Typed(text))
            return run("import", source, "--as", "mine", *more)

    code, _, err = run("import", source, "--as", "mine")
    assert code == 2
    assert "You may do as you like." in err
    assert "\x1b" not in err
    assert "has to be accepted before the import" in err
    assert "--yes" in err
    code, out, err = typed("n\n")
    assert (code, "Accept this licence and import?" in out + err) == (1, True)
    assert not (data / "models" / "mine").exists()
    assert typed("y\n")[0] == 0
    assert (data / "models" / "mine" / "LICENSE").exists()
    assert run("remove", "mine", "--yes")[0] == 0
    assert typed("n\n")[0] == 1, "whoever takes it again is asked again"


def test_an_import_that_could_not_be_made_is_not_asked_about_twice(run, source, monkeypatch):
    (source / "LICENSE.md").write_text("You may.")
    with monkeypatch.context() as patch:
        patch.setattr("engine.library.keeping.import_folder", Mock(side_effect=StorageError("The disk is full.")))
        assert run("import", source, "--as", "mine", "--yes")[0] == 1
    (source / "LICENSE.md").write_text("You may not.")
    code, _, err = run("import", source, "--as", "mine")
    assert code == 2
    assert "This is another licence than the one that you have accepted." in err
    (source / "LICENSE.md").write_text("You may.")
    code, _, err = run("import", source, "--as", "mine")
    assert (code, "You may." in err) == (0, False), "it was accepted"


def test_what_cannot_be_done_is_said(run, source, tmp_path):
    for model, said in (("gentorrent-builtin", "part of the program"), ("no-such", "no model 'no-such'")):
        for yes in ([], ["--yes"]):
            code, _, words = run("remove", model, *yes)
            assert code == 1
            assert said in words  # and not: add --yes
    code, _, err = run("remove", "nothing", "--yes")
    assert code == 1
    assert "gentorrent models list" in err
    code, _, err = run("import", tmp_path / "nowhere")
    assert code == 1
    assert "There is no folder" in err
    code, _, err = run("import", source, "--as", "../x")
    assert code == 1
    assert "--as" in err
    code, _, err = run("verify", "nothing")
    assert code == 1
    code, _, err = run("download", "owner/../x", "--yes")
    assert code == 1
    assert "OWNER/NAME" in err


def test_a_damaged_catalogue_of_the_owner_is_bad_usage(run, data):
    data.mkdir()
    (data / "catalogue.json").write_text('{"models": [{"id": "x"}]}')
    code, _, err = run("search")
    assert code == 2
    assert "catalogue.json" in err


def test_no_hub_by_setting(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://models.example.com")
    code, _, err = run("search", "--hub", "x")
    assert code == 2
    assert "unencrypted" in err
