"""What speaks against contributing now, rule by rule, from one look at the sensors. No memory: see ``governor``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.governor.meter import Month
from engine.governor.readings import STALE_SECONDS, DeviceReading, Readings, SensorName
from engine.governor.rules import Rules
from engine.governor.schedule import LocalTime, allowed, next_allowed
from engine.sentences import say

GIGABYTE = 1e9
MEGABIT = 125_000.0
"""In bytes."""
MEBIBYTE = 1 << 20
COOLER_BY = 5.0
"""Degrees below a limit at which it is cool enough again."""
CALMER = 0.8
"""Share of a limit of load below which others use little enough again."""
PROCESSOR = "cpu"
"""What rules of devices call the processor."""
OTHERS_MEMORY = 2048 * MEBIBYTE
"""Bytes that another program takes of a GPU's memory before that counts as using it: a desktop takes less."""


@dataclass(frozen=True)
class Rule:
    """``quick``: seconds that a finding must last before it pauses; ``slow``: seconds without it before it ends.
    ``settings``: what its owner says of it, by the names of ``Rules``. ``sensors``: any of them may find it."""

    name: str
    quick: float = 0.0
    slow: float = 0.0
    settings: tuple[str, ...] = ()
    sensors: tuple[SensorName, ...] = ()


SCHEDULE = Rule("schedule", settings=("schedule",))
IDLE = Rule("idle", settings=("only_when_idle", "idle_minutes"), sensors=("idle",))
BATTERY = Rule("battery", slow=30.0, settings=("on_battery",), sensors=("battery",))
METERED = Rule("metered", slow=30.0, settings=("on_metered",), sensors=("metered",))
RELAY_METERED = Rule("relay_metered", slow=30.0, settings=("relay", "relay_on_metered"), sensors=("metered",))
"""Ends relaying, and nothing else."""
FULL_SCREEN = Rule("full_screen", slow=30.0, settings=("full_screen",), sensors=("full_screen",))
PROGRAM = Rule("program", slow=30.0, settings=("exclusive_programs",), sensors=("programs",))
CONTENTION = Rule(
    "contention",
    quick=0.5,
    slow=30.0,
    settings=("contention", "contention_share", "devices"),
    sensors=("processor", "devices"),
)
HEAT = Rule("heat", quick=1.0, slow=60.0, settings=("heat_limit", "devices"), sensors=("temperature", "devices"))
ENERGY = Rule("energy", settings=("monthly_kwh",))
TRAFFIC = Rule("traffic", settings=("monthly_gigabytes",))
BY_WEIGHT = (PROGRAM, FULL_SCREEN, CONTENTION, HEAT, BATTERY, METERED, IDLE, SCHEDULE, ENERGY, TRAFFIC)
"""The reason that is shown first comes first."""


@dataclass(frozen=True)
class Finding:
    """``until``: seconds since 1970 at which it ends by itself; 0: not known."""

    rule: Rule
    reason: str
    until: float = 0.0


@dataclass(frozen=True)
class Moment:
    """When a look was taken: monotonic and wall seconds, and how local time is found. ``month_share``: how much of the
    month is over."""

    now: float
    wall: float
    local_time: LocalTime
    next_month: float = 0.0
    month_share: float = 1.0


def findings(
    rules: Rules, readings: Readings | None, used: Month, moment: Moment, active: frozenset[str]
) -> dict[str, Finding]:
    """By rule. ``active``: rules that pause now, whose limits are a little lower, so that nothing flaps."""
    found = [*_by_the_clock(rules, used, moment)]
    seen = fresh(readings, moment.now)
    if seen is not None:
        found += [*_by_the_owner(rules, seen, moment), *_by_the_machine(rules, seen, active)]
    return {finding.rule.name: finding for finding in found}


def fresh(readings: Readings | None, now: float) -> Readings | None:
    """The readings, unless they are too old to say anything."""
    return readings if readings is not None and 0 <= now - readings.now <= STALE_SECONDS else None


