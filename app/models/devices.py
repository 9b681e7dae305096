"""The devices of this machine as rows of the page *Contribute*: its graphics cards, then its processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default

from app.i18n import mark, number, tr
from app.models.contribution import HEAT, LOAD, MEMORY, POWER, PROCESSOR, ContributionModel
from app.models.rules import Rule
from engine.api import schema

MEBIBYTES, BYTES = 1024.0, 1 << 30
LIMITS = (
    Rule(
        "memory_cap", mark("Memory for it"), least=0.2, most=1024, digits=1, unit=mark("GB"), scale=MEBIBYTES,
        nothing=mark("all"),
    ),
    Rule(
        "power_cap", mark("Power"), mark("It slows down to stay below."), least=19, most=2000, step=10,
        unit=mark("W"), nothing=mark("no limit"), whole=False,
    ),
    Rule(
        "temperature_cap", mark("Temperature"), mark("It slows down just below, and pauses above."), least=29, most=120,
        unit=mark("°C"), nothing=mark("no limit"), whole=False,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """``words``: what it does now; ``memory`` in bytes, 0: not known; ``graphics``: it is a graphics card. ``limits``:
    values; ``missing``: why some cannot be had here; ``problem``: why what was chosen for it was refused."""

    device: str
    name: str
    on: bool
    words: str
    memory: int = 0
    graphics: bool = True
    limits: Mapping[str, object] = default(default_factory=dict)
    missing: Mapping[str, str] = default(default_factory=dict)
    problem: str = ""


def device_lines(model: ContributionModel) -> tuple[DeviceLine, ...]:
    """A row for each that the engine can use, the processor last."""
    devices = model.now.devices if model.now is not None else ()
    return tuple(_line(model, one) for one in sorted(devices, key=lambda one: one.kind == "cpu"))


def devices_summary(lines: tuple[DeviceLine, ...]) -> str:
    """How many of them may work for others, the processor among them."""
    if len(lines) == 1:
        return lines[0].name if lines[0].on else tr("Off")
    return tr("{on} of {all} on", on=sum(line.on for line in lines), all=len(lines)) if lines else ""


def limited(rule: Rule, device: DeviceLine) -> Rule:
    """A rule for one device: nothing can take more memory than it has."""
    if rule.field != "memory_cap" or not device.memory:
        return rule
    return replace(rule, most=max(rule.least, round(device.memory / BYTES, rule.digits)))


def without_graphics(now: schema.Contribution) -> str:
    """What a machine without a graphics card can do; empty: it has one."""
    if any(one.kind == "gpu" for one in now.devices):
        return ""
    return tr(
        "The engine finds no graphics card that it can use here. This machine can still pass on traffic for others, or "
        "answer with a small model on its processor."
    )


def _line(model: ContributionModel, device: schema.Device) -> DeviceLine:
    ruled, graphics = model.device_rules(device.device), device.kind == "gpu"
    name, measured = (device.name, device.device) if graphics else (tr("Processor"), PROCESSOR)
    parts = [] if graphics or not _has_graphics(model) else [tr("Steps in where no graphics card can be used")]
    newest = model.history.newest
    for kind, words in _MEASURED:
        value = newest.get(f"{kind}/{measured}")
        if value is not None:
            words = _OTHERS if kind == LOAD and not graphics else words
            parts.append(
                tr(words, value=number(value / BYTES if kind == MEMORY else value, 1 if kind == MEMORY else 0))
            )
    missing = _missing(model, device.device) if graphics else _processor_missing(model, device.device)
    for limit, field in (("power_limit", "power_cap"), ("heat_limit", "temperature_cap")):
        note = model.missing.get(f"{limit}:{device.device}")
        if note and field not in missing:
            parts.append(note)
    if unseen := model.missing.get(f"contention:{device.device}"):
        parts.append(unseen)
    limits = {rule.field: getattr(ruled, rule.field) for rule in LIMITS}
    return DeviceLine(
        device.device, name, ruled.on, " · ".join(parts), device.memory, graphics, limits, missing,
        model.problems.get(device.device, ""),
    )  # fmt: skip


def _has_graphics(model: ContributionModel) -> bool:
    return model.now is not None and any(one.kind == "gpu" for one in model.now.devices)


def _processor_missing(model: ContributionModel, device: str) -> dict[str, str]:
    """Why a limit of the processor can do nothing here, by field, as the engine says."""
    reasons = {rule.field: model.without_effect.get(f"{device}.{rule.field}", "") for rule in LIMITS}
    return {field: reason for field, reason in reasons.items() if reason}


def _missing(model: ContributionModel, device: str) -> dict[str, str]:
    """Why a limit of a graphics card can do nothing here, by field."""
    newest = model.history.newest
    if not newest:
        return {}
    reasons = ((POWER, "power_cap", _NO_POWER), (HEAT, "temperature_cap", _NO_HEAT), (MEMORY, "memory_cap", _NO_MEMORY))
    return {field: tr(reason) for kind, field, reason in reasons if newest.get(f"{kind}/{device}") is None}


_NO_POWER = mark("This card does not say how much power it takes.")
_NO_HEAT = mark("This card does not say how hot it is.")
_NO_MEMORY = mark("This card does not say how much memory is taken.")
_OTHERS = mark("{value} % taken by other programs")
_MEASURED = (
    (LOAD, mark("{value} % busy")),
    (POWER, mark("{value} W")),
    (HEAT, mark("{value} °C")),
    (MEMORY, mark("{value} GB of memory taken")),
)
