"""The owner's rules of single devices, brought to the workers: which may be used, for how much memory, and how fast."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from engine.governor.findings import fresh, lower
from engine.governor.pacing import LEAST, PowerPacer, Thermometer, heat_share
from engine.governor.readings import DeviceReading, Readings
from engine.governor.rules import DeviceRules
from engine.inference.supervisor.devices import Device
from engine.inference.supervisor.limits import DeviceLimit
from engine.inference.supervisor.pool import WorkerPool
from engine.node.governing import LOOK_SECONDS, Governing
from engine.node.power_caps import PowerCaps, Wanted
from engine.sentences import parts_of, say

MEBIBYTE = 1 << 20
PACES = 50
"""Different paces that a worker is told: each change is a message."""
DRIVER_SECONDS = 1.0
"""So long the end of the engine waits for a driver that is to set a limit back."""
_NONE = DeviceLimit()
logger = logging.getLogger(__name__)


class DeviceLimits:
    """``run()`` until cancelled. ``serves``: whether a model is in memory for others; ``own_work``: whether the owner's
    own questions are being answered here, which nothing but heat slows; ``changed``: other devices may be used, or for
    another amount of memory."""

    def __init__(
        self,
        pool: WorkerPool,
        governing: Governing,
        file: Path,
        *,
        serves: Callable[[], bool],
        own_work: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._governing = governing
        self._serves = serves
        self._own_work = own_work
        self._changed = changed
        self._pacers = {device.key: PowerPacer() for device in pool.devices}
        self._heat = {device.key: Thermometer() for device in pool.devices}
        self._limits: dict[str, DeviceLimit] = {}
        self._caps = PowerCaps(file)
        self._asked: Mapping[str, Wanted] = {}
        self._thread: threading.Thread | None = None
        self.resting = False
        """Whether one that may be used rests for a moment, as its cap of power cannot be kept otherwise."""
        self.slowed: tuple[str, ...] = ()
        """Why devices work more slowly than they could now."""
        self.hot: tuple[str, ...] = ()
        """Those of the reasons that slow the owner's own answers, too."""

    @property
    def reason(self) -> str:
        """Why others cannot be answered: no device may be used. "" where one may."""
        barred = self._pool.barred
        return say("governor.no_device", device=_name(self._pool.devices[-1]), reason=barred) if barred else ""

    @property
    def barred(self) -> frozenset[str]:
        """The devices that may not be used now."""
        return frozenset(name for name, limit in self._limits.items() if limit.barred)

    @property
    def memory(self) -> dict[str, int]:
        """The bytes that may be taken of each device of which not all may be."""
        return {name: limit.memory for name, limit in self._limits.items() if limit.memory is not None}

    def missing(self) -> Iterator[tuple[str, str]]:
        """What cannot be kept of the limits of power and heat, in words, by ``power_limit:DEVICE`` and
        ``heat_limit:DEVICE``."""
        reasons = {f"power_limit:{device}": reason for device, reason in self._caps.reasons.items()}
        seen = self._governing.readings
        for device, rules in self._ruled():
            reading = _reading(device, seen) if seen is not None else None
            if reading is None or reading.lost:
                continue
            if rules.power_cap is not None and device.key not in self._caps.kept and reading.power is None:
                reasons[f"power_limit:{device.key}"] = say("governor.power_unmeasured", device=_name(device))
            silent = reading.temperature is None and self._heat[device.key].temperature is None
            if device.kind == "cuda" and rules.on and silent and self._heat_limit(rules) is not None:
                reasons[f"heat_limit:{device.key}"] = say("governor.heat_unmeasured", device=_name(device))
        yield from reasons.items()

    async def run(self) -> None:
        """Look as often as the governor does."""
        self._in_thread(self._caps.restore)  # what a run before this one has left
        try:
            while True:
                self.look()
                self._limit_power()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            if self._thread is not None:
                self._thread.join(DRIVER_SECONDS)
            if self._asked:
                self._in_thread(self._caps.restore)
                self._thread.join(DRIVER_SECONDS) if self._thread is not None else None

    def look(self) -> None:
        """What the rules and the readings of this moment allow, to the workers."""
        governing = self._governing
        seen = fresh(governing.readings, governing.clock.monotonic())
        slowed: list[str] = []
        hot: list[str] = []
        resting, limits = False, {}
        for device, rules in self._ruled():
            reading = _reading(device, seen) if seen is not None else None
            powered, barred = self._powered(device, rules, reading, slowed)
            heated = self._heated(device, rules, reading, hot)
            memory = rules.memory_cap * MEBIBYTE if rules.memory_cap is not None else None
            if not rules.on:
                barred = say("governor.device_off")
            elif seen is not None and device.kind == "cuda" and _is_gone(reading, seen):
                barred = say("governor.device_lost")
            elif barred:
                resting = True
            pace = min(powered, heated) * governing.decision.pace
            limits[device.key] = DeviceLimit(barred, memory, _rounded(pace), _rounded(heated))
        self.resting = resting
        self.slowed, self.hot = (*governing.decision.slowed, *slowed, *hot), tuple(hot)
        if limits == self._limits:
            return
        before, memory_before, self._limits = self.barred, self.memory, limits
        self._pool.limit(limits)
        for device in self._pool.devices:
            if (device.key in self.barred) != (device.key in before):
                logger.info("%s: %s", _name(device), limits[device.key].barred or "may be used again")
        if (self.barred, self.memory) != (before, memory_before):
            self._changed()

    def _powered(
        self, device: Device, rules: DeviceRules, reading: DeviceReading | None, slowed: list[str]
    ) -> tuple[float, str]:
        """Share of the time in which its cap of power lets it work for others, and why it must rest, if it must."""
        power = reading.power if reading is not None else None
        cap = rules.power_cap if device.key not in self._caps.kept else None
        pacer, working = self._pacers[device.key], bool(self._pool.answering(device.key))
        now, owners = self._governing.clock.monotonic(), self._own_work()
        share = pacer.look(power, cap, now, working=working, owners=owners)
        if not share:
            return LEAST, say("governor.device_power", watts=round(cap or 0))
        if share < 1:
            slowed.append(say("governor.slowed_power", device=_name(device), watts=round(cap or 0)))
        return share, ""

    def _heated(self, device: Device, rules: DeviceRules, reading: DeviceReading | None, hot: list[str]) -> float:
        """Share of the time in which its heat lets it work, for whomever."""
        measured = reading.temperature if reading is not None else None
        temperature = self._heat[device.key].look(measured, self._governing.clock.monotonic())
        share = heat_share(temperature, self._heat_limit(rules))
        if share < 1:
            hot.append(say("governor.slowed_heat", device=_name(device), degrees=round(temperature or 0)))
        return share

    def _heat_limit(self, rules: DeviceRules) -> float | None:
        return lower(rules.temperature_cap, self._governing.rules.heat_limit)

    def _ruled(self) -> Iterator[tuple[Device, DeviceRules]]:
        rules = {entry.device: entry for entry in self._governing.rules.devices}
        for device in self._pool.devices:
            yield device, rules.get(device.key) or DeviceRules(device=device.key)

    def _limit_power(self) -> None:
        """Through the drivers, while others are served and nobody else: at all other times the machine is the owner's
        as it was."""
        if self._own_work():
            if self._asked and self._in_thread(self._caps.restore):
                self._asked = {}
            return
        wanted = {
            device.key: Wanted(_name(device), rules.power_cap)
            for device, rules in self._ruled()
            if self._serves() and device.kind == "cuda" and rules.on and rules.power_cap is not None
        }
        if wanted != self._asked and self._in_thread(lambda: self._caps.hold(wanted)):
            self._asked = wanted

    def _in_thread(self, work: Callable[[], None]) -> bool:
        """Whether it was begun: a driver that hangs costs one thread, and is asked no more."""
        if self._thread is not None and self._thread.is_alive():
            return False
        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()
        return True


def _name(device: Device) -> str:
    return device.name if device.uuid else say("governor.processor") if device.kind == "cpu" else device.name


def _reading(device: Device, seen: Readings) -> DeviceReading | None:
    """What is measured of it; None: nothing, not even that it is there."""
    if device.kind == "cpu":
        return DeviceReading(device=device.key, power=seen.power, temperature=seen.temperature)
    return next((one for one in seen.devices if one.device == device.key), None)


def _is_gone(reading: DeviceReading | None, seen: Readings) -> bool:
    """Whether the drivers say that a GPU is not there any more. Drivers that say nothing do not say that."""
    if reading is not None:
        return reading.lost
    return not (reason := seen.unmeasured.get("devices")) or parts_of(reason)[0].code == "governor.no_gpu"


def _rounded(pace: float) -> float:
    return min(1.0, max(LEAST / 2, round(pace * PACES) / PACES))
