"""Names from a hub: what may become a file here."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library.names import folder_name, is_needed_kind, is_repository, is_revision, problem_of
from tests.support.hub_layouts import LAYOUTS

HOSTILE = [
    "",
    "/etc/passwd",
    "../config.json",
    "onnx/../../x.onnx",
    "onnx//model.onnx",
    "./model.onnx",
    "onnx\\model.onnx",
    "C:model.onnx",
    "c:/model.onnx",
    "\\\\server\\share\\x.json",
    ".git/config",
    ".hidden.json",
    "con.json",
    "onnx/NUL",
    "lpt1.onnx",
    "model.onnx.",
    "model.onnx ",
    "a\x00b.json",
    "line\nbreak.json",
    "\x1b]0;title\x07.json",
    "model\u202e.onnx",
    "ä.json",
    "x" * 300 + ".json",
    "a/" * 10 + "x.json",
    "-rf.json",
    "$HOME.json",
    "a|b.json",
    "a*b.json",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_refused(name):
    assert problem_of(name)


def test_the_names_of_real_repositories_are_fine():
    for layout in LAYOUTS:
        for name in [*layout.files, *layout.external.values()]:
            assert problem_of(name) == "", name
    for name in ("additional_chat_templates/tool_use.jinja", "onnx/model_q4f16.onnx_data_1", "model.onnx.data"):
        assert problem_of(name) == ""
        assert is_needed_kind(name)


@given(st.text(max_size=60))
def test_what_is_accepted_stays_inside_a_folder_on_every_system(name):
    if problem_of(name):
        return
    for flavour in (PurePosixPath, PureWindowsPath):
        path = flavour(name)
        assert not path.is_absolute()
        assert not path.drive
        assert ".." not in path.parts
        assert len(path.parts) == name.count("/") + 1
    assert (Path("/root/of/all") / name).resolve().is_relative_to("/root/of/all")


@pytest.mark.parametrize("name", ["run.sh", "model.py", "model.safetensors", "model.onnx.exe", "data", "x.onnx_dat"])
def test_other_kinds_are_not_needed(name):
    assert not is_needed_kind(name)


@pytest.mark.parametrize("text", ["a", "onnx-community/Qwen3-0.6B-ONNX", "HuggingFaceTB/SmolLM2-1.7B-Instruct"])
def test_repositories(text):
    assert is_repository(text)
    assert folder_name(text) == text.split("/")[-1]


@pytest.mark.parametrize("text", ["", "a/b/c", "a/../b", "/a", "a/", "a b", "a/b?x=1", "a/b#x", "http://a/b", "a--b/c"])
def test_no_repositories(text):
    assert not is_repository(text)


def test_revisions():
    assert is_revision("main")
    assert is_revision("refs/pr/3")
    assert is_revision("0" * 40)
    for text in ("", "..", "a..b", "-x", "a b", "x?y", "\x1b"):
        assert not is_revision(text)
