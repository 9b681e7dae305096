"""What is usual among the members of a group, and how far above it a claim is looked at at all. Pure.

Every member says itself how fast it is, how many places it has and how busy it is. What one counts with for the whole
group are therefore medians over the members with standing: whoever has none moves nothing, and no minority of the
others moves a median beyond what honest members say. Of an even number the middle one counts that overstating does not
reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import median_high, median_low
from typing import NamedTuple

from engine.forwarding.members import Member
from engine.forwarding.policies.candidates import outstanding
from engine.forwarding.prediction import UNMEASURED_DECODE, UNMEASURED_PREFILL, alone_rate, prefill_rate
from engine.ids import NodeId

MOST_TIMES = 16.0
"""What is usual, times this, is as fast as a claim can make a member. Who is faster still is the first choice anyway;
and what ``beliefs`` measures corrects this much within a few answers, not a claim of any size."""


class Usual(NamedTuple):
    """Of the members with standing."""

    reading: float = UNMEASURED_PREFILL  # prompt tokens a second, as far as they are believed
    writing: float = UNMEASURED_DECODE  # tokens a second of an answer that runs alone, likewise
    busy: float = 0.0  # answers for each place


def usual_of(members: Iterable[Member], myself: NodeId | None = None) -> Usual:
    """``myself`` counts with or without standing: one knows oneself."""
    known = [one for one in members if one.established or one.node_id == myself]
    if not known:
        return Usual()
    return Usual(
        median_low(map(prefill_rate, known)),
        median_low(map(alone_rate, known)),
        median_high(outstanding(one) / max(one.load.slots, 1) for one in known),
    )


def within_reason(member: Member, usual: Usual) -> Member:
    """The same with its rates as far as they can be true. What is too much is taken off all of them: it speaks of one
    machine."""
    load = member.load
    told = max(load.prefill_rate / usual.reading, (load.decode_rate_alone or load.decode_rate) / usual.writing)
    if told <= MOST_TIMES:
        return member
    share = MOST_TIMES / told
    return replace(
        member,
        load=replace(
            load,
            prefill_rate=load.prefill_rate * share,
            decode_rate=load.decode_rate * share,
            decode_rate_alone=load.decode_rate_alone * share,
        ),
    )
