"""What can be limited on this machine, as choices made from the hardware that was found."""

from __future__ import annotations

from dataclasses import dataclass

from app.i18n import number, tr

RELAY_BANDWIDTHS = (2.0, 5.0, 20.0, 50.0, 100.0)
"""Megabits per second to choose from."""
GIBIBYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Hardware:
    """``threads`` of the processor, ``memory`` in bytes, names of graphics cards."""

    threads: int
    memory: int
    graphics: tuple[str, ...] = ()


def hardware_words(found: Hardware) -> str:
    """One line."""
    parts = [tr("%Ln processor thread(s)", "", found.threads)]
    if found.memory:
        parts.append(tr("{size} GB of memory", size=number(found.memory / GIBIBYTE)))
    parts.extend(found.graphics)
    return " · ".join(parts)


def thread_choices(found: Hardware, chosen: int | None) -> list[tuple[object, str]]:
    """Values of the preference ``threads`` with their names, ``chosen`` always among them."""
    values = sorted({max(1, found.threads // 4), max(1, found.threads // 2), found.threads, chosen or found.threads})
    return [(None, tr("Automatic")), *((value, tr("%Ln thread(s)", "", value)) for value in values)]


def bandwidth_choices(chosen: float) -> list[tuple[object, str]]:
    """Values of the rule ``relay_rate`` with their names, ``chosen`` always among them."""
    return [
        (value, tr("{number} Mbit/s", number=number(value))) for value in sorted({*RELAY_BANDWIDTHS, float(chosen)})
    ]
