"""The weekly schedule, also where daylight saving changes clocks; beside a naive reference looking each minute."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.governor.rules import ALL_DAY
from engine.governor.schedule import LocalTime, allowed, next_allowed

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # daylight saving of half an hour
WEEKS = st.tuples(*[st.integers(0, ALL_DAY)] * 7)
SPARSE = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23)), max_size=3).map(
    lambda hours: tuple(sum({1 << hour for day, hour in hours if day == weekday}) for weekday in range(7))
)


def in_zone(zone: ZoneInfo) -> LocalTime:
    return lambda wall: datetime.fromtimestamp(wall, zone)


def naive(schedule: tuple[int, ...], wall: float, local_time: LocalTime) -> float | None:
    """Look at each minute of eight days."""
    if allowed(schedule, local_time(wall)):
        return wall
    first = wall - wall % 60 + 60
    for minute in range(8 * 24 * 60):
        if allowed(schedule, local_time(first + 60 * minute)):
            return first + 60 * minute
    return None


@settings(max_examples=60, deadline=None)
@given(SPARSE | WEEKS, st.sampled_from([BERLIN, KOLKATA, LORD_HOWE]), st.integers(1_760_000_000, 1_800_000_000))
def test_the_next_allowed_hour_is_what_looking_each_minute_finds(
    schedule: tuple[int, ...], zone: ZoneInfo, wall: int
) -> None:
    assert next_allowed(schedule, float(wall), in_zone(zone)) == naive(schedule, float(wall), in_zone(zone))


def test_the_hour_that_is_left_out_in_spring_begins_when_the_clock_is_past_it() -> None:
    only_half_past_two = (0, 0, 0, 0, 0, 0, 1 << 2 | 1 << 3)  # Sundays from 2 to 4
    before = datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN).timestamp()

    begins = next_allowed(only_half_past_two, before, in_zone(BERLIN))

    assert begins == before + 1800
    assert datetime.fromtimestamp(begins, BERLIN).hour == 3


def test_the_hour_that_comes_twice_in_autumn_is_allowed_twice() -> None:
    sundays_at_two = (0, 0, 0, 0, 0, 0, 1 << 2)
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN).timestamp()

    assert next_allowed(sundays_at_two, first, in_zone(BERLIN)) == first
    assert next_allowed(sundays_at_two, first + 3600, in_zone(BERLIN)) == first + 3600
    assert not allowed(sundays_at_two, datetime.fromtimestamp(first + 7200, BERLIN))


def test_a_week_without_an_hour_never_begins() -> None:
    assert next_allowed((0,) * 7, 1_790_000_000.0, in_zone(BERLIN)) is None
