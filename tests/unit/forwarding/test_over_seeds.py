"""The judges of `make test-long-forwarding` that look at several seeds."""

from dataclasses import replace
from typing import Any

import pytest

from engine.forwarding.policies.registry import NAMES
from engine.simulation.forwarding.compare import Case, Results
from engine.simulation.forwarding.network import ORACLE
from tests.forwarding.over_seeds import oracle_claims, student, tail_claim, tail_claims

BASE = Case(trace="tooluse", requests=1_000)
COMPARISON = {
    "saturation_tokens_per_s": {"chat": 1_000.0},
    "rows": [
        {"trace": "chat", "load": load, "policy": policy, "parameters": {"tried": 1.0} if policy == "sglang" else {}}
        for load in (0.7, 0.9)
        for policy in (*NAMES, ORACLE)
    ],
}


class Known(Results):
    """Every policy's first token after a second and a bit for each seed, but for what ``faster`` takes off."""

    def __init__(self, **faster: float) -> None:
        super().__init__()
        self.faster = faster
        self.cases: list[Case] = []

    def compute(self, cases: Any) -> None:
        self.cases += cases

    def goodput(self, case: Case) -> float:
        return 1_000.0

    def of(self, case: Case) -> dict[str, Any]:
        seconds = (1.0 + 0.01 * case.seed) * (1.0 - self.faster.get(case.policy, 0.0))
        return {what: {"mean": seconds, "p99": seconds} for what in ("ttft_s", "total_s")}


def test_the_oracle_may_be_as_good_as_others_and_not_surely_worse() -> None:
    (level,) = oracle_claims(BASE, Known(), COMPARISON)
    assert level.holds
    assert level.where == "chat, 70%"
    (behind,) = oracle_claims(BASE, Known(cost=0.01, random=-0.5), COMPARISON)
    assert not behind.holds
    assert "cost -1.0%" in behind.words
    assert "random" not in behind.words


def test_policies_are_compared_as_they_were_best_and_on_the_same_requests() -> None:
    results = Known()
    oracle_claims(BASE, results, COMPARISON, (1, 2))
    assert {case.parameters for case in results.cases if case.policy == "sglang"} == {(("tried", 1.0),)}
    assert len({replace(case, policy="cost", parameters=()) for case in results.cases}) == 2
    assert {case.requests for case in results.cases} == {200}


def test_the_tail_is_held_against_whoever_is_best_on_average() -> None:
    at_seventy, at_ninety = tail_claims(BASE, Known(sglang=0.1, cost=0.2, oracle=0.3), COMPARISON)
    assert at_seventy.holds
    assert at_ninety.holds
    assert "sglang 0.927 s" in at_seventy.words
    assert "0.89 of it (95 %: 0.89 to 0.89)" in at_seventy.words
    assert not tail_claims(BASE, Known(sglang=0.1, cost=0.1, oracle=0.3), COMPARISON)[0].holds


@pytest.mark.parametrize(
    ("ours", "oracle", "holds"), [(1.01, 1.0, True), (1.05, 1.0, False), (0.95, 0.8, False), (0.89, 0.8, True)]
)
def test_what_a_tail_has_to_be_depends_on_what_is_possible(ours: float, oracle: float, holds: bool) -> None:
    assert tail_claim("here", "best", [ours] * 3, [1.0] * 3, [oracle] * 3).holds == holds


@pytest.mark.parametrize(("count", "t"), [(5, 2.776), (10, 2.262), (20, 2.093)])
def test_an_interval_is_students(count: int, t: float) -> None:
    assert student(count) == pytest.approx(t, rel=0.02)
