"""Machines that read prompts, honest and other ones, and the ways to them. Times in seconds, rates in tokens a second.

Delays between a node and the network are those of ``gentorrent simulate forwarding``: 2 to 13 ms one way, evenly. A
path has three relays; an answer takes three of four paths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from engine.verification.capacity.agreeing import Moment

ACCESS = (0.002, 0.013)
RELAYS, PATHS, NEEDED = 3, 4, 3
SPREAD = 0.1
"""Of a machine's speed from one prompt to the next, as the logarithm's standard deviation."""
PROMPT_TOKENS = 800.0
"""Mean of other people's prompts, as far as no cache holds them."""
OLDEST_SHARE = 4
"""One part in so many of every step is for whoever came first (``engine.inference.scheduling.sharing``)."""
FIRST_TOKEN = (0.02, 0.12)
"""What a machine needs for a first token beside reading, evenly: from a graphics card to a processor."""


@dataclass(slots=True)
class Machine:
    """``load``: the share of time in which it reads other people's prompts. ``access``: its one-way delay."""

    rate: float
    load: float
    access: float
    first_token: float

    def queue(self, dice: Random) -> float:
        """Seconds of reading that are there when a question comes."""
        seconds = 0.0
        while dice.random() < self.load:
            seconds += dice.expovariate(1.0) * PROMPT_TOKENS / self.rate
        return seconds

    def between(self, seconds: float, dice: Random) -> float:
        """Seconds of other people's prompts that are read before one that needs so many is: those that come meanwhile,
        shorter ones, go first, but for the share of the oldest."""
        arrivals = self.load * self.rate / PROMPT_TOKENS  # a second
        others, at = 0.0, 0.0
        while arrivals > 0 and others < (OLDEST_SHARE - 1) * seconds:
            at += dice.expovariate(arrivals)
            if at > seconds + others:
                break
            size = dice.expovariate(1.0) * PROMPT_TOKENS / self.rate
            others += size if size < seconds else 0.0
        return min(others, (OLDEST_SHARE - 1) * seconds)

    def reading(self, tokens: float, dice: Random) -> float:
        """Seconds for a prompt alone."""
        return tokens / self.rate * math.exp(dice.gauss(0.0, SPREAD))


def new_machine(rate: float, load: float, dice: Random) -> Machine:
    """Somewhere, with some hardware."""
    return Machine(rate, load, dice.uniform(*ACCESS), dice.uniform(*FIRST_TOKEN))


@dataclass(slots=True, kw_only=True)
class Identity:
    """What clients see: a claim, and what is behind it. ``relays``: every question is passed on to the machine, which
    is somebody else's, over a link (or, where ``hidden``, over anonymous paths); ``lies_busy``: it always says that
    others are before whoever asks."""

    machine: Machine
    claimed: float
    access: float
    relays: bool = False
    hidden: bool = False
    lies_busy: bool = False
    measured: dict[bytes, list[Moment]] = field(default_factory=dict)


def round_trip(access: float, dice: Random) -> float:
    """To a node over anonymous paths and back: of four ways the third."""
    ways = sorted(2 * _path(access, dice) for _ in range(PATHS))
    return ways[NEEDED - 1]


def detour(identity: Identity, dice: Random) -> float:
    """What passing on adds."""
    if not identity.relays:
        return 0.0
    if identity.hidden:
        return round_trip(identity.machine.access, dice)
    return 2 * (identity.access + identity.machine.access)


def _path(access: float, dice: Random) -> float:
    """One way, each of the hops out of one place and into the next."""
    hops = [dice.uniform(*ACCESS) for _ in range(1 + 2 * RELAYS)]
    return sum(hops) + access
