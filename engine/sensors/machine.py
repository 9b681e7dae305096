"""All sensors of this machine behind one face: read in threads, each with patience that ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.clock import Clock
from engine.governor.readings import SENSOR_NAMES, Readings, SensorName
from engine.sensors.base import Fields, Pids, Sensor, Unmeasured
from engine.sentences import say

PATIENCE = 2.0
"""Seconds after which a sensor that does not answer counts as one that cannot."""
REST_SECONDS = 30.0
"""So long a sensor that failed is not asked again."""
logger = logging.getLogger(__name__)


@dataclass
class _Kept:
    """The last that a sensor said. ``thread``: the look that goes on."""

    sensor: Sensor
    fields: Fields = field(default_factory=dict)
    reason: str = ""
    due: float = 0.0
    asked: float = 0.0
    thread: threading.Thread | None = None
    found: tuple[Fields, str] | None = None


class MachineSensors:
    """A ``SensorSource`` made of single sensors. A sensor that hangs costs one thread, and nothing waits for it."""

    def __init__(self, sensors: Sequence[Sensor], clock: Clock) -> None:
        self._kept = [_Kept(sensor) for sensor in sensors]
        self._clock = clock

    async def read(self) -> Readings:
        """See ``SensorSource``."""
        now = self._clock.monotonic()
        for kept in self._kept:
            if kept.thread is None and now >= kept.due:
                kept.asked = now
                kept.thread = threading.Thread(target=_look, args=(kept,), daemon=True)
                kept.thread.start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while any(kept.thread is not None and kept.found is None for kept in self._kept):
                    if all(kept.found or kept.thread is None or now - kept.asked > PATIENCE for kept in self._kept):
                        break  # those that are missing have had their time in an earlier look
                    await asyncio.sleep(0.01)
        for kept in self._kept:
            self._take(kept, self._clock.monotonic())
        return self._readings(now)

    async def close(self) -> None:
        """Threads that hang end with the process."""
        for kept in self._kept:
            kept.sensor.close()

    def _take(self, kept: _Kept, now: float) -> None:
        if kept.found is not None:
            kept.fields, kept.reason = kept.found
            kept.due = now + (REST_SECONDS if kept.reason else kept.sensor.seconds * 0.9)
            kept.thread = kept.found = None
        elif kept.thread is not None and now - kept.asked > PATIENCE:
            kept.fields, kept.reason = {}, say("governor.sensor_hangs")

    def _readings(self, now: float) -> Readings:
        fields: dict[str, object] = {}
        unmeasured: dict[SensorName, str] = {name: say("governor.not_measured") for name in SENSOR_NAMES}
        for kept in self._kept:
            known = {name: value for name, value in kept.fields.items() if value is not None}
            fields |= known
            if known:
                unmeasured.pop(kept.sensor.name, None)
            elif kept.reason:
                unmeasured[kept.sensor.name] = kept.reason
        return Readings(now=now, unmeasured=unmeasured, **fields)  # type: ignore[arg-type]


def _look(kept: _Kept) -> None:
    """In a thread. Whatever a driver or a library throws is a reason, not an end."""
    try:
        kept.found = (kept.sensor.read(), "")
    except Unmeasured as error:
        kept.found = ({}, error.reason)
    except Exception as error:
        logger.debug("sensor %s: %s", kept.sensor.name, error)
        kept.found = ({}, say("governor.sensor_failed", problem=str(error)[:200] or type(error).__name__))


class NoSensors:
    """Where the owner's settings switch sensors off: rules about the machine do nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def read(self) -> Readings:
        """See ``SensorSource``."""
        off = say("governor.sensors_off")
        return Readings(now=self._clock.monotonic(), unmeasured=dict.fromkeys(SENSOR_NAMES, off))

    async def close(self) -> None:
        """Nothing is held."""


def machine_sensors(folder: Path, clock: Clock, pids: Pids) -> MachineSensors:
    """What this system can measure. ``folder``: whose disk is looked at; ``pids``: processes that count as one's
    own."""
    return MachineSensors(every_sensor(folder, clock, pids), clock)


def every_sensor(folder: Path, clock: Clock, pids: Pids) -> list[Sensor]:
    """The single sensors of this system."""
    from engine.sensors import common, gpus

    sensors = [*common.sensors(folder, pids), *gpus.sensors(pids)]
    if sys.platform.startswith("linux"):
        from engine.sensors import linux

        sensors += linux.sensors(clock)
    elif sys.platform == "win32":
        from engine.sensors import windows

        sensors += windows.sensors()
    elif sys.platform == "darwin":
        from engine.sensors import macos

        sensors += macos.sensors()
    return sensors
