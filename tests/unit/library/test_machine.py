"""What the machine is measured to be."""

import json
import sys
import time
import types

import psutil
import pytest

from engine.library.machine import look, read_bandwidth


def test_reading_memory_takes_time():
    assert 1e8 < read_bandwidth(time.perf_counter, 1 << 24, 2) < 1e13


def test_measured_once_and_kept(tmp_path, monkeypatch):
    measured: list[int] = []

    def measure(*_: object) -> float:
        measured.append(1)
        return 5e9

    monkeypatch.setattr("engine.library.machine.read_bandwidth", measure)
    cache = tmp_path / "new" / ".machine.json"
    assert look(cache, time.monotonic).read_speed == 5e9
    machine = look(cache, time.monotonic)
    assert machine.read_speed == 5e9
    assert machine.memory == psutil.virtual_memory().total
    assert len(measured) == 1
    other = json.loads(cache.read_text()) | {"key": "another machine"}
    cache.write_text(json.dumps(other))
    look(cache, time.monotonic)
    cache.write_text("{")
    look(cache, time.monotonic)
    assert len(measured) == 3


def played(**more):
    nvml = types.ModuleType("pynvml")
    memory = types.SimpleNamespace
    functions = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetUUID": lambda card: f"GPU-{card}",
        "nvmlDeviceGetHandleByUUID": lambda uuid: int(uuid.removeprefix("GPU-")),
        "nvmlDeviceGetName": lambda card: b"Small" if card == 0 else "Large",
        "nvmlDeviceGetMaxClockInfo": lambda card, kind: 10_000,
        "nvmlDeviceGetMemoryBusWidth": lambda card: 256,
        "nvmlDeviceGetMemoryInfo": lambda card: memory(total=(card + 1) * 10**9),
        "NVML_CLOCK_MEM": 2,
    }
    for name, value in (functions | more).items():
        setattr(nvml, name, value)
    return nvml


def refuse(*_):
    raise RuntimeError("driver does not match")


@pytest.mark.parametrize(
    ("nvml", "found"),
    [
        (played(), ("Large", 2 * 10**9, 640e9)),
        (played(nvmlInit=refuse), ("", 0, 0.0)),
        (played(nvmlDeviceGetMemoryBusWidth=refuse), ("Large", 2 * 10**9, 0.0)),
        (played(nvmlDeviceGetCount=lambda: 0), ("", 0, 0.0)),
        (None, ("", 0, 0.0)),
    ],
)
def test_graphics_cards(nvml, found, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.library.machine.read_bandwidth", lambda *_: 5e9)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    machine = look(tmp_path / "m.json", time.monotonic)
    assert (machine.gpu, machine.gpu_memory, machine.gpu_read_speed) == found
