"""How much a group can do at most without forwarding: what loads are fractions of.

Nodes without forwarding do not touch each other, so the group's saturation goodput is the sum of theirs. It is searched
for: the trace is played with queues that refuse nobody, so fast that every node always has something to do, and each
node's output tokens are counted over the time in which it finishes the answers between the first quarter and the last
tenth. How fast that is follows from the result before (the first time everything arrives at once); two results that
differ by less than two percent end the search. More than eight nodes are represented by as many kinds in the same
proportion, and their share of the sessions.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from msgspec.structs import replace as replace_struct

from engine.simulation.forwarding.measures import Outcome, steady_goodput
from engine.simulation.forwarding.network import Network, Plan
from engine.simulation.forwarding.trace import Request, numbered, rescaled

ENOUGH = 8
"""Nodes that stand for any number of them."""
_OVERLOAD = 1.3
_ROUNDS = 5
_PRECISION = 0.02
_ENDLESS = 1 << 40


def saturation_goodput(plan: Plan, requests: Sequence[Request]) -> float:
    """Output tokens per second of the whole group without forwarding, when there is always more to do."""
    sample, nodes = _sample(plan, requests)
    kinds = [replace_struct(kind, queue=_ENDLESS) for kind in plan.kinds]
    alone = replace(
        plan,
        policy="none",
        parameters={},
        kinds=kinds,
        nodes=nodes,
        newcomers=0.0,
        overstating=0.0,
        churn_per_minute=0.0,
    )
    tokens = sum(one.output_tokens for one in sample)
    seconds = max(sample[-1].t, 1e-9)
    found = _goodput(Network(alone).run(rescaled(sample, 1e6 * max(1.0, seconds))))
    for _ in range(_ROUNDS):
        before, factor = found, _OVERLOAD * found * seconds / tokens
        found = _goodput(Network(alone).run(rescaled(sample, factor)))
        if abs(found - before) <= _PRECISION * found:
            break
    return found * plan.nodes / nodes


def at_load(requests: Sequence[Request], goodput: float, fraction: float) -> list[Request]:
    """The trace so fast that finishing all of it takes this fraction of ``goodput``."""
    tokens = sum(one.output_tokens for one in requests)
    return rescaled(requests, max(requests[-1].t, 1e-9) * goodput * fraction / tokens)


def _goodput(outcomes: Sequence[Outcome]) -> float:
    """The sum over nodes of what each finishes per second while it is as busy as it can be."""
    nodes: dict[int, list[Outcome]] = {}
    for one in outcomes:
        if one.done:
            nodes.setdefault(one.node, []).append(one)
    return sum(map(steady_goodput, nodes.values()))


def _sample(plan: Plan, requests: Sequence[Request]) -> tuple[list[Request], int]:
    step = len(plan.kinds)
    nodes = min(plan.nodes, -(-ENOUGH // step) * step)
    if nodes == plan.nodes:
        return [replace(one) for one in requests], nodes
    most = nodes / plan.nodes * 2**32
    taken = [replace(one, answer=None) for one in requests if zlib.crc32(one.session.encode()) < most]
    return numbered(taken) or [replace(one) for one in requests], nodes
