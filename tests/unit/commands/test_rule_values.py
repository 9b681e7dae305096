"""Rules and schedules as text: what is shown can be set, and what cannot be is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.schema import CatalogueModel, Contribution, Device, Missing, ModelState
from engine.commands import schedule_text
from engine.commands.contribute import _seconds
from engine.commands.rule_values import changed, check_device, check_model, named, without_effect
from engine.errors import ConfigurationError
from engine.governor.rules import ALL_DAY, DeviceRules, Rules

OTHERS = Rules(
    only_when_idle=True,
    contention_share=0.25,
    exclusive_programs=("blender", "portal 2"),
    heat_limit=None,
    schedule=(ALL_DAY, 0, 1, 0b110, ALL_DAY, ALL_DAY, ALL_DAY),
    monthly_kwh=12.5,
    devices=(DeviceRules(device="cpu", on=False), DeviceRules(device="GPU-1.2", memory_cap=4096, power_cap=200)),
    serve="my_networks",
    longest_request=8000,
    when_pausing="finish",
)


@pytest.mark.parametrize("rules", [Rules(), OTHERS])
def test_what_is_shown_can_be_set(rules: Rules) -> None:
    made = Rules()
    for name, value in named(rules).items():
        made = changed(made, name, value)
    assert made == rules


def test_a_device_without_rules_of_its_own_is_left_out() -> None:
    rules = changed(Rules(), "cpu.memory_cap", "2048")
    assert rules.devices == (DeviceRules(device="cpu", memory_cap=2048),)
    assert changed(rules, "cpu.memory_cap", "none") == Rules()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("nonsense", "1", "There is no rule"),
        ("devices", "1", "There is no rule"),
        ("cpu.colour", "1", "There is no rule"),
        (".on", "yes", "cannot be .*: it has to be "),
        ("relay", "perhaps", "yes or no"),
        ("heat_limit", "hot", "cannot be .*: it has to be "),
        ("heat_limit", "20", "cannot be .*: it has to be "),
        ("price", "-1", "cannot be .*: it has to be "),
        ("serve", "nobody", "cannot be .*: it has to be "),
        ("cpu.power_cap", "1", r"cpu\.power_cap cannot be .*: it has to be "),
        ("cpu.on", "perhaps", r"cpu\.on is yes or no"),
        ("schedule", "someday 0-24", "not understood"),
        ("schedule", "monday", "'monday' is not understood"),
        ("schedule", "", "A day is missing"),
        ("schedule", "mon 0-8;", "A day is missing"),
        ("schedule", "mon 0-8,", "An hour is missing"),
        ("schedule", "mon 8-8", "end before"),
        ("schedule", "mon 8-25", "not understood"),
    ],
)
def test_what_cannot_be_is_bad_usage(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        changed(Rules(), name, value)


@given(st.tuples(*[st.integers(0, ALL_DAY)] * 7))
def test_every_schedule_can_be_written(schedule: tuple[int, ...]) -> None:
    assert schedule_text.parse(schedule_text.show(schedule)) == schedule


def test_schedules_as_people_write_them() -> None:
    weekend = schedule_text.parse("Mon-Fri 0-8, 18-24 ; sat,sun 0-24")
    assert weekend == (ALL_DAY & ~(0x3FF << 8),) * 5 + (ALL_DAY,) * 2
    assert schedule_text.parse("mon-sun") == (ALL_DAY,) * 7
    assert schedule_text.parse("mon-fri 0-8,18-24; sat,sun") == weekend
    assert schedule_text.show(weekend) == "mon-fri 0-8,18-24; sat-sun 0-24"


@pytest.mark.parametrize(("text", "seconds"), [("1h", 3600), ("90m", 5400), ("15", 900), ("2d", 172_800)])
def test_times_to_pause(text: str, seconds: float) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize("text", ["0", "-1h", "soon", "1w", "10000d"])
def test_no_times_to_pause(text: str) -> None:
    with pytest.raises(ConfigurationError):
        _seconds(text)


def test_a_rule_that_asks_for_something_and_can_do_nothing_says_why() -> None:
    missing = (
        Missing(sensor="power", reason="No meter.", rules=("monthly_kwh",)),
        Missing(sensor="temperature", reason="No heat.", rules=("cpu.temperature_cap",)),
        Missing(sensor="power_limit:gpu0", reason="It works in pauses."),
        Missing(sensor="contention:gpu0", reason="Nobody tells who uses it."),
        Missing(sensor="heat_limit:gpu0", reason="It says nothing of heat."),
    )
    limits = (
        DeviceRules(device="cpu", temperature_cap=80),
        DeviceRules(device="gpu0", power_cap=200, temperature_cap=80),
    )
    found = Contribution(rules=Rules(monthly_kwh=0.5, devices=limits), missing=missing)
    told = {name: note for name in named(found.rules) for note in without_effect(found, name)}
    assert told == {
        "monthly_kwh": "monthly_kwh has no effect on this machine. No meter.",
        "cpu.temperature_cap": "cpu.temperature_cap has no effect on this machine. No heat.",
        "gpu0.power_cap": "It works in pauses.",
        "gpu0.temperature_cap": "It says nothing of heat.",
        "heat_limit": "It says nothing of heat.",
        "contention": "Nobody tells who uses it.",
    }
    assert not list(without_effect(Contribution(rules=Rules(), missing=missing), "monthly_kwh"))


def test_a_model_is_one_that_is_here_or_the_engines_choice() -> None:
    offered = (ModelState(id="built-in", where="local"), ModelState(id="far", where="network"))
    states = {"tiny": "here", "new": "available", "coming": "downloading", "bad": "broken"}
    known = [
        CatalogueModel(model=name, title=name, source="hub", state=state, text="It lacks x.")
        for name, state in states.items()
    ]
    for name in ("built-in", "tiny", "automatic", "none", " automatic "):
        check_model(offered, known, name)
    refused = {
        "no-such": "There is no model 'no-such' on this machine.",
        "far": "There is no model 'far' on this machine.",
        "tiny:q8": "There is no model 'tiny:q8' on this machine.",
        "new": "new is not downloaded yet. Begin with: gentorrent models start new.",
        "coming": "coming is not on this machine yet: gentorrent models catalogue shows how far it is.",
        "bad": "bad cannot be used. It lacks x.",
    }
    for name, why in refused.items():
        with pytest.raises(ConfigurationError) as told:
            check_model(offered, known, name)
        assert str(told.value) == f"{why} There are: automatic, built-in, tiny."
    chosen = changed(Rules(), "model", "tiny")
    assert (chosen.model, named(chosen)["model"]) == ("tiny", "tiny")
    for automatic in ("automatic", "none"):
        assert changed(chosen, "model", automatic) == Rules()
    assert named(Rules())["model"] == "automatic"


def test_a_device_that_there_is_not_gets_no_rules() -> None:
    found = Contribution(
        rules=Rules(devices=(DeviceRules(device="GPU-1.2", on=False),)),
        devices=(Device(device="cpu", name="", memory=1),),
    )
    for name in ("cpu.on", "GPU-1.2.on", "monthly_kwh"):
        check_device(found, name)
    with pytest.raises(ConfigurationError, match=r"no device 'gpu0' here. There are: cpu, GPU-1.2\."):
        check_device(found, "gpu0.on")
