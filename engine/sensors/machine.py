"""All sensors of this machine behind one face: read in threads, each with patience that ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
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
HELP_SECONDS = 0.1
"""So long the others wait for one that is slow; then another thread reads them."""
logger = logging.getLogger(__name__)


@dataclass
class _Kept:
    """The last that a sensor said. ``asked``: a look is wanted or goes on, since ``begun``."""

    sensor: Sensor
    fields: Fields = field(default_factory=dict)
    reason: str = ""
    due: float = 0.0
    asked: bool = False
    begun: float | None = None
    found: tuple[Fields, str] | None = None


class MachineSensors:
    """A ``SensorSource`` made of single sensors, which a thread of its own reads one after the other. A sensor that
    hangs costs that thread, and the others get another one."""

    def __init__(self, sensors: Sequence[Sensor], clock: Clock) -> None:
        self._kept = [_Kept(sensor) for sensor in sensors]
        self._clock = clock
        self._work: queue.SimpleQueue[_Kept | None] = queue.SimpleQueue()
        self._threads = 0
        self._awaited: list[_Kept] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._all_there = asyncio.Event()

    async def read(self) -> Readings:
        """See ``SensorSource``."""
        now = self._clock.monotonic()
        due = [kept for kept in self._kept if not kept.asked and now >= kept.due]
        self._awaited = [kept for kept in self._kept if kept in due or (kept.asked and not _hangs(kept, now))]
        self._loop = asyncio.get_running_loop()
        for kept in due:
            kept.asked, kept.begun = True, None
            self._work.put(kept)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE + HELP_SECONDS):
                await self._wait()
        for kept in self._kept:
            self._take(kept, self._clock.monotonic())
        return self._readings(now)

    async def close(self) -> None:
        """Threads that hang end with the process."""
        for _ in range(self._threads):
            self._work.put(None)
        self._threads = 0
        for kept in self._kept:
            kept.sensor.close()

    async def _wait(self) -> None:
        """Until all have said something, or hang."""
        while True:
            self._all_there.clear()
            now = self._clock.monotonic()
            if all(kept.found is not None or _hangs(kept, now) for kept in self._awaited):
                return
            if not self._threads:
                self._begin_thread()
            try:
                async with asyncio.timeout(HELP_SECONDS):
                    await self._all_there.wait()
            except TimeoutError:
                if any(kept.begun is None for kept in self._awaited) and self._threads < len(self._kept):
                    self._begin_thread()

    def _begin_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._look_at_all, daemon=True).start()

    def _take(self, kept: _Kept, now: float) -> None:
        if kept.found is not None:
            kept.fields, kept.reason = kept.found
            kept.due = now + (REST_SECONDS if kept.reason else kept.sensor.seconds * 0.9)
            kept.asked, kept.found = False, None
        elif kept.asked and _hangs(kept, now):
            kept.fields, kept.reason = {}, say("governor.sensor_hangs")

    def _look_at_all(self) -> None:
        """In a thread."""
        while (kept := self._work.get()) is not None:
            kept.begun = self._clock.monotonic()
            kept.found = _found(kept.sensor)
            if all(one.found is not None for one in self._awaited) and self._loop is not None:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    self._loop.call_soon_threadsafe(self._all_there.set)

    def _readings(self, now: float) -> Readings:
        fields: dict[str, object] = {}
        unmeasured: dict[SensorName, str] = dict.fromkeys(SENSOR_NAMES, say("governor.not_measured"))
        for kept in self._kept:
            known = {name: value for name, value in kept.fields.items() if value is not None}
            fields |= known
            if known:
                unmeasured.pop(kept.sensor.name, None)
            elif kept.reason:
                unmeasured[kept.sensor.name] = kept.reason
        return Readings(now=now, unmeasured=unmeasured, **fields)  # type: ignore[arg-type]


def _hangs(kept: _Kept, now: float) -> bool:
    return kept.begun is not None and now - kept.begun > PATIENCE


def _found(sensor: Sensor) -> tuple[Fields, str]:
    """Whatever a driver or a library throws is a reason, not an end."""
    try:
        return sensor.read(), ""
    except Unmeasured as error:
        return {}, error.reason
    except Exception as error:
        logger.debug("sensor %s: %s", sensor.name, error)
        return {}, say("governor.sensor_failed", problem=str(error)[:200] or type(error).__name__)


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
