"""What sensors make of what systems say, of silence, of refusals and of lies; real load of another process is seen."""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from engine.clock import SystemClock
from engine.governor.readings import Readings
from engine.sensors import common, linux, macos, windows, windows_cost
from engine.sensors.base import Sensor, Unmeasured, within
from engine.sensors.machine import PATIENCE, MachineSensors, NoSensors, machine_sensors
from engine.sentences import parts_of


def code(text: str) -> str:
    return parts_of(text)[0].code


@pytest.mark.parametrize("lie", [None, math.nan, math.inf, -1.0, 1e9])
def test_what_cannot_be_true_is_not_known(lie: float | None) -> None:
    assert within(lie, 0, 100) is None
    assert within(50, 0, 100) == 50


async def test_one_that_hangs_costs_its_patience_once_and_is_said() -> None:
    end, asked = threading.Event(), []

    def hang() -> dict[str, object]:
        asked.append(1)
        end.wait(60)
        return {"battery": True}

    source = MachineSensors([Sensor("battery", hang), Sensor("disk", lambda: {"disk_free": 5})], SystemClock())
    first = await source.read()
    assert first.disk_free == 5
    begun = time.monotonic()
    second = await source.read()
    assert time.monotonic() - begun < PATIENCE
    assert second.battery is None
    assert code(second.unmeasured["battery"]) == "governor.sensor_hangs"
    assert len(asked) == 1
    end.set()
    async with asyncio.timeout(60):
        while (await source.read()).battery is not True:
            await asyncio.sleep(0.01)


async def test_threads_are_few_and_end() -> None:
    end, looks = threading.Event(), []
    before = set(threading.enumerate())

    def look() -> dict[str, object]:
        looks.append(1)
        return {"disk_free": len(looks)}

    others = [Sensor("disk", look, 0.0) for _ in range(5)]
    silent = [Sensor(name, lambda: {"idle": 1.0} if end.wait(60) else {}) for name in ("battery", "idle")]
    source = MachineSensors([*silent, *others], SystemClock())
    for round_ in range(1, 11):
        assert (await source.read()).disk_free
        assert len(looks) == 5 * round_
    threads = set(threading.enumerate()) - before
    assert 3 <= len(threads) <= len(silent) + len(others)
    end.set()
    await source.close()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


async def test_whatever_a_sensor_throws_is_a_reason_and_not_an_end() -> None:
    def fail() -> dict[str, object]:
        raise ZeroDivisionError("the driver is confused")

    found = await MachineSensors([Sensor("power", fail)], SystemClock()).read()
    assert code(found.unmeasured["power"]) == "governor.sensor_failed"
    assert "confused" in found.unmeasured["power"]


async def test_this_machine_is_read_and_everything_is_known_or_has_a_reason(tmp_path: Path) -> None:
    source = machine_sensors(tmp_path, SystemClock(), set)
    found = await source.read()
    assert isinstance(found, Readings)
    assert found.disk_free
    assert found.programs
    assert all(found.unmeasured.values())
    await source.close()
    off = await NoSensors(SystemClock()).read()
    assert {code(reason) for reason in off.unmeasured.values()} == {"governor.sensors_off"}


def test_load_of_another_process_is_seen_and_ones_own_is_not() -> None:
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        others, own = common.OthersLoad(set), common.OthersLoad(lambda: {burner.pid})
        others.read(), own.read()
        time.sleep(1.5)
        share = psutil.Process(burner.pid).cpu_times().user / 1.5 / (os.cpu_count() or 1)
        seen, less = others.read()["others_load"], own.read()["others_load"]
        assert seen >= share * 0.5
        assert less <= seen - share * 0.5
    finally:
        burner.kill()
        burner.wait()


def test_the_names_of_programs_are_kept_and_dead_ones_forgotten() -> None:
    programs = common.Programs()
    child = subprocess.Popen(["sleep", "60"])
    try:
        deadline = time.monotonic() + 60
        while "sleep" not in common.Programs().read()["programs"] and time.monotonic() < deadline:
            time.sleep(0.01)
        programs.read()
        assert programs._names[child.pid] == "sleep"
    finally:
        child.kill()
        child.wait()
    programs.read()
    assert child.pid not in programs._names


def test_a_machine_without_a_battery_is_on_mains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    assert common.battery() == {"battery": False}
    low = SimpleNamespace(percent=12.0, power_plugged=False)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: low, raising=False)
    assert common.battery() == {"battery": True, "battery_level": 0.12}


