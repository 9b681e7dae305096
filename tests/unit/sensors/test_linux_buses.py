"""What desktops and systems say on their buses, which are real dbus-daemons with played services."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.clock import SystemClock
from engine.sensors import linux
from engine.sensors.base import Sensor, Unmeasured
from engine.sensors.bus import Bus
from engine.sensors.machine import MachineSensors
from engine.sensors.x11 import XServer
from engine.sentences import parts_of
from tests.support.private_bus import Answer, PrivateBus, private_bus
from tools.system_libraries import missing_desktop

pytestmark = pytest.mark.skipif(
    bool(missing_desktop()), reason="system packages are missing: python -m tools.system_libraries"
)
GNOME, LOGIND = "org.gnome.Mutter.IdleMonitor", "org.freedesktop.login1"
NETWORKS, GAMES = "org.freedesktop.NetworkManager", "com.feralinteractive.GameMode"
CLOCK: Any = SimpleNamespace(monotonic=lambda: 1_000.0)


def variant(signature: str, value: object) -> Answer:
    return "v", ((signature, value),)


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No screen and no bus of this machine."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"):
        monkeypatch.setenv(name, f"unix:path={tmp_path}/none")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with private_bus({}, (GNOME, GAMES)) as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        yield bus


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with private_bus({}, (LOGIND, NETWORKS)) as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


@pytest.fixture
def here() -> Iterator[tuple[Bus, Bus]]:
    """The engine's side of both."""
    buses = Bus("SESSION"), Bus("SYSTEM")
    yield buses
    for bus in buses:
        bus.close()


def test_gnome_knows_the_last_input(session: PrivateBus, here: tuple[Bus, Bus]) -> None:
    session.answers["GetIdletime"] = "t", (61_500,)
    assert linux.idle(CLOCK, *here, XServer()) == {"idle": 61.5}


def test_the_login_manager_knows_what_it_was_told(system: PrivateBus, here: tuple[Bus, Bus]) -> None:
    system.answers |= {"IdleHint": variant("b", True), "IdleSinceHintMonotonic": variant("t", 940_000_000)}
    assert linux.idle(CLOCK, *here, XServer()) == {"idle": 60.0}
    system.answers["IdleHint"] = variant("b", False)
    assert linux.idle(CLOCK, *here, XServer()) == {"idle": 0.0}
    system.answers["IdleSinceHintMonotonic"] = variant("t", 0)  # no desktop has ever told it anything
    with pytest.raises(Unmeasured):
        linux.idle(CLOCK, *here, XServer())


@pytest.mark.parametrize(
    "lie", [("s", ("soon",)), ("t", (2**63,)), ("d", (float("nan"),)), ("", ()), ("ax", ([],)), None]
)
def test_lies_about_the_last_input_are_not_believed(session: PrivateBus, here: tuple[Bus, Bus], lie: Answer) -> None:
    session.answers["GetIdletime"] = lie
    with pytest.raises(Unmeasured):
        linux.idle(CLOCK, *here, XServer())


@pytest.mark.parametrize(("value", "expected"), [(1, True), (2, False), (3, True), (4, False)])
def test_the_network_manager_knows_what_costs(
    system: PrivateBus, here: tuple[Bus, Bus], value: int, expected: bool
) -> None:
    system.answers["Metered"] = variant("u", value)
    assert linux.metered(here[1]) == {"metered": expected}


@pytest.mark.parametrize(
    "answer", [variant("u", 0), variant("u", 99), variant("s", "yes"), variant("as", []), ("u", (1,)), None]
)
def test_the_network_manager_may_not_know(system: PrivateBus, here: tuple[Bus, Bus], answer: Answer) -> None:
    system.answers["Metered"] = answer
    with pytest.raises(Unmeasured):
        linux.metered(here[1])


def test_a_game_is_known_where_the_screen_is_not(
    session: PrivateBus, here: tuple[Bus, Bus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    session.answers["ClientCount"] = variant("i", 1)
    assert linux.full_screen(here[0], XServer()) == {"game": True}
    for none in (variant("i", 0), variant("s", "two"), None):
        session.answers["ClientCount"] = none
        with pytest.raises(Unmeasured) as told:
            linux.full_screen(here[0], XServer())
        assert parts_of(told.value.reason)[0].code == "governor.wayland"


def test_one_connection_is_kept(session: PrivateBus, here: tuple[Bus, Bus]) -> None:
    session.answers["GetIdletime"] = "t", (1_000,)
    for _ in range(20):
        linux.idle(CLOCK, *here, XServer())
    assert len(session.askers) == 1
    session.answers["GetIdletime"] = None  # somebody who refuses ends no connection
    with pytest.raises(Unmeasured):
        linux.idle(CLOCK, *here, XServer())
    session.answers["GetIdletime"] = "t", (2_000,)
    assert linux.idle(CLOCK, *here, XServer()) == {"idle": 2.0}
    assert len(session.askers) == 1


def test_a_bus_that_begins_anew_is_found_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, here: tuple[Bus, Bus]
) -> None:
    place = str(tmp_path / "bus")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={place}")
    for seconds in (1, 2):
        with pytest.raises(Unmeasured):
            linux.idle(CLOCK, *here, XServer())
        with private_bus({"GetIdletime": ("t", (seconds * 1_000,))}, (GNOME,), place):
            assert linux.idle(CLOCK, *here, XServer()) == {"idle": float(seconds)}
        (tmp_path / "bus").unlink(missing_ok=True)


def test_silence_costs_its_patience_and_no_more(session: PrivateBus, here: tuple[Bus, Bus]) -> None:
    session.answers["GetIdletime"] = "t", (1_000,)
    session.silent = True
    with pytest.raises(Unmeasured):
        here[0].call(GNOME, "/org/gnome/Mutter/IdleMonitor/Core", GNOME, "GetIdletime")
    session.silent = False
    assert linux.idle(CLOCK, *here, XServer()) == {"idle": 1.0}
    assert len(session.askers) == 2


def test_a_bus_that_takes_the_connection_and_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/silent")
        bus, begun = Bus("SESSION"), time.monotonic()
        with pytest.raises(Unmeasured):
            bus.call("org.example", "/", "org.example", "Ask")
        assert time.monotonic() - begun < 30


def test_threads_take_turns(session: PrivateBus, here: tuple[Bus, Bus]) -> None:
    session.answers["GetIdletime"] = "t", (1_000,)
    found: list[object] = []

    def ask() -> None:
        place = (GNOME, "/org/gnome/Mutter/IdleMonitor/Core", GNOME)
        found.extend(here[0].call(*place, "GetIdletime") for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [1_000] * 80
    assert len(session.askers) == 1


async def test_what_is_not_read_any_more_is_closed() -> None:
    closed: list[int] = []
    source = MachineSensors([Sensor("idle", lambda: {"idle": 1.0}, close=lambda: closed.append(1))], SystemClock())
    await source.read()
    await source.close()
    assert closed == [1]
