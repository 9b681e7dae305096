"""``gentorrent bench governor``: the processor time that leaving the owner their machine takes by itself."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from engine import __version__
from engine.bench.charts import draw_bars
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.bench.storing import make_page, store_results, table
from engine.clock import SystemClock
from engine.governor.rules import Rules
from engine.sensors.base import Unmeasured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.sensors.base import Pids, Sensor

WANTED = 0.005
"""Of one processor, at most."""
SECONDS, QUICK_SECONDS = 60.0, 10.0
WARM_UP = 3.0
"""Seconds in which libraries are loaded and drivers found."""
READS = 50
RULES = Rules(exclusive_programs=("game",), only_when_idle=True)
METHOD = f"""
The engine's own governor, sensors and rules of devices run in this process, which does nothing else, for
{SECONDS:.0f} s after {WARM_UP:.0f} s of warming up, and look twice a second as they do in an engine. What is counted is
the time of a processor that the process took with all its threads, in the kernel, too, and that programs which it
started took (`getrusage`), so other programs do not change it. Every round is measured twice: as the machine is, and
with a program on each processor that keeps it busy. *Nothing* is an event loop that wakes as often and does nothing.
Each sensor is then read {READS} times by itself; the first read does not count, and what says that it cannot be
measured counts as it is. Sensors that this machine lacks (no GPU, no desktop) cost nothing here and something
elsewhere: the table says which, and [governor-desktops.md](governor-desktops.md) what.
"""


def run(*, quick: bool) -> dict[str, Any]:
    """Measure; the documented keys and more."""
    seconds = QUICK_SECONDS if quick else SECONDS
    others = OtherPrograms()
    with tempfile.TemporaryDirectory() as folder:
        rows = rounds(Path(folder), seconds)
        sensors = each_sensor(Path(folder))
    return {
        "machine": describe_machine(),
        "versions": {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])},
        "processes": len(psutil.pids()),
        "seconds": seconds,
        "wanted_share": WANTED,
        "rows": rows,
        "sensors": sensors,
        "other_programs": others.share(),
        "quick": quick,
    }


def rounds(folder: Path, seconds: float, rules: Rules = RULES, pids: Pids = set) -> list[dict[str, Any]]:
    """Shares of one processor, in two rounds. ``pids``: the engine's own processes beside this one."""
    return [
        {"round": number + 1, "machine": state, "share": round(share, 5), "nothing": round(nothing, 5)}
        for number in range(2)
        for state in ("as it is", "busy")
        for share, nothing in [_round(folder, seconds, rules, pids, busy=state == "busy")]
    ]


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    rows = [[f"round {one['round']}, {one['machine']}", percent(one["share"]), percent(one["nothing"])]
            for one in results["rows"]]  # fmt: skip
    worst = max(one["share"] for one in results["rows"])
    verdict = "within" if worst <= results["wanted_share"] else "beyond"
    return "\n".join(
        [
            f"The governor takes {percent(worst)} of one processor at most, {verdict} {percent(WANTED)}.",
            f"{results['processes']} processes run here.",
            "",
            *table(["", "governor", "nothing"], rows),
            "",
            *sensor_table(results["sensors"]),
        ]
    )


def sensor_table(sensors: Iterable[dict[str, Any]]) -> list[str]:
    """What single sensors take, and why some are not measured."""
    rows = [
        [one["name"], one["ms"], one["per_s"], percent(one["share"]), one["unmeasured"] or "measured"]
        for one in sensors
    ]
    return table(["sensor", "ms a read", "reads/s", "of one processor", "here"], rows)


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write governor.json, governor.md and governor.svg."""
    groups = [("sensors", {one["name"]: 100 * one["share"] for one in results["sensors"]})]
    picture = draw_bars("What each sensor takes of one processor", groups, "Shorter is better", "%")
    page = make_page(
        "The governor: what it takes itself",
        "bench governor",
        "governor.svg",
        results,
        findings=as_text(results).splitlines(),
        method=METHOD,
    )
    return store_results("governor", results, page, picture, folder)


def percent(share: float) -> str:
    """For people."""
    return f"{100 * share:.3f} %"


def _round(folder: Path, seconds: float, rules: Rules, pids: Pids, *, busy: bool) -> tuple[float, float]:
    """Shares of one processor: of the governor, and of a loop that does nothing."""
    with _burning(psutil.cpu_count() or 1 if busy else 0):
        nothing = asyncio.run(_taken([_nothing()], seconds / 4))
        return asyncio.run(_taken(_parts(folder, rules, pids), seconds)), nothing


def _parts(folder: Path, rules: Rules, pids: Pids) -> Iterable[Any]:
    from engine.config import load_configuration
    from engine.node.backends import make_pool
    from engine.node.device_limits import DeviceLimits
    from engine.node.governing import Governing, Used
    from engine.sensors.machine import machine_sensors

    clock = SystemClock()
    governing = Governing(
        folder,
        clock,
        machine_sensors(folder, clock, pids),
        rules,
        changed=lambda: None,
        used=Used,
        serves=lambda: True,
        wanted=lambda: True,
    )
    pool = make_pool(load_configuration({"data_directory": folder}, {}), folder, clock, lambda _: None)
    limits = DeviceLimits(
        pool, governing, folder / "power.json", serves=lambda: True, own_work=lambda: False, changed=lambda: None
    )
    return [governing.run(), limits.run()]


async def _nothing() -> None:
    from engine.node.governing import LOOK_SECONDS

    while True:  # noqa: ASYNC110 - nothing is waited for
        await asyncio.sleep(LOOK_SECONDS)


async def _taken(parts: Iterable[Any], seconds: float) -> float:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part) for part in parts]
        await asyncio.sleep(min(WARM_UP, seconds))
        begun, busy = time.monotonic(), _processor_time()
        await asyncio.sleep(seconds)
        share = (_processor_time() - busy) / (time.monotonic() - begun)
        for task in tasks:
            task.cancel()
    return share


def _processor_time() -> float:
    """Of this process, and of programs that it started and that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def each_sensor(folder: Path, pids: Pids = set) -> list[dict[str, Any]]:
    """What a read of each takes, and whether it tells anything here."""
    from engine.sensors.machine import every_sensor

    sensors = every_sensor(folder, SystemClock(), pids)
    try:
        return [_one(sensor) for sensor in sensors]
    finally:
        for sensor in sensors:
            sensor.close()


def _one(sensor: Sensor) -> dict[str, Any]:
    unmeasured = ""
    taken: list[float] = []
    for _ in range(READS):
        begun = time.process_time()
        try:
            sensor.read()
        except Unmeasured as error:
            unmeasured = error.reason
        except Exception as error:  # whatever a driver throws: the engine goes on, too
            unmeasured = type(error).__name__
        taken.append(time.process_time() - begun)
    mean = sum(taken[1:]) / (len(taken) - 1)
    return {
        "name": sensor.name,
        "ms": round(1000 * mean, 3),
        "per_s": round(1 / sensor.seconds, 2),
        "share": round(mean / sensor.seconds, 6),
        "unmeasured": str(unmeasured),
    }


@contextmanager
def _burning(count: int) -> Iterator[None]:
    """So many programs that keep a processor busy each."""
    context = multiprocessing.get_context("spawn")
    programs = [context.Process(target=_burn, daemon=True) for _ in range(count)]
    for program in programs:
        program.start()
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.join()


def _burn() -> None:
    if hasattr(os, "nice"):
        os.nice(19)  # others who share the machine go first
    while True:
        sum(range(10_000))
