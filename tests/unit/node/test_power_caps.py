"""Limits of power in a played driver: set where it permits that, set back afterwards and after a crash."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pynvml
import pytest

from engine.node.power_caps import PowerCaps, Wanted
from engine.sentences import parts_of

CARD, OTHER = "GPU-1", "GPU-2"


class Driver:
    """NVML's functions about power. ``fails``: by function."""

    def __init__(self) -> None:
        self.limits = {CARD: 350_000, OTHER: 200_000}
        self.fails: dict[str, int] = {}
        self.open = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(pynvml, name)
        if not name.startswith("nvml"):
            return real
        answers: dict[str, Any] = {
            "nvmlInit": lambda: self._opened(1),
            "nvmlShutdown": lambda: self._opened(-1),
            "nvmlDeviceGetHandleByUUID": self._handle,
            "nvmlDeviceGetPowerManagementLimit": lambda uuid: self.limits[uuid],
            "nvmlDeviceGetPowerManagementLimitConstraints": lambda uuid: (100_000, 400_000),
            "nvmlDeviceSetPowerManagementLimit": self.limits.__setitem__,
        }

        def answer(*arguments: Any) -> Any:
            if name in self.fails:
                raise pynvml.NVMLError(self.fails[name])
            return answers[name](*arguments)

        return answer

    def _opened(self, by: int) -> None:
        self.open += by

    def _handle(self, uuid: str) -> str:
        if uuid not in self.limits:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return uuid


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    played = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", played)
    return played


def watts(driver: Driver) -> tuple[float, float]:
    return driver.limits[CARD] / 1000, driver.limits[OTHER] / 1000


def codes(caps: PowerCaps) -> dict[str, str]:
    return {uuid: parts_of(reason)[0].code for uuid, reason in caps.reasons.items()}


def test_a_limit_is_set_changed_and_set_back(driver: Driver, tmp_path: Path) -> None:
    caps = PowerCaps(tmp_path / "p.json")
    caps.hold({CARD: Wanted("Card", 250), OTHER: Wanted("Other", 300)})
    assert watts(driver) == (250, 200)  # the other one's is lower already
    assert caps.kept == {CARD, OTHER}
    assert codes(caps) == {}
    caps.hold({CARD: Wanted("Card", 220)})
    assert watts(driver) == (220, 200)
    caps.hold({CARD: Wanted("Card", 390)})
    assert watts(driver) == (350, 200)
    caps.hold({CARD: Wanted("Card", 220)})
    caps.hold({})
    assert watts(driver) == (350, 200)
    assert not (tmp_path / "p.json").exists()
    assert driver.open == 0


def test_what_a_crash_left_is_set_back_at_the_next_start(driver: Driver, tmp_path: Path) -> None:
    PowerCaps(tmp_path / "p.json").hold({CARD: Wanted("Card", 250)})
    after = PowerCaps(tmp_path / "p.json")
    driver.fails = {"nvmlInit": pynvml.NVML_ERROR_DRIVER_NOT_LOADED}
    after.restore()
    assert (tmp_path / "p.json").exists()  # and tried again
    driver.fails = {}
    PowerCaps(tmp_path / "p.json").restore()
    assert watts(driver) == (350, 200)
    assert not (tmp_path / "p.json").exists()


def test_a_crash_does_not_make_our_limit_the_owners(driver: Driver, tmp_path: Path) -> None:
    PowerCaps(tmp_path / "p.json").hold({CARD: Wanted("Card", 250)})
    after = PowerCaps(tmp_path / "p.json")
    after.hold({CARD: Wanted("Card", 230)})
    after.restore()
    assert watts(driver) == (350, 200)


def test_what_the_owner_has_set_meanwhile_is_left_alone(driver: Driver, tmp_path: Path) -> None:
    caps = PowerCaps(tmp_path / "p.json")
    caps.hold({CARD: Wanted("Card", 250)})
    driver.limits[CARD] = 275_000
    caps.restore()
    assert watts(driver) == (275, 200)


@pytest.mark.parametrize(
    ("function", "error", "code"),
    [
        ("nvmlDeviceSetPowerManagementLimit", pynvml.NVML_ERROR_NO_PERMISSION, "governor.power_refused"),
        ("nvmlDeviceSetPowerManagementLimit", pynvml.NVML_ERROR_NOT_SUPPORTED, "governor.power_fails"),
        ("nvmlDeviceGetPowerManagementLimit", pynvml.NVML_ERROR_GPU_IS_LOST, "governor.power_fails"),
        ("nvmlInit", pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "governor.power_fails"),
    ],
)
def test_refusals_are_said_and_leave_nothing(
    driver: Driver, tmp_path: Path, function: str, error: int, code: str
) -> None:
    caps = PowerCaps(tmp_path / "p.json")
    driver.fails = {function: error}
    caps.hold({CARD: Wanted("Card", 250)})
    assert codes(caps) == {CARD: code}
    assert caps.kept == frozenset()
    assert not (tmp_path / "p.json").exists()
    assert watts(driver) == (350, 200)
    assert driver.open == 0


def test_less_than_the_driver_can_keep_is_kept_as_far_as_it_can(driver: Driver, tmp_path: Path) -> None:
    caps = PowerCaps(tmp_path / "p.json")
    caps.hold({CARD: Wanted("Card", 60)})
    assert watts(driver) == (100, 200)
    assert codes(caps) == {CARD: "governor.power_least"}
    assert caps.kept == frozenset()


def test_a_limit_that_could_not_be_set_back_after_a_crash_is_not_set(driver: Driver, tmp_path: Path) -> None:
    (tmp_path / "p.json").mkdir()
    caps = PowerCaps(tmp_path / "p.json")
    (tmp_path / "p.json").mkdir(exist_ok=True)  # the damaged one was set aside
    caps.hold({CARD: Wanted("Card", 250)})
    assert codes(caps) == {CARD: "governor.power_fails"}
    assert watts(driver) == (350, 200)
