"""Decisions over time: quick to pause, slow to resume, nothing flaps, and what cannot be measured decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.governor.findings import BY_WEIGHT, CONTENTION, Moment, program_key
from engine.governor.governor import BLIND_SECONDS, Decision, Governor
from engine.governor.meter import JOULES_PER_KWH, Month
from engine.governor.readings import STALE_SECONDS, DeviceReading, Readings
from engine.governor.rules import DeviceRules, Rules
from engine.sentences import parts_of

WALL = datetime(2026, 11, 30, 12, 0, tzinfo=UTC).timestamp()
NOTHING = Readings(now=0.0)
BUSY = DeviceReading(device="gpu-0", name="GeForce", others_load=0.9)


def moment(now: float) -> Moment:
    return Moment(now, WALL + now, lambda wall: datetime.fromtimestamp(wall, UTC), WALL + 86_400)


class Day:
    """A governor that is asked each second."""

    def __init__(self, rules: Rules, used: Month | None = None) -> None:
        self.governor = Governor()
        self.rules = rules
        self.used = used or Month()
        self.now = 0.0
        self.last = NOTHING

    def second(self, **readings: Any) -> Decision:
        self.now += 1.0
        self.last = replace(NOTHING, now=self.now, **readings)
        return self.look()

    def look(self) -> Decision:
        return self.governor.decide(self.rules, self.last, self.used, moment(self.now))

    def blind(self) -> Decision:
        """A second in which the sensors say nothing new."""
        self.now += 1.0
        return self.look()


def codes(decision: Decision) -> list[str]:
    return [parts_of(reason)[0].code for reason in decision.reasons]


@pytest.mark.parametrize(
    ("readings", "rules", "code"),
    [
        ({"battery": True}, {}, "governor.battery"),
        ({"metered": True}, {}, "governor.metered"),
        ({"full_screen": True}, {}, "governor.full_screen"),
        ({"idle": 3.0}, {"only_when_idle": True}, "governor.idle"),
        ({"programs": frozenset({"doom"})}, {"exclusive_programs": ("Doom.exe",)}, "governor.program"),
        ({"others_load": 0.6}, {}, "governor.contention"),
        ({"devices": (BUSY,)}, {}, "governor.contention_gpu"),
        ({"devices": (replace(BUSY, others_load=0.0, encoder_load=0.7),)}, {}, "governor.contention_gpu"),
        ({"devices": (replace(BUSY, others_load=0.0, others_memory=3 << 30),)}, {}, "governor.contention_gpu"),
        ({"temperature": 95.0}, {}, "governor.heat"),
        ({"devices": (DeviceReading(device="0", temperature=91.0),)}, {}, "governor.heat_gpu"),
    ],
)
def test_each_reading_pauses_within_two_seconds_with_its_reason(
    readings: dict[str, Any], rules: dict[str, Any], code: str
) -> None:
    day = Day(Rules(**rules))

    decisions = [day.second(**readings) for _ in range(2)]

    assert codes(decisions[-1]) == [code]
    assert not decisions[-1].active


@pytest.mark.parametrize(
    ("readings", "off"),
    [
        ({"battery": True}, {"on_battery": False}),
        ({"metered": True}, {"on_metered": False}),
        ({"full_screen": True}, {"full_screen": False}),
        ({"idle": 3.0}, {"only_when_idle": False}),
        ({"others_load": 0.9}, {"contention": False}),
        ({"temperature": 99.0}, {"heat_limit": None}),
        ({"devices": (BUSY,)}, {"devices": (DeviceRules(device="gpu-0", on=False),)}),
    ],
)
def test_a_rule_that_is_off_pauses_nothing(readings: dict[str, Any], off: dict[str, Any]) -> None:
    day = Day(Rules(**off))

    assert all(day.second(**readings).active for _ in range(5))


def test_what_cannot_be_measured_decides_nothing() -> None:
    day = Day(Rules(only_when_idle=True, exclusive_programs=("doom",), monthly_kwh=0.0))

    assert all(day.second().active for _ in range(5))


def test_a_short_peak_of_load_pauses_nothing() -> None:
    day = Day(Rules())

    assert all(day.second(others_load=load).active for load in (0.1, 0.99, 0.1, 0.99, 0.1))


def test_load_around_the_limit_does_not_flap() -> None:
    day = Day(Rules(contention_share=0.5))
    day.second(others_load=0.6)

    assert not any(day.second(others_load=load).active for load in (0.6, *(0.45, 0.52) * 60))
    calm = [day.second(others_load=0.1).active for _ in range(40)]
    assert calm.index(True) == pytest.approx(CONTENTION.slow, abs=1)
    assert all(calm[calm.index(True) :])


def test_the_gpu_in_use_cools_down_before_it_works_again() -> None:
    day = Day(Rules(devices=(DeviceRules(device="0", temperature_cap=70.0),)))

    def at(degrees: float) -> Decision:
        return day.second(devices=(DeviceReading(device="0", temperature=degrees),))

    assert at(69.0).active
    at(71.0)
    assert not at(71.0).active
    assert not any(at(67.0).active for _ in range(120))  # cooler, not yet cool
    assert [at(60.0).active for _ in range(70)][-1]


def test_sensors_that_fall_silent_do_not_end_a_pause_at_once_nor_begin_one() -> None:
    day = Day(Rules())
    day.second(full_screen=True)
    silent = [day.blind().active for _ in range(200)]
    patience = STALE_SECONDS + 30.0 + BLIND_SECONDS

    assert silent.index(True) <= patience + 2
    assert not any(silent[: int(BLIND_SECONDS)])

    day = Day(Rules())
    day.second(full_screen=False)
    assert all(day.blind().active for _ in range(200))


def test_readings_from_the_future_are_none() -> None:
    day = Day(Rules())
    day.last = Readings(now=1e9, battery=True)

    assert day.blind().active


def test_the_schedule_says_when_it_goes_on() -> None:
    monday_afternoon = (1 << 15, 0, 0, 0, 0, 0, 0)
    decision = Day(Rules(schedule=monday_afternoon)).second()

    assert codes(decision) == ["governor.schedule"]
    assert decision.until == WALL + 3 * 3600
    never = Day(Rules(schedule=(0,) * 7)).second()
    assert (codes(never), never.until) == (["governor.schedule_never"], 0.0)


def test_quotas_pause_until_the_month_ends() -> None:
    used = Month(month="2026-11", joules=2 * JOULES_PER_KWH, measured=True, bytes=3e9)

    energy = Day(Rules(monthly_kwh=2.0), used).second()
    traffic = Day(Rules(monthly_gigabytes=3.0), used).second()

    assert (codes(energy), energy.until) == (["governor.energy"], WALL + 86_400)
    assert (codes(traffic), traffic.until) == (["governor.traffic"], WALL + 86_400)
    assert Day(Rules(monthly_kwh=2.1, monthly_gigabytes=3.1), used).second().active


def test_reasons_without_a_known_end_leave_the_end_unknown() -> None:
    decision = Day(Rules(schedule=(1 << 15, 0, 0, 0, 0, 0, 0))).second(battery=True)

    assert codes(decision) == ["governor.battery", "governor.schedule"]
    assert decision.until == 0.0


def test_the_owners_pause_ends_after_its_time_or_when_they_say_so() -> None:
    day = Day(Rules())
    day.governor.pause(3600.0, day.now)
    decision = day.second()
    assert (codes(decision), decision.until) == (["governor.paused"], WALL + 3600)
    day.now += 3600
    assert day.second().active

    day.governor.pause(None, day.now)
    day.now += 1e6
    assert codes(day.second()) == ["governor.paused_until_start"]
    day.governor.resume()
    assert day.second().active


def test_relaying_stops_for_its_own_reasons() -> None:
    used = Month(month="2026-11", relayed_bytes=5e9)

    def relay_code(rules: Rules, **readings: Any) -> str:
        reason = Day(rules, used).second(**readings).relay_reason
        return parts_of(reason)[0].code if reason else ""

    assert relay_code(Rules()) == ""
    assert relay_code(Rules(relay=False)) == "governor.relay_off"
    assert relay_code(Rules(relay_monthly_gigabytes=5.0)) == "governor.relay_traffic"
    assert relay_code(Rules(), metered=True) == "governor.relay_metered"
    assert relay_code(Rules(relay_on_metered=True), metered=True) == ""
    assert relay_code(Rules(), battery=True) == ""


@pytest.mark.parametrize(
    ("name", "key"), [("Doom.EXE", "doom"), ("/usr/bin/Blender", "blender"), ("C:\\G\\a.exe", "a")]
)
def test_programs_are_known_by_the_name_of_their_file(name: str, key: str) -> None:
    assert program_key(name) == key


FLAGS = st.fixed_dictionaries({name: st.none() | st.booleans() for name in ("battery", "metered", "full_screen")})


def _naive(history: Sequence[dict[str, bool | None]]) -> bool:
    """Active after that many seconds of looks: no flag in the last so many."""
    patience = {rule.name: rule.slow for rule in BY_WEIGHT}
    now = len(history)
    return not any(
        seen[name] and (now - 1 - second < patience[name] or second == now - 1)
        for second, seen in enumerate(history)
        for name in seen
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(FLAGS, st.integers(1, 40)), max_size=8))
def test_pauses_begin_at_once_and_last_as_a_naive_look_back_says(
    stretches: list[tuple[dict[str, bool | None], int]],
) -> None:
    day = Day(Rules())
    history: list[dict[str, bool | None]] = []
    for flags, seconds in stretches:
        for _ in range(seconds):
            history.append(flags)
            assert day.second(**flags).active == _naive(history)


def test_rules_that_are_no_rules_are_refused() -> None:
    for text in (b'{"schedule":[0]}', b'{"contention_share":0}', b'{"serve":"nobody"}', b'{"monthly_kwh":-1}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(text, type=Rules)
