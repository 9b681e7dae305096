"""The environment of the newer ONNX Runtime: complete, pinned, with one ONNX Runtime in it, made once."""

import re
import subprocess
import sys

import pytest

from tools import next_runtime_environment
from tools.lock import FOLDER, locked


def names(requirements):
    return re.findall(r"^([a-z0-9-]+)==", requirements, re.MULTILINE)


def test_everything_has_a_version_and_hashes_and_there_is_one_runtime():
    found = next_runtime_environment.requirements()
    assert "onnxruntime-gpu" not in found
    assert re.findall(r"^onnxruntime==(\S+)", found, re.MULTILINE) == ["1.32.0"]
    entries = [line for line in found.splitlines() if line and not line.startswith(" ")]
    assert all(re.match(r"[a-z0-9-]+==[0-9]", line) for line in entries)
    assert found.count("--hash=sha256:") >= len(entries) > 20
    assert len(set(names(found))) == len(names(found))


def test_versions_are_those_of_the_locks():
    engine = locked(FOLDER / "engine.lock")
    found = next_runtime_environment.requirements()
    assert engine["numpy"] in found
    assert engine["tokenizers"] in found


def test_a_name_without_a_lock_is_an_error(tmp_path, monkeypatch):
    file = tmp_path / "next-runtime.txt"
    file.write_text("numpy\nno-such-package\n", encoding="utf-8")
    monkeypatch.setattr(next_runtime_environment, "WANTED", file)
    with pytest.raises(ValueError, match="no-such-package"):
        next_runtime_environment.requirements()


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Its folder is another one, and commands are kept instead of run."""
    venv = tmp_path / "venv"
    monkeypatch.setattr(next_runtime_environment, "VENV", venv)
    monkeypatch.setattr(next_runtime_environment, "PYTHON", venv / "python")
    monkeypatch.setattr(next_runtime_environment, "STAMP", venv / "stamp")
    monkeypatch.setattr(next_runtime_environment, "add_checkout", lambda: calls.append(["checkout"]))
    calls: list[list[str]] = []

    def run(command, **_):
        calls.append(command)
        venv.mkdir(exist_ok=True)
        (venv / "python").touch()
        return subprocess.CompletedProcess(command, 1 if "install" in command and len(calls) == 2 else 0)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_a_failed_one_is_made_anew_and_a_finished_one_left_alone(elsewhere):
    assert next_runtime_environment.main() == 1
    assert next_runtime_environment.main() == 0
    made = len(elsewhere)
    assert made == 5  # twice the folder and the packages, then the checkout
    assert elsewhere.pop() == ["checkout"]
    assert elsewhere[-1][:5] == [sys.executable, "-m", "pip", "--python", str(next_runtime_environment.PYTHON)]
    assert {"--require-hashes", "--no-deps"} <= set(elsewhere[-1])
    assert next_runtime_environment.main() == 0
    assert len(elsewhere) == made - 1
