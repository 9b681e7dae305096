"""The peers' environment: pinned to the last package, made once, with one onnxruntime in it."""

import hashlib
import os
import re
import subprocess

import pytest

from engine.bench.shapes import SHAPES
from tools import peers_environment, system_libraries


def pins():
    lines = peers_environment.PINS.read_text(encoding="utf-8").splitlines()
    return {line.partition("==")[0].lower(): line.partition("==")[2] for line in lines if not line.startswith("#")}


def test_everything_is_pinned_and_there_is_one_onnxruntime():
    found = pins()
    assert {"onnxruntime", "onnxruntime-genai", "llama_cpp_python", "torch", "transformers", "gguf"} <= found.keys()
    assert "onnxruntime-gpu" not in found
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in found.values())
    assert tuple(int(part) for part in found["onnxruntime"].split(".")[:2]) >= (1, 32)


def test_the_shapes_that_are_made_are_those_that_are_measured():
    assert set(peers_environment.SHAPES) == SHAPES.keys()


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(peers_environment, "VENV", tmp_path)
    monkeypatch.setattr(peers_environment, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(peers_environment, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(peers_environment, "find_compiler", lambda environment: True)
    (tmp_path / "python").touch()
    calls: list[list[str]] = []

    def run(command, **_):
        calls.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_a_finished_environment_is_left_alone(elsewhere):
    assert peers_environment.make_environment() == 0
    assert len(elsewhere) == 1
    assert str(peers_environment.PINS) in elsewhere[0]
    assert peers_environment.make_environment() == 0
    assert len(elsewhere) == 1
    assert peers_environment.STAMP.read_text() == hashlib.sha256(peers_environment.PINS.read_bytes()).hexdigest()


def test_a_failed_one_is_made_again(elsewhere, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    assert peers_environment.make_environment() == 1
    assert not peers_environment.STAMP.exists()


@pytest.mark.skipif(os.name == "nt", reason="CMake looks in the registry there")
def test_a_compiler_is_found_by_name_and_by_cxx(tmp_path):
    path = {"PATH": str(tmp_path)}
    assert not peers_environment.find_compiler(path)
    for name, extra in (("c++", {}), ("my-compiler", {"CXX": "my-compiler -O2"})):
        program = tmp_path / name
        program.touch(mode=0o755)
        assert peers_environment.find_compiler(path | extra)
        program.unlink()


def test_root_gets_the_compiler_installed(elsewhere, monkeypatch, capsys):
    there = iter([False, True])
    installed: list[str] = []
    monkeypatch.setattr(peers_environment, "find_compiler", lambda environment: next(there))
    monkeypatch.setattr(system_libraries, "can_install", lambda: True)
    monkeypatch.setattr(system_libraries, "install", installed.extend)
    assert peers_environment.make_environment() == 0
    assert installed == ["build-essential"]
    assert "compiler" not in capsys.readouterr().err


def test_without_a_compiler_pip_is_tried_and_its_failure_explained(elsewhere, monkeypatch, capsys):
    monkeypatch.setattr(peers_environment, "find_compiler", lambda environment: False)
    monkeypatch.setattr(system_libraries, "can_install", lambda: False)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    assert peers_environment.make_environment() == 1
    said = capsys.readouterr().err
    assert said.count("no C++ compiler") == 2
    assert "make bench-setup again" in said
