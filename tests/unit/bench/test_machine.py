"""Which commit a result names."""

from __future__ import annotations

import subprocess
from pathlib import Path

from engine.bench.machine import commit


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


def test_a_changed_file_shows_and_a_stored_result_does_not(tmp_path: Path) -> None:
    assert commit(tmp_path) == ""
    results = tmp_path / "docs" / "benchmarks"
    results.mkdir(parents=True)
    for file in (tmp_path / "code", results / "page.md"):
        file.write_text("before")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    head = commit(tmp_path)
    assert len(head) == 12
    (results / "page.md").write_text("after")
    assert commit(tmp_path) == head
    (tmp_path / "code").write_text("after")
    assert commit(tmp_path) == f"{head}+"
