"""The devices of this machine that models can run on, and the memory that is free on them.

NVIDIA's GPUs are found by NVML, in the engine: it needs no CUDA library and makes no context on the GPU. Whether a
model really runs there is what the worker's session says.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psutil

Kind = Literal["cpu", "cuda", "coreml"]
_PROVIDERS: dict[str, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "coreml": ("CoreMLExecutionProvider", "CPUExecutionProvider"),
}
MAX_GPUS = 64
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """Where one worker computes. ``name`` is for people. ``uuid``: NVIDIA's, which stays when others come or go;
    ``number``: NVML's, in the order of the bus."""

    kind: Kind = "cpu"
    name: str = "the processor"
    uuid: str = ""
    number: int = 0
    memory: int = 0  # bytes in all, of a GPU

    @property
    def key(self) -> str:
        """What it is called in the owner's rules."""
        return self.uuid or self.kind

    @property
    def providers(self) -> tuple[str, ...]:
        """ONNX Runtime's execution providers, in order of preference."""
        return _PROVIDERS[self.kind]

    @property
    def environment(self) -> dict[str, str]:
        """What the worker's environment must have so that this device is its number 0 and its only one."""
        return {"CUDA_VISIBLE_DEVICES": self.uuid} if self.kind == "cuda" else {}


PROCESSOR = Device()
COREML = Device("coreml", "Apple's Core ML")


def find_devices(environment: Mapping[str, str] | None = None) -> tuple[Device, ...]:
    """All devices in the order in which they are to be used; the processor is always the last.

    Without NVML (no NVIDIA driver) there is no GPU, and that is no error. ``CUDA_VISIBLE_DEVICES`` is honoured.
    """
    gpus = _gpus(os.environ if environment is None else environment)
    return (*gpus, *((COREML,) if sys.platform == "darwin" else ()), PROCESSOR)


def free_memory(device: Device) -> int | None:
    """Bytes that are free on the device; None where nobody can tell."""
    if device.kind != "cuda":
        return int(psutil.virtual_memory().available)
    found = _asked(device, "free memory", lambda nvml, handle: nvml.nvmlDeviceGetMemoryInfo(handle).free)
    return None if found is None else int(found)


def memory_speed(device: Device) -> float:
    """Bytes per second that a GPU's memory can be read with, by its data sheet; 0 where nobody can tell."""

    def speed(nvml: Any, handle: Any) -> float:
        clock = nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_MEM)  # MHz, two transfers each
        return float(2e6 * clock * nvml.nvmlDeviceGetMemoryBusWidth(handle) / 8)

    return _asked(device, "memory speed", speed) or 0.0 if device.kind == "cuda" else 0.0


def _asked(device: Device, what: str, ask: Callable[[Any, Any], float]) -> float | None:
    """What NVML says of a GPU; None if it does not."""
    nvml = _nvml()
    if nvml is None:
        return None
    try:
        return ask(nvml, nvml.nvmlDeviceGetHandleByUUID(device.uuid))
    except Exception as error:  # NVML has an exception class for every code
        _log.warning("the %s of %s cannot be read: %s", what, device.name, error)
        return None
    finally:
        _end(nvml)


def _gpus(environment: Mapping[str, str]) -> list[Device]:
    nvml = _nvml()
    if nvml is None:
        return []
    found: list[Device] = []
    try:
        for number in range(min(nvml.nvmlDeviceGetCount(), MAX_GPUS)):
            handle = nvml.nvmlDeviceGetHandleByIndex(number)
            name, uuid = _text(nvml.nvmlDeviceGetName(handle)), _text(nvml.nvmlDeviceGetUUID(handle))
            memory = int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
            found.append(Device("cuda", name, uuid, number, memory))
    except Exception as error:
        _log.warning("NVIDIA's GPUs cannot be listed and are not used: %s. Restart the computer.", error)
        return []
    finally:
        _end(nvml)
    return _visible(found, environment.get("CUDA_VISIBLE_DEVICES"))


def _visible(found: list[Device], chosen: str | None) -> list[Device]:
    """Those that ``CUDA_VISIBLE_DEVICES`` names, in its order; as CUDA does, up to the first entry that is unknown."""
    if chosen is None:
        return found
    visible: list[Device] = []
    for entry in (part.strip() for part in chosen.split(",")):
        matching = [
            one
            for one in found
            if (str(one.number) == entry if entry.isdecimal() else bool(entry) and one.uuid.startswith(entry))
        ]
        if len(matching) != 1:
            break
        if matching[0] not in visible:
            visible.append(matching[0])
    return visible


def _nvml() -> Any | None:
    """NVIDIA's management library, started; None where there is none."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception as error:
        _log.debug("no NVIDIA GPU: %s", error)
        return None
    return pynvml


def _end(nvml: Any) -> None:
    try:
        nvml.nvmlShutdown()
    except Exception as error:
        _log.debug("NVML did not end: %s", error)


def _text(value: str | bytes) -> str:
    """Older versions give bytes. What a driver says is shown to people: printable, and not for ever."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return "".join(one for one in text if one.isprintable())[:100]
