"""Runs the tests in four passes: side by side what can be; then the window's, whole files side by side; then one after
the other what loads or watches the machine; then what touches the inference runtime once more with the newer ONNX
Runtime.

    python -m tools.run_tests [--workers N] [options and paths for pytest]

The window's tests are those in `tests/ui` (marked `qt` by `tests/conftest.py`); one after the other run those in
`tests/e2e` (marked `e2e`) and what else is marked `alone`. One pass with xdist's groups would do the same, but xdist
3.8 does not see its groups with pytest 9.2. The last pass has an
environment of its own (`tools/next_runtime_environment.py`), which is made when a selected test belongs to it.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import next_runtime_environment
from tools.lock import ROOT

NO_TESTS = 5
"""pytest's exit code when nothing was selected; the other pass may have had something."""
ALONE = "e2e or alone"
WHOLE_FILES = ("--dist", "loadfile")
"""A file of the window's tests belongs to one process, as Qt's application is one of a process."""
EXPRESSIONS = ("-k", "-m")
"""Options whose value might be taken for a path."""
ON_BOTH_RUNTIMES = (
    "tests/families",
    "tests/integration/test_bad_input.py",
    "tests/integration/test_inference_worker.py",
    "tests/property/test_same_tokens.py",
    "tests/unit/inference/runtime",
)
"""What depends on the version of ONNX Runtime."""


def main() -> int:
    """The exit code: 0 if all tests passed, else that of the first pass that failed."""
    parser = argparse.ArgumentParser(description="Run the tests.")
    parser.add_argument("--workers", default="2", help="processes of all passes but the third (2)")
    arguments, others = parser.parse_known_args()
    side_by_side = ["-n", arguments.workers]
    codes = [
        run_pass("side by side", sys.executable, [*side_by_side, "-m", f"not ({ALONE} or qt)", *others]),
        run_pass("the window", sys.executable, [*side_by_side, *WHOLE_FILES, "-m", f"qt and not ({ALONE})", *others]),
        run_pass("one after the other", sys.executable, ["-m", ALONE, *others]),
    ]
    options, paths = split(others)
    again = selected(paths)
    if again:
        codes.append(run_next_runtime([*side_by_side, *options, *again]))
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    if failed:
        return failed[0]
    return 0 if 0 in codes else NO_TESTS


def run_pass(name: str, python: str, options: Sequence[str]) -> int:
    """pytest's exit code."""
    print(f"\n[tests] {name}", flush=True)
    environment = dict(os.environ)
    if python != sys.executable:
        environment.pop("GENTORRENT_REQUIRE_ALL", None)  # the other environment has no Qt, and no test of it
    return subprocess.call([python, "-m", "pytest", *options], env=environment)


def run_next_runtime(options: Sequence[str]) -> int:
    """Make the environment if need be, then run pytest there."""
    status = next_runtime_environment.main()
    if status:
        return status
    return run_pass("with the newer ONNX Runtime", str(next_runtime_environment.PYTHON), options)


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options for pytest with their values, and the paths that select tests."""
    options: list[str] = []
    paths: list[str] = []
    before = ""
    for argument in arguments:
        is_path = not argument.startswith("-") and before not in EXPRESSIONS and place_of(argument).exists()
        (paths if is_path else options).append(argument)
        before = argument
    return options, paths


def place_of(path: str) -> Path:
    """Where a path with a test's name behind it, perhaps, leads to; nowhere in particular outside of the tests."""
    place = (ROOT / path.partition("::")[0]).resolve()
    return place if place == ROOT or ROOT / "tests" in (place, *place.parents) else ROOT / "no tests"


def selected(paths: Sequence[str]) -> list[str]:
    """What of ``ON_BOTH_RUNTIMES`` these paths select: all of it without any, else the narrower ones."""
    if not paths:
        return list(ON_BOTH_RUNTIMES)
    found = []
    for path in paths:
        place = place_of(path)
        for entry in ON_BOTH_RUNTIMES:
            if ROOT / entry in (place, *place.parents):
                found.append(path)
            elif place in (ROOT / entry).parents:
                found.append(entry)
    return found


if __name__ == "__main__":
    sys.exit(main())
