"""Days in accelerated time: each change of state at its moment, with the right reason and the right end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli import cli
from engine.commands.simulate_days import PAGE
from engine.simulation.owner_day import AUTUMN, CLOCK, MONDAY, SPRING, STORIES, Line, Story, lines, local_time
from tools.lock import ROOT


def decided(story: Story) -> list[Line]:
    return [line for line in lines(story) if not line.text]


def told(line: Line) -> tuple[str, str]:
    """When, and why it pauses ("" while it contributes)."""
    return local_time(line.at).strftime("%d %H:%M:%S"), " ".join(line.codes)


def test_a_monday() -> None:
    assert [told(line) for line in decided(MONDAY)] == [
        ("30 07:00:00", ""),
        ("30 08:00:01", "contention"),  # half a second of load is none
        ("30 08:10:29", ""),  # 30 s after it was seen last
        ("30 08:30:00", "program"),
        ("30 09:30:29", ""),
        ("30 10:00:00", "battery"),
        ("30 10:40:29", ""),
        ("30 11:00:00", "paused"),
        ("30 12:00:00", ""),
        ("30 13:00:00", "schedule"),
        ("30 14:00:00", ""),
        ("30 14:30:00", "full_screen"),
        ("30 15:10:29", ""),
        ("30 15:30:00", "metered"),
        ("30 16:00:29", ""),
        ("30 16:30:01", "heat_gpu"),
        ("30 16:35:59", ""),
        ("30 17:00:01", "contention_gpu"),
        ("30 17:15:29", ""),
        ("30 17:30:00", "idle"),
        ("30 17:35:00", ""),
        ("30 18:00:00", "battery"),
        ("30 18:02:29", ""),  # a minute longer than usual: nobody can say that it is over
        ("30 19:42:00", "traffic"),  # a clock that is set back meanwhile gives nothing back
        ("01 00:00:00", ""),
    ]


def test_the_hour_that_comes_twice_is_off_twice_and_one_that_is_left_out_is_met() -> None:
    autumn, spring = decided(AUTUMN), decided(SPRING)
    assert [told(line) for line in autumn] == [
        ("25 00:00:00", ""),
        ("25 02:00:00", "schedule"),
        ("25 03:00:00", ""),
        ("25 11:00:00", "energy"),
    ]
    assert autumn[2].elapsed - autumn[1].elapsed == 2 * 3600
    assert [told(line) for line in spring] == [("27 23:00:00", ""), ("28 00:00:00", "schedule"), ("28 03:00:00", "")]
    assert spring[2].elapsed - spring[1].elapsed == 2 * 3600


def test_a_wrong_clock_moves_the_schedule_and_not_the_owners_own_pause() -> None:
    found = decided(CLOCK)
    assert [told(line)[1] for line in found] == ["", "paused", "", "schedule", "", "schedule", ""]
    assert found[2].elapsed - found[1].elapsed == 1800
    assert [told(line)[0] for line in found][3:] == ["01 12:00:00", "01 11:20:00", "01 12:00:00", "01 13:00:00"]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_what_has_an_end_ends_then(story: Story) -> None:
    """Unless something happens before."""
    found = lines(story)
    ends = [(one, other) for one, other in pairwise(found) if one.until and not other.text]
    for one, other in ends:
        assert other.at == pytest.approx(one.until, abs=1.0)
    last = found[-1]
    assert last.active or last.until > last.at  # the play ended before it did
    assert ends


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_every_pause_has_a_reason_and_nothing_flaps(story: Story) -> None:
    found = decided(story)
    for line in found:
        assert line.active is not bool(line.reasons)
        assert all(reason.endswith(".") for reason in line.reasons)
    for one, other in pairwise(found):
        assert other.elapsed - one.elapsed > 3


@pytest.mark.parametrize("moment", ["2026-03-29", "2026-10-25", "2027-03-28", "2027-10-31"])
def test_summer_time_is_that_of_the_tables(moment: str) -> None:
    zoneinfo = pytest.importorskip("zoneinfo")
    try:
        berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("this system has no table of time zones")
    begin = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    for quarter in range(-4, 4 * 26):
        wall = begin + quarter * 900
        here, there = local_time(wall), datetime.fromtimestamp(wall, berlin)
        assert (here.replace(tzinfo=None), here.tzname()) == (there.replace(tzinfo=None), there.tzname())


def test_the_page_is_what_the_command_writes(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["simulate", "days", "--output", str(tmp_path)])
    assert done.exit_code == 0
    assert (tmp_path / PAGE).read_text("utf-8") == done.stdout
    assert (ROOT / "docs" / PAGE).read_text("utf-8") == done.stdout, "run: gentorrent simulate days --output docs"
    as_json = json.loads(CliRunner().invoke(cli, ["simulate", "days", "--json"]).stdout)
    assert list(as_json) == [story.title for story in STORIES]
