"""Contributing in detail: the owner's rules, what the sensors see, what is decided and why, charts, and the log."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.api.schema.base import ControlEvent, ControlRequest, Worded
from engine.governor.rules import ALL_DAY, MOST_DEVICES, MOST_PROGRAMS, DeviceRules, Rules

Reference = Annotated[str, Meta(max_length=64)]
MOST_EVENTS = 500
"""Entries that the log of :class:`GetEvents` keeps."""


class ContributionRequest(ControlRequest, frozen=True, kw_only=True):
    """Base of requests about contributing. Each has one reply with its ``ref``, or ``RequestFailed``."""

    ref: Reference = ""


class GetContribution(ContributionRequest, frozen=True, kw_only=True, tag="get_contribution"):
    """Answered by :class:`Contribution`."""


class SetRules(ContributionRequest, frozen=True, kw_only=True, tag="set_rules"):
    """All rules anew; in effect at once and kept. Answered by :class:`Contribution`."""

    rules: Rules


class PauseContributing(ContributionRequest, frozen=True, kw_only=True, tag="pause"):
    """Pause for ``seconds``; None: until the engine's next start. Answered by :class:`Contribution`."""

    seconds: Annotated[float, Meta(gt=0, le=31_536_000)] | None = None


class ResumeContributing(ContributionRequest, frozen=True, kw_only=True, tag="resume"):
    """End the owner's own pause; where there is none, use ``rules`` that are ``in_doubt``. Answered by
    :class:`Contribution`; other reasons may still hold."""


class WatchContribution(ContributionRequest, frozen=True, kw_only=True, tag="watch_contribution"):
    """``on``: from now on a :class:`ContributionSample` each second, every new :class:`OwnerEvent`, and
    :class:`Contribution` at each change. Answered by :class:`Contribution`."""

    on: bool


class GetEvents(ContributionRequest, frozen=True, kw_only=True, tag="get_events"):
    """Answered by :class:`OwnerEvents`."""


AnyContributionRequest = (
    GetContribution | SetRules | PauseContributing | ResumeContributing | WatchContribution | GetEvents
)


class Missing(Worded, frozen=True, kw_only=True):
    """``sensor`` (see ``engine.governor.readings.SensorName``) cannot be read here, so ``rules`` do nothing (fields
    of :class:`Rules`, or ``DEVICE.FIELD``; none where something else that is measured stands in for it).
    "power_limit:DEVICE": its driver does not keep the limit of power; ``reason`` says what is done instead.
    "heat_limit:DEVICE": it does not say how hot it is.
    "contention:DEVICE": nothing tells whether other programs use it."""

    sensor: str
    reason: str
    rules: tuple[str, ...] = ()


class Device(Struct, frozen=True, kw_only=True):
    """What can compute here. ``memory``: bytes; 0 while not known."""

    device: str
    name: str
    kind: Literal["gpu", "cpu"] = "gpu"
    memory: int = 0


class Checks(Struct, frozen=True, kw_only=True):
    """How the answers of this machine fared with the network's verifiers in the last ``hours``, as its committee's
    blocks say: how many ``passed``, ``failed``, and are ``undecided``. ``last``: when the newest was given, seconds
    since 1970, as far as its epoch tells; 0: none was."""

    passed: int = 0
    failed: int = 0
    undecided: int = 0
    last: float = 0.0
    hours: float = 0.0


class Totals(Struct, frozen=True, kw_only=True):
    """``tokens`` since the start, ``tokens_today`` since midnight, ``kwh_month``, ``gigabytes_month`` and ``cost``
    (in the rules' currency) since the month began. None: cannot be measured here. ``tokens_per_wh`` of this month.
    ``reputation``: of 1, as the network's committee says; None while it has not judged this machine. ``checks``: None
    while that is not known, or where the network has no committee."""

    tokens: int = 0
    tokens_today: int = 0
    tokens_month: int = 0
    answers: int = 0
    kwh_month: float | None = None
    cost: float | None = None
    tokens_per_wh: float | None = None
    gigabytes_month: float = 0.0
    reputation: float | None = None
    checks: Checks | None = None


class Contribution(ControlEvent, Worded, frozen=True, kw_only=True, tag="contribution"):
    """``paused``: by a rule or by the owner, for all of ``reasons``, the weightiest first; ``until``: seconds since
    1970 at which the last of them that has a known end ends, 0: not known; ``pause_until``: at which the owner's own
    pause ends, 0: there is none, or it does not end by itself. ``relay_reason``: why nothing is relayed.
    ``slowed``: why this machine works more slowly than it could. ``problem``: what could not be kept or read;
    ``in_doubt``: the owner's rules were among that, and ``rules`` are used only once the owner says so (``SetRules``,
    or ``ResumeContributing`` where no pause of theirs holds)."""

    ref: str = ""
    rules: Rules
    missing: tuple[Missing, ...] = ()
    devices: tuple[Device, ...] = ()
    totals: Totals = Totals()
    paused: bool = False
    reasons: tuple[str, ...] = ()
    until: float = 0.0
    pause_until: float = 0.0
    relay_reason: str = ""
    slowed: tuple[str, ...] = ()
    problem: str = ""
    in_doubt: bool = False


class DeviceSample(Struct, frozen=True, kw_only=True):
    """Load 0 to 1, watts, °C, bytes. None: cannot be measured."""

    device: str
    load: float | None = None
    power: float | None = None
    temperature: float | None = None
    memory: int | None = None


class ContributionSample(ControlEvent, frozen=True, kw_only=True, tag="contribution_sample"):
    """One second. ``at``: seconds since 1970. ``processor_load``: share that other programs take; ``temperature`` and
    ``processor_power``: of the processor, °C and watts; ``power``: watts of all that is measured."""

    at: float
    tokens_per_s: float = 0.0
    answering: int = 0
    processor_load: float | None = None
    temperature: float | None = None
    processor_power: float | None = None
    power: float | None = None
    devices: tuple[DeviceSample, ...] = ()


class OwnerEvent(ControlEvent, Worded, frozen=True, kw_only=True, tag="owner_event"):
    """Something that the owner may want to know later, in plain words. ``at``: seconds since 1970."""

    at: float
    text: str


class OwnerEvents(ControlEvent, frozen=True, kw_only=True, tag="owner_events"):
    """The log, oldest first."""

    ref: str
    events: tuple[OwnerEvent, ...]


AnyContributionEvent = Contribution | ContributionSample | OwnerEvent | OwnerEvents

__all__ = [
    "ALL_DAY",
    "MOST_DEVICES",
    "MOST_EVENTS",
    "MOST_PROGRAMS",
    "AnyContributionEvent",
    "AnyContributionRequest",
    "Checks",
    "Contribution",
    "ContributionRequest",
    "ContributionSample",
    "Device",
    "DeviceRules",
    "DeviceSample",
    "GetContribution",
    "GetEvents",
    "Missing",
    "OwnerEvent",
    "OwnerEvents",
    "PauseContributing",
    "ResumeContributing",
    "Rules",
    "SetRules",
    "Totals",
    "WatchContribution",
]
