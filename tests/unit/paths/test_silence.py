"""When an answer's silence is taken for the loss of its machine."""

from __future__ import annotations

import pytest

from engine.paths.silence import GAPS, LEAST_SECONDS, LONGEST_SECONDS, Silence, Verdict


def steady(until: float, every: float = 0.04, **options: float) -> Silence:
    """An answer whose cloves came at this pace."""
    silence = Silence(**options)
    for step in range(round(until / every) + 1):
        silence.heard(step * every)
    return silence


def test_a_steady_answer_that_stops_is_given_up_after_half_a_second_if_the_way_works() -> None:
    silence = steady(2.0)
    assert silence.judge(2.2, 0.01, None) is Verdict.PATIENCE
    assert silence.judge(2.3, 0.01, None) is Verdict.DOUBT
    assert silence.judge(2.3, 0.01, 2.0) is Verdict.DOUBT  # heard with the last clove, not after it
    assert silence.judge(2.45, 0.01, 2.27) is Verdict.PATIENCE
    assert silence.judge(2.53, 0.01, 2.27) is Verdict.GONE


def test_without_a_sign_of_the_way_nothing_is_given_up() -> None:
    silence = steady(2.0)
    assert silence.judge(60.0, 0.01, 1.9) is Verdict.DOUBT


def test_what_comes_in_a_burst_after_trouble_gets_half_the_time_again() -> None:
    silence = steady(2.0)
    assert silence.judge(5.0, 0.01, None) is Verdict.DOUBT
    assert silence.judge(5.1, 0.01, 5.1) is Verdict.PATIENCE
    silence.heard(5.2)
    assert silence.judge(5.3, 0.01, 5.3) is Verdict.PATIENCE
    assert silence.limit(0.01) == LONGEST_SECONDS  # such a pause is usual now


def test_a_later_sign_of_life_does_not_put_the_end_off() -> None:
    silence = steady(2.0)
    for moment in (2.3, 2.35, 2.4, 2.45, 2.5):
        assert silence.judge(moment, 0.01, moment) is Verdict.PATIENCE
    assert silence.judge(2.56, 0.01, 2.56) is Verdict.GONE


@pytest.mark.parametrize(
    ("silence", "round_trip", "limit"),
    [
        (steady(2.0), 0.01, LEAST_SECONDS),
        (steady(2.0), 0.3, 1.2),
        (steady(3.0, every=0.6), 0.01, GAPS * 0.6),
        (steady(2.0, patience=4.0), 0.01, 2.0),
        (steady(60.0, every=5.0), 0.01, LONGEST_SECONDS),
        (steady(2.0, patience=8.0), 2.0, LONGEST_SECONDS),
    ],
)
def test_round_trips_pauses_and_patience_make_it_longer(silence: Silence, round_trip: float, limit: float) -> None:
    assert silence.limit(round_trip) == pytest.approx(limit)


def test_a_pause_is_forgotten() -> None:
    silence = steady(1.0)
    silence.heard(3.0)
    assert silence.limit(0.0) == pytest.approx(GAPS * 2.0)
    for step in range(1, 300):
        silence.heard(3.0 + step * 0.1)
    assert silence.limit(0.0) == LEAST_SECONDS


def test_an_answer_that_has_not_begun_is_judged_elsewhere() -> None:
    assert Silence().judge(100.0, 0.0, 99.0) is Verdict.PATIENCE
    assert Silence().deadlines(0.0, 0.0) == []


@pytest.mark.parametrize("working", [None, 2.3, 2.7])
def test_its_deadlines_lead_to_every_change_of_mind(working: float | None) -> None:
    """Asked at its deadlines alone it comes to the end as soon as when it is asked all the time."""

    def ends(moments: list[float]) -> float | None:
        silence = steady(2.0)
        for now in moments:
            known = working if working is not None and now >= working else None
            if silence.judge(now, 0.01, known) is Verdict.GONE:
                return now
        return None

    silence, now = steady(2.0), 2.0
    moments: list[float] = []
    while now < 4.0 and (deadlines := silence.deadlines(0.01, now)):
        now = min(deadlines) + 0.001
        moments.append(now)
        silence.judge(now, 0.01, working if working is not None and now >= working else None)
    assert len(moments) < 20
    always = ends([2.0 + step * 0.001 for step in range(2000)])
    told = ends(moments)
    if always is None:
        assert told is None
    else:
        assert told is not None
        assert told <= always + LEAST_SECONDS / 2 + 0.01
