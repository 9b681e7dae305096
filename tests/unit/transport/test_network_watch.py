"""Another network, a sleep, and what is neither."""

from __future__ import annotations

import asyncio
import os

import psutil
import pytest

from engine.clock import ManualClock
from engine.transport import network_watch
from engine.transport.network_watch import LOOK_SECONDS, SLEPT_SECONDS, Addresses, NetworkWatch, local_addresses

HOME: Addresses = frozenset({"192.168.1.5", ">192.168.1.5"})
CAFE: Addresses = frozenset({"10.0.0.7", ">10.0.0.7"})


class Machine:
    """A machine that moves and sleeps."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.addresses = HOME
        self.watch = NetworkWatch(self.clock, lambda: self.addresses)

    def look(self, seconds: float = LOOK_SECONDS) -> str:
        self.clock.advance(seconds)
        return self.watch.look()


def test_nothing_happens_at_home() -> None:
    machine = Machine()
    assert [machine.look() for _ in range(100)] == [""] * 100


def test_other_addresses_are_told_once() -> None:
    machine = Machine()
    machine.addresses = CAFE
    assert "addresses" in machine.look()
    assert machine.look() == ""


def test_without_any_address_nothing_is_told_until_there_is_one() -> None:
    machine = Machine()
    machine.addresses = frozenset()
    assert machine.look() == ""
    machine.addresses = HOME
    assert machine.look() == "", "the same network again: links that live are found by their heartbeat"
    machine.addresses = frozenset()
    assert machine.look() == ""
    machine.addresses = CAFE
    assert "addresses" in machine.look()


def test_other_default_route_is_another_network() -> None:
    machine = Machine()
    machine.addresses = HOME | {"10.0.0.7"}
    assert machine.look()
    machine.addresses = frozenset({"192.168.1.5", "10.0.0.7", ">10.0.0.7"})
    assert machine.look()


def test_sleep_shows_in_either_clock() -> None:
    machine = Machine()
    assert "slept" in machine.look(3600.0)
    assert machine.look(SLEPT_SECONDS - 0.1) == ""


class WallOnly(ManualClock):
    """As on Linux, whose monotonic clock stands still while the machine sleeps."""

    ahead = 0.0

    def wall(self) -> float:
        return super().wall() + self.ahead


def test_sleep_that_the_monotonic_clock_does_not_count_is_seen() -> None:
    clock = WallOnly()
    watch = NetworkWatch(clock, lambda: HOME)
    clock.advance(LOOK_SECONDS)
    assert watch.look() == ""
    clock.ahead += 500.0
    clock.advance(LOOK_SECONDS)
    assert "slept for 502 s" in watch.look()
    clock.advance(LOOK_SECONDS)
    assert watch.look() == ""


async def test_it_calls_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_watch, "LOOK_SECONDS", 0.01)
    machine = Machine()
    calls: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(machine.watch.run(lambda: calls.append(1)))
        await asyncio.sleep(0.05)
        machine.addresses = CAFE
        await asyncio.sleep(0.05)
        task.cancel()
    assert calls == [1]


def test_real_addresses_leave_out_loopback_and_send_nothing() -> None:
    process = psutil.Process(os.getpid())
    before = len(process.net_connections("all"))
    found = local_addresses()
    assert not any("127.0.0.1" in address or address in ("::1", ">::1") for address in found)
    assert len(process.net_connections("all")) == before
