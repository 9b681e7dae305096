"""Which tests the pass with the newer ONNX Runtime runs, whatever options `make test` was given; what reaches tests."""

import os
import subprocess
import sys

import pytest

from tools import next_runtime_environment, run_tests
from tools.lock import ROOT
from tools.run_tests import ON_BOTH_RUNTIMES, selected, split

ONE = "tests/property/test_same_tokens.py"


def test_every_entry_is_there():
    assert all((ROOT / entry).exists() for entry in ON_BOTH_RUNTIMES)


def test_without_paths_everything_is_selected():
    assert split(["-x", "-k", "wire"]) == (["-x", "-k", "wire"], [])
    assert selected([]) == list(ON_BOTH_RUNTIMES)


@pytest.mark.parametrize("expression", ["tests", "engine", "."])
def test_an_expression_is_no_path_even_if_one_is_called_like_it(expression):
    assert split(["-k", expression, "-x"]) == (["-k", expression, "-x"], [])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests", list(ON_BOTH_RUNTIMES)),
        (".", list(ON_BOTH_RUNTIMES)),
        (str(ROOT / "tests"), list(ON_BOTH_RUNTIMES)),
        ("tests/property", [ONE]),
        ("./tests/property/", [ONE]),
        (ONE, [ONE]),
        (f"{ONE}::test_one", [f"{ONE}::test_one"]),
        ("tests/families/test_golden_logits.py", ["tests/families/test_golden_logits.py"]),
        ("tests/unit/inference", ["tests/unit/inference/runtime"]),
        ("tests/unit/wire", []),
        ("tests/property/test_wire_fuzz.py", []),
    ],
)
def test_paths_select_the_narrower_of_the_two(path, expected):
    assert split(["-x", path]) == (["-x"], [path])
    assert selected([path]) == expected


@pytest.fixture
def calls(monkeypatch):
    """What would be run; the environment is there already."""
    made: list[list[str]] = []

    def call(command, env):
        made.append(command[3:])
        return codes.get(len(made), 0)

    codes: dict[int, int] = {}
    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(next_runtime_environment, "main", lambda: codes.get(0, 0))
    return made, codes


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["run_tests", *arguments])
    return run_tests.main()


def test_options_reach_every_pass(calls, monkeypatch):
    made, _ = calls
    assert run(monkeypatch, "--workers", "3", "-k", "logits", "tests/families") == 0
    assert made == [
        ["-n", "3", "-m", "not (e2e or alone or qt)", "-k", "logits", "tests/families"],
        ["-n", "3", "--dist", "loadfile", "-m", "qt and not (e2e or alone)", "-k", "logits", "tests/families"],
        ["-m", "e2e or alone", "-k", "logits", "tests/families"],
        ["-n", "3", "-k", "logits", "tests/families"],
    ]


def test_the_other_environment_is_not_made_for_nothing(calls, monkeypatch):
    made, codes = calls
    codes[0] = 9
    assert run(monkeypatch, "tests/unit/wire") == 0
    assert len(made) == 3
    assert run(monkeypatch) == 9  # it could not be made: that is no success


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_failure_in_any_pass_counts(calls, monkeypatch, failing):
    _, codes = calls
    codes[failing] = 1
    assert run(monkeypatch) == 1


def test_nothing_selected_anywhere_is_said(calls, monkeypatch):
    _, codes = calls
    codes.update({1: 5, 2: 5, 3: 5, 4: 5})
    assert run(monkeypatch, "-k", "nonsense") == 5


def test_what_must_not_be_skipped_and_ctrl_c_reach_the_tests():
    """Also from a background job of a shell, which ignores Ctrl-C; other settings do not reach them."""
    told = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$0" -c "$1"', sys.executable, _WHAT_REACHES_THEM],
        cwd=ROOT,
        env={**os.environ, "GENTORRENT_REQUIRE_NAT": "1", "GENTORRENT_DATA": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["GENTORRENT_REQUIRE_NAT", "True"]


_WHAT_REACHES_THEM = """
import os, signal
import tests.conftest
own = ("GENTORRENT_REQUIRE_ALL", "GENTORRENT_SENSORS")
print(*(name for name in sorted(os.environ) if name.startswith("GENTORRENT_") and name not in own))
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""
