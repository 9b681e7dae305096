"""What sensors say of this machine. A field that is None cannot be measured here; ``unmeasured`` says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

SensorName = Literal[
    "idle", "battery", "metered", "full_screen", "programs", "processor", "temperature", "devices", "power", "disk"
]
SENSOR_NAMES: tuple[SensorName, ...] = get_args(SensorName)
STALE_SECONDS = 10.0
"""A reading that is older counts as none."""


@dataclass(frozen=True, kw_only=True)
class DeviceReading:
    """One GPU. ``others_load``: share of its time that other programs' work takes; ``others_memory``: bytes that other
    programs hold; ``encoder_load``: share in which its video encoder works for others; °C and watts. ``lost``: it was
    there, and its driver says that it is not any more."""

    device: str
    name: str = ""
    load: float | None = None
    others_load: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    others_memory: int | None = None
    encoder_load: float | None = None
    temperature: float | None = None
    power: float | None = None
    lost: bool = False


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One look at the machine at ``now`` (monotonic seconds).

    ``idle``: seconds since the owner last used mouse or keyboard. ``battery``: it runs on battery;
    ``battery_level``: 0 to 1. ``game``: one runs that has asked to be favoured. ``programs``: names of running
    executables in lower case, without ``.exe``. ``others_load``: share of all processors that programs take which are
    not the engine's. ``temperature``: of the processor, °C. ``power``: watts that processors take. ``disk_free``: bytes
    where the data directory is.
    """

    now: float
    idle: float | None = None
    battery: bool | None = None
    battery_level: float | None = None
    metered: bool | None = None
    full_screen: bool | None = None
    game: bool | None = None
    programs: frozenset[str] | None = None
    others_load: float | None = None
    temperature: float | None = None
    power: float | None = None
    disk_free: int | None = None
    devices: tuple[DeviceReading, ...] = ()
    unmeasured: Mapping[SensorName, str] = field(default_factory=dict)
    """Why a sensor says nothing, for people (``engine.sentences``)."""


class SensorSource(Protocol):
    """Where readings come from; implementations are I/O (``engine/sensors``)."""

    async def read(self) -> Readings:
        """Look now; a second at most, and never raises: what does not answer is ``unmeasured``."""
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...
