"""Contributing as the owner sees and rules it: the rules, what is measured, what happened, and pausing.

Changes are in effect at once, for the eye; the engine is told a moment later, of all of them together. What it refuses
is taken back, with the reason beside the field.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from app.models.engine_words import from_engine
from app.models.history import History
from engine.api import schema

SETTLE_MILLISECONDS = 400
"""So long nothing more must be changed before the engine is told."""
_REF = "contribution"
TOKENS, LOAD, POWER, HEAT, MEMORY = "tokens", "load", "power", "temperature", "memory"
PROCESSOR = "processor"
"""Names in the history; those of devices with their id behind a slash."""


class ContributionModel(QObject):
    """``send`` gives a request to the engine and says whether it went out."""

    changed = Signal()
    """Rules, devices, totals or a refusal."""
    sampled = Signal()
    """There is a newer measurement."""
    happened = Signal()
    """There is a newer event."""
    diagnosed = Signal(str)
    """The text of a report, to be saved."""
    undiagnosed = Signal(str)
    """Why there is none."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self.now: schema.Contribution | None = None
        """What the engine said last; None while it is away."""
        self.history = History()
        self.events: list[schema.OwnerEvent] = []
        """Newest first."""
        self.problems: dict[str, str] = {}
        """Why a value was refused, by field."""
        self.opened: set[str] = set()
        """Parts of the page that the owner has opened."""
        self._early: dict[str, object] = {}
        self._wanted: schema.Rules | None = None
        self._told: schema.Rules | None = None
        self._watching: set[int] = set()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MILLISECONDS)
        self._settle.timeout.connect(self._tell)

    @property
    def rules(self) -> schema.Rules | None:
        """As the owner wants them."""
        return self._wanted or (self.now.rules if self.now is not None else None)

    @property
    def missing(self) -> dict[str, str]:
        """Why something cannot be measured here, by sensor."""
        now = self.now
        return {} if now is None else {one.sensor: from_engine(one, "reason") for one in now.missing}

    @property
    def without_effect(self) -> dict[str, str]:
        """Why a rule does nothing on this machine, by field."""
        missing = self.now.missing if self.now is not None else ()
        return {rule: from_engine(one, "reason") for one in missing for rule in one.rules}

    def change(self, **values: object) -> None:
        """Rule otherwise, from now on; before the engine has spoken, as soon as it does."""
        rules = self.rules
        if rules is None:
            self._early |= values
            return
        wanted = msgspec.structs.replace(rules, **values)
        if wanted == rules and not self.problems:
            return
        self._wanted = wanted
        for name in values:
            self.problems.pop(name, None)
        self._settle.start()
        self.changed.emit()

    def change_device(self, device: str, **values: object) -> None:
        """The same for one of the devices."""
        rules = self.rules
        if rules is None:
            return
        own = next((one for one in rules.devices if one.device == device), schema.DeviceRules(device=device))
        others = tuple(one for one in rules.devices if one.device != device)
        self.problems.pop(device, None)
        self.change(devices=(*others, msgspec.structs.replace(own, **values)))

    def device_rules(self, device: str) -> schema.DeviceRules:
        """What is ruled for a device."""
        devices = self.rules.devices if self.rules is not None else ()
        return next((one for one in devices if one.device == device), schema.DeviceRules(device=device))

    def keep_rules(self) -> bool:
        """Let the engine write its rules down again, which also says that a problem was read; False when there is no
        engine to be told."""
        return self.rules is not None and self._send(schema.SetRules(rules=self.rules, ref=_REF))

    def pause(self, seconds: float | None) -> bool:
        """Pause for so long, or until the engine's next start; False when there is no engine to be told."""
        return self._send(schema.PauseContributing(seconds=seconds, ref=_REF))

    def resume(self) -> bool:
        """End a pause."""
        return self._send(schema.ResumeContributing(ref=_REF))

    def diagnose(self) -> bool:
        """Ask for a report; False when there is no engine to be asked."""
        return self._send(schema.GetDiagnostics(ref=_REF))

    def watch(self, who: int, on: bool) -> None:
        """``who`` begins or ends to look at measurements. They come while anybody does."""
        before = bool(self._watching)
        (self._watching.add if on else self._watching.discard)(who)
        if bool(self._watching) != before:
            self._send(schema.WatchContribution(on=on, ref=_REF))

    def connection_lost(self) -> None:
        """The engine is away; what was not told it is forgotten, as nobody knows what it takes."""
        self._settle.stop()
        self.now = self._wanted = self._told = None
        self.problems.clear()
        self.history.clear()
        self.changed.emit()

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Welcome():
                self._begin()
            case schema.Contribution():
                self._heard(event)
            case schema.ContributionSample():
                self._measured(event)
            case schema.OwnerEvents():
                self.events = list(reversed(event.events))
                self.happened.emit()
            case schema.OwnerEvent():
                self.events = [event, *self.events][: schema.MOST_EVENTS]
                self.happened.emit()
            case schema.Diagnostics(ref="contribution"):
                self.diagnosed.emit(event.text)
            case schema.RequestFailed(request="set_rules"):
                self._refused(event)
            case schema.RequestFailed(request="get_diagnostics"):
                self.undiagnosed.emit(from_engine(event))
            case _:
                return

    # What the engine says.

    def _begin(self) -> None:
        self.events = []
        self._send(schema.GetContribution(ref=_REF))
        self._send(schema.GetEvents(ref=_REF))
        if self._watching:
            self._send(schema.WatchContribution(on=True, ref=_REF))

    def _heard(self, event: schema.Contribution) -> None:
        self.now = event
        early, self._early = self._early, {}
        if early:
            self.change(**early)
        if self._told is not None and self._told == self._wanted:
            self._told = self._wanted = None  # what the engine says is what the owner wants, as it takes it
        self.changed.emit()

    def _measured(self, sample: schema.ContributionSample) -> None:
        values: dict[str, float | None] = {
            TOKENS: sample.tokens_per_s,
            f"{LOAD}/{PROCESSOR}": None if sample.processor_load is None else 100 * sample.processor_load,
            f"{POWER}/{PROCESSOR}": sample.processor_power,
            f"{HEAT}/{PROCESSOR}": sample.temperature,
        }
        for device in sample.devices:
            values |= {
                f"{LOAD}/{device.device}": None if device.load is None else 100 * device.load,
                f"{POWER}/{device.device}": device.power,
                f"{HEAT}/{device.device}": device.temperature,
                f"{MEMORY}/{device.device}": device.memory,
            }
        self.history.add(sample.at, values)
        self.sampled.emit()

    def _refused(self, event: schema.RequestFailed) -> None:
        if self.now is not None and self._told is not None:
            reason = from_engine(event)
            self.problems |= dict.fromkeys(changed_fields(self.now.rules, self._told), reason)
            if self._wanted == self._told:
                self._wanted = None
        self._told = None
        self.changed.emit()

    def _tell(self) -> None:
        if self._wanted is not None and self._send(schema.SetRules(rules=self._wanted, ref=_REF)):
            self._told = self._wanted


def changed_fields(old: schema.Rules, new: schema.Rules) -> list[str]:
    """Names of the rules that differ; of the rules of devices, the devices."""
    names = [name for name in old.__struct_fields__ if name != "devices" and getattr(old, name) != getattr(new, name)]
    before = {one.device: one for one in old.devices}
    return [*names, *(one.device for one in new.devices if before.get(one.device) != one)]
