"""What the owner wants: when to contribute, how much, and to whom."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

MOST_PROGRAMS = 64
MOST_DEVICES = 32
ALL_DAY = 0xFFFFFF
"""All 24 hours of a day of the schedule."""

Share = Annotated[float, Meta(gt=0, le=1)]
Celsius = Annotated[float, Meta(ge=30, le=120)]
DeviceName = Annotated[str, Meta(min_length=1, max_length=100)]
ProgramName = Annotated[str, Meta(min_length=1, max_length=100)]


class DeviceRules(Struct, frozen=True, kw_only=True):
    """Of one GPU. ``memory_cap`` in MiB, ``power_cap`` in watts, ``temperature_cap`` in °C; None: no limit."""

    device: DeviceName
    on: bool = True
    memory_cap: Annotated[int, Meta(ge=256, le=1 << 24)] | None = None
    power_cap: Annotated[float, Meta(ge=20, le=2000)] | None = None
    temperature_cap: Celsius | None = None


class Rules(Struct, frozen=True, kw_only=True):
    """Each rule that is on pauses contributing while it holds.

    ``on_battery``, ``on_metered``, ``full_screen``, ``contention``: pause for it. ``contention_share``: of a device, or
    of all processors, that others use. ``schedule``: for each day from Monday on, bit h is set where hour h of local
    time is allowed. ``model`` "": chosen by the engine. Prices are for a kWh. ``serve_rate``, ``relay_rate``: megabits
    per second, of answers to others and of what is passed on. ``longest_request``: tokens of a prompt and its answer
    together.
    """

    model: Annotated[str, Meta(max_length=200)] = ""
    only_when_idle: bool = False
    idle_minutes: Annotated[float, Meta(ge=0.1, le=1440)] = 5.0
    on_battery: bool = True
    on_metered: bool = True
    full_screen: bool = True
    contention: bool = True
    contention_share: Share = 0.5
    exclusive_programs: Annotated[tuple[ProgramName, ...], Meta(max_length=MOST_PROGRAMS)] = ()
    heat_limit: Celsius | None = 90.0
    schedule: Annotated[tuple[Annotated[int, Meta(ge=0, le=ALL_DAY)], ...], Meta(min_length=7, max_length=7)] = (
        ALL_DAY,
    ) * 7
    price: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    currency: Annotated[str, Meta(max_length=8)] = "EUR"
    monthly_kwh: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    monthly_gigabytes: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    serve_rate: Annotated[float, Meta(ge=0.1, le=100_000)] | None = None
    disk_gigabytes: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    relay: bool = True
    relay_rate: Annotated[float, Meta(ge=1, le=100_000)] = 20.0
    relay_monthly_gigabytes: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    relay_on_metered: bool = False
    devices: Annotated[tuple[DeviceRules, ...], Meta(max_length=MOST_DEVICES)] = ()
    serve: Literal["everyone", "my_networks"] = "everyone"
    longest_request: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    when_pausing: Literal["hand_over", "finish"] = "hand_over"
