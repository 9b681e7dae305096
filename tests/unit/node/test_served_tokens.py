from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from engine.clock import ManualClock
from engine.node.served_tokens import KEEP_SECONDS, ServedTokens

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC).astimezone().replace(hour=12).timestamp()
DAY = 86_400.0


def test_today_goes_on_after_a_new_start_and_ends_at_midnight(tmp_path: Path) -> None:
    file, clock = tmp_path / "served.json", ManualClock(NOON)
    served = ServedTokens(file, clock)
    assert (served.since_start, served.today) == (0, 0)
    served.add(30)
    served.add(12)
    served.keep()
    again = ServedTokens(file, clock)
    assert (again.since_start, again.today) == (0, 42)
    again.add(8)
    assert (again.since_start, again.today) == (8, 50)
    clock.advance(DAY)
    assert (again.since_start, again.today) == (8, 0)
    again.add(1)
    assert (again.since_start, again.today) == (9, 1)


def test_answers_are_counted_from_the_start_on(tmp_path: Path) -> None:
    served = ServedTokens(tmp_path / "served.json", ManualClock(NOON))
    assert served.answers == 0
    served.finished()
    served.finished()
    assert (served.answers, served.since_start) == (2, 0)


def test_a_crash_loses_what_a_minute_brought(tmp_path: Path) -> None:
    file, clock = tmp_path / "served.json", ManualClock(NOON)
    served = ServedTokens(file, clock)
    served.add(5)
    clock.advance(KEEP_SECONDS)
    served.add(5)
    served.add(5)
    assert ServedTokens(file, clock).today == 10


def test_a_damaged_file_or_a_full_disk_costs_the_count_alone(tmp_path: Path) -> None:
    file, clock = tmp_path / "served.json", ManualClock(NOON)
    file.write_text("{")
    served = ServedTokens(file, clock)
    served.add(3)
    served.keep()
    assert ServedTokens(file, clock).today == 3
    elsewhere = ServedTokens(tmp_path / "file" / "served.json", clock)
    (tmp_path / "file").write_text("in the way")
    elsewhere.add(3)
    elsewhere.keep()
    assert elsewhere.today == 3