def _by_the_clock(rules: Rules, used: Month, moment: Moment) -> Iterator[Finding]:
    if not allowed(rules.schedule, moment.local_time(moment.wall)):
        begins = next_allowed(rules.schedule, moment.wall, moment.local_time)
        yield Finding(SCHEDULE, say("governor.schedule" if begins else "governor.schedule_never"), begins or 0.0)
    if rules.monthly_kwh is not None and used.measured and used.kwh >= rules.monthly_kwh:
        yield Finding(ENERGY, say("governor.energy", limit=float(rules.monthly_kwh)), moment.next_month)
    if rules.monthly_gigabytes is not None and used.bytes >= rules.monthly_gigabytes * GIGABYTE:
        yield Finding(TRAFFIC, say("governor.traffic", limit=float(rules.monthly_gigabytes)), moment.next_month)


def _by_the_owner(rules: Rules, seen: Readings, moment: Moment) -> Iterator[Finding]:
    wanted = rules.idle_minutes * 60
    if rules.only_when_idle and seen.idle is not None and seen.idle < wanted:
        yield Finding(IDLE, say("governor.idle", minutes=float(rules.idle_minutes)), moment.wall + wanted - seen.idle)
    if rules.on_battery and seen.battery:
        yield Finding(BATTERY, say("governor.battery"))
    if rules.on_metered and seen.metered:
        yield Finding(METERED, say("governor.metered"))
    if rules.relay and not rules.relay_on_metered and seen.metered:
        yield Finding(RELAY_METERED, say("governor.relay_metered"))
    if rules.full_screen and (seen.game or seen.full_screen):
        yield Finding(FULL_SCREEN, say("governor.game" if seen.game else "governor.full_screen"))
    if seen.programs is not None:
        running = next((name for name in rules.exclusive_programs if program_key(name) in seen.programs), "")
        if running:
            yield Finding(PROGRAM, say("governor.program", program=running))


def program_key(name: str) -> str:
    """What an executable is called in readings: its file name in lower case, without ``.exe``."""
    return name.strip().replace("\\", "/").rsplit("/", 1)[-1].lower().removesuffix(".exe")


def _by_the_machine(rules: Rules, seen: Readings, active: frozenset[str]) -> Iterator[Finding]:
    least = rules.contention_share * (CALMER if CONTENTION.name in active else 1.0)
    cooler = COOLER_BY if HEAT.name in active else 0.0
    off = {entry.device for entry in rules.devices if not entry.on}
    used = [device for device in seen.devices if device.device not in off]
    if rules.contention:
        busy = next((device for device in used if _is_wanted(device, least)), None)
        if busy is not None:
            yield Finding(CONTENTION, say("governor.contention_gpu", device=busy.name or busy.device))
        elif seen.others_load is not None and seen.others_load >= least:
            yield Finding(CONTENTION, say("governor.contention", share=round(100 * seen.others_load)))
    caps = {entry.device: entry.temperature_cap for entry in rules.devices}
    for device in used:
        limit = lower(caps.get(device.device), rules.heat_limit)
        if limit is not None and device.temperature is not None and device.temperature >= limit - cooler:
            name = device.name or device.device
            yield Finding(HEAT, say("governor.heat_gpu", device=name, degrees=round(device.temperature)))
            return
    limit = lower(caps.get(PROCESSOR), rules.heat_limit)
    if limit is not None and seen.temperature is not None and seen.temperature >= limit - cooler:
        yield Finding(HEAT, say("governor.heat", degrees=round(seen.temperature)))


def _is_wanted(device: DeviceReading, least: float) -> bool:
    """Whether somebody else uses a GPU: its time, its encoder, or much of its memory."""
    loads = (device.others_load, device.encoder_load)
    return any(load is not None and load >= least for load in loads) or (device.others_memory or 0) >= OTHERS_MEMORY


def lower(one: float | None, other: float | None) -> float | None:
    """Of two limits the one that counts."""
    limits = [limit for limit in (one, other) if limit is not None]
    return min(limits) if limits else None
