"""``gentorrent sensors``."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from engine.cli import cli
from engine.commands.sensors import lines
from engine.governor.readings import DeviceReading, Readings


def test_every_sensor_says_something_or_why_not(tmp_path) -> None:
    result = CliRunner().invoke(cli, ["sensors", "--json", "--data", str(tmp_path)])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["disk_free"] > 0
    for name in ("idle", "metered", "full_screen", "temperature", "power"):
        assert (found[name] is None) == (name in found["unmeasured"])


def test_people_read_lines() -> None:
    card = DeviceReading(device="GPU-1", name="Card", load=0.5)
    shown = lines(Readings(now=1, idle=3.2, battery=True, devices=(card,), unmeasured={"power": "Not here."}))
    assert "idle         3 s" in shown
    assert "battery      yes" in shown
    assert "power        Not here." in shown
    assert "load 0.5" in shown[-1]
    assert "power unknown" in shown[-1]
