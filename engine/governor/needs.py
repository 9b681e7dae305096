"""Which rules of the owner do nothing on a machine, because nothing there measures what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.governor.findings import PROCESSOR
from engine.governor.readings import DeviceReading, Readings, SensorName
from engine.governor.rules import Rules

RULES_OF: Mapping[SensorName, tuple[str, ...]] = {
    "idle": ("only_when_idle", "idle_minutes"),
    "processor": ("contention", "contention_share"),
    "full_screen": ("full_screen",),
    "battery": ("on_battery",),
    "metered": ("on_metered", "relay_on_metered"),
    "temperature": ("heat_limit",),
    "programs": ("exclusive_programs",),
    "power": ("monthly_kwh",),
}
"""By sensor, fields of :class:`Rules`."""
ALONE: Mapping[SensorName, tuple[str, ...]] = {
    "temperature": (f"{PROCESSOR}.temperature_cap",),
    "power": (f"{PROCESSOR}.power_cap",),
}
"""By sensor, rules of devices for which nothing stands in; as ``DEVICE.FIELD``."""


def without_effect(sensor: SensorName, rules: Rules, seen: Readings) -> tuple[str, ...]:
    """Fields of rules that do nothing while that sensor says nothing. What a GPU that may be used measures of itself
    stands in for the processor's load, heat and power."""
    off = {entry.device for entry in rules.devices if not entry.on}
    helped = any(_stands_in(sensor, one) for one in seen.devices if one.device not in off)
    return (*(() if helped else RULES_OF.get(sensor, ())), *ALONE.get(sensor, ()))


def unseen(rules: Rules, seen: Readings) -> Iterator[DeviceReading]:
    """GPUs that may be used, and of which nothing tells whether others use them, where the owner wants to pause for
    that."""
    off = {entry.device for entry in rules.devices if not entry.on}
    for one in seen.devices:
        if rules.contention and one.device not in off and not one.lost and not _stands_in("processor", one):
            yield one


def _stands_in(sensor: SensorName, device: DeviceReading) -> bool:
    measured: Iterable[object]
    match sensor:
        case "processor":
            measured = (device.others_load, device.encoder_load, device.others_memory)
        case "temperature":
            measured = (device.temperature,)
        case "power":
            measured = (device.power,)
        case _:
            measured = ()
    return any(one is not None for one in measured)
