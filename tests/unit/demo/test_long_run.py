"""`make test-long-demo` plays each run once, also when it is broken off between two or in the middle of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo import long_run


def test_what_is_done_is_kept_and_what_was_broken_off_is_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def play(_: Path, way: str) -> long_run.Run:
        asked.append(way)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return {"seconds": 1.0, "exit_code": 0, "number": len(asked)}

    monkeypatch.setattr(long_run, "_play", play)
    first, second = tmp_path / "none-1.json", tmp_path / "quantised-1.json"
    assert long_run.played(first, "none")["number"] == 1
    with pytest.raises(KeyboardInterrupt):
        long_run.played(second, "quantised")
    second.with_suffix(".new").write_text('{"exit_code": ')  # cut off in mid-write
    assert long_run.played(first, "none")["number"] == 1
    assert long_run.played(second, "quantised")["number"] == 3
    assert asked == ["none", "quantised", "quantised"]
    assert sorted(tmp_path.iterdir()) == [first, second]
