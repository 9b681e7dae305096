"""One moment at which a member asks all nodes of a group, and what it measures."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from engine.simulation.capacity.machines import Identity, detour, round_trip
from engine.verification.capacity.measuring import LONGEST_SECONDS, prompt_tokens
from engine.wire.challenges import SpeedMeasured

CONTEXT = 32_768
SHORT_TOKENS = 30
SHORT_ONES = 2
"""Questions before the long one, of which the faster one tells how long the way is."""


def ask_together(group: Sequence[Identity], dice: Random, *, in_turns: bool, line: float = 0.0) -> list[SpeedMeasured]:
    """Short questions to each some time before, then the long ones at once. Machines behind several identities read
    them one after the other, in an order of their own, or (``in_turns``) all of them piece by piece. ``line``: seconds
    for which the asking member's own line delays a long question beyond what it knows of."""
    waiting: dict[int, list[int]] = {}
    for place, identity in enumerate(group):
        waiting.setdefault(id(identity.machine), []).append(place)
    found: dict[int, SpeedMeasured] = {}
    for places in waiting.values():
        order = dice.sample(places, len(places))
        machine = group[order[0]].machine
        queue = machine.queue(dice)
        tokens = [prompt_tokens(group[place].claimed, CONTEXT) for place in order]
        reading = [machine.reading(count, dice) for count in tokens]
        for number, place in enumerate(order):
            took = _in_turns(reading, number) if in_turns else sum(reading[: number + 1])
            others = queue + machine.between(took, dice)
            found[place] = _measured(group[place], tokens[number], others, took, line, dice)
    return [found[place] for place in range(len(group))]


def short_seconds(identity: Identity, dice: Random) -> float:
    """To the first token of a short question."""
    machine = identity.machine
    way = round_trip(identity.access, dice) + detour(identity, dice)
    return way + machine.queue(dice) + machine.reading(SHORT_TOKENS, dice) + machine.first_token


def _measured(identity: Identity, tokens: int, others: float, took: float, line: float, dice: Random) -> SpeedMeasured:
    way = round_trip(identity.access, dice) + detour(identity, dice)
    short = min(short_seconds(identity, dice) for _ in range(SHORT_ONES))
    said = took if identity.lies_busy else others
    seconds = min(line + way + others + took + identity.machine.first_token, LONGEST_SECONDS)
    return SpeedMeasured(
        node=bytes(20),
        model=bytes(8),
        claimed=max(1, int(identity.claimed)),
        tokens=max(1, tokens - SHORT_TOKENS),
        short_ms=int(short * 1000),
        long_ms=int(seconds * 1000),
        waited_ms=int(said * 1000),
    )


def _in_turns(reading: Sequence[float], number: int) -> float:
    """When this one is read where all are read by turns: nobody is done before the shortest has had its share."""
    own = reading[number]
    return sum(min(one, own) for one in reading)
