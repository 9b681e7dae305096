"""The rules of the owner as rows of the page *Contribute*: what each is called, means, and may be."""

from __future__ import annotations

from dataclasses import dataclass

from app.i18n import mark
from app.models.week import DAYS, HOURS, Week, at


@dataclass(frozen=True, slots=True)
class Rule:
    """``most`` 0: a switch, else a number; ``choices``: one of these. ``scale``: so many of the engine's units are one
    that shows. ``nothing``: what stands in an empty field, which means ``without``."""

    field: str
    name: str
    about: str = ""
    least: float = 0.0
    most: float = 0.0
    digits: int = 0
    step: float = 1.0
    unit: str = ""
    scale: float = 1.0
    whole: bool = True
    nothing: str = ""
    without: object = None
    choices: tuple[tuple[object, str], ...] = ()


WHEN = (
    Rule(
        "only_when_idle", mark("Only while nobody uses the machine"), mark("Keyboard and mouse have to rest first."),
    ),
    Rule(
        "idle_minutes", mark("How long they have to rest"), least=1, most=240, unit=mark("minutes"), whole=False,
    ),
    Rule(
        "contention", mark("Make way for other programs"),
        mark("Pauses while another program needs the processor or the graphics card."),
    ),
    Rule(
        "contention_share", mark("How much they have to need"),
        mark("Of all processors, or of a graphics card or its encoder."), least=5, most=100, step=5, unit=mark("%"),
        scale=0.01, whole=False,
    ),
    Rule("full_screen", mark("Pause for full screen"), mark("Games, films, presentations.")),
    Rule("on_battery", mark("Pause on battery"), mark("Goes on when the machine is plugged in.")),
    Rule(
        "on_metered", mark("Pause on metered connections"), mark("Such as a phone that shares its connection."),
    ),
    Rule(
        "heat_limit", mark("Pause above this temperature"),
        mark("Of the processor or a graphics card. Under “Devices” each can have a lower one."), least=29, most=120,
        step=5, unit=mark("°C"), nothing=mark("no limit"),
    ),
    Rule(
        "when_pausing", mark("Answers under way when it pauses"),
        mark("Other machines go on with them at once, or this one writes them to their end."),
        choices=(("hand_over", mark("Hand over")), ("finish", mark("Finish, then pause"))),
    ),
)  # fmt: skip
MONEY = (
    Rule(
        "price", mark("Price of a kilowatt-hour"), mark("To tell you what contributing costs."), most=10, digits=3,
        step=0.01, whole=False,
    ),
    Rule("currency", mark("Currency"), choices=tuple((code, code) for code in ("EUR", "USD", "GBP", "CHF"))),
    Rule(
        "monthly_kwh", mark("At most so much in a month"), mark("Then it pauses until the next month."), most=10_000,
        step=1, unit=mark("kWh"), nothing=mark("no limit"), whole=False,
    ),
)  # fmt: skip
TRAFFIC = (
    Rule(
        "monthly_gigabytes", mark("Traffic in a month"), mark("For everything that is done for others."), most=100_000,
        step=10, unit=mark("GB"), nothing=mark("no limit"), whole=False,
    ),
    Rule(
        "serve_rate", mark("Answers to others"),
        mark("At most so fast, over ten seconds. Passing on has its own limit."),
        least=0.1, most=100_000, digits=1, step=1, unit=mark("Mbit/s"), nothing=mark("no limit"), whole=False,
    ),
    Rule(
        "disk_gigabytes", mark("Disk for models"), mark("A download that would take more is refused."), most=100_000,
        step=10, unit=mark("GB"), nothing=mark("no limit"), whole=False,
    ),
)  # fmt: skip
WHOM = (
    Rule(
        "serve", mark("Answer requests of"), "",
        choices=(("everyone", mark("Everyone")), ("my_networks", mark("My networks"))),
    ),
    Rule(
        "longest_request", mark("Longest request"), mark("Longer ones go to other machines."), most=1_000_000,
        step=1024, unit=mark("tokens"), nothing=mark("no limit"),
    ),
)  # fmt: skip
RELAY = (
    Rule(
        "relay", mark("Pass on traffic"),
        mark("Other people's sealed traffic passes through your connection. It cannot be read here."),
    ),
    Rule("relay_rate", mark("At most so fast"), least=1, most=100_000, step=1, unit=mark("Mbit/s"), whole=False),
    Rule(
        "relay_monthly_gigabytes", mark("At most so much in a month"), most=100_000, step=10, unit=mark("GB"),
        nothing=mark("no limit"), whole=False,
    ),
    Rule("relay_on_metered", mark("Also on metered connections")),
)  # fmt: skip


def read_week(schedule: tuple[int, ...]) -> Week:
    """The hours of a schedule: for each day, Monday first, a number with a bit for each hour."""
    return frozenset(at(day, hour) for day, hours in enumerate(schedule) for hour in range(HOURS) if hours >> hour & 1)


def written_week(week: Week) -> tuple[int, ...]:
    """The same the other way round."""
    return tuple(sum(1 << hour for hour in range(HOURS) if at(day, hour) in week) for day in range(DAYS))
