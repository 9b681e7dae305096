"""The limit of power that an NVIDIA GPU's driver keeps: read and set through NVML, where this user is permitted to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from engine.sensors.base import within

MOST_WATTS = 5_000.0


class PowerLimit(NamedTuple):
    """Watts. ``now``: the limit that holds, ``least``: the lowest that can be set."""

    now: float
    least: float


class LimitRefusedError(Exception):
    """``permitted``: it is not for want of a permission."""

    def __init__(self, problem: str, *, permitted: bool = True) -> None:
        super().__init__(problem)
        self.permitted = permitted


def power_limit(uuid: str) -> PowerLimit:
    """Of the GPU with that identifier; :class:`LimitRefusedError`."""
    with _gpu(uuid) as (nvml, handle):
        now = within(nvml.nvmlDeviceGetPowerManagementLimit(handle) / 1000, 1, MOST_WATTS)
        least = within(nvml.nvmlDeviceGetPowerManagementLimitConstraints(handle)[0] / 1000, 0, MOST_WATTS)
        if now is None or least is None:
            raise LimitRefusedError("The driver tells figures that cannot be true.")
        return PowerLimit(now, least)


def set_power_limit(uuid: str, watts: float) -> None:
    """From now on the driver keeps the GPU below; :class:`LimitRefusedError`."""
    with _gpu(uuid) as (nvml, handle):
        nvml.nvmlDeviceSetPowerManagementLimit(handle, round(watts * 1000))


@contextmanager
def _gpu(uuid: str) -> Iterator[tuple[Any, Any]]:
    try:
        import pynvml
    except ImportError:
        raise LimitRefusedError("NVIDIA's management library is missing.") from None
    try:
        pynvml.nvmlInit()
        try:
            yield pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid)
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        permitted = not isinstance(error, pynvml.NVMLError_NoPermission)
        raise LimitRefusedError(f"{str(error)[:200].rstrip('.')}.", permitted=permitted) from None
