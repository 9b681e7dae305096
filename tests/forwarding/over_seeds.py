"""What is claimed of forwarding over several seeds of trace and network, paired: on the same requests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist, fmean, stdev
from typing import Any

from engine.forwarding.policies.registry import NAMES
from engine.simulation.forwarding.claims import FULL, OURS, TAIL, TAIL_ORACLE, TAIL_SLACK, Claim
from engine.simulation.forwarding.compare import Case, Parameters, Results
from engine.simulation.forwarding.network import ORACLE

ORACLE_LOAD, ORACLE_SEEDS = 0.7, range(101, 121)
SHORTER = 5
"""Requests of a comparison are so many times those of one of its seeds here."""
SURE = 3.0
"""Standard errors beyond which a difference is none of luck: there are eighteen on each trace."""
TAIL_SEEDS = range(1, 6)
NOT_CLOSE = ("none", "random", "round-robin")
"""Policies whose slowest hundredth is never the best one at 70 and 90 % load."""


def oracle_claims(
    base: Case, results: Results, comparison: Mapping[str, Any], seeds: Sequence[int] = ORACLE_SEEDS
) -> list[Claim]:
    """Who knows the truth is behind nobody on average. Each policy as it is best on a trace."""
    cases = {
        (trace, policy): [
            replace(
                _case(base, results, comparison, trace, policy, ORACLE_LOAD),
                requests=base.requests // SHORTER,
                seed=seed,
            )
            for seed in seeds
        ]
        for trace in _traces(comparison)
        for policy in (*NAMES, ORACLE)
    }
    results.compute(one for several in cases.values() for one in several)
    return [_oracle_claim(trace, cases, results) for trace in _traces(comparison)]


def _oracle_claim(trace: str, cases: Mapping[tuple[str, str], Sequence[Case]], results: Results) -> Claim:
    found = []
    for policy in NAMES:
        for what in ("ttft_s", "total_s"):
            gains = [
                math.log(_value(results, other, what, "mean") / _value(results, oracle, what, "mean"))
                for other, oracle in zip(cases[trace, policy], cases[trace, ORACLE], strict=True)
            ]
            error = standard_error(gains)
            found.append((fmean(gains) + SURE * error, fmean(gains), error, policy, what))
    behind = [one for one in found if one[0] < 0]
    told = sorted(behind or found, key=lambda one: one[1])[: len(behind) or 2]
    names = {"ttft_s": "first token", "total_s": "whole answer"}
    words = ", ".join(
        f"{policy} {mean:+.1%} (standard error {error:.1%}) in {names[what]}" for _, mean, error, policy, what in told
    )
    return Claim(
        f"the oracle is behind nobody in first token and whole answer, paired over {len(cases[trace, ORACLE])} seeds",
        f"{trace}, {ORACLE_LOAD:.0%}",
        not behind,
        f"{'better than it' if behind else 'nearest to it'}: {words}",
    )


def tail_claims(
    base: Case, results: Results, comparison: Mapping[str, Any], seeds: Sequence[int] = TAIL_SEEDS
) -> list[Claim]:
    """The 99th percentile of the first token at full load against the policy that is best on average."""
    policies = [one for one in (*NAMES, ORACLE) if one not in NOT_CLOSE]
    cells = [(trace, load) for trace in _traces(comparison) for load in _loads(comparison) if load in FULL]
    cases = {
        (*cell, policy): [
            replace(_case(base, results, comparison, cell[0], policy, cell[1]), seed=one) for one in seeds
        ]
        for cell in cells
        for policy in policies
    }
    results.compute(one for several in cases.values() for one in several)
    claims = []
    for trace, load in cells:
        tails = {
            policy: [_value(results, case, "ttft_s", "p99") for case in cases[trace, load, policy]]
            for policy in policies
        }
        best = min((one for one in policies if one not in (OURS, ORACLE)), key=lambda one: fmean(tails[one]))
        claims.append(tail_claim(f"{trace}, {load:.0%}", best, tails[OURS], tails[best], tails[ORACLE]))
    return claims


def tail_claim(where: str, best: str, ours: Sequence[float], others: Sequence[float], oracle: Sequence[float]) -> Claim:
    """As :func:`claims.judge` says it of one seed, of the means of several."""
    possible = fmean(oracle) <= TAIL_ORACLE * fmean(others)
    bound = TAIL if possible else TAIL_SLACK
    logs = [math.log(one / other) for one, other in zip(ours, others, strict=True)]
    ratio, half = fmean(logs), student(len(logs)) * standard_error(logs)
    low, middle, high = (math.exp(one) for one in (ratio - half, ratio, ratio + half))
    means = f"{fmean(ours):.3f} s, {best} {fmean(others):.3f} s, the oracle {fmean(oracle):.3f} s"
    name = "99th percentile 10 % below the best other policy" if possible else "99th percentile within 2 % of the best"
    words = f"{means}; {middle:.2f} of it (95 %: {low:.2f} to {high:.2f})"
    return Claim(f"{name}, mean of {len(logs)} seeds", where, middle <= bound, words)


def standard_error(values: Sequence[float]) -> float:
    """Of their mean; 0 of a single one."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def student(count: int) -> float:
    """Standard errors of a mean of so many values, within which it lies with 95 % (Student's t, by Cornish and Fisher's
    expansion: within 2 % from five values on)."""
    if count < 2:
        return math.inf
    z, free = NormalDist().inv_cdf(0.975), count - 1
    return z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)


def _case(base: Case, results: Results, comparison: Mapping[str, Any], trace: str, policy: str, load: float) -> Case:
    """As it was compared on the first seed, with the parameters that were best there."""
    rows = (row for row in comparison["rows"] if (row["trace"], row["policy"]) == (trace, policy))
    parameters: Parameters = tuple(next(iter(rows))["parameters"].items())
    case = replace(base, trace=trace, policy=policy, parameters=parameters, load=load)
    return replace(case, goodput=results.goodput(case))


def _traces(comparison: Mapping[str, Any]) -> list[str]:
    return list(comparison["saturation_tokens_per_s"])


def _loads(comparison: Mapping[str, Any]) -> list[float]:
    return list(dict.fromkeys(row["load"] for row in comparison["rows"]))


def _value(results: Results, case: Case, what: str, which: str) -> float:
    found = results.of(case)[what][which]
    return math.inf if found is None else float(found)
