"""Rules as they were written down: what can be read of them, and the names of what cannot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from engine.governor.rules import MOST_DEVICES, DeviceName, DeviceRules, Rules

Read = TypeVar("Read", Rules, DeviceRules)


class _Named(msgspec.Struct):
    device: DeviceName


def read_rules(data: bytes, otherwise: Rules) -> tuple[Rules, tuple[str, ...]]:
    """The rules in ``data``, and by name what of it is lost on this version: values that are none, which are then as in
    ``otherwise``, and rules that it does not know. Raises ``msgspec.DecodeError`` where nothing can be read."""
    raw = msgspec.json.decode(data, type=dict[str, object])
    devices, lost_devices = _read_devices(raw.pop("devices", []))
    rules, lost = _read(raw, otherwise)
    return msgspec.structs.replace(rules, devices=devices), (*lost, *lost_devices)


def _read_devices(raw: object) -> tuple[tuple[DeviceRules, ...], list[str]]:
    found: dict[str, DeviceRules] = {}
    lost = []
    for entry in raw if isinstance(raw, list) else [raw]:
        try:
            device, ruled = msgspec.convert(entry, _Named).device, msgspec.convert(entry, dict[str, object])
        except msgspec.ValidationError:
            lost.append("devices")
            continue
        found[device], names = _read(ruled, DeviceRules(device=device))
        lost += [f"{device}.{name}" for name in names]
    if len(found) > MOST_DEVICES:
        lost.append("devices")
    return tuple(found.values())[:MOST_DEVICES], lost


def _read(raw: Mapping[str, object], otherwise: Read) -> tuple[Read, list[str]]:
    """What is not there at all was as a new machine has it when this was written."""
    types = _types(type(otherwise))
    values: dict[str, Any] = {}
    lost = []
    for name, value in raw.items():
        try:
            values[name] = msgspec.convert(value, types[name])
        except (KeyError, msgspec.ValidationError):
            lost.append(name)
            if name in types:
                values[name] = getattr(otherwise, name)
    return type(otherwise)(**values), lost


@cache
def _types(kind: type[Read]) -> Mapping[str, object]:
    return {field.name: field.type for field in msgspec.structs.fields(kind)}
