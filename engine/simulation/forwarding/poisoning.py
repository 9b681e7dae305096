"""A member that says it holds every prompt prefix that anybody holds: what it draws, and what that costs users.

Each seed's requests are played to a group with that member and to the same group without lies. Look-ups, statements,
beliefs and doubts are those of real members; the liar serves as fast as any other.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.simulation.forwarding.measures import Outcome
from engine.simulation.forwarding.network import Network, Plan
from engine.simulation.forwarding.options import make_plan, make_trace
from engine.simulation.forwarding.saturation import at_load, saturation_goodput
from engine.simulation.forwarding.trace import Request

TRACE = "tooluse"
NODES = 8
EARLY_SECONDS = 10.0
LATER_SECONDS = 30.0
"""Until here a liar is found out; what comes behind is what is left to it."""
WAYS: dict[str, dict[str, Any]] = {
    "admits": {},
    "denies": {"denying": True},
    "denies and overstates": {"denying": True, "overstating": 1 / NODES},
}
"""``admits``: it says with each answer what its cache held; ``denies``: it lies then, too, so that only time shows it;
``overstates``: besides it says that it is ten times as fast as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """``groups`` of eight, each with requests of its own."""

    groups: int
    requests: int = 1_200
    load: float = 0.5
    seed: int = 1


def simulate(plans: Plans) -> dict[str, Any]:
    """For each way of lying: the liar's share of the requests, and times, beside those without lies."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    goodput = saturation_goodput(_plan(plans.seed), make_trace(TRACE, plans.requests, plans.seed))
    for seed in range(plans.seed, plans.seed + plans.groups):
        requests = at_load(make_trace(TRACE, plans.requests, seed), goodput, plans.load)
        _, honest = _play(replace(_plan(seed), doubts=True), requests)
        for way, options in WAYS.items():
            lying = replace(_plan(seed), doubts=True, poisoning=1 / NODES, **options)
            (liar,), outcomes = _play(lying, requests)
            found[way].append(_compared(liar, outcomes, honest))
    return {
        "groups": plans.groups,
        "even_share": 1 / NODES,
        "ways": {way: _over(rows) for way, rows in found.items()},
    }


def _plan(seed: int) -> Plan:
    return make_plan(policy="cost", nodes=NODES, seed=seed)


def _play(plan: Plan, requests: Sequence[Request]) -> tuple[list[int], list[Outcome]]:
    collected = gc.isenabled()
    gc.disable()  # as in ``run``
    try:
        network = Network(plan)
        return sorted(network.group.poisoning), network.run(requests)
    finally:
        if collected:
            gc.enable()


def _compared(liar: int, lied: Sequence[Outcome], honest: Sequence[Outcome]) -> dict[str, float]:
    """``wasted_*``: requests that went to the liar for what it had not, of all; ``delay_*``: seconds more until the
    first token, the mean over all users."""
    begun = lied[0].arrived
    early, later = ((begun, begun + EARLY_SECONDS), (begun + LATER_SECONDS, float("inf")))
    found: dict[str, float] = {}
    for name, window in {"early": early, "later": later}.items():
        here, there = _in(lied, window), _in(honest, window)
        found[f"share_{name}"] = _mean([one.node == liar for one in here])
        found[f"share_{name}_honest"] = _mean([one.node == liar for one in there])
        found[f"wasted_{name}"] = _mean([one.node == liar and one.wasted for one in here])
        found[f"delay_{name}"] = _first_token(here) - _first_token(there)
    found["delay"] = _first_token(lied) - _first_token(honest)
    found["honest_first_token"] = _first_token(honest)
    found["refused"] = float(sum(one.rejected for one in lied) - sum(one.rejected for one in honest))
    found["wasted_of_others"] = float(sum(one.wasted and one.node != liar for one in lied))
    return found


def _in(outcomes: Sequence[Outcome], window: tuple[float, float]) -> list[Outcome]:
    return [one for one in outcomes if window[0] <= one.arrived < window[1]]


def _first_token(outcomes: Sequence[Outcome]) -> float:
    return _mean([one.first_token - one.arrived for one in outcomes if one.done])


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def _over(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the groups; of the share that it draws later also the largest."""
    found = {name: round(statistics.fmean(row[name] for row in rows), 5) for name in rows[0]}
    return found | {"share_later_max": round(max(row["share_later"] for row in rows), 5)}
