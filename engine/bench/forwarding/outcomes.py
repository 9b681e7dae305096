"""Numbers of a run out of its records: the same keys, counted the same way, as ``gentorrent simulate forwarding``.

Pure. The first requests fill the caches and are not counted, in reality and in the simulation alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from engine.bench.forwarding.asking import CODE_OF_CLIENT, Record
from engine.simulation.forwarding.measures import Outcome, spread, summary


def real_summary(policy: str, records: Sequence[Record], skipped: int, nodes: int) -> dict[str, Any]:
    """Of what was measured, ``skipped`` first requests left out. Node shares are by node id, the largest first."""
    counted = records[skipped:]
    done = [one for one in counted if not one.error]
    served = Counter(one.served_by for one in done)
    prompt = sum(one.prompt_tokens for one in done)
    begin = min((one.intended for one in counted), default=0.0)
    seconds = max((one.ended for one in done), default=begin) - begin
    shares = [count / len(done) for _, count in served.most_common()]
    return {
        "policy": policy,
        "requests": len(counted),
        "finished": len(done),
        "rejected": sum(bool(one.error) and one.error != CODE_OF_CLIENT for one in counted),
        "lost": sum(one.error == CODE_OF_CLIENT for one in counted),
        "reasons": dict(Counter(one.error for one in counted if one.error)),
        "ttft_s": spread([one.first_token_seconds for one in done]),
        "total_s": spread([one.total_seconds for one in done]),
        "hit_rate": round(sum(one.cached_tokens for one in done) / prompt, 6) if prompt else 0.0,
        "prefilled_tokens": sum(one.prompt_tokens - one.cached_tokens for one in done),
        "goodput_tokens_per_s": round(sum(one.output_tokens for one in done) / seconds, 3) if seconds > 0 else 0.0,
        "node_share": [round(share, 4) for share in shares + [0.0] * (nodes - len(shares))],
        "late_s": spread([one.sent - one.intended for one in counted]),
    }


def simulated_summary(policy: str, draws: Sequence[Sequence[Outcome]], skipped: int, nodes: int) -> dict[str, Any]:
    """Means over what was simulated several times, with the lowest and the highest mean of them."""
    found = [_simulated(policy, outcomes[skipped:], nodes) for outcomes in draws]
    means = [one["ttft_s"]["mean"] for one in found if one["ttft_s"]["mean"] is not None]
    result = {key: _averaged([one[key] for one in found]) for key in found[0]}
    return {**result, "ttft_mean_range_s": [min(means), max(means)] if means else []}


def _simulated(policy: str, outcomes: Sequence[Outcome], nodes: int) -> dict[str, Any]:
    found = summary(policy, outcomes, nodes=nodes)
    found["node_share"] = sorted(found["node_share"].values(), reverse=True)
    return found


def _averaged(values: Sequence[Any]) -> Any:
    """Numbers as their mean, what holds numbers in the same way; anything else as in the first."""
    first = values[0]
    if isinstance(first, dict):
        return {key: _averaged([one[key] for one in values]) for key in first}
    if isinstance(first, list):
        return [_averaged(list(several)) for several in zip(*values, strict=True)]
    if isinstance(first, int | float):
        return round(sum(values) / len(values), 6)
    return first


def error(real: dict[str, Any], simulated: dict[str, Any], key: str) -> float | None:
    """How far the simulated mean of ``key`` is from the real one, as a share of the real one."""
    measured, computed = real[key]["mean"], simulated[key]["mean"]
    return None if not measured or computed is None else round(computed / measured - 1, 4)


def gain(baseline: dict[str, Any], other: dict[str, Any], key: str) -> float | None:
    """How much lower the mean of ``key`` is than without forwarding, as a share of that."""
    before, after = baseline[key]["mean"], other[key]["mean"]
    return None if not before or after is None else round(1 - after / before, 4)
