"""GPUs: NVIDIA's through NVML, AMD's through the files of Linux' driver. What a driver does not tell is None."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from engine.clock import SystemClock
from engine.governor.readings import DeviceReading
from engine.sensors.base import Fields, Pids, Sensor, Unmeasured, within
from engine.sentences import say

MOST_GPUS = 32
GPU_SECONDS = 0.5
HELD_SECONDS = 2.0
"""So often at most a driver is asked who holds memory: that is dear, and matters when a model is to be loaded."""
RESTART_SECONDS = 30.0
"""So often at most NVML is started anew because of a GPU that is lost."""
MOST_BYTES = 1 << 50
DRM = Path("/sys/class/drm")


def sensors(pids: Pids) -> list[Sensor]:
    """One for all GPUs."""
    return [Sensor("devices", Gpus(pids).read, GPU_SECONDS)]


class Gpus:
    """All GPUs of this machine. NVML is started anew after each failure: drivers are reloaded, GPUs unplugged."""

    def __init__(self, own: Callable[[], Iterable[int]], drm: Path = DRM) -> None:
        self._own = own
        self._drm = drm
        self._nvml: Any = None
        self._started = 0.0
        self._held_at = -HELD_SECONDS
        self._seen: dict[int, DeviceReading] = {}  # by the driver's number

    def look(self) -> tuple[DeviceReading, ...]:
        """Every GPU now; none is an empty tuple."""
        return (*self._nvidia(), *amd(self._drm))

    def read(self) -> Fields:
        """See ``Sensor``."""
        found = self.look()
        if not found:
            raise Unmeasured(say("governor.no_gpu"))
        return {"devices": found}

    def _nvidia(self) -> list[DeviceReading]:
        try:
            import pynvml
        except ImportError:
            return []
        try:
            if self._nvml is None:
                pynvml.nvmlInit()
                self._nvml, self._started = pynvml, SystemClock().monotonic()
            processes, now = _Processes(frozenset(self._own())), SystemClock().monotonic()
            if counts := now >= self._held_at + HELD_SECONDS:
                self._held_at = now
            count = min(pynvml.nvmlDeviceGetCount(), MOST_GPUS)
            found = [
                one for number in range(count) if (one := self._one(pynvml, number, processes, counts)) is not None
            ]
            if any(one.lost for one in found) and SystemClock().monotonic() >= self._started + RESTART_SECONDS:
                self._end()  # started anew NVML may see it again
            return found
        except pynvml.NVMLError as error:
            self._end()
            if isinstance(error, pynvml.NVMLError_LibraryNotFound | pynvml.NVMLError_DriverNotLoaded):
                return []
            if isinstance(error, pynvml.NVMLError_NoPermission):
                raise Unmeasured(say("governor.gpu_refused")) from None
            raise Unmeasured(say("governor.gpu_fails", error=str(error)[:200])) from None

    def _one(self, nvml: Any, number: int, processes: _Processes, counts: bool) -> DeviceReading | None:
        """One that the driver has lost takes the others along in no way; None: it was never seen."""
        before = self._seen.get(number)
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(number)
            found = nvidia(nvml, handle, processes, None if counts else before)
        except nvml.NVMLError_GpuIsLost:
            return DeviceReading(device=before.device, name=before.name, lost=True) if before is not None else None
        self._seen[number] = found
        return found

    def _end(self) -> None:
        nvml, self._nvml = self._nvml, None
        if nvml is not None:
            try:
                nvml.nvmlShutdown()
            except nvml.NVMLError:
                return


class _Processes:
    """Those of this look. ``own``: the engine's."""

    def __init__(self, own: frozenset[int]) -> None:
        self.own = own
        self._exists = cache(psutil.pid_exists)

    def tells(self, pids: Iterable[int]) -> bool:
        """Whether these are processes as we see them: in a container NVML tells the numbers that the host gives."""
        return all(pid in self.own or self._exists(pid) for pid in pids)


