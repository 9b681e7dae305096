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
from engine.sensors import bus, common, linux, macos, windows
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


@pytest.mark.parametrize(("value", "expected"), [(1, True), (2, False), (3, True), (4, False)])
def test_network_manager_says_whether_it_is_metered(
    value: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linux, "property_of", lambda *_: value)
    assert linux.metered() == {"metered": expected}
    monkeypatch.setattr(linux, "property_of", lambda *_: 0)
    with pytest.raises(Unmeasured):
        linux.metered()


def test_logind_says_since_when_nobody_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)

    def refuse(*_: object) -> object:
        raise Unmeasured

    monkeypatch.setattr(linux, "call", refuse)
    told = {"IdleHint": True, "IdleSinceHint": 999_940_000_000}
    monkeypatch.setattr(linux, "property_of", lambda *place: told[str(place[-1])])
    clock: Any = Hands()
    assert linux.idle(clock) == {"idle": 60.0}
    told["IdleHint"] = False
    assert linux.idle(clock) == {"idle": 0.0}
    told["IdleSinceHint"] = 0  # nobody has ever told it anything
    with pytest.raises(Unmeasured):
        linux.idle(clock)


def test_a_bus_that_is_not_there_or_never_answers_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(Unmeasured):
        bus.call("SESSION", "org.example", "/", "org.example", "Ask")
    import socket

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "bus"))
        silent.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
        begun = time.monotonic()
        with pytest.raises(Unmeasured):
            bus.call("SESSION", "org.example", "/", "org.example", "Ask")
        assert time.monotonic() - begun < 30


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
