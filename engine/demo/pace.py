"""How long the demo's epochs have to be on this machine: verifiers, model nodes and relays all share it."""

from __future__ import annotations

import os
import time

SHORTEST_SECONDS, LONGEST_SECONDS = 8.0, 40.0
WORK_SECONDS = 32.0
"""Of one processor, for what the demo's nodes do in an epoch: every model node answers four verifiers."""
LOOK_SECONDS = 1.0


def processors(seconds: float = LOOK_SECONDS) -> float:
    """How many processors are free for a new process, as far as so many seconds show: a core that others use as well
    counts as the share that it gives. A shorter look finds a gap between others' turns."""
    begun, used = time.perf_counter(), time.thread_time()
    while (passed := time.perf_counter() - begun) < seconds:
        pass
    return (os.cpu_count() or 1) * min(1.0, (time.thread_time() - used) / passed)


def epoch_seconds(free: float) -> float:
    """An epoch in which so many processors do the work; whole seconds."""
    return float(round(min(LONGEST_SECONDS, max(SHORTEST_SECONDS, WORK_SECONDS / max(free, 0.01)))))
