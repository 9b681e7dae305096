"""What psutil tells on every system: battery, disk, what others' processes take, and which programs run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

import psutil

from engine.governor.findings import program_key
from engine.sensors.base import Fields, Pids, Sensor, Unmeasured, within
from engine.sentences import say

PROGRAMS_SECONDS = 1.0
OTHERS_SECONDS = 0.5
"""Load must be seen, and last, for contributing to pause: all of that within two seconds."""
MOST_NAMES = 20_000
"""Processes whose names are remembered."""


def sensors(folder: Path, pids: Pids) -> list[Sensor]:
    """Those of every system."""
    return [
        Sensor("battery", battery, 5.0),
        Sensor("disk", lambda: {"disk_free": shutil.disk_usage(existing(folder)).free}, 10.0),
        Sensor("processor", OthersLoad(pids).read, OTHERS_SECONDS),
        Sensor("programs", Programs().read, PROGRAMS_SECONDS),
        Sensor("temperature", temperature, 5.0),
    ]


def existing(folder: Path) -> Path:
    """The folder itself, or the nearest above it that is there: an engine that has not started yet has none."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


def battery() -> Fields:
    """Whether the machine runs on it, and how full it is. A machine without one is on mains."""
    find = getattr(psutil, "sensors_battery", None)
    if find is None:
        raise Unmeasured
    found = find()
    if found is None:
        return {"battery": False}
    level = within(found.percent, 0, 100)
    plugged = found.power_plugged
    return {"battery": None if plugged is None else not plugged, "battery_level": level / 100 if level else None}


def temperature() -> Fields:
    """The hottest that is said to belong to the processor, °C."""
    find = getattr(psutil, "sensors_temperatures", None)
    groups = find() if find is not None else {}
    wanted = [group for name, group in groups.items() if name in ("coretemp", "k10temp", "zenpower", "cpu_thermal")]
    found = [within(one.current, -20, 150) for group in wanted for one in group]
    degrees = [one for one in found if one is not None]
    if not degrees:
        raise Unmeasured(say("governor.no_thermometer"))
    return {"temperature": max(degrees)}


class OthersLoad:
    """The share of all processors that other programs took since the last look."""

    def __init__(self, pids: Pids) -> None:
        self._pids = pids
        self._before: tuple[float, float, dict[int, float]] | None = None
        self._processes: dict[int, psutil.Process] = {}

    def read(self) -> Fields:
        """See ``Sensor``."""
        total, busy = _machine_times()
        own = self._own_times({os.getpid(), *self._pids()})
        before, self._before = self._before, (total, busy, own)
        if before is None or total <= before[0]:
            return {"others_load": None}
        ours = sum(max(0.0, seconds - before[2].get(pid, 0.0)) for pid, seconds in own.items() if pid in before[2])
        share = (busy - before[1] - ours) / (total - before[0])
        return {"others_load": min(max(share, 0.0), 1.0)}

    def _own_times(self, pids: Collection[int]) -> dict[int, float]:
        """Seconds that each has worked. What psutil knows of a process is kept: to find out is half of the work."""
        known, self._processes = self._processes, {}
        found = {}
        for pid in pids:
            try:
                process = known[pid] if pid in known else psutil.Process(pid)
                times = process.cpu_times()
            except psutil.Error:
                continue
            self._processes[pid] = process
            found[pid] = times.user + times.system
        return found


def _machine_times() -> tuple[float, float]:
    """Seconds that all processors have had, and those in which they worked."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total, total - idle


class Programs:
    """Names of running executables. A process is asked for its name once: scanning all each time would be dear."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def read(self) -> Fields:
        """See ``Sensor``."""
        pids = psutil.pids()[:MOST_NAMES]
        self._names = {pid: self._names[pid] if pid in self._names else _name(pid) for pid in pids}
        return {"programs": frozenset(name for name in self._names.values() if name)}


def _name(pid: int) -> str:
    try:
        return program_key(psutil.Process(pid).name())
    except psutil.Error:
        return ""