def nvidia(nvml: Any, handle: Any, processes: _Processes, before: DeviceReading | None) -> DeviceReading:
    """One GPU, by NVML. That it is there at all is asked first; the rest may be missing. ``before``: its last reading,
    if who holds its memory need not be asked anew."""
    uuid = _text(nvml.nvmlDeviceGetUUID(handle))
    same = before if before is not None and before.device == uuid else None
    memory = _asked(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    load = _number(_asked(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu), 0, 100, 0.01)
    others_load, encoder = others(nvml, handle, processes)
    return DeviceReading(
        device=uuid,
        name=same.name if same is not None else _text(nvml.nvmlDeviceGetName(handle)),
        load=load,
        others_load=others_load,
        encoder_load=encoder,
        memory_used=_bytes(getattr(memory, "used", None)),
        memory_total=_bytes(getattr(memory, "total", None)),
        others_memory=same.others_memory if same is not None else others_memory(nvml, handle, processes),
        temperature=_number(_asked(nvml, lambda: nvml.nvmlDeviceGetTemperature(handle, 0)), 1, 150),
        power=_number(_asked(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(handle)), 0, 5e6, 0.001),
    )


def others(nvml: Any, handle: Any, processes: _Processes) -> tuple[float | None, float | None]:
    """Shares of the GPU's time and of its encoder's that other programs took in the last second."""
    since = int((SystemClock().wall() - 1) * 1e6)
    try:
        samples = list(nvml.nvmlDeviceGetProcessUtilization(handle, since))
    except nvml.NVMLError_NotFound:
        return 0.0, 0.0  # no program used it
    except nvml.NVMLError:
        return None, None
    newest = {int(one.pid): one for one in sorted(samples, key=lambda one: int(one.timeStamp))}
    if not processes.tells(newest):
        return None, None
    strangers = [one for pid, one in newest.items() if pid not in processes.own]
    loads = [within(one.smUtil, 0, 100) for one in strangers]
    encoders = [within(one.encUtil, 0, 100) for one in strangers]
    return _sum(loads), _sum(encoders)


def _sum(percents: list[float | None]) -> float | None:
    """As a share; None where one of them is a lie."""
    known = [one for one in percents if one is not None]
    return min(1.0, sum(known) / 100) if len(known) == len(percents) else None


def others_memory(nvml: Any, handle: Any, processes: _Processes) -> int | None:
    """Bytes that other programs hold; None where the driver does not tell them apart (Windows, containers)."""
    held: dict[int, int | None] = {}
    try:
        for ask in (nvml.nvmlDeviceGetComputeRunningProcesses, nvml.nvmlDeviceGetGraphicsRunningProcesses):
            held |= {int(one.pid): _bytes(one.usedGpuMemory) for one in ask(handle)}
    except nvml.NVMLError:
        return None
    strangers = [memory for pid, memory in held.items() if pid not in processes.own]
    known = [memory for memory in strangers if memory is not None]
    return sum(known) if processes.tells(held) and len(known) == len(strangers) else None


def amd(drm: Path) -> list[DeviceReading]:
    """GPUs of the driver amdgpu. It does not tell programs apart."""
    found = []
    for busy in sorted(drm.glob("card[0-9]*/device/gpu_busy_percent"))[:MOST_GPUS]:
        device = busy.parent
        sensors = next(iter(sorted(device.glob("hwmon/hwmon*"))), device)
        power = _file(sensors / "power1_average")
        found.append(
            DeviceReading(
                device=f"amd:{device.resolve().name}",
                name="AMD GPU",
                load=_number(_file(busy), 0, 100, 0.01),
                memory_used=_bytes(_file(device / "mem_info_vram_used")),
                memory_total=_bytes(_file(device / "mem_info_vram_total")),
                temperature=_number(_file(sensors / "temp1_input"), 1000, 150_000, 0.001),
                power=_number(power if power is not None else _file(sensors / "power1_input"), 0, 5e9, 1e-6),
            )
        )
    return found


def _file(path: Path) -> int | None:
    try:
        return int(path.read_text()[:40])
    except (OSError, ValueError):
        return None


def _asked(nvml: Any, ask: Callable[[], Any]) -> Any:
    """None for what a driver does not tell; that the GPU itself is lost is no such thing."""
    try:
        return ask()
    except (nvml.NVMLError_GpuIsLost, nvml.NVMLError_Uninitialized):
        raise
    except nvml.NVMLError:
        return None


def _number(value: Any, low: float, high: float, unit: float = 1.0) -> float | None:
    found = within(value, low, high)
    return None if found is None else found * unit


def _bytes(value: Any) -> int | None:
    found = _number(value, 0, MOST_BYTES)
    return None if found is None else int(value)


def _text(value: str | bytes) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return "".join(one for one in text if one.isprintable())[:100]
