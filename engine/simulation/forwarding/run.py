"""One run of the simulator, from options to numbers."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

from engine.simulation.forwarding.measures import summary
from engine.simulation.forwarding.network import Network, Plan
from engine.simulation.forwarding.trace import Request


def simulate(plan: Plan, requests: Sequence[Request], *, warm_up: float = 0.0) -> dict[str, Any]:
    """Play ``requests`` and say what came of them (see ``measures.summary``), but for the first ``warm_up`` share of
    them, which only fill caches."""
    collected = gc.isenabled()
    gc.disable()  # nothing here is a cycle that goes away; looking for them takes a third of the time
    try:
        network = Network(plan)
        outcomes = network.run(requests)
    finally:
        if collected:
            gc.enable()
    return summary(plan.policy, outcomes[int(warm_up * len(outcomes)) :], nodes=plan.nodes)


def as_text(result: dict[str, Any]) -> str:
    """For a terminal."""
    ttft, total = result["ttft_s"], result["total_s"]
    lines = [
        f"{result['policy']}: {result['finished']} of {result['requests']} requests finished",
        f"rejected, forwarded {result['rejected']}, {result['forwarded']}",
        f"time to first token {_seconds(ttft)}",
        f"whole answer        {_seconds(total)}",
        f"prompt tokens       {result['hit_rate']:.1%} from caches, {result['prefilled_tokens']:,} read",
        f"output tokens/s     {result['goodput_tokens_per_s']:,.1f}",
    ]
    return "\n".join(lines)


def _seconds(spread: dict[str, float | None]) -> str:
    if spread["mean"] is None:
        return "-"
    return ", ".join(f"{name} {value:.3f} s" for name, value in spread.items() if value is not None)
