"""The owner's pause outlives the engine as long as they asked for, and never longer, whatever the clock does."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from engine.clock import Uptime
from engine.node.governing import KEEP_SECONDS
from engine.sentences import parts_of
from tests.unit.node.test_governed_day import Engine, local

NOON = local(2026, 11, 30, 12)
DAY = 86_400


def later(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOON.timestamp() + seconds).astimezone()


def left(engine: Engine) -> float:
    decision = engine.governing.decision
    return decision.until - engine.clock.wall() if decision.by_owner else 0.0


def test_an_hour_is_an_hour_also_for_the_next_engine(tmp_path: Path) -> None:
    Engine(tmp_path, NOON).governing.pause(3600)
    assert left(Engine(tmp_path, later(600))) == pytest.approx(3000)
    assert left(Engine(tmp_path, later(3599))) == pytest.approx(1)
    assert left(Engine(tmp_path, later(3600))) == 0
    assert not (tmp_path / "pause.json").exists()
    assert left(Engine(tmp_path, later(600))) == 0, "over once, over for good"


async def test_a_clock_that_is_set_back_makes_it_no_longer(tmp_path: Path) -> None:
    engine = Engine(tmp_path, NOON)
    engine.governing.pause(3600)
    await engine.pass_(3000)
    assert left(Engine(tmp_path, later(-DAY))) <= 600 + KEEP_SECONDS
    engine = Engine(tmp_path, later(-2 * DAY))
    await engine.pass_(300)
    assert left(Engine(tmp_path, later(-3 * DAY))) <= 300 + 2 * KEEP_SECONDS
    await engine.pass_(600)
    engine.governing.keep()
    assert left(Engine(tmp_path, later(-4 * DAY))) == 0


@pytest.mark.parametrize("step", [0, 7 * DAY, 1800, -1800, -7 * DAY])
def test_a_clock_that_is_set_changes_nothing_while_the_machine_is_up(tmp_path: Path, step: float) -> None:
    Engine(tmp_path, NOON, uptime=Uptime("a", 500)).governing.pause(3600)
    assert left(Engine(tmp_path, later(600 + step), uptime=Uptime("a", 1100))) == pytest.approx(3000)
    assert left(Engine(tmp_path, later(step), uptime=Uptime("a", 2100))) == pytest.approx(2000)
    assert left(Engine(tmp_path, later(step), uptime=Uptime("a", 4100))) == 0


def test_after_a_start_of_the_machine_the_clock_counts_and_no_less_than_it_is_up(tmp_path: Path) -> None:
    Engine(tmp_path, NOON, uptime=Uptime("a", 500)).governing.pause(3600)
    assert left(Engine(tmp_path, later(1200), uptime=Uptime("b", 30))) == pytest.approx(2400)
    assert left(Engine(tmp_path, later(-DAY), uptime=Uptime("c", 400))) == pytest.approx(2000), "set back, up for 400 s"
    assert left(Engine(tmp_path, later(DAY), uptime=Uptime("d", 1))) == 0, (
        "nobody can tell this from a day without power"
    )


async def test_an_engine_that_runs_through_a_step_of_the_clock_leaves_the_rest(tmp_path: Path) -> None:
    engine = Engine(tmp_path, NOON, uptime=Uptime("a", 0))
    engine.governing.pause(3600)
    await engine.pass_(600)
    engine.clock.offset += 2 * DAY
    engine.governing.decide()
    assert left(engine) == pytest.approx(3000)
    engine.governing.keep()
    assert left(Engine(tmp_path, later(2 * DAY), uptime=Uptime("a", 700))) == pytest.approx(2900)


def test_until_the_next_start_outlives_a_crash_and_an_engine_that_starts_anew(tmp_path: Path) -> None:
    engine = Engine(tmp_path, NOON)
    engine.governing.pause(None)
    engine.governing.keep()
    engine = Engine(tmp_path, later(DAY))
    assert engine.governing.decision.by_owner
    engine.governing.ends()
    engine.governing.keep()
    assert engine.governing.decision.by_owner, "it holds while the engine still leaves"
    assert not Engine(tmp_path, later(2 * DAY)).governing.decision.by_owner


def test_an_orderly_end_leaves_a_pause_for_a_time_alone(tmp_path: Path) -> None:
    engine = Engine(tmp_path, NOON)
    engine.governing.pause(3600)
    engine.governing.ends()
    assert left(Engine(tmp_path, later(60))) == pytest.approx(3540)


def test_who_goes_on_by_hand_goes_on_after_the_next_start_too(tmp_path: Path) -> None:
    engine = Engine(tmp_path, NOON)
    for seconds in (3600.0, None):
        engine.governing.pause(seconds)
        engine.governing.resume()
        assert not Engine(tmp_path, later(60)).governing.decision.by_owner


@pytest.mark.parametrize(
    "text", ["x", "[]", '{"ends": 9e99, "left": 1e300}', '{"ends": 2e9, "left": -1}', '{"ends": 2e9, "left": "long"}']
)
def test_a_damaged_one_is_set_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / "pause.json").write_text(text, encoding="utf-8")
    assert Engine(tmp_path, NOON).governing.decision.active
    assert (tmp_path / "pause.json.damaged").exists()


def test_a_disk_that_refuses_costs_only_what_comes_after_a_start(tmp_path: Path) -> None:
    engine = Engine(tmp_path, NOON)
    (tmp_path / "pause.json").mkdir()
    engine.governing.pause(3600)
    assert left(engine) == pytest.approx(3600)
    assert parts_of(engine.governing.problem)[0].code == "governor.pause_not_kept"
    (tmp_path / "pause.json").rmdir()
    engine.governing.set_rules(engine.governing.rules)  # as the window's "Try again" does
    assert not engine.governing.problem
    assert left(Engine(tmp_path, NOON)) == pytest.approx(3600)
    (tmp_path / "pause.json").unlink()
    (tmp_path / "pause.json").mkdir()
    engine.governing.resume()
    assert engine.governing.decision.active
    assert not engine.governing.problem
