"""Very little of everything that `gentorrent bench verification` measures."""

from engine.bench.verification import course, liars, protection

TINY = course.Amount(
    networks=2,
    honest_networks=1,
    epochs=6,
    samples=20,
    repeats=2,
    courses=4,
    forged=10,
    schedules=2,
    speeds=1,
    scored=2,
    security=protection.Amount(1, 1, 1, 2, 1, 2, 1, tokens=12),
    liars=liars.Amount(groups=1, requests=120, crowds=1, schedules=3, networks=2),
    adversaries=("quantised", "turncoat", "watches", "relaying"),
)
