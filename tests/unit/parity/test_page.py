"""The page of the long test says what the numbers say."""

import json
import sys

import pytest

from tests.parity import long_run
from tests.parity.models import CONCATENATED, MODELS, folder_of
from tests.parity.page import as_markdown


def story(model, runtime, **changed):
    figures = {"rounds": 3, "answers": 24, "positions": 1000, "ties": 1, "differences": 0, "largest": 1e-5}
    return {"model": model, "onnxruntime": runtime, "batching": "ragged", **figures, **changed}


RESULTS = {
    "commit": "abc",
    "machine": {"processor": "a", "processors": 2, "memory_gb": 8.0, "system": "Linux", "python": "3.11.7"},
    "onnxruntime": ["1.31.1", "1.32.0"],
    "counts": {"factor": 15},
    "golden": {"1.31.1": {"llama-gqa": 1e-5}, "1.32.0": {"llama-gqa": 2e-5}},
    "same_tokens": [
        story("llama-gqa", "1.32.0", ties=3, differences=2, largest=3e-5),
        story("llama-gqa", "1.31.1", batching="two calls"),
    ],
    "kill_tests": {"1.31.1": 10, "1.32.0": 10},
    "property_tests": {"test_scheduler_storm": "2 passed in 3.00s"},
}


def test_every_figure_is_on_the_page():
    page = as_markdown(RESULTS)
    assert "2,000 tokens of 48 answers" in page
    assert "at 4 places (0.2000%; allowed are 0.1 %), and at 2 of these" in page
    assert "from the loop's was 3.0e-05, from PyTorch's 2.0e-05" in page
    assert "| llama-gqa | 1.31.1 | two calls | 3 | 24 | 1,000 | 1 | 0 | 1.0e-05 |" in page
    assert "| llama-gqa | 1.0e-05 | 2.0e-05 |" in page
    assert "ONNX Runtime 1.32.0: passed 10 times in a row" in page
    assert "15 times the examples of `make test`: 2 passed in 3.00s" in page
    assert json.dumps(RESULTS)


def test_too_many_ties_are_too_many():
    assert long_run.share_of_ties(RESULTS) == 4 / 2000 > long_run.MOST_TIES


def test_all_models_are_there():
    assert all((folder_of(name) / "config.json").exists() for name in MODELS)
    assert len(MODELS) == 2 * len(CONCATENATED) + 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(long_run, "PROPERTIES", ("tests/property/test_one.py",))
    monkeypatch.setattr(long_run, "MODELS", ("builtin", "llama-gqa"))
    return tmp_path


def test_both_runtimes_do_the_same_pieces(folder):
    beside, alone = long_run.pieces(folder, long_run.Counts(kills=2))
    names = [piece.name for piece in beside + alone]
    assert len(set(names)) == len(names) == 2 * (1 + 2 + 2) + 1
    assert {name.replace("locked", "next") for name in names if "locked" in name} == {n for n in names if "next" in n}
    assert "builtin" in names[0]


def test_a_piece_is_done_once_and_a_failure_leaves_nothing(tmp_path, capsys):
    piece = long_run.Piece("one", (sys.executable, "-c", "print('3 passed in 1s')"), tmp_path / "one.json")
    broken = long_run.Piece("two", (sys.executable, "-c", "print('no'); raise SystemExit(1)"), tmp_path / "two.json")
    progress = long_run.Progress(3)
    assert progress.run(piece)
    assert progress.run(piece)
    assert not progress.run(broken)
    said = capsys.readouterr()
    assert "2/3 one: done before" in said.out
    assert "3/3 two: FAILED" in said.out
    assert "no" in said.err
    assert json.loads(piece.out.read_text()) == {"said": "3 passed in 1s"}
    assert not broken.out.exists()
