"""NVML and AMD's files, played."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from engine.sensors.base import Unmeasured
from engine.sensors.gpus import Gpus, amd

OWN = os.getpid()
OTHER = os.getppid()


def process(pid, memory=1 << 30):
    return SimpleNamespace(pid=pid, usedGpuMemory=memory)


def sample(pid, load, encoder=0, at=1):
    return SimpleNamespace(pid=pid, smUtil=load, encUtil=encoder, timeStamp=at)


class Driver:
    """NVML's functions for one GPU; ``fails`` maps a function to its error."""

    def __init__(self) -> None:
        self.fails: dict[str, int] = {}
        self.starts = 0
        self.asked: list[str] = []
        self.samples = [sample(OWN, 60), sample(OTHER, 10), sample(OTHER, 30, 5, at=2)]
        self.compute = [process(OWN), process(OTHER)]
        self.temperature = 70

    def __getattr__(self, name):
        real = getattr(pynvml, name)
        if not name.startswith("nvml"):
            return real
        answers = {
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetUUID": b"GPU-1",
            "nvmlDeviceGetName": "Card\n",
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=2 << 30, total=8 << 30),
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=90),
            "nvmlDeviceGetTemperature": self.temperature,
            "nvmlDeviceGetPowerUsage": 150_000,
            "nvmlDeviceGetComputeRunningProcesses": self.compute,
            "nvmlDeviceGetGraphicsRunningProcesses": [],
            "nvmlDeviceGetProcessUtilization": self.samples,
        }

        def answer(*arguments):
            self.starts += name == "nvmlInit"
            self.asked.append(name)
            if name in self.fails:
                raise pynvml.NVMLError(self.fails[name])
            return answers.get(name)

        return answer


@pytest.fixture
def driver(monkeypatch):
    played = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", played)
    return played


def test_others_are_told_apart_from_own(driver, tmp_path) -> None:
    (card,) = Gpus(lambda: [OWN], tmp_path).look()
    assert (card.device, card.name, card.load, card.temperature, card.power) == ("GPU-1", "Card", 0.9, 70, 150)
    assert (card.others_load, card.encoder_load, card.others_memory) == (0.3, 0.05, 1 << 30)


def test_what_a_driver_does_not_tell_is_unknown(driver, tmp_path) -> None:
    driver.fails = dict.fromkeys(
        ["nvmlDeviceGetUtilizationRates", "nvmlDeviceGetTemperature", "nvmlDeviceGetProcessUtilization"],
        pynvml.NVML_ERROR_NOT_SUPPORTED,
    )
    driver.compute = [process(OTHER, None)]
    (card,) = Gpus(lambda: [OWN], tmp_path).look()
    assert (card.load, card.temperature, card.others_load, card.others_memory) == (None, None, None, None)
    driver.fails = {"nvmlDeviceGetProcessUtilization": pynvml.NVML_ERROR_NOT_FOUND}
    (card,) = Gpus(lambda: [OWN], tmp_path).look()
    assert card.others_load == 0


def test_lies_and_processes_of_another_namespace_are_unknown(driver, tmp_path, monkeypatch) -> None:
    driver.temperature = 10**9
    driver.samples = [sample(OTHER, 10**9)]
    (card,) = Gpus(lambda: [OWN], tmp_path).look()
    assert (card.temperature, card.others_load) == (None, None)
    monkeypatch.setattr(psutil, "pid_exists", lambda pid: False)
    (card,) = Gpus(lambda: [OWN], tmp_path).look()
    assert (card.others_load, card.others_memory) == (None, None)


@pytest.mark.parametrize(
    ("function", "error", "said"),
    [
        ("nvmlInit", pynvml.NVML_ERROR_NO_PERMISSION, "permit"),
        ("nvmlDeviceGetCount", pynvml.NVML_ERROR_UNINITIALIZED, "as it should"),
    ],
)
def test_a_gpu_that_goes_comes_back(driver, tmp_path, function, error, said) -> None:
    gpus = Gpus(lambda: [OWN], tmp_path)
    gpus.look()
    driver.fails = {function: error}
    if function == "nvmlInit":
        gpus = Gpus(lambda: [OWN], tmp_path)
    with pytest.raises(Unmeasured, match=said):
        gpus.look()
    driver.fails = {}
    assert len(gpus.look()) == 1
    assert driver.starts >= 2


def test_no_driver_is_no_gpu(driver, tmp_path) -> None:
    driver.fails = {"nvmlInit": pynvml.NVML_ERROR_LIBRARY_NOT_FOUND}
    assert Gpus(lambda: [OWN], tmp_path).look() == ()


def test_amd(tmp_path) -> None:
    device = tmp_path / "card0" / "device"
    (device / "hwmon" / "hwmon3").mkdir(parents=True)
    for name, text in {
        "gpu_busy_percent": "40\n",
        "mem_info_vram_used": "1000\n",
        "mem_info_vram_total": "oops",
        "hwmon/hwmon3/temp1_input": "61000\n",
        "hwmon/hwmon3/power1_average": "-4\n",
    }.items():
        (device / name).write_text(text)
    (card,) = amd(tmp_path)
    assert (card.load, card.memory_used, card.memory_total, card.power) == (0.4, 1000, None, None)
    assert card.temperature == pytest.approx(61)
    assert card.others_load is None


@pytest.mark.parametrize("function", ["nvmlDeviceGetHandleByIndex", "nvmlDeviceGetUUID", "nvmlDeviceGetTemperature"])
def test_a_gpu_that_is_lost_is_named_and_comes_back(driver, tmp_path, monkeypatch, function) -> None:
    gpus = Gpus(lambda: [OWN], tmp_path)
    driver.fails = {function: pynvml.NVML_ERROR_GPU_IS_LOST}
    assert gpus.look() == ()  # never seen: nobody knows its name
    driver.fails = {}
    assert not gpus.look()[0].lost
    driver.fails = {function: pynvml.NVML_ERROR_GPU_IS_LOST}
    (card,) = gpus.look()
    assert (card.device, card.name, card.lost, card.power) == ("GPU-1", "Card", True, None)
    starts = driver.starts
    gpus.look()
    assert driver.starts == starts
    monkeypatch.setattr("engine.sensors.gpus.RESTART_SECONDS", 0.0)
    gpus.look()
    gpus.look()
    assert driver.starts == starts + 1
    driver.fails = {}
    assert not gpus.look()[0].lost


def test_who_holds_memory_is_asked_less_often(driver, tmp_path, monkeypatch) -> None:
    gpus = Gpus(lambda: [OWN], tmp_path)
    first = gpus.look()
    driver.compute, driver.temperature = [], 80
    (kept,) = gpus.look()
    assert (kept.others_memory, kept.temperature) == (1 << 30, 80)
    assert driver.asked.count("nvmlDeviceGetComputeRunningProcesses") == 1
    monkeypatch.setattr("engine.sensors.gpus.HELD_SECONDS", 0.0)
    (anew,) = gpus.look()
    assert anew.others_memory == 0
    assert anew.name == first[0].name
