"""One moment at which a member asks all nodes of a group, and what it measures."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from engine.simulation.capacity.machines import Identity, detour, round_trip
from engine.verification.capacity.measuring import Probe, prompt_tokens

CONTEXT = 32_768
SHORT_TOKENS = 30
SHORT_ONES = 10
"""Ordinary questions to the node, of which the fastest answer tells how long the way is."""


def ask_together(group: Sequence[Identity], dice: Random, *, in_turns: bool) -> list[Probe]:
    """Short questions to each some time before, then the long ones at once. Machines behind several identities read
    them one after the other, in an order of their own, or (``in_turns``) all of them piece by piece."""
    waiting: dict[int, list[int]] = {}
    for place, identity in enumerate(group):
        waiting.setdefault(id(identity.machine), []).append(place)
    probes: list[Probe | None] = [None] * len(group)
    for places in waiting.values():
        order = dice.sample(places, len(places))
        machine = group[order[0]].machine
        queue = machine.queue(dice)
        tokens = [prompt_tokens(group[place].claimed, CONTEXT) for place in order]
        reading = [machine.reading(count, dice) for count in tokens]
        for number, place in enumerate(order):
            took = _in_turns(reading, number) if in_turns else sum(reading[: number + 1])
            probes[place] = _probe(group[place], tokens[number], queue, took, dice)
    return [probe for probe in probes if probe is not None]


def short_seconds(identity: Identity, dice: Random) -> float:
    """To the first token of a short question."""
    machine = identity.machine
    way = round_trip(identity.access, dice) + detour(identity, dice)
    return way + machine.queue(dice) + machine.reading(SHORT_TOKENS, dice) + machine.first_token


def _probe(identity: Identity, tokens: int, queue: float, took: float, dice: Random) -> Probe:
    way = round_trip(identity.access, dice) + detour(identity, dice)
    calm = min(short_seconds(identity, dice) for _ in range(SHORT_ONES))
    said = took if identity.lies_busy else queue
    seconds = way + queue + took + identity.machine.first_token
    return Probe(tokens=tokens - SHORT_TOKENS, short_seconds=calm, long_seconds=seconds, waited_seconds=said)


def _in_turns(reading: Sequence[float], number: int) -> float:
    """When this one is read where all are read by turns: nobody is done before the shortest has had its share."""
    own = reading[number]
    return sum(min(one, own) for one in reading)
