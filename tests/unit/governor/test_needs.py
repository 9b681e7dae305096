"""Rules that do nothing on a machine: those of what nothing measures, and a GPU stands in for some sensors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from engine.governor.findings import Moment, findings
from engine.governor.meter import Month
from engine.governor.needs import ALONE, RULES_OF, unseen, without_effect
from engine.governor.readings import DeviceReading, Readings, SensorName
from engine.governor.rules import DeviceRules, Rules

MOMENT = Moment(0.0, 0.0, lambda wall: datetime.fromtimestamp(wall, UTC))
OFF = Rules(devices=(DeviceRules(device="gpu0", on=False),))


def seen(**measured: Any) -> Readings:
    return Readings(now=0.0, devices=(DeviceReading(device="gpu0", **measured),) if measured else ())


def test_every_rule_of_a_sensor_is_one_and_belongs_to_one_sensor() -> None:
    named = [field for fields in RULES_OF.values() for field in fields]
    assert set(named) <= set(Rules.__struct_fields__)
    assert len(named) == len(set(named))
    assert set(RULES_OF) <= set(get_args(SensorName))


def test_what_is_about_a_sensor_does_nothing_without_it() -> None:
    assert without_effect("power", Rules(), seen()) == ("monthly_kwh", "cpu.power_cap")
    assert without_effect("battery", Rules(), seen(power=100.0)) == ("on_battery",)
    assert without_effect("disk", Rules(), seen()) == ()
    assert without_effect("temperature", Rules(), seen(temperature=50.0)) == ("cpu.temperature_cap",)


@pytest.mark.parametrize(
    ("sensor", "measured"),
    [("power", "power"), ("processor", "others_load"), ("processor", "encoder_load"), ("processor", "others_memory")],
)
def test_what_a_gpu_measures_stands_in_while_it_may_be_used(sensor: SensorName, measured: str) -> None:
    alone = ALONE.get(sensor, ())
    assert without_effect(sensor, Rules(), seen(**{measured: 0})) == alone
    assert without_effect(sensor, OFF, seen(**{measured: 0})) == RULES_OF[sensor] + alone
    assert without_effect(sensor, Rules(), seen(load=0.5)) == RULES_OF[sensor] + alone


def test_a_gpu_whose_users_nothing_tells_is_named_where_that_matters() -> None:
    assert [one.device for one in unseen(Rules(), seen(load=0.9, temperature=60.0))] == ["gpu0"]
    for measured in ("others_load", "encoder_load", "others_memory"):
        assert not list(unseen(Rules(), seen(**{measured: 0})))
    assert not list(unseen(Rules(contention=False), seen(load=0.9)))
    assert not list(unseen(OFF, seen(load=0.9)))
    assert not list(unseen(Rules(), seen(lost=True)))


@pytest.mark.parametrize(
    ("sensor", "measured"), [("processor", {"others_load": 1.0}), ("temperature", {"temperature": 99.0})]
)
@pytest.mark.parametrize("rules", [Rules(), OFF])
def test_the_governor_agrees(sensor: SensorName, measured: dict[str, float], rules: Rules) -> None:
    readings = seen(**measured)
    paused = findings(rules, readings, Month(), MOMENT, frozenset())
    ruled = set(RULES_OF[sensor]).intersection(without_effect(sensor, rules, readings))
    assert bool(paused) == (not ruled)
