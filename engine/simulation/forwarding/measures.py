"""What became of each request, and the numbers that are told of all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_NEVER = math.inf


@dataclass(slots=True, eq=False)
class Outcome:
    """One request. Times are of the simulation; ``arrived`` is the intended arrival."""

    arrived: float
    prompt_tokens: int
    output_tokens: int
    first_token: float = _NEVER
    finished: float = _NEVER
    rejected: bool = False
    node: int = -1
    forwarded: bool = False
    cached: int = 0  # of the prompt, at the node that read it first
    read: int = 0  # tokens of the prompt, and again of prompt and answer where it was handed over
    handed_over: int = 0  # how often its node left in mid-answer
    wasted: bool = False  # it was forwarded for a cache that did not hold half of what was said

    @property
    def done(self) -> bool:
        """Answered to the end."""
        return self.finished < _NEVER


def summary(policy: str, outcomes: Sequence[Outcome], *, nodes: int) -> dict[str, Any]:
    """The numbers of a run. ``hit_rate``: of all prompt tokens that were served, those that came from a cache;
    ``goodput_tokens_per_s``: output tokens of finished answers over the time from the first arrival to the last end;
    ``steady_tokens_per_s``: :func:`steady_goodput`; ``node_share``: of all finished requests, by node."""
    done = [one for one in outcomes if one.done]
    prompt = sum(one.prompt_tokens for one in done)
    begin = min((one.arrived for one in outcomes), default=0.0)
    seconds = max((one.finished for one in done), default=begin) - begin
    served = Counter(one.node for one in done)
    return {
        "policy": policy,
        "requests": len(outcomes),
        "finished": len(done),
        "rejected": sum(one.rejected for one in outcomes),
        "ttft_s": spread([one.first_token - one.arrived for one in done]),
        "total_s": spread([one.finished - one.arrived for one in done]),
        "hit_rate": round(sum(one.cached for one in done) / prompt, 6) if prompt else 0.0,
        "prefilled_tokens": sum(one.read for one in outcomes),
        "goodput_tokens_per_s": round(sum(one.output_tokens for one in done) / seconds, 3) if seconds > 0 else 0.0,
        "steady_tokens_per_s": round(steady_goodput(outcomes), 3),
        "node_share": {str(place): round(served[place] / len(done), 6) if done else 0.0 for place in range(nodes)},
        "forwarded": sum(one.forwarded for one in done),
        "handed_over": sum(one.handed_over for one in done),
    }


STEADY = (0.25, 0.9)
"""Of the answers in the order of their ends: at first the caches are empty, at last places are."""


def steady_goodput(outcomes: Sequence[Outcome]) -> float:
    """Output tokens per second between the ends of the first and the last part of the finished answers."""
    done = sorted((one for one in outcomes if one.done), key=lambda one: one.finished)
    if not done:
        return 0.0
    begin = int(STEADY[0] * len(done))
    end = max(int(STEADY[1] * len(done)), begin + 1)
    seconds = done[min(end, len(done) - 1)].finished - (done[begin].finished if len(done) > 1 else done[0].arrived)
    counted = done[begin + 1 : end + 1] or done
    return sum(one.output_tokens for one in counted) / seconds if seconds > 0 else 0.0


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean and percentiles in seconds; None where there is nothing."""
    if not values:
        return dict.fromkeys(("mean", "p50", "p90", "p99"))
    found = np.percentile(values, (50, 90, 99))
    p50, p90, p99 = (round(float(one), 6) for one in found)
    return {"mean": round(float(np.mean(values)), 6), "p50": p50, "p90": p90, "p99": p99}
