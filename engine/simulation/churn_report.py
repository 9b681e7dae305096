"""What a simulation of churn was asked for and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from engine.transport.memory_routers import Router


@dataclass(frozen=True, slots=True)
class ChurnPlan:
    """What to simulate. ``per_minute`` is the share of relays that die in a minute (0.1 is a tenth), one by one,
    or with ``every`` > 0 together every so many seconds; ``seconds`` how long an undisturbed answer takes;
    ``routers`` the kinds that nodes are behind, one of them drawn for each node."""

    relays: int = 60
    answers: int = 100
    per_minute: float = 0.1
    seed: int = 1
    seconds: float = 20.0
    clients: int = 4
    chats: int = 10
    models: int = 3
    every: float = 0.0
    routers: tuple[str, ...] = (Router.FULL_CONE.value,)


@dataclass(slots=True)
class Miss:
    """Why an answer is missing."""

    seed: int
    number: int
    asked_at: float
    tokens: int
    reason: str
    deaths: list[str]
    paths: list[str]


@dataclass(slots=True)
class ChurnResult:
    """What came of a :class:`ChurnPlan`. Times in seconds; ``pause`` is the longest silence within an answer."""

    plan: ChurnPlan
    undisturbed: float = 0.0
    asked: int = 0
    complete: int = 0
    wrong: int = 0
    deaths: int = 0
    arrivals: int = 0
    simulated_seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    disturbed: int = 0
    misses: list[Miss] = field(default_factory=list)

    @property
    def limit(self) -> float:
        """Seconds after which an answer counts as missing."""
        return 2 * self.undisturbed + 15.0

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and stored results."""
        return {
            "plan": asdict(self.plan),
            "undisturbed_seconds": round(self.undisturbed, 3),
            "limit_seconds": round(self.limit, 3),
            "simulated_seconds": round(self.simulated_seconds, 1),
            "deaths": self.deaths,
            "arrivals": self.arrivals,
            "asked": self.asked,
            "complete": self.complete,
            "wrong": self.wrong,
            "disturbed": self.disturbed,
            "seconds_median": round(median(self.times), 3) if self.times else None,
            "seconds_longest": round(max(self.times), 3) if self.times else None,
            "pause_99": round(_quantile(self.pauses, 0.99), 3) if self.pauses else None,
            "pause_longest": round(max(self.pauses), 3) if self.pauses else None,
            "misses": [asdict(miss) for miss in self.misses],
        }


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def as_text(result: ChurnResult) -> str:
    """For people."""
    plan, numbers = result.plan, result.as_json()
    median_time = numbers["seconds_median"]
    together = f", together every {plan.every:g} s" if plan.every else ""
    lines = [
        f"{plan.relays} relays, {plan.per_minute:.0%} of them dying in a minute{together}.",
        f"{result.deaths} deaths and {result.arrivals} arrivals in {result.simulated_seconds:.0f} simulated seconds.",
        f"{result.complete} of {result.asked} answers were complete within {result.limit:.1f} s.",
        f"Undisturbed {result.undisturbed:.3f} s, median {median_time} s, longest {numbers['seconds_longest']} s.",
        f"{result.disturbed} answers lost a relay on the way.",
        f"Longest pause in an answer: {numbers['pause_longest']} s; 99 % have none above {numbers['pause_99']} s.",
    ]
    for miss in result.misses:
        lines.append(f"Missing: answer {miss.number} of seed {miss.seed}, {miss.tokens} tokens, {miss.reason}")
        lines += [f"    {line}" for line in [*miss.deaths, *miss.paths]]
    return "\n".join(lines)
