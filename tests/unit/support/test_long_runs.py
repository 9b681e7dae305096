"""What long runs share: a piece that is done is not done again, and one that failed leaves nothing that says it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support import long_runs
from tests.support.long_runs import piece, report, store, work_folder

FINDS = (sys.executable, "-c", "print('{\"found\": 3}')")


def test_piece_is_done_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "one.json"
    assert piece(out, FINDS, keeps_output=True) == {"found": 3}
    assert piece(out, (sys.executable, "-c", "raise SystemExit(1)")) == {"found": 3}
    assert "one: done before" in capsys.readouterr().out


def test_failed_piece_leaves_nothing_and_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "two.json"
    fails = (sys.executable, "-c", "print('{}'); raise SystemExit('the reason')")
    assert piece(out, fails, keeps_output=True) is None
    assert piece(out, (sys.executable, "-c", "print('no JSON')"), keeps_output=True) is None
    assert not out.exists()
    said = capsys.readouterr().err
    assert "two FAILED" in said
    assert "the reason" in said
    assert piece(out, fails, keeps_output=True, accepted=(0, 1)) == {}


@pytest.mark.parametrize(("head", "kept"), [("abc", True), ("abc+", False), ("", False)])
def test_pieces_of_a_commit_are_kept_and_others_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str, kept: bool
) -> None:
    monkeypatch.setattr(long_runs, "ROOT", tmp_path)
    monkeypatch.setattr(long_runs, "commit", lambda _root: head)
    found, folder = work_folder("churn", "-quick")
    assert found == head
    assert folder == tmp_path / ".work" / "test-long-churn" / f"{head or 'unknown'}-quick"
    (folder / "piece.json").write_text("{}")
    assert work_folder("churn", "-quick") == (head, folder)
    assert (folder / "piece.json").exists() == kept


def test_results_and_problems_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(long_runs, "ROOT", tmp_path)
    store("churn", {"found": 3}, "# Page\n")
    report(["too slow"])
    folder = tmp_path / "docs" / "test-results"
    assert json.loads((folder / "churn.json").read_text()) == {"found": 3}
    assert (folder / "churn.md").read_text() == "# Page\n"
    said = capsys.readouterr()
    assert "docs/test-results" in said.out
    assert said.err == "[long] too slow\n"
