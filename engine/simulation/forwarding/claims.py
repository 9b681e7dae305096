"""What is claimed of forwarding, held against a comparison. Each claim says its figure, whether it holds or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.simulation.forwarding.generated import SHARED
from engine.simulation.forwarding.network import ORACLE

OURS, NONE = "cost", "none"
AVERAGED = (0.5, 0.7, 0.9)
FULL = (0.7, 0.9)
LEAST_GAIN, LEAST_TOOLUSE_GAIN = 0.5, 0.7
OF_ORACLE, HEADLINE, HEADLINE_ORACLE = 0.9, 0.5, 0.56
TAIL, TAIL_ORACLE, TAIL_SLACK = 0.9, 0.85, 1.02
MOST_REJECTED = 0.01


@dataclass(frozen=True, slots=True)
class Claim:
    """``where``: trace and load; ``words``: what was found."""

    name: str
    where: str
    holds: bool
    words: str


class _Rows:
    def __init__(self, comparison: Mapping[str, Any]) -> None:
        self._rows = {(row["trace"], row["load"], row["policy"]): row for row in comparison["rows"]}
        self.cells = list(dict.fromkeys((trace, load) for trace, load, _ in self._rows))
        self.traces = list(dict.fromkeys(trace for trace, _ in self.cells))

    def row(self, trace: str, load: float, policy: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._rows[trace, load, policy]
        return found

    def value(self, trace: str, load: float, policy: str, what: str, which: str = "mean") -> float:
        found = self.row(trace, load, policy)[what][which]
        return float("inf") if found is None else float(found)

    def others(self, trace: str, load: float) -> list[str]:
        return [policy for one, at, policy in self._rows if (one, at) == (trace, load) and policy not in (OURS, ORACLE)]


def judge(comparison: Mapping[str, Any]) -> list[Claim]:
    """Every claim that the comparison can be held against."""
    rows = _Rows(comparison)
    found = [_same_requests(rows, trace, load) for trace, load in rows.cells]
    found += [_first_token(rows, trace) for trace in rows.traces if trace in SHARED]
    for trace, load in rows.cells:
        found += _whole_answer(rows, trace, load)
        if load in FULL:
            found.append(_tail(rows, trace, load))
    return found


def _same_requests(rows: _Rows, trace: str, load: float) -> Claim:
    parts = []
    holds = True
    for policy in (NONE, OURS):
        row = rows.row(trace, load, policy)
        share = row["rejected"] / row["requests"]
        holds = holds and share <= MOST_REJECTED and row["finished"] + row["rejected"] == row["requests"]
        parts.append(f"{policy} rejects {share:.2%} of {row['requests']}")
    return Claim("at most 1 % rejected, all others finished", _at(trace, load), holds, ", ".join(parts))


def _first_token(rows: _Rows, trace: str) -> Claim:
    loads = [load for one, load in rows.cells if one == trace and load in AVERAGED]
    gains = [1 - rows.value(trace, load, OURS, "ttft_s") / rows.value(trace, load, NONE, "ttft_s") for load in loads]
    gain = sum(gains) / len(gains)
    least = LEAST_TOOLUSE_GAIN if trace == "tooluse" else LEAST_GAIN
    each = ", ".join(f"{one:.0%} at {load:.0%}" for one, load in zip(gains, loads, strict=True))
    return Claim(
        f"first token at least {least:.0%} sooner than without forwarding, averaged over 50 to 90 % load",
        trace,
        gain >= least,
        f"{gain:.1%} ({each})",
    )


def _whole_answer(rows: _Rows, trace: str, load: float) -> list[Claim]:
    none = rows.value(trace, load, NONE, "total_s")
    ours = 1 - rows.value(trace, load, OURS, "total_s") / none
    oracle = 1 - rows.value(trace, load, ORACLE, "total_s") / none
    words = f"{ours:.1%}, the oracle {oracle:.1%}"
    found = [Claim("whole answer: 90 % of the oracle's gain", _at(trace, load), ours >= OF_ORACLE * oracle, words)]
    if oracle >= HEADLINE_ORACLE:
        found.append(Claim("whole answer at least 50 % sooner", _at(trace, load), ours >= HEADLINE, words))
    return found


def _tail(rows: _Rows, trace: str, load: float) -> Claim:
    tails = {policy: rows.value(trace, load, policy, "ttft_s", "p99") for policy in rows.others(trace, load)}
    best = min(tails, key=lambda policy: tails[policy])
    ours, oracle = (rows.value(trace, load, policy, "ttft_s", "p99") for policy in (OURS, ORACLE))
    possible = oracle <= TAIL_ORACLE * tails[best]
    bound = TAIL if possible else TAIL_SLACK
    name = "99th percentile 10 % below the best other policy" if possible else "99th percentile within 2 % of the best"
    words = f"{ours:.3f} s, {best} {tails[best]:.3f} s, the oracle {oracle:.3f} s"
    return Claim(name, _at(trace, load), ours <= bound * tails[best], words)


def oracle_is_best(comparison: Mapping[str, Any], slack: float = 0.02) -> list[str]:
    """Where a shipped policy is better than the oracle on average: the cells, in words. There should be none."""
    rows = _Rows(comparison)
    found = []
    for trace, load in rows.cells:
        for what in ("ttft_s", "total_s"):
            oracle = rows.value(trace, load, ORACLE, what)
            for policy in [*rows.others(trace, load), OURS]:
                value = rows.value(trace, load, policy, what)
                if value < (1 - slack) * oracle:
                    found.append(f"{_at(trace, load)}, {what}: {policy} {value:.3f} s, the oracle {oracle:.3f} s")
    return found


def claims_table(claims: Sequence[Claim]) -> list[list[str]]:
    """Rows for a table: those that do not hold first."""
    ordered = sorted(claims, key=lambda one: one.holds)
    return [[one.name, one.where, "yes" if one.holds else "**no**", one.words] for one in ordered]


def _at(trace: str, load: float) -> str:
    return f"{trace}, {load:.0%}"
