"""Pauses come at once and end slowly, each with its reason; a whole day; what cannot be measured pauses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.governor.findings import BY_WEIGHT, Moment, program_key
from engine.governor.governor import BLIND_SECONDS, Decision, Governor
from engine.governor.meter import JOULES_PER_KWH, Meter, Month
from engine.governor.readings import STALE_SECONDS, DeviceReading, Readings, SensorName
from engine.governor.rules import ALL_DAY, DeviceRules, Rules
from engine.governor.schedule import allowed, next_allowed
from engine.sentences import parts_of

NOTHING = Readings(now=0.0)
MONDAY = datetime(2026, 11, 30, tzinfo=UTC).timestamp()


def utc(wall: float) -> datetime:
    return datetime.fromtimestamp(wall, UTC)


class Day:
    """A governor, a clock that is turned by hand, and a look each second."""

    def __init__(self, rules: Rules) -> None:
        self.governor, self.rules, self.used = Governor(), rules, Month()
        self.now, self.seen, self.blind = 0.0, Readings(now=0.0), False
        self.month_share = 1.0
        self.doubt = False
        self.moved = 0.0

    def look(self) -> Decision:
        seen = None if self.blind else replace(self.seen, now=self.now)
        moment = Moment(self.now, MONDAY + self.now, utc, next_month=MONDAY + 86_400, month_share=self.month_share)
        return self.governor.decide(self.rules, seen, self.used, moment, doubt=self.doubt, moved=self.moved)

    def after(self, seconds: float) -> Decision:
        for _ in range(int(seconds)):
            self.now += 1
            decision = self.look()
        return decision

    def see(self, **changes: object) -> None:
        self.seen = replace(self.seen, **changes)

    def hour(self, hour: int) -> Decision:
        self.now = hour * 3600.0
        return self.look()


def codes(decision: Decision) -> list[str]:
    return [parts_of(reason)[0].code.removeprefix("governor.") for reason in decision.reasons]


def test_a_contributors_day() -> None:
    nights_off = (ALL_DAY & ~0b111,) * 7  # from 0 to 3 o'clock
    day = Day(Rules(exclusive_programs=("C:\\Games\\Portal.EXE",), schedule=nights_off, monthly_kwh=2.0))
    first = day.look()
    assert codes(first) == ["schedule"]
    assert first.until == MONDAY + 3 * 3600
    assert day.hour(3).active
    day.see(programs=frozenset({"portal", "shell"}))
    assert codes(day.after(1)) == ["program"]
    day.see(programs=frozenset({"shell"}))
    assert not day.after(25).active  # not at once: it may be started again
    assert day.after(10).active
    day.see(battery=True)
    assert codes(day.after(1)) == ["battery"]
    day.see(full_screen=True)
    assert codes(day.after(1)) == ["full_screen", "battery"]
    day.see(battery=False, full_screen=None, game=True)  # as under Wayland
    assert codes(day.after(35)) == ["game"]
    day.see(game=None)
    assert day.after(40).active
    day.see(others_load=0.9)
    assert codes(day.after(2)) == ["contention"]
    day.see(others_load=0.1)
    assert day.after(40).active
    day.used = Month(joules=2.1 * JOULES_PER_KWH, measured=True)
    reached = day.after(1)
    assert codes(reached) == ["energy"]
    assert reached.until == MONDAY + 86_400


def test_a_short_burst_does_not_pause_and_load_around_the_limit_does_not_flap() -> None:
    day = Day(Rules(contention_share=0.5))
    day.see(others_load=0.8)
    assert day.after(1).active
    day.see(others_load=0.0)
    assert day.after(1).active
    states = []
    for second in range(600):
        day.see(others_load=0.52 if second % 2 else 0.45)
        states.append(day.after(1).active)
    assert sum(one != other for one, other in pairwise(states)) <= 1


def test_contention_pauses_within_two_seconds() -> None:
    day = Day(Rules())
    assert day.after(5).active
    day.see(devices=(DeviceReading(device="g", name="RTX", others_load=0.9),))
    assert codes(day.after(2)) == ["contention_gpu"]


@pytest.mark.parametrize(
    "device",
    [
        DeviceReading(device="g", encoder_load=0.7),
        DeviceReading(device="g", others_memory=3 << 30),
        DeviceReading(device="g", temperature=95.0),
    ],
)
def test_a_gpu_in_use_or_hot_pauses_unless_it_is_switched_off(device: DeviceReading) -> None:
    day = Day(Rules())
    day.see(devices=(device,))
    assert not day.after(3).active
    off = Day(Rules(devices=(DeviceRules(device="g", on=False),)))
    off.see(devices=(device,))
    assert off.after(3).active


def test_a_cap_of_one_device_counts_before_the_general_one() -> None:
    day = Day(Rules(heat_limit=90, devices=(DeviceRules(device="g", temperature_cap=70),)))
    day.see(devices=(DeviceReading(device="g", temperature=72.0),))
    assert codes(day.after(2)) == ["heat_gpu"]
    day.see(devices=(DeviceReading(device="g", temperature=68.0),))
    assert not day.after(120).active  # five degrees below it, to be cool enough
    day.see(devices=(DeviceReading(device="g", temperature=60.0),))
    assert day.after(70).active


def test_the_owners_own_pause_ends_by_itself_by_hand_or_never() -> None:
    day = Day(Rules())
    day.governor.pause(3600, day.now)
    assert day.look().until == MONDAY + 3600
    assert codes(day.after(10)) == ["paused"]
    assert day.hour(1).active
    day.governor.pause(None, day.now)
    assert codes(day.hour(20)) == ["paused_until_start"]
    assert day.look().until == 0
    day.governor.resume()
    assert day.look().active


def test_the_end_of_the_owners_own_pause_is_known_whatever_else_holds() -> None:
    day = Day(Rules())
    assert day.look().pause_until == 0
    day.see(battery=True)
    day.governor.pause(3600, day.now)
    told = day.look()
    assert codes(told) == ["paused", "battery"]
    assert (told.until, told.pause_until) == (0, MONDAY + 3600)
    day.governor.pause(None, day.now)
    assert day.look().pause_until == 0
    day.see(battery=False)
    day.rules = Rules(schedule=(ALL_DAY & ~0b1111,) * 7)
    day.governor.pause(3600, day.now)
    told = day.after(35)
    assert (told.until, told.pause_until) == (MONDAY + 4 * 3600, MONDAY + 3600)
    assert day.hour(1).pause_until == 0


def test_by_rules_that_are_in_doubt_nothing_is_done() -> None:
    day = Day(Rules())
    day.doubt = True
    told = day.look()
    assert codes(told) == ["rules_doubt"]
    assert parts_of(told.relay_reason)[0].code == "governor.rules_doubt"
    assert not told.until
    day.governor.pause(3600, day.now)
    day.see(battery=True)
    assert codes(day.look()) == ["paused", "rules_doubt", "battery"]
    day.governor.resume()
    day.see(battery=False)
    day.doubt = False
    told = day.after(35)
    assert told.active
    assert not told.relay_reason


@pytest.mark.parametrize(
    ("on", "off", "seen"),
    [
        ({"exclusive_programs": ("doom", "quake")}, {"exclusive_programs": ("quake",)}, {"programs": {"doom"}}),
        ({"heat_limit": 80.0}, {"heat_limit": None}, {"temperature": 85.0}),
        ({"full_screen": True}, {"full_screen": False}, {"game": True}),
        ({"contention": True}, {"contention": False}, {"others_load": 0.9}),
    ],
)
def test_a_rule_that_is_switched_off_pauses_no_longer(
    on: dict[str, object], off: dict[str, object], seen: dict[str, object]
) -> None:
    for blind in (False, True):
        day = Day(Rules(**on))
        day.see(**seen)
        assert not day.after(5).active
        day.blind = blind
        day.rules = replace_rules(day.rules, price=0.5)
        assert not day.look().active
        day.rules = replace_rules(day.rules, **off)
        assert day.look().active


def test_a_limit_that_is_changed_while_it_is_passed_pauses_on() -> None:
    day = Day(Rules(heat_limit=80))
    day.see(temperature=95.0)
    assert not day.after(5).active
    day.rules = replace_rules(day.rules, heat_limit=90)
    assert not day.look().active


def test_each_rule_names_what_its_owner_says_of_it() -> None:
    assert all(rule.settings and set(rule.settings) <= set(Rules.__struct_fields__) for rule in BY_WEIGHT)


def test_only_when_idle_says_when() -> None:
    day = Day(Rules(only_when_idle=True, idle_minutes=5))
    day.see(idle=60.0)
    decision = day.look()
    assert codes(decision) == ["idle"]
    assert decision.until == MONDAY + 240
    day.see(idle=301.0)
    assert day.look().active


def test_what_cannot_be_measured_pauses_nothing() -> None:
    everything = Rules(only_when_idle=True, heat_limit=30, contention_share=0.01, exclusive_programs=("a",))
    assert Day(everything).after(5).active


def test_sensors_that_fall_silent_keep_a_pause_for_a_while_and_not_for_good() -> None:
    day = Day(Rules())
    day.see(full_screen=True)
    assert not day.after(2).active
    day.blind = True
    assert not day.after(BLIND_SECONDS).active
    assert day.after(60).active


@pytest.mark.parametrize(
    ("sensor", "seen"),
    [
        ("idle", {"idle": 1.0}),
        ("battery", {"battery": True}),
        ("metered", {"metered": True}),
        ("programs", {"programs": frozenset({"portal"})}),
        ("processor", {"others_load": 0.9}),
        ("devices", {"devices": (DeviceReading(device="gpu", temperature=99.0),)}),
    ],
)
def test_one_sensor_that_fails_keeps_its_pause_for_a_while_and_not_for_good(
    sensor: SensorName, seen: dict[str, object]
) -> None:
    day = Day(Rules(only_when_idle=True, exclusive_programs=("portal",)))
    never: SensorName = "power"  # what this machine never measured changes nothing
    day.see(unmeasured={never: "no counter"}, **seen)
    assert not day.after(5).active
    day.see(unmeasured={never: "no counter", sensor: "hangs"}, **{name: getattr(NOTHING, name) for name in seen})
    assert not day.after(BLIND_SECONDS - 1).active
    assert day.after(62).active


def test_an_end_that_is_over_while_a_sensor_is_silent_is_not_told() -> None:
    day = Day(Rules(only_when_idle=True, idle_minutes=0.5))
    day.see(idle=1.0)
    assert day.look().until == MONDAY + 29
    day.see(idle=None, unmeasured={"idle": "hangs"})
    assert day.after(28).until == MONDAY + 29
    told = day.after(1)
    assert (told.active, told.until) == (False, 0)


def test_a_sensor_that_fails_once_ends_no_pause() -> None:
    day = Day(Rules(only_when_idle=True))
    day.see(idle=1.0)
    day.after(5)
    day.see(idle=None, unmeasured={"idle": "hangs"})
    assert not day.after(30).active
    day.see(idle=400.0, unmeasured={})
    assert day.look().active  # what it says at last counts at once


@pytest.mark.parametrize("name", ["battery", "metered"])
def test_a_loose_plug_or_a_connection_that_changes_every_ten_seconds_pauses_once(name: str) -> None:
    day = Day(Rules())
    states = []
    for _ in range(20):
        for state in (True, False):
            day.see(**{name: state})
            states += [day.after(1).active for _ in range(10)]
    assert not any(states)
    assert day.after(30).active


def test_a_metered_connection_that_flickers_ends_relaying_once() -> None:
    day = Day(Rules(on_metered=False))
    reasons = []
    for second in range(200):
        day.see(metered=second % 25 == 0)
        reasons.append(day.after(1).relay_reason)
    assert all(reasons)
    day.see(metered=None, unmeasured={"metered": "hangs"})
    assert day.after(BLIND_SECONDS - 5).relay_reason
    day.see(metered=False, unmeasured={})
    assert not day.after(5).relay_reason


def test_old_readings_say_nothing() -> None:
    seen = Readings(now=0.0, battery=True)
    moment = Moment(STALE_SECONDS + 1, MONDAY, utc)
    assert Governor().decide(Rules(), seen, Month(), moment).active


def test_relaying_has_its_own_reasons() -> None:
    day = Day(Rules(relay_monthly_gigabytes=1, on_metered=False))
    assert day.look().relay_reason == ""
    day.see(metered=True)
    decision = day.look()
    assert decision.active
    assert parts_of(decision.relay_reason)[0].code == "governor.relay_metered"
    day.rules = replace_rules(day.rules, relay_on_metered=True)
    assert day.look().relay_reason == ""
    day.used = Month(relayed_bytes=1e9)
    assert parts_of(day.look().relay_reason)[0].code == "governor.relay_traffic"
    day.rules = replace_rules(day.rules, relay=False)
    assert parts_of(day.look().relay_reason)[0].code == "governor.relay_off"


def replace_rules(rules: Rules, **changes: object) -> Rules:
    return Rules(**{name: getattr(rules, name) for name in rules.__struct_fields__} | changes)


hours = st.integers(0, ALL_DAY)
schedules = st.tuples(hours, hours, hours, hours, hours, hours, hours)


@given(schedules, st.integers(0, 14 * 24 * 3600))
def test_the_next_hour_is_that_of_a_naive_search(schedule: tuple[int, ...], second: int) -> None:
    wall = MONDAY + second
    found = next_allowed(schedule, wall, utc)
    naive = next((at for at in range(int(wall), int(wall) + 9 * 86_400, 60) if allowed(schedule, utc(at))), None)
    if naive is None:
        assert found is None
    else:
        assert found is not None
        assert found <= naive < found + 60


def test_a_clock_that_is_put_forward_is_met_as_it_comes() -> None:
    """As on the last Sunday of March: at 1 o'clock UTC, local time leaps from 2 to 3."""
    leap = datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()

    def local(wall: float) -> datetime:
        return utc(wall) + timedelta(hours=2 if wall >= leap else 1)

    only_two = (1 << 2,) * 7  # an hour that this Sunday does not have
    found = next_allowed(only_two, leap - 600, local)
    assert found == datetime(2026, 3, 30, 0, tzinfo=UTC).timestamp()  # Monday's


