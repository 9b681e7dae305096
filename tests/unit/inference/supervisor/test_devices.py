"""GPUs by NVML, played: found, chosen by CUDA_VISIBLE_DEVICES, absent without an error."""

import sys
from types import SimpleNamespace

import pytest

from engine.inference.supervisor.devices import PROCESSOR, Device, find_devices, free_memory


class Nvml:
    """Two GPUs. ``broken``: the call that raises."""

    def __init__(self, broken=""):
        self.broken = broken
        self.open = 0

    def __getattr__(self, name):
        def call(*arguments):
            if name == self.broken:
                raise RuntimeError(f"{name} is broken")
            return self.answer(name, *arguments)

        return call

    def answer(self, name, *arguments):
        match name:
            case "nvmlInit":
                self.open += 1
            case "nvmlShutdown":
                self.open -= 1
            case "nvmlDeviceGetCount":
                return 2
            case "nvmlDeviceGetHandleByIndex":
                return arguments[0]
            case "nvmlDeviceGetHandleByUUID":
                return ["GPU-aa-1", "GPU-ab-2"].index(arguments[0])
            case "nvmlDeviceGetName":
                return b"NVIDIA\x1b[2J One" if arguments[0] == 0 else "NVIDIA Two"
            case "nvmlDeviceGetUUID":
                return ["GPU-aa-1", "GPU-ab-2"][arguments[0]]
            case "nvmlDeviceGetMemoryInfo":
                return SimpleNamespace(total=8 << 30, free=(6 + arguments[0]) << 30)
        return None


@pytest.fixture
def nvml(monkeypatch):
    def install(broken=""):
        played = Nvml(broken)
        monkeypatch.setitem(sys.modules, "pynvml", played)
        return played

    monkeypatch.setattr(sys, "platform", "linux")
    return install


ONE = Device("cuda", "NVIDIA[2J One", "GPU-aa-1", 0, 8 << 30)
TWO = Device("cuda", "NVIDIA Two", "GPU-ab-2", 1, 8 << 30)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, [ONE, TWO]),
        ("", []),
        ("-1", []),
        ("1", [TWO]),
        ("1,0,1", [TWO, ONE]),
        ("GPU-ab", [TWO]),
        ("GPU-a", []),
        ("0,7,1", [ONE]),
    ],
)
def test_gpus_come_before_the_processor_as_cuda_would_show_them(nvml, visible, expected):
    played = nvml()
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert find_devices(environment) == (*expected, PROCESSOR)
    assert played.open == 0


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetUUID"])
def test_without_a_driver_or_with_a_broken_one_there_is_the_processor(nvml, broken):
    played = nvml(broken)
    assert find_devices({}) == (PROCESSOR,)
    assert played.open == 0


def test_free_memory_is_the_devices_own(nvml):
    nvml()
    assert free_memory(TWO) == 7 << 30
    assert free_memory(Device("cuda", "gone", "GPU-cc")) is None
    found = free_memory(PROCESSOR)
    assert found is not None
    assert found > 0


def test_a_worker_sees_its_own_gpu_alone():
    assert TWO.environment == {"CUDA_VISIBLE_DEVICES": "GPU-ab-2"}
    assert PROCESSOR.environment == {}
    assert TWO.providers == ("CUDAExecutionProvider", "CPUExecutionProvider")
