"""``gentorrent sensors``: what this machine can measure of itself, and why not the rest."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.commands.terminal import harmless
from engine.config import load_configuration

if TYPE_CHECKING:
    from engine.governor.readings import Readings


def run(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory of the engine. GENTORRENT_DATA.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print what is measured here to leave you your machine: idle time, contention, GPUs, battery, heat.

    What cannot be measured says why; rules about it do nothing. Takes a second.
    """
    import asyncio

    folder = load_configuration({"data_directory": data}, os.environ).data_directory
    readings = asyncio.run(_read(folder))
    shown = asdict(readings) | {"programs": None if readings.programs is None else sorted(readings.programs)}
    if json_output:
        typer.echo(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    for line in lines(readings):
        typer.echo(harmless(line))


async def _read(folder: Path) -> Readings:
    import asyncio

    from engine.clock import SystemClock
    from engine.sensors.machine import machine_sensors

    source = machine_sensors(folder, SystemClock(), set)
    await source.read()
    await asyncio.sleep(1.1)  # what is counted between two looks
    try:
        return await source.read()
    finally:
        await source.close()


def lines(readings: Readings) -> list[str]:
    """What is shown of them."""
    values = {
        "idle": None if readings.idle is None else f"{readings.idle:.0f} s",
        "battery": _yes(readings.battery),
        "metered": _yes(readings.metered),
        "full_screen": _yes(readings.full_screen),
        "programs": None if readings.programs is None else f"{len(readings.programs)} running",
        "processor": None if readings.others_load is None else f"{readings.others_load:.0%} taken by other programs",
        "temperature": None if readings.temperature is None else f"{readings.temperature:.0f} °C",
        "power": None if readings.power is None else f"{readings.power:.1f} W",
        "disk": None if readings.disk_free is None else f"{readings.disk_free / 1e9:.1f} GB free",
        "devices": f"{len(readings.devices)}",
    }
    found = []
    for name, value in values.items():
        said = next((text for sensor, text in readings.unmeasured.items() if sensor == name), value)
        found.append(f"{name.replace('_', ' '):<12} {said}")
    for device in readings.devices:
        facts = [f"{key} {value}" for key, value in asdict(device).items() if key not in ("device", "name")]
        found.append(f"  {device.name}: {', '.join(facts)}".replace("None", "unknown"))
    return found


def _yes(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"
