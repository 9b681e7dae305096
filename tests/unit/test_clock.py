"""What the machine says of its own time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine import clock


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names its starts")
def test_uptime_belongs_to_one_start_of_the_machine_and_grows() -> None:
    first, second = clock.uptime(), clock.uptime()
    assert first is not None
    assert second is not None
    assert first.boot == second.boot != ""
    assert 0 < first.seconds <= second.seconds


def test_where_nobody_names_the_start_there_is_no_uptime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "_BOOT", tmp_path / "boot_id")
    assert clock.uptime() is None
