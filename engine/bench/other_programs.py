"""How much of the machine other programs used during a measurement."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil


def busy_seconds() -> float:
    """Processor time so far of everything on this machine."""
    everything = psutil.cpu_times()
    idle = everything.idle + getattr(everything, "iowait", 0.0)
    twice = getattr(everything, "guest", 0.0)  # counted as the host's own as well
    return float(sum(everything) - idle - twice)


def _own_seconds() -> float:
    """Processor time of this process and all that it started and that still run."""
    me = psutil.Process()
    total = time.process_time()
    for child in me.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


class OtherPrograms:
    """Counts from its making on. ``own``: seconds of processor time of what is measured."""

    def __init__(self, own: Callable[[], float] = _own_seconds) -> None:
        self._own = own
        self._begin = time.perf_counter()
        self._before = self._elsewhere()

    def share(self) -> float:
        """Of one processor, used by others since then: 0 is a calm machine."""
        wall = max(time.perf_counter() - self._begin, 1e-9)
        return round(max(0.0, (self._elsewhere() - self._before) / wall), 3)

    def _elsewhere(self) -> float:
        return busy_seconds() - self._own()
