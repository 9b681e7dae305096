"""What sealing, receipts and verification take, as it is stored: shares with their intervals, of what was timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.bench.verification import protection


def of_saturated(saturated: Mapping[str, Any], challenges: float) -> dict[str, Any]:
    """Of the tokens per second of a saturated machine, by what came and by processor time; answers to ``challenges``
    (their share) are tokens that nobody else gets. Earlier versions have stored no share by processor time."""
    names = {
        "share": "security_share_throughput_interval",
        "capacity": "security_share_processor_uncontrolled",
        "capacity_controlled": "security_share_processor",
        "capacity_serving": "security_share_processor_serving",
    }
    intervals = {
        name: {
            key: one if key == "pairs" or one is None else round(one + challenges, 5)
            for key, one in saturated[found].items()
        }
        for found, name in names.items()
        if found in saturated
    }
    return intervals | {"security_share_throughput": intervals[names["share"]]["mean"]}


def cost(measured: protection.Protected) -> dict[str, Any]:
    """What was timed."""
    return {
        "security_share_latency": round(measured.paced.latency().mean, 5),
        "security": {
            name: _pairs(pairs, paced=name == "paced", works=name == "saturated")
            for name, pairs in measured.pairs().items()
        },
        "other_programs": measured.disturbed,
    }


def _pairs(pairs: protection.Pairs, *, paced: bool, works: bool) -> dict[str, Any]:
    """``works``: the worker, which is idle beside the stand-in."""
    found: dict[str, Any] = {
        "answers": pairs.answers,
        "readings": pairs.scored,
        "at_once": pairs.chats,
        "fewest_at_once": pairs.fewest_chats,
    }
    if paced:
        return found | {"share": pairs.latency().as_json(), "answer_s": _two(pairs.on.seconds, pairs.off.seconds)}
    return found | {
        "share": pairs.throughput().as_json(),
        "capacity": pairs.capacity().as_json(),
        **(_controlled(pairs) if works else {}),
        "tokens_per_s": _two(pairs.on.speed, pairs.off.speed),
        "busy": _two(pairs.on.busy, pairs.off.busy),
        "processor": {
            name: {"share": pairs.processor(name).as_json(), "s_per_1000_tokens": _two(used, pairs.off.processor[name])}
            for name, used in pairs.on.processor.items()
            if works or name != protection.WORKER
        },
    }


def _controlled(pairs: protection.Pairs) -> dict[str, Any]:
    names = {"capacity_controlled": protection.EVERYBODY, "capacity_serving": protection.SERVING}
    return {name: pairs.capacity(of, controlled=True).as_json() for name, of in names.items()}


def _two(on: Sequence[float], off: Sequence[float]) -> dict[str, float]:
    return {"on": round(sum(on) / len(on), 4), "off": round(sum(off) / len(off), 4)}
