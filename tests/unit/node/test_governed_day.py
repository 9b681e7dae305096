"""A contributor's day in accelerated time: each change of state has the right reason, and all is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.clock import Uptime
from engine.governor.readings import Readings
from engine.governor.rules import Rules
from engine.node.governing import Governing, Used
from engine.sentences import parts_of


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of this machine's time."""
    return datetime(year, month, day, hour, minute).astimezone()


class WallAndMonotonic:
    """Two clocks, so that only the wall's can be set back."""

    def __init__(self, wall: float) -> None:
        self.now, self.offset = 0.0, wall

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self.offset


class Machine:
    """What its sensors say; a hang never answers."""

    def __init__(self, clock: WallAndMonotonic) -> None:
        self.clock = clock
        self.shown: dict[str, Any] = {}
        self.hangs = False
        self.closed = False

    async def read(self) -> Readings:
        if self.hangs:
            await asyncio.sleep(3600)
        return replace(Readings(now=self.clock.monotonic()), **self.shown)

    async def close(self) -> None:
        self.closed = True


class Engine:
    """The governor of an engine that does nothing else."""

    def __init__(self, folder: Path, start: datetime, rules: Rules | None = None, uptime: Uptime | None = None) -> None:
        self.clock = WallAndMonotonic(start.timestamp())
        self.machine = Machine(self.clock)
        self.used = Used()
        self.changes = 0
        self.serves = True
        self.governing = Governing(
            folder,
            self.clock,
            self.machine,
            rules or Rules(),
            changed=self._changed,
            used=lambda: self.used,
            serves=lambda: self.serves,
            wanted=lambda: True,
            uptime=lambda: uptime and Uptime(uptime.boot, uptime.seconds + self.clock.now),
        )

    def _changed(self) -> None:
        self.changes += 1

    async def pass_(self, seconds: float, *, moved_per_s: float = 0.0, **shown: Any) -> str:
        """Live so long with those readings; the code of the weightiest reason, "" while it contributes."""
        self.machine.shown = shown
        for _ in range(round(seconds)):
            self.clock.now += 1
            self.used = Used(moved=self.used.moved + moved_per_s)
            await self.governing._look()
        reasons = self.governing.decision.reasons
        return parts_of(reasons[0])[0].code if reasons else ""


async def test_a_contributors_day(tmp_path: Path) -> None:
    engine = Engine(
        tmp_path,
        local(2026, 11, 30, 21, 0),
        Rules(
            exclusive_programs=("doom.exe",),
            schedule=tuple(0xFFFFFF & ~(1 << 22) for _ in range(7)),  # not from 22 to 23
            monthly_gigabytes=1.0,
            price=0.30,
        ),
    )

    assert await engine.pass_(60, power=60.0) == ""
    assert await engine.pass_(2, programs=frozenset({"doom"}), power=60.0) == "governor.program"
    assert (
        await engine.pass_(29, programs=frozenset()) == "governor.program"
    )  # a game that starts anew is the same game
    assert await engine.pass_(5) == ""
    assert await engine.pass_(2, others_load=0.9) == "governor.contention"
    assert await engine.pass_(60, others_load=0.05) == ""
    engine.governing.pause(600)
    assert await engine.pass_(1) == "governor.paused"
    assert engine.governing.decision.until == pytest.approx(engine.clock.wall() + 599)
    assert await engine.pass_(600) == ""
    assert await engine.pass_(1, battery=True) == "governor.battery"
    assert await engine.pass_(35, battery=False) == ""
    until_ten = local(2026, 11, 30, 22, 0).timestamp() - engine.clock.wall()
    assert await engine.pass_(until_ten - 1) == ""
    assert await engine.pass_(1) == "governor.schedule"
    assert engine.governing.decision.until == local(2026, 11, 30, 23, 0).timestamp()
    assert await engine.pass_(3600) == ""
    assert await engine.pass_(100, moved_per_s=1e7) == "governor.traffic"
    assert engine.governing.decision.until == local(2026, 12, 1).timestamp()
    assert await engine.pass_(3600 - 100) == ""  # December

    assert [event.text.split(".")[0] for event in engine.governing.events if event.text.startswith("Contrib")] == [
        "Contributing goes on"
    ] * 6
    paused = [event.text for event in engine.governing.events if event.text.startswith("Paused. ")]
    assert paused == [
        "Paused. doom.exe is running.",
        "Paused. Other programs need 90 % of the processors.",
        "Paused. You have paused it.",
        "Paused. This machine runs on battery.",
        "Paused. The weekly schedule has this hour off.",
        "Paused. This month's 1 GB of traffic are used up.",
    ]


