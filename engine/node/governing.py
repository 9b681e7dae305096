"""The governor at work: reads the sensors, keeps the owner's rules, and tells what was decided and why."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.api.schema import MOST_EVENTS, OwnerEvent
from engine.clock import Clock, Uptime
from engine.errors import StorageError
from engine.governor.governor import FOR_GOOD, Decision, Governor, Moment
from engine.governor.meter import Meter, Month
from engine.governor.readings import Readings, SensorSource
from engine.governor.rules import Rules
from engine.node.kept_rules import KeptRules
from engine.node.owners_pause import OwnersPause
from engine.sentences import Sentence, parts_of, said_by, say, together
from engine.storage.files import set_aside
from engine.storage.state import load_state, save_state

LOOK_SECONDS = 0.5
"""Between two looks at the sensors."""
KEEP_SECONDS = 60.0
"""A crash loses what was used in so long at most."""
SENSORS_SECONDS = 3.0
"""A source that takes longer is given up for this look."""
PASSED_ON = 2.2
"""What the links move for each byte that counts as relayed: a cell comes in and goes on, each time with its envelope
(1,160 bytes for 1,100 that count), and credits are given for it."""
END_MOVES = 30.0
"""Seconds by which the end of a pause has to move to be news."""
logger = logging.getLogger(__name__)
Kept = TypeVar("Kept")


class Used(msgspec.Struct, frozen=True):
    """What was moved and written since the engine started, as counted elsewhere."""

    moved: float = 0.0
    relayed: float = 0.0
    tokens: int = 0


class _KeptEvent(msgspec.Struct, frozen=True):
    at: float
    text: str
    words: dict[str, tuple[Sentence, ...]] = {}


class Governing:
    """``run()`` until cancelled. ``changed`` hears of each other decision and of new rules; ``used`` says what was
    used so far; ``serves`` whether a model is in memory for others, so that power counts as contributed; ``wanted``
    whether the owner wants to contribute at all: else the log says nothing of pauses; ``uptime`` how long the
    machine is up, where anybody knows."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        source: SensorSource,
        fallback: Rules,
        *,
        changed: Callable[[], None],
        used: Callable[[], Used],
        serves: Callable[[], bool],
        wanted: Callable[[], bool],
        uptime: Callable[[], Uptime | None] = lambda: None,
    ) -> None:
        self._kept_rules = KeptRules(folder / "rules.json")
        self._month_file = folder / "contributed.json"
        self._events_file = folder / "events.json"
        self.clock = clock
        self._source = source
        self._changed: Callable[[], None] = lambda: None  # until its owner has it
        self._used = used
        self._serves = serves
        self._wanted = wanted
        self._noted = ""
        self._told_until = 0.0
        self._governor = Governor()
        self._pause = OwnersPause(folder / "pause.json", uptime)
        self._problem = self._pause_problem = ""
        self.rules = self._kept_rules.read(fallback)
        self._meter = Meter(self._load(self._month_file, tuple[Month, ...], "governor.count_damaged") or ())
        self._kept, self._kept_at = self._meter.months, clock.monotonic()
        self._last = Used()
        self._served = 0.0
        self._looked_at = clock.monotonic()
        self.readings: Readings | None = None
        self.events: deque[OwnerEvent] = deque(self._load_events(), MOST_EVENTS)
        self.heard: Callable[[OwnerEvent], None] = lambda _: None
        """Hears each new entry of the log."""
        self.looked: Callable[[], None] = lambda: None
        """Hears of each look at the sensors."""
        self.decision = Decision(active=True)
        self._break_again()
        if self.problem:  # for an owner who looks only after the next start, when nothing is damaged any more
            self.note(self.problem)
        self.decide()
        self._changed = changed

    @property
    def month(self) -> Month:
        """What was used this month."""
        return self._meter.at(self._this_month())

    @property
    def problem(self) -> str:
        """What was damaged, or cannot be kept for the next start."""
        return together(self._kept_rules.doubt, self._problem, self._pause_problem)

    @property
    def in_doubt(self) -> bool:
        """Whether the rules that hold may not be the owner's: then nothing is done for others by them."""
        return bool(self._kept_rules.doubt)

    # The owner

    def set_rules(self, rules: Rules) -> None:
        """In effect at once, and kept; where the disk refuses, ``problem`` says so. The owner has seen them: whatever
        was in doubt is so no longer."""
        self._problem = ""
        if self._pause_problem:
            self._keep_pause(self._break_left())
        if rules != self.rules:
            self.rules = rules
            self.note(say("governor.event_rules"))
        try:
            if (place := self._kept_rules.keep(rules)) is not None:
                self.note(say("governor.event_rules_used", place=str(place)))
        except StorageError as error:
            self._problem = say("governor.rules_not_kept", problem=said_by(error))
        self.decide()
        self._changed()

    def pause(self, seconds: float | None) -> None:
        """A break for ``seconds``; None: until the next start. Its end is kept (see :meth:`ends`), or ``problem`` says
        why not."""
        self._governor.pause(seconds, self.clock.monotonic())
        self._keep_pause(self._break_left())
        self.decide()
        self._changed()  # perhaps the same pause for another time

    def resume(self) -> None:
        """Go on, the owner says: their own break ends; where there is none, rules that are in doubt are those to
        use."""
        if not self._break_left() and self.in_doubt:
            self.set_rules(self.rules)
        self.end_break()

    def end_break(self) -> None:
        """End the owner's own break, and nothing else."""
        self._governor.resume()
        self._keep_pause(0.0)
        self.decide()

    def ends(self) -> None:
        """The engine was told to end for good: a break until its next start is then over, one for a time is not. After
        a crash, or where the engine is only started anew, both go on."""
        if self._break_left() == FOR_GOOD:
            self._keep_pause(0.0)

    # The loop

    async def run(self) -> None:
        """Look and decide, once a second."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self.keep()
            await self._source.close()

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(SENSORS_SECONDS):
                self.readings = await self._source.read()
        except TimeoutError:
            logger.warning("the sensors did not answer within %g s", SENSORS_SECONDS)
        self._count()
        self.decide()
        self.looked()
        if self.clock.monotonic() >= self._kept_at + KEEP_SECONDS:
            self.keep()

    def decide(self) -> None:
        """Anew, from what is known now; tells if that is another decision."""
        before, self.decision = (
            self.decision,
            self._governor.decide(
                self.rules,
                self.readings,
                self.month,
                self._moment(),
                doubt=self.in_doubt,
                moved=self._served,
            ),
        )
        self._note_pause(self.decision)
        moved = abs(self.decision.until - self._told_until) >= END_MOVES  # as with each key that is pressed
        if _told(self.decision) != _told(before) or moved:
            self._told_until = self.decision.until
            self._changed()

    def _note_pause(self, now: Decision) -> None:
        """Into the log, where it pauses for another reason than the one that was noted last, or goes on."""
        if not self._wanted():
            self._noted = ""
            return
        code = "" if now.active else _code(now)
        if code == self._noted:
            return
        text = say("governor.event_paused", reasons=together(*now.reasons)) if code else say("governor.event_resumed")
        if not (code and self._noted):
            logger.info("%s", text)
        self._noted = code
        self.note(text)

    def _count(self) -> None:
        used, now = self._used(), self.clock.monotonic()
        seconds, self._looked_at = now - self._looked_at, now
        last, self._last = self._last, used
        self._served += max(0.0, used.moved - last.moved - PASSED_ON * (used.relayed - last.relayed))
        self._meter.add(
            self._this_month(),
            watts=self.watts() if self._serves() else None,
            seconds=seconds,
            moved=used.moved - last.moved,
            relayed=used.relayed - last.relayed,
            tokens=used.tokens - last.tokens,
        )

    def watts(self) -> float | None:
        """All that is measured now: the processors and the devices that may be used. None: nothing is."""
        seen = self.readings
        if seen is None:
            return None
        off = {entry.device for entry in self.rules.devices if not entry.on}
        measured = [device.power for device in seen.devices if device.power is not None and device.device not in off]
        if seen.power is not None:
            measured.append(seen.power)
        return sum(measured) if measured else None

    # What is kept

    def keep(self) -> None:
        """Write down what was used, and how long the owner's break lasts."""
        self._kept_at = self.clock.monotonic()
        if self._break_left() != FOR_GOOD:  # that one was written down when it began, and perhaps ends with the engine
            self._keep_pause(self._break_left())
        if self._meter.months == self._kept:
            return
        self._kept = self._meter.months
        self._save(self._month_file, self._kept)

    def _break_left(self) -> float:
        return self._governor.break_left(self.clock.monotonic())

    def _keep_pause(self, left: float) -> None:
        self._pause_problem = ""
        try:
            self._pause.keep(left, self.clock.wall())
        except StorageError as error:
            logger.warning("the pause is not written down: %s", error)
            if left:
                self._pause_problem = say("governor.pause_not_kept", problem=said_by(error))

    def _break_again(self) -> None:
        """Go on with the break that an earlier engine has begun."""
        try:
            left = self._pause.left(self.clock.wall())
        except StorageError as error:
            self._damaged(self._pause.file, "governor.pause_damaged", error)
            return
        if left:
            self._governor.pause(None if left == FOR_GOOD else left, self.clock.monotonic())
        self._keep_pause(left)

    def note(self, text: str) -> None:
        """Write it into the owner's log."""
        event = OwnerEvent(at=self.clock.wall(), text=text)
        self.events.append(event)
        self._save(self._events_file, [_KeptEvent(one.at, one.text, one.words) for one in self.events])
        self.heard(event)

    def _load_events(self) -> list[OwnerEvent]:
        kept = self._load(self._events_file, list[_KeptEvent], "governor.log_damaged") or []
        return [OwnerEvent(at=one.at, text=one.text, words=one.words) for one in kept[-MOST_EVENTS:]]

    def _load(self, file: Path, kind: type[Kept], damaged: str) -> Kept | None:
        """None where nothing was kept; what is damaged is set aside, and ``damaged`` said of it."""
        try:
            return load_state(file, kind)
        except StorageError as error:
            self._damaged(file, damaged, error)
            return None

    def _damaged(self, file: Path, code: str, error: StorageError) -> None:
        logger.warning("%s", error)
        self._problem = together(self._problem, say(code, place=str(set_aside(file))))

    @staticmethod
    def _save(file: Path, state: object) -> None:
        try:
            save_state(file, state)
        except StorageError as error:
            logger.warning("not written down: %s", error)

    def _moment(self) -> Moment:
        wall, end = self.clock.wall(), self._next_month()
        begun = _local_time(wall).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
        return Moment(self.clock.monotonic(), wall, _local_time, end, (wall - begun) / (end - begun))

    def _this_month(self) -> str:
        return _local_time(self.clock.wall()).strftime("%Y-%m")

    def _next_month(self) -> float:
        local = _local_time(self.clock.wall())
        year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
        return datetime(year, month, 1).astimezone().timestamp()


def _told(decision: Decision) -> tuple[object, ...]:
    """What is news; the pace changes all the time."""
    return decision.active, decision.reasons, decision.relay_reason, decision.relay_pace, decision.slowed


def _code(decision: Decision) -> str:
    """Of the weightiest reason, whatever its figures."""
    return parts_of(decision.reasons[0])[0].code


def _local_time(wall: float) -> datetime:
    return datetime.fromtimestamp(wall).astimezone()
