"""NVIDIA's management library with graphics cards that are played: its C functions, behind the real pynvml."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import c_void_p, cast
from typing import Any

import pynvml

MEMORY, HELD = 24 << 30, 1 << 30
"""Bytes of a card, and that each of the processes holds."""


def play_cards(cards: int, pids: Sequence[int]) -> None:
    """From now on pynvml finds so many cards, on each of which these processes work."""
    pynvml.nvmlLib = _Library(cards, pids)


class _Library:
    """A function fills what it is given a pointer to, and returns None for success."""

    def __init__(self, cards: int, pids: Sequence[int]) -> None:
        self._functions: dict[str, Callable[..., int | None]] = {
            "nvmlInitWithFlags": lambda flags: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetCount_v2": _gives(cards),
            "nvmlDeviceGetHandleByIndex_v2": lambda number, handle: _point(handle, number.value),
            "nvmlDeviceGetHandleByUUID": lambda uuid, handle: _point(handle, int(uuid.value.rpartition(b"-")[2])),
            "nvmlDeviceGetUUID": lambda handle, text, size: _write(text, f"GPU-{_number(handle)}"),
            "nvmlDeviceGetName": lambda handle, text, size: _write(text, "NVIDIA Played 4090"),
            "nvmlDeviceGetMemoryInfo": lambda handle, memory: _set(
                memory, total=MEMORY, used=HELD * len(pids), free=MEMORY - HELD * len(pids)
            ),
            "nvmlDeviceGetUtilizationRates": lambda handle, load: _set(load, gpu=40, memory=20),
            "nvmlDeviceGetTemperature": lambda handle, sensor, degrees: _set(degrees, value=64),
            "nvmlDeviceGetPowerUsage": lambda handle, power: _set(power, value=180_000),
            "nvmlDeviceGetComputeRunningProcesses_v3": _processes(pids[:1]),
            "nvmlDeviceGetGraphicsRunningProcesses_v3": _processes(pids[1:]),
            "nvmlDeviceGetProcessUtilization": _utilization(pids),
            "nvmlDeviceGetPowerManagementLimit": lambda handle, limit: _set(limit, value=350_000),
            "nvmlDeviceGetPowerManagementLimitConstraints": _limits,
            "nvmlDeviceSetPowerManagementLimit": lambda handle, limit: int(pynvml.NVML_ERROR_NO_PERMISSION),
        }

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name not in self._functions:
            raise AttributeError(name)
        function = self._functions[name]
        return lambda *arguments: function(*arguments) or int(pynvml.NVML_SUCCESS)


def _gives(value: int) -> Callable[[Any], None]:
    return lambda target: _set(target, value=value)


def _set(target: Any, **values: int) -> None:
    for name, value in values.items():
        setattr(target._obj, name, value)


def _limits(handle: Any, least: Any, most: Any) -> None:
    _set(least, value=100_000)
    _set(most, value=450_000)


def _point(handle: Any, number: int) -> None:
    c_void_p.from_buffer(handle._obj).value = number + 1  # nobody looks behind it


def _number(handle: Any) -> int:
    return (cast(handle, c_void_p).value or 0) - 1


def _write(buffer: Any, text: str) -> None:
    buffer.value = text.encode()


def _processes(pids: Sequence[int]) -> Callable[..., int | None]:
    def function(handle: Any, count: Any, into: Any) -> int | None:
        if into is None and pids:
            count._obj.value = len(pids)
            return int(pynvml.NVML_ERROR_INSUFFICIENT_SIZE)
        for place, pid in enumerate(pids):
            into[place].pid, into[place].usedGpuMemory = pid, HELD
        count._obj.value = len(pids)
        return None

    return function


def _utilization(pids: Sequence[int]) -> Callable[..., int | None]:
    def function(handle: Any, into: Any, count: Any, since: Any) -> int | None:
        count._obj.value = len(pids)
        if into is None:
            return int(pynvml.NVML_ERROR_INSUFFICIENT_SIZE)
        for place, pid in enumerate(pids):
            into[place].pid, into[place].timeStamp, into[place].smUtil = pid, since.value + 500_000, 10
        return None

    return function
