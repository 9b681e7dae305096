"""GPUs: NVIDIA's by NVML, AMD's by what Linux shows of them."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from engine.governor.readings import DeviceReading
from engine.sensors.base import Fields, Pids, Sensor, Unmeasured, within
from engine.sentences import say

CARDS = Path("/sys/class/drm")
MOST_DEVICES = 32
GPU_SECONDS = 0.5


def sensors(pids: Pids) -> list[Sensor]:
    """One for all GPUs."""
    return [Sensor("devices", Gpus(pids).read, GPU_SECONDS)]


class Gpus:
    """Reads all GPUs. NVML is started once; a driver that goes away is looked for again."""

    def __init__(self, pids: Pids, cards: Path = CARDS) -> None:
        self._pids = pids
        self._cards = cards
        self._nvml: Any = None

    def read(self) -> Fields:
        """See ``Sensor``."""
        found = [*self._nvidia(), *(amd(self._cards) if sys.platform.startswith("linux") else [])]
        if not found:
            raise Unmeasured(say("governor.no_gpu"))
        return {"devices": tuple(found[:MOST_DEVICES])}

    def _nvidia(self) -> list[DeviceReading]:
        if self._nvml is None:
            try:
                import pynvml

                pynvml.nvmlInit()
            except Exception:
                return []
            self._nvml = pynvml
        try:
            return [nvidia(self._nvml, number, self._pids()) for number in range(self._nvml.nvmlDeviceGetCount())]
        except self._nvml.NVMLError:
            self._nvml = None  # the driver was unloaded, or the card is gone
            raise


def nvidia(nvml: Any, number: int, own: Collection[int]) -> DeviceReading:
    """What NVML says of one card. What it refuses is None."""
    handle = nvml.nvmlDeviceGetHandleByIndex(number)

    def ask(function: str, *arguments: Any) -> Any:
        try:
            return getattr(nvml, function)(handle, *arguments)
        except (nvml.NVMLError, AttributeError):
            return None

    load, memory = ask("nvmlDeviceGetUtilizationRates"), ask("nvmlDeviceGetMemoryInfo")
    watts, encoder = ask("nvmlDeviceGetPowerUsage"), ask("nvmlDeviceGetEncoderUtilization")
    users = [
        *(ask("nvmlDeviceGetComputeRunningProcesses") or ()),
        *(ask("nvmlDeviceGetGraphicsRunningProcesses") or ()),
    ]
    others = {user.pid: user.usedGpuMemory or 0 for user in users if user.pid not in own}
    name = ask("nvmlDeviceGetName")
    identity = ask("nvmlDeviceGetUUID")
    share = within(load.gpu / 100, 0, 1) if load is not None else None
    ours_alone = share is not None and not others
    return DeviceReading(
        device=_text(identity) or f"nvidia-{number}",
        name=_text(name),
        load=share,
        others_load=0.0 if ours_alone else _others_share(ask, own),
        memory_used=memory.used if memory is not None else None,
        memory_total=memory.total if memory is not None else None,
        others_memory=sum(others.values()) if users else None,
        encoder_load=within(encoder[0] / 100, 0, 1) if encoder else None,
        temperature=within(ask("nvmlDeviceGetTemperature", 0), -20, 150),
        power=within(watts / 1000, 0, 2000) if watts is not None else None,
    )


def _others_share(ask: Any, own: Collection[int]) -> float | None:
    """The time that other processes took lately, where the driver counts by process."""
    samples = ask("nvmlDeviceGetProcessUtilization", 0)
    if samples is None:
        return None
    newest: dict[int, Any] = {}
    for sample in samples:
        known = newest.get(sample.pid)
        if known is None or sample.timeStamp > known.timeStamp:
            newest[sample.pid] = sample
    return within(min(1.0, sum(float(one.smUtil) for pid, one in newest.items() if pid not in own) / 100), 0, 1)


def amd(cards: Path) -> list[DeviceReading]:
    """AMD's cards under Linux. Whose load it is, is not shown, so none counts as others'."""
    found = []
    for card in sorted(cards.glob("card[0-9]*")):
        device = card / "device"
        if "-" in card.name or _number(device / "gpu_busy_percent") is None:
            continue
        sensor = next(iter(sorted(device.glob("hwmon/hwmon*"))), device)
        degrees, watts = _number(sensor / "temp1_input"), _number(sensor / "power1_average")
        load, used, total = (
            _number(device / name) for name in ("gpu_busy_percent", "mem_info_vram_used", "mem_info_vram_total")
        )
        found.append(
            DeviceReading(
                device=f"amd-{card.name}",
                name="AMD GPU",
                load=within(load / 100, 0, 1) if load is not None else None,
                memory_used=int(used) if used is not None else None,
                memory_total=int(total) if total is not None else None,
                temperature=within(degrees / 1000, -20, 150) if degrees is not None else None,
                power=within(watts / 1e6, 0, 2000) if watts is not None else None,
            )
        )
    return found


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii")[:32])
    except (OSError, ValueError):
        return None


def _text(value: str | bytes | None) -> str:
    """Older drivers give bytes; what is shown is printable and short."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""
    return "".join(one for one in text if one.isprintable())[:100]
