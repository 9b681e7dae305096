"""Files in which a played machine has a battery and counters of energy, for this process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import psutil

from engine.sensors import linux

BATTERY = {"energy_now": 40_000_000, "energy_full": 50_000_000, "power_now": 9_000_000, "status": "Discharging"}


@contextmanager
def played_machine(folder: Path) -> Iterator[None]:
    """Sensors of this process that are made meanwhile find both in this folder."""
    battery, mains, package = folder / "power" / "BAT0", folder / "power" / "AC", folder / "rapl" / "intel-rapl:0"
    for place in (battery, mains, package):
        place.mkdir(parents=True)
    for name, value in BATTERY.items():
        (battery / name).write_text(f"{value}\n")
    (mains / "online").write_text("1\n")
    (package / "energy_uj").write_text("12345678\n")
    power = partial(linux.ProcessorPower, folder=folder / "rapl")
    batteries = patch.object(psutil._psplatform, "POWER_SUPPLY_PATH", str(folder / "power"))
    with batteries, patch.object(linux, "ProcessorPower", power):
        yield
