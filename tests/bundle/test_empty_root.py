"""The bundle on a machine that has nothing but a kernel and a C library."""

import json
from pathlib import Path

import pytest

from engine import __version__
from tests.bundle.empty_root import BASE, EmptyRoot
from tools import bundle_contents

pytestmark = pytest.mark.alone


def test_there_is_nothing_but_what_every_linux_has(empty_root: EmptyRoot) -> None:
    names = [place.rpartition("/")[2] for place in empty_root.files()]
    assert all(name in BASE or name.startswith("ld-linux") for name in names)
    assert len(names) > 5


def test_the_built_in_model_answers_from_one_executable(empty_root: EmptyRoot) -> None:
    done = empty_root.run("--self-test", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["ok"], report["version"], report["installation"]) == (True, __version__, "bundle")
    assert "prompt" in report["answer"] or "question" in report["answer"]
    assert [step["name"] for step in report["steps"]] == [
        "started an engine",
        "got an answer from the built-in model",
        "found the worker that made it",
    ]


def test_the_window_opens_where_the_libraries_of_a_desktop_are(desktop_root: EmptyRoot) -> None:
    assert not [place for place in desktop_root.files() if "python" in place.lower() or "Qt6" in place]
    done = desktop_root.run("--self-test", "--window", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"][-1]["name"] == "opened the window"


def test_where_they_are_missing_the_window_says_so(empty_root: EmptyRoot) -> None:
    done = empty_root.run("--self-test", "--window", "--json")
    assert done.returncode == 1
    assert "The window could not be opened" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_links_its_processes_in_there(empty_root: EmptyRoot) -> None:
    """Links of aiortc without PyAV, a server, relays, verifiers, all from the one executable."""
    done = empty_root.run("demo", "--json", seconds=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["answer"]


def test_a_question_that_is_no_option_gets_a_plain_error(empty_root: EmptyRoot) -> None:
    done = empty_root.run("--no-such-option")
    assert done.returncode == 2
    assert "No such option" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_came_along_is_listed_with_its_licence(empty_root: EmptyRoot) -> None:
    done = empty_root.run("licences")
    assert done.returncode == 0, done.stderr
    assert "Qt" in done.stdout
    assert "LGPL-3.0" in done.stdout


def test_it_is_small_enough(bundle: Path) -> None:
    assert bundle_contents.size(bundle) < bundle_contents.MAX_BYTES == 400_000_000