async def test_power_counts_while_it_serves_and_a_clock_that_is_set_back_gives_no_quota_back(tmp_path: Path) -> None:
    engine = Engine(tmp_path, local(2026, 11, 1, 0, 30), Rules(monthly_kwh=0.001))

    assert await engine.pass_(71, power=50.0) == ""
    engine.serves = False
    assert await engine.pass_(10, power=50.0) == ""
    assert engine.governing.month.joules == pytest.approx(71 * 50.0)
    engine.serves = True
    assert await engine.pass_(3, power=50.0) == "governor.energy"
    engine.clock.offset -= 86_400  # October again
    assert await engine.pass_(1) == "governor.energy"
    engine.governing.keep()

    again = Engine(tmp_path, local(2026, 11, 2), Rules(monthly_kwh=0.001))
    assert await again.pass_(1) == "governor.energy"


async def test_a_clock_that_was_far_ahead_for_a_moment_leaves_the_quotas_whole(tmp_path: Path) -> None:
    engine = Engine(tmp_path, local(2026, 11, 30, 12), Rules(monthly_gigabytes=1.0))
    assert await engine.pass_(50, moved_per_s=1e7) == ""
    engine.clock.offset += 5 * 365 * 86_400
    assert await engine.pass_(5) == ""
    engine.governing.keep()
    engine.clock.offset -= 5 * 365 * 86_400
    assert await engine.pass_(60, moved_per_s=1e7) == "governor.traffic"
    engine.governing.keep()

    assert await Engine(tmp_path, local(2026, 11, 30, 13), Rules(monthly_gigabytes=1.0)).pass_(1) == "governor.traffic"
    assert await Engine(tmp_path, local(2026, 12, 1), Rules(monthly_gigabytes=1.0)).pass_(1) == ""


async def test_rules_and_the_log_outlive_the_engine(tmp_path: Path) -> None:
    engine = Engine(tmp_path, local(2026, 11, 30))
    rules = Rules(only_when_idle=True, longest_request=4096)
    engine.governing.set_rules(rules)
    engine.governing.pause(None)
    engine.governing.ends()

    again = Engine(tmp_path, local(2026, 11, 30))

    assert again.governing.rules == rules
    assert [event.text for event in again.governing.events] == [event.text for event in engine.governing.events]
    assert again.governing.decision.active  # until the next start, which this is
    assert again.governing.problem == ""


async def test_damaged_rules_are_said_and_set_aside_once_there_are_others(tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_bytes(b"\x00{not rules")

    engine = Engine(tmp_path, local(2026, 11, 30), Rules(relay_rate=7.0))

    assert engine.governing.rules == Rules(relay_rate=7.0)
    assert parts_of(engine.governing.problem)[0].code == "governor.rules_damaged"
    assert (tmp_path / "rules.json").read_bytes() == b"\x00{not rules"
    engine.governing.set_rules(Rules())
    assert engine.governing.problem == ""
    assert (tmp_path / "rules.json.damaged").read_bytes() == b"\x00{not rules"


async def test_sensors_that_hang_stop_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.node.governing.SENSORS_SECONDS", 0.01)
    engine = Engine(tmp_path, local(2026, 11, 30))
    await engine.pass_(1, battery=True)
    engine.machine.hangs = True

    assert await engine.pass_(5) == "governor.battery"
    assert await engine.pass_(120) == ""


async def test_only_other_decisions_are_told(tmp_path: Path) -> None:
    engine = Engine(tmp_path, local(2026, 11, 30))

    await engine.pass_(20)
    assert engine.changes == 0
    await engine.pass_(20, battery=True)
    assert engine.changes == 1


async def test_the_end_of_a_pause_is_told_as_it_moves(tmp_path: Path) -> None:
    engine = Engine(tmp_path, local(2026, 11, 30), Rules(only_when_idle=True, idle_minutes=5))

    await engine.pass_(180, idle=0.0)  # somebody types all the time
    assert 6 <= engine.changes <= 8
    before = engine.changes
    for second in range(60):
        await engine.pass_(1, idle=float(second))
    assert engine.changes <= before + 1
