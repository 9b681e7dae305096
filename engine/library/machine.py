"""What this machine has for models: memory, its measured speed, an NVIDIA graphics card."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import psutil

from engine.errors import StorageError
from engine.inference.supervisor.devices import find_devices, memory_speed
from engine.library.fit import Machine
from engine.storage.files import make_directory, read_limited, write_atomically

READ_BYTES = 1 << 30
"""Of one measurement: more than the caches of large processors hold. Machines with little memory take less."""


class _Measured(msgspec.Struct, frozen=True):
    """``key`` tells whether it is still the same machine."""

    key: str
    read_speed: float


def look(cache: Path, now: Callable[[], float], *, measure: bool = False) -> Machine:
    """This machine. Its read speed is measured once (about a second) and kept in the file ``cache``."""
    memory = psutil.virtual_memory()
    key = f"{os.cpu_count()} {memory.total}"
    speed = None if measure else _kept(cache, key)
    if speed is None:
        speed = read_bandwidth(now, min(READ_BYTES, memory.available // 8))
        _keep(cache, _Measured(key, speed))
    name, size, gpu_speed = _nvidia()
    return Machine(memory.total, memory.available, speed, name, size, gpu_speed)


def read_bandwidth(now: Callable[[], float], total: int = READ_BYTES, repeats: int = 5) -> float:
    """Bytes per second that all processors together read from memory: the best of ``repeats`` sums over ``total``."""
    import numpy as np

    threads = os.cpu_count() or 1
    parts = np.array_split(np.ones(total // 8, dtype=np.uint64), threads)
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            begin = now()
            list(pool.map(np.add.reduce, parts))
            best = max(best, total / max(now() - begin, 1e-9))
    return best


def _kept(cache: Path, key: str) -> float | None:
    try:
        data = read_limited(cache, 4096)
        kept = msgspec.json.decode(data, type=_Measured) if data else None
    except (StorageError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return kept.read_speed if kept and kept.key == key and kept.read_speed > 0 else None


def _keep(cache: Path, measured: _Measured) -> None:
    try:
        make_directory(cache.parent.parent)
        make_directory(cache.parent)
        write_atomically(cache, msgspec.json.encode(measured))
    except StorageError:
        return  # measured again next time


def _nvidia() -> tuple[str, int, float]:
    """Name, memory and memory speed of the largest NVIDIA card that the engine would use."""
    cards = [one for one in find_devices() if one.kind == "cuda"]
    if not cards:
        return "", 0, 0.0
    card = max(cards, key=lambda one: one.memory)
    return card.name, card.memory, memory_speed(card)
