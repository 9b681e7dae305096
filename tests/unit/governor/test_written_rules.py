"""Rules as they were written: all that can be read is kept, and all that is lost is named."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.governor.rules import ALL_DAY, MOST_DEVICES, DeviceRules, Rules
from engine.governor.written_rules import read_rules

CARD = DeviceRules(device="gpu0", on=False, memory_cap=4096, power_cap=200.0, temperature_cap=75.0)
OWNERS = Rules(
    model="m",
    only_when_idle=True,
    idle_minutes=7.0,
    on_battery=False,
    on_metered=False,
    full_screen=False,
    contention=False,
    contention_share=0.25,
    exclusive_programs=("blender",),
    heat_limit=70.0,
    schedule=(0, ALL_DAY, 0, 0, 0, 0, 1),
    price=0.3,
    currency="SEK",
    monthly_kwh=20.0,
    monthly_gigabytes=30.0,
    serve_rate=2.5,
    disk_gigabytes=40.0,
    relay=False,
    relay_rate=3.0,
    relay_monthly_gigabytes=5.0,
    relay_on_metered=True,
    devices=(CARD, DeviceRules(device="cpu", on=False)),
    serve="my_networks",
    longest_request=900,
    when_pausing="finish",
)
OTHERWISE = Rules(relay_rate=9.0, price=1.0)
WRONG: object = {"what": "no rule looks like"}
NAMES = [name for name in Rules.__struct_fields__ if name != "devices"]
OF_CARD = [name for name in DeviceRules.__struct_fields__ if name != "device"]
UNKNOWN = ["rule_of_tomorrow", "", "devices "]


def test_the_example_says_something_of_every_rule() -> None:
    new = Rules()
    assert [name for name in Rules.__struct_fields__ if getattr(OWNERS, name) == getattr(new, name)] == []


def test_what_was_written_is_read() -> None:
    for rules in (OWNERS, Rules(), OTHERWISE):
        assert read_rules(msgspec.json.encode(rules), OTHERWISE) == (rules, ())
    assert read_rules(b"{}", OTHERWISE) == (Rules(), ()), "what is not there was not ruled"


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(OF_CARD)), st.sets(st.sampled_from(UNKNOWN)))
def test_the_rest_is_kept_whatever_is_spoilt(spoilt: set[str], of_card: set[str], unknown: set[str]) -> None:
    written = msgspec.json.decode(msgspec.json.encode(OWNERS)) | dict.fromkeys([*spoilt, *unknown], WRONG)
    written["devices"][0] |= dict.fromkeys([*of_card, "mood"], WRONG)
    rules, lost = read_rules(msgspec.json.encode(written), OTHERWISE)
    assert set(lost) == spoilt | unknown | {f"gpu0.{name}" for name in (*of_card, "mood")}
    assert len(lost) == len(set(lost))
    for name in NAMES:
        assert getattr(rules, name) == getattr(OTHERWISE if name in spoilt else OWNERS, name)
    card, processor = rules.devices
    for name in OF_CARD:
        assert getattr(card, name) == getattr(DeviceRules(device="gpu0") if name in of_card else CARD, name)
    assert processor == OWNERS.devices[1]


@pytest.mark.parametrize("devices", [None, "gpu0", [[]], [{"on": False}], [{"device": ""}]])
def test_devices_without_a_name_are_lost(devices: object) -> None:
    assert read_rules(msgspec.json.encode({"devices": devices}), OTHERWISE) == (Rules(), ("devices",))


def test_more_devices_than_there_may_be_are_lost() -> None:
    many = [{"device": f"gpu{number}"} for number in range(MOST_DEVICES + 1)]
    rules, lost = read_rules(msgspec.json.encode({"devices": many}), OTHERWISE)
    assert (len(rules.devices), lost) == (MOST_DEVICES, ("devices",))


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(msgspec.json.encode))
def test_anything_else_is_refused_or_read(data: bytes) -> None:
    try:
        rules, _ = read_rules(data, OTHERWISE)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    assert msgspec.json.decode(msgspec.json.encode(rules), type=Rules) == rules
