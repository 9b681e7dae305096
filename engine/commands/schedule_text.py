"""The weekly schedule as people write it: ``mon-fri 0-8,18-24; sat,sun 0-24``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from engine.errors import ConfigurationError
from engine.governor.rules import ALL_DAY

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS, NEVER = "always", "never"
WHOLE = "0-24"
FORM = "Write it as in 'mon-fri 0-8,18-24; sat,sun 0-24', or always, or never; days without hours are whole days."


def parse(text: str) -> tuple[int, ...]:
    """For each day from Monday on, bit h for hour h; days that are not named have every hour off,
    days without hours every hour on.
    :class:`ConfigurationError`."""
    wanted = text.strip().lower()
    if wanted in (ALWAYS, NEVER):
        return (ALL_DAY if wanted == ALWAYS else 0,) * 7
    schedule = [0] * 7
    for part in wanted.split(";"):
        days, _, hours = part.strip().partition(" ")
        bits = 0
        for span in (hours or WHOLE).split(","):
            begin, end = _span(span, [str(hour) for hour in range(25)])
            if end <= begin:
                raise ConfigurationError(f"The hours {span.strip()[:20]!r} end before they begin. {FORM}")
            bits |= (1 << end) - (1 << begin)
        for span in days.split(","):
            first, last = _span(span, DAYS)
            for day in range(first, last + 1):
                schedule[day] |= bits
    return tuple(schedule)


def _span(text: str, names: Sequence[str]) -> tuple[int, int]:
    if not text.strip():
        raise ConfigurationError(f"{'A day' if names is DAYS else 'An hour'} is missing. {FORM}")
    first, dash, last = text.strip().partition("-")
    if first not in names or (dash and last not in names) or (not dash and names is not DAYS):
        raise ConfigurationError(f"{text.strip()[:40]!r} is not understood. {FORM}")
    return names.index(first), names.index(last if dash else first)


def show(schedule: Sequence[int]) -> str:
    """As :func:`parse` reads it."""
    if set(schedule) == {ALL_DAY}:
        return ALWAYS
    if not any(schedule):
        return NEVER
    parts = []
    for bits, days in groupby(range(7), key=lambda day: schedule[day]):
        named = list(days)
        if bits:
            shown = DAYS[named[0]] if len(named) == 1 else f"{DAYS[named[0]]}-{DAYS[named[-1]]}"
            parts.append(f"{shown} {_hours(bits)}")
    return "; ".join(parts)


def _hours(bits: int) -> str:
    spans = []
    for on, hours in groupby(range(24), key=lambda hour: bits >> hour & 1):
        named = list(hours)
        if on:
            spans.append(f"{named[0]}-{named[-1] + 1}")
    return ",".join(spans)
