"""Rules of single devices reach the workers; GPUs that go, get hot, or take too much; a played driver, no GPU."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pynvml
import pytest

from engine.clock import ManualClock
from engine.governor.governor import Decision
from engine.governor.pacing import SILENT_SECONDS
from engine.governor.readings import DeviceReading, Readings
from engine.governor.rules import DeviceRules, Rules
from engine.inference.supervisor.devices import PROCESSOR, Device
from engine.inference.supervisor.limits import DeviceLimit
from engine.node.device_limits import DeviceLimits
from engine.sentences import parts_of, say
from tests.support.bootstrap import until
from tests.unit.node.test_power_caps import CARD, Driver, driver  # noqa: F401 - a fixture

GPU = Device("cuda", "Card", CARD, 0, 8 << 30)


class Made:
    """Two devices, rules and readings that the test says, and what the workers were told."""

    def __init__(self, file: Path) -> None:
        self.clock = ManualClock()
        self.told: list[dict[str, DeviceLimit]] = []
        self.changes = 0
        self.serves = self.working = True
        self.own = False
        self.pool = SimpleNamespace(
            devices=(GPU, PROCESSOR), limit=self.told.append, answering=lambda _: int(self.working), barred=""
        )
        self.governing = SimpleNamespace(
            rules=Rules(heat_limit=None), readings=None, decision=Decision(active=True), clock=self.clock
        )
        self.limits = DeviceLimits(
            cast(Any, self.pool),
            cast(Any, self.governing),
            file,
            serves=lambda: self.serves,
            own_work=lambda: self.own,
            changed=self._change,
        )

    def _change(self) -> None:
        self.changes += 1

    def resting(self) -> bool:
        return self.limits.resting

    def rules(self, *devices: DeviceRules, **rules: Any) -> None:
        self.governing.rules = Rules(**({"heat_limit": None, "devices": devices} | rules))

    def see(self, *devices: DeviceReading, **fields: Any) -> dict[str, DeviceLimit]:
        self.clock.advance(0.5)
        self.governing.readings = Readings(now=self.clock.monotonic(), devices=devices, **fields)
        self.limits.look()
        return self.told[-1]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "power-limits.json")


def card(**fields: Any) -> DeviceReading:
    return DeviceReading(device=CARD, name="Card", **fields)


def code(text: str) -> str:
    return parts_of(text)[0].code.removeprefix("governor.") if text else ""


def test_switch_and_memory_go_to_the_workers_at_once_and_once(made: Made) -> None:
    made.rules(DeviceRules(device=CARD, on=False), DeviceRules(device="cpu", memory_cap=2048))
    found = made.see(card())
    assert (code(found[CARD].barred), found["cpu"]) == ("device_off", DeviceLimit(memory=2 << 30))
    assert made.limits.barred == {CARD}
    assert made.changes == 1
    made.see(card())
    assert len(made.told) == 1
    made.rules()
    assert made.see(card())[CARD] == DeviceLimit()
    assert made.changes == 2


def test_another_limit_of_memory_is_news(made: Made) -> None:
    made.see(card())
    for changes, megabytes in enumerate((2048, 1024, None), start=1):
        made.rules(DeviceRules(device="cpu", memory_cap=megabytes))
        made.see(card())
        assert made.limits.memory == ({"cpu": megabytes << 20} if megabytes else {})
        assert made.changes == changes
        made.see(card())
        assert made.changes == changes


@pytest.mark.parametrize(
    ("devices", "unmeasured", "barred"),
    [
        ((card(lost=True),), {}, "device_lost"),
        ((DeviceReading(device="GPU-9"),), {}, "device_lost"),
        ((), {"devices": say("governor.no_gpu")}, "device_lost"),
        ((), {"devices": say("governor.sensor_hangs")}, ""),
        ((), {"devices": say("governor.gpu_fails", error="x")}, ""),
        ((), {"devices": say("governor.sensors_off")}, ""),
    ],
)
def test_a_gpu_that_is_gone_is_left_and_taken_again(
    made: Made, devices: tuple[DeviceReading, ...], unmeasured: dict[Any, str], barred: str
) -> None:
    made.see(card())
    assert code(made.see(*devices, unmeasured=unmeasured)[CARD].barred) == barred
    assert made.see(card())[CARD].barred == ""


def test_old_readings_say_nothing(made: Made) -> None:
    made.see(card(lost=True))
    made.clock.advance(60)
    made.limits.look()
    assert made.told[-1][CARD].barred == ""


def test_power_is_kept_by_pauses_and_the_reason_is_said(made: Made) -> None:
    made.rules(DeviceRules(device=CARD, power_cap=100))
    assert made.see(card(power=200))[CARD].pace == 0.5
    assert [code(reason) for reason in made.limits.slowed] == ["slowed_power"]
    for _ in range(60):
        found = made.see(card(power=200))
    assert code(found[CARD].barred) == "device_power"
    assert made.resting()
    made.rules(DeviceRules(device=CARD, on=False, power_cap=100))
    made.see(card(power=200))
    assert not made.resting(), "one that is switched off does not come back"
    made.rules(DeviceRules(device=CARD, power_cap=100))
    for _ in range(200):
        found = made.see(card(power=20))
    assert found[CARD] == DeviceLimit()
    assert not made.resting()
    assert made.limits.slowed == ()


def test_heat_slows_the_device_that_is_hot(made: Made) -> None:
    made.rules(DeviceRules(device=CARD, temperature_cap=80), heat_limit=90.0)
    found = made.see(card(temperature=77.5), temperature=60.0)
    assert (found[CARD].pace, found["cpu"].pace) == (0.5, 1)
    assert [code(reason) for reason in made.limits.slowed] == ["slowed_heat"]
    found = made.see(card(temperature=50), temperature=87.5)
    assert (found[CARD].pace, found["cpu"].pace) == (1, 0.5)


def test_a_silent_thermometer_keeps_the_pace_for_a_minute_and_then_it_is_said_that_nothing_measures(made: Made) -> None:
    made.rules(heat_limit=80.0)
    assert made.see(card(temperature=77.5))[CARD].pace == 0.5
    for _ in range(round(SILENT_SECONDS / 0.5) - 1):
        found = made.see(card(), unmeasured={})
        assert (found[CARD].pace, found[CARD].owners_pace) == (0.5, 0.5)
        assert [code(reason) for reason in made.limits.slowed] == ["slowed_heat"]
        assert not dict(made.limits.missing())
    assert made.see(card())[CARD] == DeviceLimit()
    assert made.limits.slowed == ()
    said = dict(made.limits.missing())
    assert {limit: code(one) for limit, one in said.items()} == {f"heat_limit:{CARD}": "heat_unmeasured"}
    made.rules(DeviceRules(device=CARD, on=False), heat_limit=80.0)
    assert not dict(made.limits.missing()), "it is not used at all"
    made.rules(heat_limit=80.0)
    assert made.see(card(temperature=77.5))[CARD].pace == 0.5
    assert not dict(made.limits.missing())


def test_a_driver_that_says_nothing_at_all_leaves_a_hot_card_slow(made: Made) -> None:
    made.rules(heat_limit=80.0)
    made.see(card(temperature=77.5))
    found = made.see(unmeasured={"devices": say("governor.sensor_hangs")})
    assert (found[CARD].barred, found[CARD].pace) == ("", 0.5)


def test_a_months_allowance_slows_what_is_done_for_others_only(made: Made) -> None:
    made.governing.decision = Decision(active=True, pace=0.4, slowed=("why",))
    assert {(limit.pace, limit.owners_pace) for limit in made.see(card()).values()} == {(0.4, 1.0)}
    assert (made.limits.slowed, made.limits.hot) == (("why",), ())


def test_heat_slows_the_owners_own_answers_too_and_that_is_said(made: Made) -> None:
    made.governing.decision = Decision(active=True, pace=0.4)
    made.rules(DeviceRules(device=CARD, temperature_cap=80))
    found = made.see(card(temperature=77.5))[CARD]
    assert (found.pace, found.owners_pace) == (0.2, 0.5)
    assert [code(reason) for reason in made.limits.hot] == ["slowed_heat"]


def test_power_that_the_owner_uses_slows_nobody_and_ends_the_rest(made: Made) -> None:
    made.rules(DeviceRules(device=CARD, power_cap=100))
    made.own = True
    for _ in range(60):
        found = made.see(card(power=200))
    assert found[CARD] == DeviceLimit()
    made.own = False
    for _ in range(60):
        found = made.see(card(power=200))
    assert code(found[CARD].barred) == "device_power"
    made.own = True
    found = made.see(card(power=200))
    assert (found[CARD].barred, found[CARD].owners_pace) == ("", 1.0)
    assert found[CARD].pace == 0.1, "others go on slowly"


def test_a_cap_that_is_taken_back_while_the_owner_is_answered_slows_nobody_any_more(made: Made) -> None:
    made.rules(DeviceRules(device=CARD, power_cap=100))
    assert made.see(card(power=200))[CARD].pace == 0.5
    made.own = True
    assert made.see(card(power=200))[CARD].pace == 0.5
    made.rules()
    assert made.see(card(power=200))[CARD] == DeviceLimit()
    assert made.limits.slowed == ()


async def test_the_drivers_limit_is_lifted_while_the_owner_is_answered(made: Made, driver: Driver) -> None:  # noqa: F811
    made.rules(DeviceRules(device=CARD, power_cap=250))
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.limits.run())
        await until(lambda: driver.limits[CARD] == 250_000)
        made.own = True
        await until(lambda: driver.limits[CARD] == 350_000)
        made.own = False
        await until(lambda: driver.limits[CARD] == 250_000)
        running.cancel()
    assert driver.limits[CARD] == 350_000


async def test_the_driver_keeps_the_power_while_others_are_served(made: Made, driver: Driver) -> None:  # noqa: F811
    made.rules(DeviceRules(device=CARD, power_cap=250))
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.limits.run())
        await until(lambda: driver.limits[CARD] == 250_000)
        await until(lambda: made.limits._caps.kept == {CARD})
        made.see(card(power=300))
        assert made.limits.slowed == ()  # it does so without pauses
        made.serves = False
        await until(lambda: driver.limits[CARD] == 350_000)
        made.serves = True
        await until(lambda: driver.limits[CARD] == 250_000)
        running.cancel()
    assert driver.limits[CARD] == 350_000


async def test_where_the_driver_refuses_it_is_said_and_pauses_keep_the_power(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Driver()
    played.fails = {"nvmlDeviceSetPowerManagementLimit": pynvml.NVML_ERROR_NO_PERMISSION}
    monkeypatch.setitem(sys.modules, "pynvml", played)
    made.rules(DeviceRules(device=CARD, power_cap=250), DeviceRules(device="cpu", power_cap=50))
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.limits.run())
        await until(lambda: made.limits._caps.reasons)
        assert made.see(card(power=500))[CARD].pace < 1
        said = dict(made.limits.missing())
        running.cancel()
    assert {limit: code(one) for limit, one in said.items()} == {
        f"power_limit:{CARD}": "power_refused",
        "power_limit:cpu": "power_unmeasured",
    }
    assert "Card" in said[f"power_limit:{CARD}"]
    assert "The processor" in said["power_limit:cpu"]


async def test_a_driver_that_hangs_costs_a_thread_and_holds_nothing_up(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.node.device_limits.DRIVER_SECONDS", 0.01)
    held = asyncio.Event()
    loop = asyncio.get_running_loop()
    made.limits._caps.hold = lambda wanted: asyncio.run_coroutine_threadsafe(held.wait(), loop).result()  # type: ignore[method-assign,assignment]
    made.rules(DeviceRules(device=CARD, power_cap=250))
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.limits.run())
        await until(lambda: made.limits._thread is not None and made.limits._asked)
        made.serves = False
        for _ in range(3):
            made.see(card())
            await asyncio.sleep(0.01)
        running.cancel()
    held.set()
    await asyncio.sleep(0.05)
