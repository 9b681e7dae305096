"""Days of a contributor in accelerated time: what happens at the machine, what the governor decides, why, until when.

The governor, its rules and its meter are those of the engine; clock, sensors and the owner are played. Local time is
Central Europe's, so that its clocks change here as there, wherever this runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from engine.governor.findings import Moment
from engine.governor.governor import Decision, Governor
from engine.governor.meter import Meter
from engine.governor.readings import DeviceReading, Readings
from engine.governor.rules import ALL_DAY, Rules
from engine.sentences import parts_of

CLOSELY, BEFORE = 150.0, 2.0
"""Seconds after and before an event in which every second is looked at; else every minute is."""
MINUTE = 60.0


def local_time(wall: float) -> datetime:
    """In Berlin, where summer time begins and ends at 1 o'clock UTC of the last Sundays of March and October."""
    moment = datetime.fromtimestamp(wall, UTC)
    summer = _last_sunday(moment.year, 3) <= moment < _last_sunday(moment.year, 10)
    return moment.astimezone(timezone(timedelta(hours=2 if summer else 1), "CEST" if summer else "CET"))


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def off(*hours: int) -> tuple[int, ...]:
    """A schedule in which these hours of every day are off."""
    return (ALL_DAY & ~sum(1 << hour for hour in hours),) * 7


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens ``at`` so many minutes after the beginning. ``seen``: what sensors say from then on;
    ``silent``: they say nothing at all; ``moved``: bytes a second; ``clock``: seconds by which the wall clock is put
    forward; ``rules``: those that are changed; ``pause``: seconds of the owner's own pause."""

    at: float
    text: str
    seen: Mapping[str, Any] = field(default_factory=dict)
    silent: bool | None = None
    moved: float | None = None
    clock: float = 0.0
    rules: Mapping[str, Any] = field(default_factory=dict)
    pause: float | None = None
    touched: bool = False


@dataclass(frozen=True)
class Story:
    """``begin``: in UTC."""

    title: str
    begin: datetime
    hours: float
    rules: Rules
    events: Sequence[Event]


@dataclass(frozen=True)
class Line:
    """``at``: the machine's wall clock; ``elapsed``: real seconds since the beginning. Of a decision ``reasons`` with
    their ``codes``, empty while it contributes; of an event its ``text``."""

    elapsed: float
    at: float
    text: str = ""
    active: bool = False
    reasons: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    until: float = 0.0
    relays: bool = True


