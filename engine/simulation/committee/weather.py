"""What happens to messages: before synchrony whatever an adversary likes, afterwards short delays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from engine.errors import WireError
from engine.wire.blocks import CommitteeNews, Proposal, agreement_decoder

Fate = Callable[[int, int, str], bool]
"""(sender, receiver, kind of message) -> whether it gets through."""
KINDS = ("proposal", "prevote", "precommit", "result", "other")
SYNCHRONOUS_DELAY = 0.2
"""The longest in synchrony, as a share of what a member waits for in the first round."""
DUPLICATED = 0.05
"""Share of the messages that arrive twice."""


def kind_of(message: object) -> str:
    """One of ``KINDS``."""
    if not isinstance(message, CommitteeNews):
        return "other"
    try:
        record = agreement_decoder.decode(message.item.record)
    except WireError:
        return "result"
    if isinstance(record, Proposal):
        return "proposal"
    return "precommit" if record.precommit else "prevote"


@dataclass(frozen=True, slots=True)
class Phase:
    """Until a time. ``delay``: the longest, in seconds; messages overtake each other."""

    until: float
    passes: Fate
    delay: float


@dataclass(frozen=True, slots=True)
class Plot:
    """What an adversary has in mind with the honest members: ``sides`` that shall decide differently, or one
    (``lucky``) that decides alone, so that the others may decide differently."""

    script: str
    sides: tuple[frozenset[int], frozenset[int]]
    lucky: int


def plot(random: Random, members: int) -> Plot:
    """Half of the schedules try to let one decide alone; the others have two sides, or whatever comes."""
    first = frozenset(member for member in range(members) if random.random() < 0.5)
    script = random.choice(("two sides", "alone", "alone", "random"))
    return Plot(script, (first, frozenset(range(members)) - first), random.randrange(members))


class Weather:
    """One schedule's network. ``unit`` is what a member waits for in a step of the first round."""

    def __init__(self, random: Random, members: int, unit: float, synchrony: float, plot: Plot) -> None:
        self._random = random
        self._synchrony = synchrony
        self._unit = unit
        self._phases = list(_phases(random, members, unit, synchrony, plot))

    def arrivals(self, sender: int, receiver: int, kind: str, now: float) -> Iterator[float]:
        """When a message that is sent now arrives: not at all, once, or twice."""
        while len(self._phases) > 1 and self._phases[0].until <= now:
            del self._phases[0]
        phase = self._phases[0]
        if now >= self._synchrony or phase.passes(sender, receiver, kind):
            longest = SYNCHRONOUS_DELAY * self._unit if now >= self._synchrony else phase.delay
            yield now + self._random.uniform(0.01 * self._unit, longest)
            if self._random.random() < DUPLICATED:
                yield now + self._random.uniform(0.01 * self._unit, 2 * longest)


def _phases(random: Random, members: int, unit: float, synchrony: float, plot: Plot) -> Iterator[Phase]:
    now = 0.0
    if plot.script == "alone":
        now = random.uniform(1.0, 8.0) * unit
        yield Phase(now, _alone(plot, random, members), 0.2 * unit)
        now += random.uniform(5.0, 40.0) * unit
        yield Phase(now, lambda sender, receiver, _: plot.lucky not in (sender, receiver), 0.2 * unit)
    while now < synchrony:
        now += random.uniform(0.3, 4.0) * unit
        name = random.choice(("calm", "partition", "lossy", "isolated", "deaf", "kind", "kind", "slow"))
        delay = random.uniform(0.5, 6.0) * unit if name == "slow" else random.choice((0.05, 0.3, 1.0)) * unit
        if plot.script == "two sides" and random.random() < 0.8:
            yield Phase(now, lambda sender, receiver, _: _same_side(plot, sender, receiver), 0.3 * unit)
        else:
            yield Phase(now, _fate(name, random, members), delay)
    yield Phase(float("inf"), lambda *_: True, SYNCHRONOUS_DELAY * unit)


def _same_side(plot: Plot, sender: int, receiver: int) -> bool:
    return any(sender in side and receiver in side for side in plot.sides)


def _alone(plot: Plot, random: Random, members: int) -> Fate:
    """The lucky one hears everything and cannot tell; of the others each misses some kinds of messages of some, and
    mostly what would show it that it does."""
    everybody = range(members)
    share = random.uniform(0.2, 0.5)
    lost = {
        (sender, receiver, kind)
        for sender in everybody
        for receiver in everybody
        for kind in KINDS
        if random.random() < (0.9 if kind == "other" or (sender == plot.lucky and kind == "precommit") else share)
    }

    def passes(sender: int, receiver: int, kind: str) -> bool:
        return receiver == plot.lucky or (sender, receiver, kind) not in lost

    return passes


def _fate(name: str, random: Random, members: int) -> Fate:
    everybody = range(members)
    if name == "partition":
        side = [random.random() < 0.5 for _ in everybody]
        return lambda sender, receiver, _: side[sender] == side[receiver]
    if name == "isolated":
        alone = random.choice(everybody)
        return lambda sender, receiver, _: alone not in (sender, receiver)
    if name == "lossy":
        share = random.uniform(0.1, 0.8)
        return lambda *_: random.random() >= share
    if name == "deaf":
        cut = {(a, b) for a in everybody for b in everybody if random.random() < 0.4}
        return lambda sender, receiver, _: (sender, receiver) not in cut
    if name == "kind":
        lost = random.choice(KINDS)
        who = {member for member in everybody if random.random() < 0.8}
        return lambda _, receiver, kind: kind != lost or receiver not in who
    return lambda *_: True
