"""Which model to contribute where the owner leaves it to the engine: by memory, demand and speed. Pure.

What a model is worth here is what one more machine would be asked of it (see :class:`Seen`), more for large models, and
less the slower an answer would be to read. Machines that all reckon like this spread over the models in proportion to
what each is asked. So that they neither flap nor jump together, a model stays for a while, only a clearly better one
takes its place, and chance decides which of those that see it goes now.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.sentences import say, together

READING_RATE = 20.0
"""Tokens a second beyond which nobody waits for an answer to be written."""
SLOWEST = 2.0
"""Tokens a second below which a model is of no use."""
LEAST_ASKED = 1.0
"""Answers at a time that are thought to be asked of any model: somebody has to be the first to serve it."""
MOST_ASKED = 3.0
"""Answers at a time of each machine above which there is no telling how many are asked for."""
STAY_SECONDS = 1800.0
"""So long at least a model stays."""
MARGIN = 1.5
"""So many times as much must another model be worth."""
TOLD_SECONDS = 60.0
"""In about this time others see that a machine has changed its model; few of them go meanwhile."""
SHARE_GOING = 0.25
"""Of those that would have to go until both models are worth the same, so many go in that time."""
DEMAND_SECONDS = 1200.0
"""Over so long demand is averaged."""
RETRY_SECONDS = 3600.0
"""A model that could not be loaded is left alone for so long, twice as long after each further failure."""
LONGEST_RETRY = 86_400.0
WORTH_A_DOWNLOAD = 1.5
"""So many times as much as the best model here must another one be worth before it is recommended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A model that this machine could answer with. ``memory`` and ``size`` (of its weights): bytes, 0: not known.
    ``tokens_per_s`` of an answer that runs alone, ``measured`` here or expected; 0: cannot be said."""

    model: str
    here: bool = True
    memory: int = 0
    size: int = 0
    tokens_per_s: float = 0.0
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """``others`` that serve a model, without this machine; ``asked``: answers at a time of each that serves it."""

    others: int = 0
    asked: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """``model`` "": none can be taken. ``reason`` why it is taken. ``better``: a model that is not here and would be
    worth much more, and why."""

    model: str
    reason: str
    better: str = ""
    better_reason: str = ""


def asked_of(busy: float) -> float:
    """Answers at a time of each machine, where a share of ``busy`` machines was answering when it was looked at."""
    return min(-math.log1p(-min(busy, 0.999)), MOST_ASKED)


def worth(option: Option, seen: Seen, *, serving: bool = False) -> float:
    """What it would do for others to serve this model here, or does."""
    members = seen.others + serving
    wanted = min(max(min(seen.asked, MOST_ASKED) * members, LEAST_ASKED) / (seen.others + 1), MOST_ASKED)
    pace = min(option.tokens_per_s / READING_RATE, 1.0) if option.tokens_per_s else 1.0
    return wanted * pace * math.cbrt(max(option.size, 1e6))


@dataclass(frozen=True, slots=True)
class _Failure:
    until: float
    wait: float


class Chooser:
    """``draw`` gives a random number from 0 to 1. Call :meth:`look` every few seconds."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self.model = ""
        self._since = 0.0
        self._looked = 0.0
        self._asked: dict[str, float] = {}
        self._failures: dict[str, _Failure] = {}

    def failed(self, model: str, now: float) -> None:
        """It could not be loaded."""
        before = self._failures.get(model)
        if before is not None and now < before.until:
            return
        wait = min(2 * before.wait, LONGEST_RETRY) if before is not None else RETRY_SECONDS
        self._failures[model] = _Failure(now + wait, wait)

    def look(
        self, options: Sequence[Option], seen: Mapping[str, Seen], *, room: int, answering: bool, now: float
    ) -> Choice:
        """What to serve now. ``room``: bytes that a model may take; ``answering``: others are being answered."""
        passed, self._looked = max(now - self._looked, 0.0), now
        able = [one for one in options if _fits(one, room)]
        known = {one.model: self._smoothed(one.model, seen.get(one.model, Seen()), passed) for one in able}
        usable = {
            one.model: worth(one, known[one.model], serving=one.model == self.model)
            for one in able
            if one.here and not self._fails(one.model, now)
        }
        if not usable:
            self.model = ""
            here = any(one.here for one in able)
            return Choice("", say("automatic.failed_all") if here else say("automatic.none"))
        if self.model not in usable:
            self._take(self._drawn(usable), now)
        elif not answering and now >= self._since + STAY_SECONDS:
            best = max(usable, key=lambda name: usable[name])
            if usable[best] >= MARGIN * usable[self.model] and self._goes(best, usable, known, passed):
                self._take(best, now)
        by_name = {one.model: one for one in able}
        better = self._better(able, usable, known)
        return Choice(
            self.model,
            together(_reason(by_name[self.model], known[self.model], alone=len(usable) == 1), self._failure_words(now)),
            better.model if better is not None else "",
            _better_words(better, known[better.model]) if better is not None else "",
        )

    # What is known

    def _smoothed(self, model: str, seen: Seen, passed: float) -> Seen:
        """One look says little of how much is asked; who has not been seen yet is taken at its word."""
        before = self._asked.get(model)
        share = 1.0 if before is None else -math.expm1(-passed / DEMAND_SECONDS)
        asked = seen.asked if before is None else before + share * (seen.asked - before)
        self._asked[model] = asked
        return Seen(seen.others, asked)

    def _fails(self, model: str, now: float) -> bool:
        failure = self._failures.get(model)
        return failure is not None and now < failure.until

    # Which

    def _take(self, model: str, now: float) -> None:
        self.model, self._since = model, now

    def _drawn(self, usable: Mapping[str, float]) -> str:
        """One of those that are worth nearly the most: machines that start together do not all take the same."""
        most = max(usable.values())
        near = [(name, value) for name, value in sorted(usable.items()) if value * MARGIN >= most]
        place = self._draw() * sum(value for _, value in near)
        for name, value in near:
            place -= value
            if place < 0:
                return name
        return near[-1][0]

    def _goes(self, best: str, usable: Mapping[str, float], known: Mapping[str, Seen], passed: float) -> bool:
        """Whether chance sends this one, of all that see that another model needs them more."""
        here, there = known[self.model].others + 1, known[best].others + 1
        now_here, then_there = usable[self.model] * here, usable[best] * there
        wanted = (then_there * here - now_here * there) / (then_there + now_here)  # then both are worth the same
        share = max(SHARE_GOING * wanted, 1.0) / here
        return self._draw() < -math.expm1(-share * passed / TOLD_SECONDS)

    def _better(self, able: Sequence[Option], usable: Mapping[str, float], known: Mapping[str, Seen]) -> Option | None:
        """What would be worth a download."""
        missing = [one for one in able if not one.here and one.tokens_per_s]
        best = max(missing, key=lambda one: worth(one, known[one.model]), default=None)
        if best is None or worth(best, known[best.model]) < WORTH_A_DOWNLOAD * max(usable.values()):
            return None
        return best

    # Why

    def _failure_words(self, now: float) -> str:
        names = sorted(name for name in self._failures if self._fails(name, now))
        return say("automatic.failed", model=names[0]) if names else ""


def _fits(option: Option, room: int) -> bool:
    fast = not option.tokens_per_s or option.tokens_per_s >= SLOWEST
    return fast and (not option.memory or option.memory <= room)


def _reason(option: Option, seen: Seen, *, alone: bool) -> str:
    if alone:
        return say("automatic.only", model=option.model)
    return together(say("automatic.chosen", model=option.model), _others(seen), _speed(option))


def _better_words(option: Option, seen: Seen) -> str:
    size = round(option.size / 1e9, 1)
    return together(say("automatic.better", model=option.model, size=size), _others(seen), _speed(option))


def _others(seen: Seen) -> str:
    if not seen.others:
        return say("automatic.nobody")
    busy = 10 * round(-10 * math.expm1(-seen.asked))
    return say("automatic.others", others=seen.others, busy=busy)


def _speed(option: Option) -> str:
    if not option.tokens_per_s:
        return ""
    rate = max(1, round(option.tokens_per_s))
    return say("automatic.measured" if option.measured else "automatic.expected", rate=rate)
