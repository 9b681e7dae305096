"""How a module of ours is started: by a Python, or by a bundle's one executable."""

import sys

import pytest

from engine.programs import module_command, run_module_of_ours


def test_a_python_takes_the_module():
    assert module_command("engine.cli", "node", "--no-relay") == [
        sys.executable,
        "-m",
        "engine.cli",
        "node",
        "--no-relay",
    ]
    assert module_command("engine.cli", isolated=True) == [sys.executable, "-P", "-m", "engine.cli"]


def test_a_bundle_understands_the_same_words(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert module_command("engine.cli", "node", isolated=True) == [sys.executable, "-m", "engine.cli", "node"]


def test_the_module_runs_with_its_own_arguments(monkeypatch):
    ran = []
    monkeypatch.setattr(sys, "argv", ["gentorrent", "-m", "engine.cli", "node"])
    monkeypatch.setattr(
        "runpy.run_module", lambda name, **options: ran.append((name, sys.argv[1:], options["run_name"]))
    )
    assert run_module_of_ours(["-m", "engine.cli", "node"])
    assert ran == [("engine.cli", ["node"], "__main__")]


@pytest.mark.parametrize(
    "arguments", [[], ["-m"], ["chat"], ["-m", "pdb"], ["-m", "engineering"], ["-c", "engine.cli"]]
)
def test_other_words_are_for_the_program(arguments):
    assert not run_module_of_ours(arguments)
