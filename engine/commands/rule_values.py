"""Rules of the owner by name, as text, and what they can do here: for ``gentorrent contribute``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from engine.api.schema import CatalogueModel, Contribution, ModelState
from engine.commands import schedule_text
from engine.errors import ConfigurationError
from engine.governor.rules import DeviceRules, Rules
from engine.refused_values import why_refused

NOTHING = "none"
AUTOMATIC = "automatic"
"""As a model: the engine chooses."""
Made = TypeVar("Made", bound=Struct)
_ON = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
_LIMITS = {"power_cap": "power_limit", "temperature_cap": "heat_limit"}
"""By the rule of a device, what the engine calls it where it cannot be kept."""
_OF_DEVICES = tuple(name for name in DeviceRules.__struct_fields__ if name != "device")
_NAMES = tuple(name for name in Rules.__struct_fields__ if name != "devices")


def named(rules: Rules) -> dict[str, str]:
    """Every rule with its value; those of a device as ``DEVICE.NAME``."""
    found = {name: _shown(name, getattr(rules, name)) for name in _NAMES}
    for entry in rules.devices:
        found |= {f"{entry.device}.{name}": _shown(name, getattr(entry, name)) for name in _OF_DEVICES}
    return found


def without_effect(found: Contribution, name: str) -> Iterator[str]:
    """Why a rule that asks for something does nothing on this machine, or less than it says."""
    if named(found.rules).get(name, NOTHING) == NOTHING:
        return
    device, _, field = name.rpartition(".")
    for missing in found.missing:
        if name in missing.rules:
            yield f"{name} has no effect on this machine. {missing.reason}"
        elif missing.sensor == f"{_LIMITS.get(field)}:{device}" or missing.sensor.startswith(f"{name}:"):
            yield missing.reason


def check_device(found: Contribution, name: str) -> None:
    """:class:`ConfigurationError` for a rule of a device that this machine does not have, nor rules of."""
    device = name.rpartition(".")[0]
    known = dict.fromkeys([one.device for one in found.devices] + [one.device for one in found.rules.devices])
    if device and device not in known:
        raise ConfigurationError(f"There is no device {device[:60]!r} here. There are: {', '.join(known)}.")


def check_model(offered: Sequence[ModelState], known: Sequence[CatalogueModel], text: str) -> None:
    """:class:`ConfigurationError` for a model that this machine cannot answer others with, as it is not here."""
    name = text.strip()
    here = [one.id for one in offered if one.where != "network"]
    here += [one.model for one in known if one.state == "here" and one.model not in here]
    if name in ("", NOTHING, AUTOMATIC, *here):
        return
    entry = next((one for one in known if one.model == name), None)
    if entry is None:
        why = f"There is no model {name[:100]!r} on this machine."
    elif entry.state == "broken":
        why = f"{name} cannot be used. {entry.text}"
    elif entry.state == "available":
        why = f"{name} is not downloaded yet. Begin with: gentorrent models start {name}."
    else:
        why = f"{name} is not on this machine yet: gentorrent models catalogue shows how far it is."
    raise ConfigurationError(f"{why} There are: {', '.join((AUTOMATIC, *here))}.")


def changed(rules: Rules, name: str, text: str) -> Rules:
    """The rules with that one set; :class:`ConfigurationError` for a name or value that there is not."""
    device, dot, field = name.rpartition(".")
    if not dot:
        return _with(rules, Rules, _NAMES, name, text)
    before = next((one for one in rules.devices if one.device == device), None)
    entry = before or _converted({"device": device}, DeviceRules, name)
    after = _with(entry, DeviceRules, _OF_DEVICES, field, text, called=name)
    others = tuple(one for one in rules.devices if one.device != device)
    devices = [*others] if after == DeviceRules(device=device) else [*others, after]
    return _converted(msgspec.to_builtins(rules) | {"devices": msgspec.to_builtins(devices)}, Rules, name)


def _with(whole: Made, kind: type[Made], names: tuple[str, ...], name: str, text: str, called: str = "") -> Made:
    """``called``: the rule by its whole name, as it was typed; "": as it is."""
    if name not in names:
        also = " Those of a device are named as in cpu.on." if kind is Rules else ""
        raise ConfigurationError(f"There is no rule {name[:60]!r}. There are: {', '.join(names)}.{also}")
    called = called or name
    return _converted(msgspec.to_builtins(whole) | {name: _value(kind, name, text.strip(), called)}, kind, called)


def _value(kind: type[Any], name: str, text: str, called: str) -> object:
    if name == "schedule":
        return schedule_text.parse(text)
    if name == "exclusive_programs":
        return [] if text == NOTHING else [one.strip() for one in text.split(",") if one.strip()]
    default = next(field.default for field in msgspec.structs.fields(kind) if field.name == name)
    if isinstance(default, bool):
        if text.lower() not in _ON:
            raise ConfigurationError(f"{called} is yes or no, not {text[:40]!r}.")
        return _ON[text.lower()]
    if isinstance(default, str):
        return "" if text == NOTHING or (name == "model" and text == AUTOMATIC) else text
    return None if text == NOTHING else text


def _converted(values: Any, kind: type[Made], name: str) -> Made:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(why_refused(error, kind, values, name[:60])) from None


def _shown(name: str, value: object) -> str:
    match value:
        case "" if name == "model":
            return AUTOMATIC
        case None | "" | ():
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple():
            return schedule_text.show(value) if name == "schedule" else ",".join(map(str, value))
    return str(value)
