"""What was used this month: nothing counts twice, and neither a clock set back nor a lying sensor takes it away."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.governor.meter import MOST_OTHERS, MOST_SECONDS, MOST_WATTS, Meter, Month

STEPS = st.lists(
    st.tuples(
        st.none() | st.floats(-1e7, 1e7, allow_nan=False),
        st.floats(-100, 1e6),
        st.floats(-1e9, 1e12),
        st.integers(-5, 99),
    ),
    max_size=40,
)


@given(STEPS)
def test_it_adds_what_can_be_true_and_nothing_else(steps: list[tuple[float | None, float, float, int]]) -> None:
    meter = Meter((Month(month="2026-11"),))

    for watts, seconds, moved, tokens in steps:
        meter.add("2026-11", watts=watts, seconds=seconds, moved=moved, tokens=tokens)

    joules = sum(
        watts * min(max(seconds, 0), MOST_SECONDS)
        for watts, seconds, _, _ in steps
        if watts is not None and 0 <= watts <= MOST_WATTS
    )
    assert meter.month.joules == pytest.approx(joules)
    assert meter.month.bytes == pytest.approx(sum(max(moved, 0) for _, _, moved, _ in steps))
    assert meter.month.tokens == sum(max(tokens, 0) for *_, tokens in steps)


def test_a_kilowatt_for_an_hour_is_a_kilowatt_hour() -> None:
    meter = Meter()

    for _ in range(3600):
        meter.add("2026-11", watts=1000.0, seconds=1.0)

    assert meter.month.kwh == pytest.approx(1.0)
    assert meter.month.measured


def test_a_new_month_begins_at_nothing() -> None:
    meter = Meter((Month(month="2026-11", joules=5.0, measured=True, bytes=6.0),))

    assert meter.at("2026-12") == Month(month="2026-12")


def test_a_clock_that_is_set_back_gives_nothing_back() -> None:
    used = Month(month="2026-11", joules=5.0, measured=True, bytes=6.0)
    meter = Meter((used,))

    meter.add("2026-10", moved=1.0)

    assert meter.month == Month(month="2026-10", joules=5.0, measured=True, bytes=7.0)
    assert meter.at("2026-11") == used


@pytest.mark.parametrize("wrong", ["2000-01", "2026-10", "2026-12", "2031-11"])
def test_a_clock_that_leaps_at_each_start_and_is_set_right_gives_nothing_back_and_takes_nothing(wrong: str) -> None:
    kept: tuple[Month, ...] = ()
    for _ in range(3):
        meter = Meter(kept)
        meter.add(wrong)
        meter.add("2026-11", moved=10.0)
        kept = meter.months

    assert meter.month == Month(month="2026-11", bytes=30.0)
    assert meter.at("2026-12") == Month(month="2026-12")


def test_what_was_counted_while_the_clock_was_ahead_counts_for_the_present_month_and_no_other() -> None:
    meter = Meter((Month(month="2026-11", bytes=6.0),))

    meter.add("2031-11", moved=2.0)
    meter.add("2026-11", moved=1.0)

    assert meter.month == Month(month="2026-11", bytes=9.0)
    assert meter.at("2026-12") == Month(month="2026-12")
    for month in range(1, 13):
        meter.at(f"2027-{month:02}")
    assert len(meter.months) <= 1 + MOST_OTHERS


def test_sleep_costs_a_minute_at_most() -> None:
    meter = Meter()

    meter.add("2026-11", watts=100.0, seconds=8 * 3600.0)

    assert meter.month.joules == 100.0 * MOST_SECONDS


def test_where_power_cannot_be_measured_nothing_is_said_of_it() -> None:
    meter = Meter()

    meter.add("2026-11", watts=None, seconds=1.0, moved=1.0)
    meter.add("2026-11", watts=math.nan, seconds=1.0)

    assert not meter.month.measured
    assert meter.month.joules == 0
