"""Power stays below its cap in a played device, heat slows before it pauses, a month's allowance lasts the month."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.governor.pacing import (
    BURST_SECONDS,
    LEAST,
    OVER_SECONDS,
    REST_SECONDS,
    SILENT_SECONDS,
    PowerPacer,
    RatePacer,
    Steps,
    Thermometer,
    allowance_share,
    heat_share,
)

LOOK = 0.5


class Card:
    """Takes ``idle`` watts, and ``work`` more while it computes; what it tells lags behind by about a second."""

    def __init__(self, idle: float, work: float) -> None:
        self.idle, self.work, self.power = idle, work, idle

    def after_look(self, share: float) -> float:
        self.power += (self.idle + self.work * share - self.power) * 0.5
        return self.power


@example(idle=10.0, work=50.0, headroom=1.0)
@given(idle=st.floats(10, 80), work=st.floats(50, 500), headroom=st.floats(0.15, 1.5))
def test_measured_power_comes_below_the_cap_and_stays_there(idle: float, work: float, headroom: float) -> None:
    cap = idle + headroom * work
    card, pacer, now = Card(idle, work), PowerPacer(), 0.0
    power, shares, over = card.power, [], []
    for look in range(400):
        share = pacer.look(power, cap, now, working=True)
        assert LEAST <= share <= 1
        power = card.after_look(share)
        now += LOOK
        if look > 60:
            over.append(power - cap)
            shares.append(share)
    assert max(over) <= 0.02 * cap
    assert sum(over) / len(over) < 0
    assert sum(shares) / len(shares) > 0.6 * min(1.0, headroom)  # and is not kept far below


def test_a_device_that_is_above_its_cap_whatever_it_does_rests_and_tries_again() -> None:
    pacer, now, found = PowerPacer(), 0.0, []
    while now < 40 + OVER_SECONDS:
        found.append(pacer.look(300, 100, now, working=True))
        now += LOOK
    assert found[-1] == 0
    assert found.index(0) * LOOK >= OVER_SECONDS
    now += REST_SECONDS
    assert pacer.look(90, 100, now, working=False) == LEAST
    assert pacer.look(97, 100, now, working=True) == LEAST  # near the cap it gets no faster


def test_without_work_a_device_gets_no_faster_and_without_a_cap_it_is_free() -> None:
    pacer = PowerPacer()
    slow = pacer.look(200, 100, 0, working=True)
    assert slow < 1
    assert pacer.look(20, 100, 1, working=False) == slow
    assert pacer.look(20, 100, 1, working=True) > slow
    assert pacer.look(20, None, 2, working=True) == 1
    assert pacer.look(None, 100, 3, working=True) == 1


def test_a_driver_that_falls_silent_leaves_the_pace_for_a_minute() -> None:
    pacer = PowerPacer()
    slow = pacer.look(200, 100, 0, working=True)
    assert slow < 1
    assert pacer.look(None, 100, SILENT_SECONDS - 1, working=True) == slow
    assert pacer.look(98, 100, SILENT_SECONDS, working=True) == slow
    assert pacer.look(None, 100, 2 * SILENT_SECONDS - 1, working=True) == slow
    assert pacer.look(None, 100, 2 * SILENT_SECONDS, working=True) == 1


def test_a_thermometer_that_falls_silent_is_gone_by_for_a_minute() -> None:
    thermometer = Thermometer()
    assert thermometer.look(None, 0) is None
    assert thermometer.look(88, 1) == 88
    assert thermometer.look(None, SILENT_SECONDS) == 88
    assert thermometer.look(80, SILENT_SECONDS + 0.5) == 80
    assert thermometer.look(None, 2 * SILENT_SECONDS) == 80
    assert thermometer.look(None, 2 * SILENT_SECONDS + 0.5) is None
    assert thermometer.look(85, 500) == 85


@pytest.mark.parametrize(
    ("temperature", "limit", "share"),
    [(None, 80, 1), (70, None, 1), (70, 80, 1), (75, 80, 1), (77.5, 80, 0.5), (80, 80, LEAST), (200, 80, LEAST)],
)
def test_heat_slows_before_it_pauses(temperature: float | None, limit: float | None, share: float) -> None:
    assert heat_share(temperature, limit) == pytest.approx(share)


@given(appetite=st.floats(0.1, 50), limit=st.floats(0.1, 1000))
def test_an_allowance_lasts_for_the_month_and_is_not_saved_up(appetite: float, limit: float) -> None:
    """``appetite``: how often it would be used up in a month at full speed, working day and night."""
    used, days = 0.0, 720
    shares = []
    for hour in range(days):
        share = allowance_share(used, limit, hour / days) if used < limit else 0.0
        shares.append(share)
        used += limit * appetite * share / days
    if appetite <= 1:
        assert set(shares) == {1.0}
    elif appetite < 1 / LEAST:
        assert 0 not in shares[: days * 8 // 10]
        assert used >= limit * 0.95
    else:  # even at the slowest it is too much
        assert used >= limit


def test_nothing_allowed_is_nothing_left() -> None:
    assert allowance_share(0, None, 0) == 1
    assert allowance_share(0, 0, 0.5) == LEAST


@given(st.lists(st.floats(LEAST, 1.0), max_size=200))
def test_steps_are_at_most_the_share_and_change_seldom(shares: list[float]) -> None:
    steps = Steps()
    for share in shares:
        before = steps.step
        step = steps.of(share)
        assert step in (1.0, 0.5, 0.25, 0.125)
        assert step <= share / 0.9 or step == 0.125
        assert step == before or not before * 0.9 <= share < before * 2 * 1.1 or share == 1.0


@given(
    rate=st.floats(1e4, 1e8),
    wish=st.floats(0.05, 9.0),
    jumps=st.dictionaries(st.integers(0, 299), st.floats(0, 5), max_size=5),
)
def test_what_is_moved_keeps_to_the_rate_on_average(rate: float, wish: float, jumps: dict[int, float]) -> None:
    """``wish``: times the rate, moved at full speed; ``jumps``: seconds of the rate that come at once, as prompts."""
    pacer, moved, shares = RatePacer(), 0.0, []
    pacer.look(0.0, rate, 0.0)
    for second in range(1, 301):
        moved += pacer.share * wish * rate + jumps.get(second, 0.0) * rate
        shares.append(pacer.look(moved, rate, float(second)))
        assert LEAST <= shares[-1] <= 1
        assert moved <= rate * (second + 2 * BURST_SECONDS + sum(jumps.values()))
    if wish < 0.9 and not jumps:
        assert min(shares) == 1, "below the rate nothing is slowed"
    if wish > 1 and not jumps:
        assert moved > 0.8 * rate * 300, "and above it is not slowed much further"


def test_a_rate_slows_from_half_of_the_bucket_until_it_is_nearly_full_again() -> None:
    pacer, rate = RatePacer(), 1000.0
    assert pacer.look(1e9, None, 0) == 1
    assert pacer.look(1e9, rate, 1) == 1, "what was moved before counts for nothing"
    moved = 1e9 + 0.6 * BURST_SECONDS * rate
    assert pacer.look(moved, rate, 1) == pytest.approx(0.8)
    assert pacer.look(moved + 1e12, rate, 2) == LEAST, "a rate that was crossed far slows for a while, not for ever"
    found = [pacer.look(moved + 1e12, rate, 2 + second) for second in range(30)]
    assert found.index(1.0) == 19
    assert found[:19] == sorted(found[:19])
    assert max(found[:19]) < 1
    assert pacer.look(0.0, rate, 40) == 1, "a count that begins anew"
    assert pacer.look(5e9, None, 41) == 1