class Player:
    """Plays one story."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._governor = Governor()
        self._rules = story.rules
        self._meter = Meter()
        self._now, self._wall = 0.0, story.begin.timestamp()
        self._seen = Readings(now=0.0)
        self._silent = False
        self._moved = 0.0
        self._touched: float | None = None
        self._told: Decision | None = None

    def play(self) -> Iterator[Line]:
        """Every event, and every other decision."""
        events = sorted(self._story.events, key=lambda event: event.at)
        closely = 0.0
        while self._now <= self._story.hours * 3600:
            while events and events[0].at * MINUTE <= self._now:
                event = events.pop(0)
                self._happen(event)
                closely = self._now + CLOSELY
                yield Line(self._now, self._wall, event.text)
            decision = self._decide()
            if self._told is None or _key(decision) != _key(self._told):
                self._told = decision
                closely = self._now + CLOSELY
                yield self._line(decision)
            next_event = events[0].at * MINUTE - self._now if events else 2 * MINUTE
            near = self._now < closely or next_event <= BEFORE
            step = 1.0 if near else min(MINUTE - self._wall % MINUTE, next_event - BEFORE)
            self._pass(step, decision)

    def _pass(self, seconds: float, decision: Decision) -> None:
        self._now += seconds
        self._wall += seconds
        share = 1.0 if decision.active else 0.0
        for _ in range(max(1, round(seconds / MINUTE))):
            part = min(seconds, MINUTE)
            self._meter.add(self._month(), watts=_watts(self._seen, share), seconds=part, moved=self._moved * part)

    def _happen(self, event: Event) -> None:
        self._seen = replace(self._seen, **event.seen)
        self._silent = self._silent if event.silent is None else event.silent
        self._moved = self._moved if event.moved is None else event.moved
        self._wall += event.clock
        self._rules = msgspec.structs.replace(self._rules, **event.rules)
        if event.touched:
            self._touched = self._now
        if event.pause is not None:
            self._governor.pause(event.pause, self._now)

    def _decide(self) -> Decision:
        idle = None if self._touched is None else self._now - self._touched
        seen = None if self._silent else replace(self._seen, now=self._now, idle=idle)
        used = self._meter.at(self._month())
        moment = Moment(self._now, self._wall, local_time, _next_month(self._wall))
        return self._governor.decide(self._rules, seen, used, moment)

    def _month(self) -> str:
        return local_time(self._wall).strftime("%Y-%m")

    def _line(self, decision: Decision) -> Line:
        return Line(
            self._now,
            self._wall,
            active=decision.active,
            reasons=tuple("".join(reason) for reason in decision.reasons),
            codes=tuple(parts_of(reason)[0].code.removeprefix("governor.") for reason in decision.reasons),
            until=decision.until,
            relays=not decision.relay_reason,
        )


def _key(decision: Decision) -> tuple[object, ...]:
    """What makes it another one: figures that change while a reason stays do not."""
    return decision.active, tuple(parts_of(reason)[0].code for reason in decision.reasons), bool(decision.relay_reason)


def _watts(seen: Readings, share: float) -> float | None:
    return None if seen.power is None else seen.power * share


def _next_month(wall: float) -> float:
    here = local_time(wall)
    year, month = (here.year + 1, 1) if here.month == 12 else (here.year, here.month + 1)
    winter = datetime(year, month, 1, tzinfo=UTC).timestamp() - 3600.0  # as if it were winter there
    return winter - (local_time(winter).hour * 3600.0)


def _gpu(**shown: Any) -> Mapping[str, Any]:
    return {"devices": (DeviceReading(device="gpu-0", name="RTX 4070", **shown),)}


MONDAY = Story(
    "A Monday",
    datetime(2026, 11, 30, 6, tzinfo=UTC),
    18.0,
    Rules(exclusive_programs=("portal.exe",), schedule=off(13), monthly_gigabytes=50.0, idle_minutes=5.0),
    (
        Event(at=60, text="A compiler takes 90 % of the processors", seen={"others_load": 0.9}),
        Event(at=70, text="It is done", seen={"others_load": 0.05}),
        Event(at=90, text="The owner starts Portal", seen={"programs": frozenset({"portal", "shell"})}),
        Event(at=150, text="Portal has ended", seen={"programs": frozenset({"shell"})}),
        Event(at=180, text="The plug is pulled", seen={"battery": True}),
        Event(at=220, text="It is plugged in again", seen={"battery": False}),
        Event(at=240, text="The owner pauses for an hour", pause=3600.0),
        Event(at=450, text="A film fills the screen", seen={"full_screen": True}),
        Event(at=490, text="The film has ended", seen={"full_screen": False}),
        Event(at=510, text="The connection is a telephone's", seen={"metered": True}),
        Event(at=540, text="The connection is the usual one", seen={"metered": False}),
        Event(at=570, text="The GPU reaches 92 °C", seen=_gpu(temperature=92.0)),
        Event(at=575, text="It has cooled down to 70 °C", seen=_gpu(temperature=70.0)),
        Event(at=600, text="Another program draws on the GPU", seen=_gpu(temperature=60.0, others_load=0.8)),
        Event(at=615, text="It is done", seen=_gpu(temperature=60.0, others_load=0.0)),
        Event(at=630, text="The owner types, and wants idle time only", rules={"only_when_idle": True}, touched=True),
        Event(at=645, text="That rule is switched off again", rules={"only_when_idle": False}),
        Event(at=660, text="The plug is pulled", seen={"battery": True}),
        Event(at=661, text="All sensors fall silent", silent=True),
        Event(at=670, text="They answer again, and it is plugged in", silent=False, seen={"battery": False}),
        Event(at=720, text="Much is asked: 20 MB a second", moved=20e6),
        Event(at=780, text="Nothing is moved any more", moved=0.0),
        Event(at=800, text="The clock is set back by a day", clock=-86_400.0),
        Event(at=805, text="The clock is set right", clock=86_400.0),
    ),
)
AUTUMN = Story(
    "The night in which summer time ends; a limit of 2 kWh",
    datetime(2026, 10, 24, 22, tzinfo=UTC),
    20.0,
    Rules(schedule=off(2), monthly_kwh=2.0),
    (Event(at=0, text="The processors take 200 W", seen={"power": 200.0}),),
)
SPRING = Story(
    "The night in which summer time begins",
    datetime(2027, 3, 27, 22, tzinfo=UTC),
    8.0,
    Rules(schedule=off(0, 1, 2)),
    (),
)
CLOCK = Story(
    "A clock that is wrong",
    datetime(2026, 12, 1, 9, tzinfo=UTC),
    5.0,
    Rules(schedule=off(12)),
    (
        Event(at=30, text="The owner pauses for half an hour", pause=1800.0),
        Event(at=40, text="The clock is put forward by 40 minutes", clock=2400.0),
        Event(at=130, text="The clock is put back by 90 minutes", clock=-5400.0),
    ),
)
STORIES = (MONDAY, AUTUMN, SPRING, CLOCK)


def lines(story: Story) -> list[Line]:
    """Everything that happens in one."""
    return list(Player(story).play())


def as_text(stories: Sequence[Story] = STORIES) -> str:
    """The page: what happened, what was decided, and why."""
    out = [
        "# A contributor's days",
        "",
        "Written by `gentorrent simulate days`: the engine's governor in accelerated time, with a played machine,",
        "owner and clock. Times are what the machine's clock shows, in Central Europe.",
    ]
    for story in stories:
        out += ["", f"## {story.title}", "", "| time | what happens | what it does | until |", "|---|---|---|---|"]
        out += [_row(line) for line in lines(story)]
    return "\n".join(out) + "\n"


def _row(line: Line) -> str:
    if line.text:
        return f"| {_clock(line.at)} | {line.text} | | |"
    what = "**Contributes**" if line.active else f"**Pauses.** {' '.join(line.reasons)}"
    relays = "" if line.relays else " Passes nothing on."
    return f"| {_clock(line.at)} | | {what}{relays} | {_clock(line.until) if line.until else ''} |"


def _clock(wall: float) -> str:
    return local_time(wall).strftime("%a %d %b %H:%M:%S %Z")