class Hands:
    """A clock that is turned by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_000_000.0


def test_processor_power_is_what_its_counter_gained(tmp_path: Path) -> None:
    counter = tmp_path / "intel-rapl:0" / "energy_uj"
    counter.parent.mkdir()
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of the first, and has no counter here
    counter.write_text("1000000", encoding="ascii")
    clock: Any = Hands()
    power = linux.ProcessorPower(clock, tmp_path)
    assert power.read() == {"power": None}
    clock.now, _ = 102.0, counter.write_text("91000000", encoding="ascii")
    assert power.read() == {"power": 45.0}
    clock.now, _ = 103.0, counter.write_text("5", encoding="ascii")
    assert power.read() == {"power": None}  # it began anew
    with pytest.raises(Unmeasured):
        linux.ProcessorPower(clock, tmp_path / "none").read()


def test_windows_counts_across_the_wrap_of_its_counter() -> None:
    def last_input(pointer: Any) -> int:
        pointer._obj.time = windows.WRAPS - 500
        return 1

    user32, kernel32 = SimpleNamespace(GetLastInputInfo=last_input), SimpleNamespace(GetTickCount=lambda: 1500)
    assert windows.idle(user32, kernel32) == {"idle": 2.0}
    with pytest.raises(Unmeasured):
        windows.idle(SimpleNamespace(GetLastInputInfo=lambda _: 0), kernel32)


@pytest.mark.parametrize(("state", "expected"), [(1, False), (3, True), (4, True), (5, False)])
def test_windows_tells_when_something_fills_the_screen(state: int, expected: bool) -> None:
    def query(pointer: Any) -> int:
        pointer._obj.value = state
        return 0

    assert windows.full_screen(SimpleNamespace(SHQueryUserNotificationState=query)) == {"full_screen": expected}


class CostManager:
    """Windows' network list, as far as it is asked: an object whose table has functions of C."""

    def __init__(self, cost: int, *, refuses: str = "") -> None:
        self.calls: list[str] = []

        def release(_: int) -> int:
            self.calls.append("release")
            return 0

        def get_cost(_: int, found: int, where: int | None) -> int:
            self.calls.append("ask")
            ctypes.c_uint32.from_address(found).value = cost
            return -1 if refuses == "ask" or where else 0

        self._release = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(release)
        pointers = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
        self._get_cost = ctypes.CFUNCTYPE(ctypes.c_int32, *pointers)(get_cost)
        ends = [None, None, ctypes.cast(self._release, ctypes.c_void_p), ctypes.cast(self._get_cost, ctypes.c_void_p)]
        self._table = (ctypes.c_void_p * 4)(*(end.value if end is not None else None for end in ends))
        self._thing = ctypes.c_void_p(ctypes.addressof(self._table))
        self.ole32 = SimpleNamespace(
            CoInitializeEx=lambda *_: self._note("begin", 0),
            CoUninitialize=lambda: self._note("end", 0),
            CoCreateInstance=lambda *given: self._create(given, -1 if refuses == "create" else 0),
        )

    def _note(self, call: str, result: int) -> int:
        self.calls.append(call)
        return result

    def _create(self, given: tuple[Any, ...], result: int) -> int:
        assert (len(given[0]), len(given[3])) == (16, 16)
        if result == 0:
            given[4]._obj.value = ctypes.addressof(self._thing)
        return self._note("create", result)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [(0x1, False), (0x2, True), (0x4, True), (0x40001, True), (0x10001, True), (0x80001, False), (0x20001, False)],
)
def test_windows_says_what_the_connection_costs(cost: int, expected: bool) -> None:
    played = CostManager(cost)
    assert windows_cost.metered(played.ole32) == {"metered": expected}
    assert played.calls == ["begin", "create", "ask", "release", "end"]


@pytest.mark.parametrize(("cost", "refuses"), [(0, ""), (2, "ask"), (2, "create")])
def test_windows_may_not_know_what_it_costs(cost: int, refuses: str) -> None:
    played = CostManager(cost, refuses=refuses)
    with pytest.raises(Unmeasured):
        windows_cost.metered(played.ole32)
    assert played.calls[-1] == "end"
    assert ("release" in played.calls) is (refuses != "create")


def test_macos_gives_seconds_and_no_nonsense() -> None:
    class Ask:
        restype: object = None
        argtypes: object = None

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def __call__(self, *_: object) -> float:
            return self.seconds

    assert macos.idle(SimpleNamespace(CGEventSourceSecondsSinceLastEventType=Ask(3.5))) == {"idle": 3.5}
    with pytest.raises(Unmeasured):
        macos.idle(SimpleNamespace(CGEventSourceSecondsSinceLastEventType=Ask(math.nan)))
    assert ctypes.sizeof(ctypes.c_double) == 8
