"""When a link counts as worse than its own past."""

import itertools
import random

from engine.transport.quality import (
    FIRST_REST,
    LONGEST_REST,
    RECENT,
    STALLED_REST,
    STALLED_SECONDS,
    SUSTAINED_SECONDS,
    LinkQuality,
)


def feed(quality: LinkQuality, round_trip: float, begin: float, seconds: float) -> float:
    """A sample every 2 s; when it ended."""
    now = begin
    while now < begin + seconds:
        quality.sample(round_trip, now)
        now += 2.0
    return now


def test_steady_link_never_decays_whatever_its_round_trip() -> None:
    for round_trip in (0.001, 0.2, 2.0):
        quality = LinkQuality()
        now = feed(quality, round_trip, 0.0, 1000.0)
        assert not quality.is_decayed(now)


def test_sustained_rise_far_above_the_past_is_decay() -> None:
    quality = LinkQuality()
    now = feed(quality, 0.05, 0.0, 100.0)
    end = feed(quality, 0.5, now, 2.0 * RECENT + SUSTAINED_SECONDS)
    assert quality.is_decayed(end)


def test_a_moment_of_delay_or_a_small_rise_is_none() -> None:
    quality = LinkQuality()
    now = feed(quality, 0.05, 0.0, 100.0)
    now = feed(quality, 3.0, now, 4.0)  # two retransmissions
    now = feed(quality, 0.05, now, 100.0)
    assert not quality.is_decayed(now)
    now = feed(quality, 0.15, now, 200.0)  # three times as long, but no quarter of a second more
    assert not quality.is_decayed(now)


def test_loss_of_five_percent_at_200_ms_is_no_decay() -> None:
    source = random.Random(5)
    quality = LinkQuality()
    now = 0.0
    for _ in range(5000):
        lost = 0
        while source.random() < 0.1:  # ping or pong
            lost += 1
        quality.sample(0.4 + source.uniform(0, 0.05) + lost * 1.0, now)
        assert not quality.is_decayed(now)
        now += 2.0


def test_tries_become_rarer_and_often_again_after_a_long_good_time() -> None:
    quality = LinkQuality()
    now = feed(quality, 0.01, 0.0, 100.0)
    gaps: list[float] = []
    last = now
    while len(gaps) < 9:
        quality.sample(1.0, now)
        quality.usual = 0.01  # the past as it was
        if quality.is_decayed(now):
            gaps.append(now - last)
            last = now
            quality.tried(now)
        now += 1.0
    assert gaps[1] >= FIRST_REST
    assert all(later >= earlier for earlier, later in itertools.pairwise(gaps))
    assert max(gaps) <= LONGEST_REST + 2 * SUSTAINED_SECONDS
    now = feed(quality, 0.01, now, 2 * LONGEST_REST + 60)
    quality.usual = 0.01
    now = feed(quality, 1.0, now, 2.0 * RECENT + SUSTAINED_SECONDS)
    assert quality.is_decayed(now)


def test_silence_is_a_stall_once_in_a_while() -> None:
    quality = LinkQuality()
    assert not quality.is_stalled(STALLED_SECONDS, 100.0, leads=True)
    assert quality.is_stalled(STALLED_SECONDS + 0.1, 100.0, leads=True)
    assert not quality.is_stalled(STALLED_SECONDS + 0.1, 100.0, leads=False)
    assert quality.is_stalled(STALLED_SECONDS + 1.1, 100.0, leads=False)
    quality.tried(100.0)
    assert not quality.is_stalled(6.0, 100.0 + STALLED_REST - 0.1, leads=True)
    assert quality.is_stalled(6.0, 100.0 + STALLED_REST, leads=True)