@given(st.lists(st.tuples(st.floats(-10, 2e5), st.floats(-5, 500)), max_size=30))
def test_energy_adds_up_and_nonsense_is_left_out(samples: list[tuple[float, float]]) -> None:
    meter = Meter()
    for watts, seconds in samples:
        meter.add("2026-11", watts=watts, seconds=seconds)
    wanted = sum(watts * min(max(seconds, 0), 60) for watts, seconds in samples if 0 <= watts <= 100_000)
    assert meter.month.joules == pytest.approx(wanted)


def test_a_new_month_begins_anew_and_a_clock_set_back_does_not() -> None:
    meter = Meter((Month(month="2026-11", joules=5.0),))
    meter.add("2026-12", watts=10, seconds=1)
    assert meter.month.joules == 10
    meter.add("2026-11", watts=10, seconds=1)
    assert meter.month == Month(month="2026-11", joules=25, measured=True)


def test_programs_are_known_by_their_file_names() -> None:
    assert program_key(" /usr/bin/Steam ") == program_key("steam.exe") == "steam"


def test_a_months_allowances_slow_before_they_pause() -> None:
    day = Day(Rules(monthly_kwh=10.0, monthly_gigabytes=100.0, relay_monthly_gigabytes=50.0))
    day.month_share = 0.5
    assert (day.look().pace, day.look().relay_pace, day.look().slowed) == (1, 1, ())
    day.used = Month(joules=6.25 * JOULES_PER_KWH, measured=True)
    decision = day.look()
    assert decision.active
    assert decision.pace == pytest.approx(0.5)
    assert decision.relay_pace == 1
    assert [parts_of(reason)[0].code for reason in decision.slowed] == ["governor.slowed_energy"]
    day.used = Month(bytes=64e9, relayed_bytes=20e9)
    decision = day.look()
    assert decision.pace == pytest.approx(0.4)
    assert decision.relay_pace == 0.25
    day.used = Month(relayed_bytes=34e9)
    assert (day.look().pace, day.look().relay_pace) == (1, 0.125)
    day.used = Month(joules=6.25 * JOULES_PER_KWH)  # nothing measures it here
    assert day.look().pace == 1


def test_answers_to_others_keep_to_their_rate_and_passing_on_has_its_own() -> None:
    day = Day(Rules(serve_rate=8.0))  # a megabyte a second
    found = []
    for second in range(30):
        day.now, day.moved = float(second), second * 3e6
        found.append(day.look())
    assert (found[0].pace, found[0].slowed) == (1, ())
    assert found[-1].active
    assert found[-1].pace < 0.5
    assert found[-1].relay_pace == 1
    assert [parts_of(reason)[0].code for reason in found[-1].slowed] == ["governor.slowed_rate"]
    assert "8 Mbit/s" in found[-1].slowed[0]
    day.rules = Rules()
    assert day.look().pace == 1
