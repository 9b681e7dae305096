"""`make test-long-forwarding`: what is claimed of forwarding, in the simulator with full counts.

Every policy on every trace at four loads with 8 nodes; the slowest hundredth over five seeds; the oracle against every
policy and low load against least-load, paired over 20 seeds each; goodput at 1, 2, 4 and 8 nodes; then 32, 128 and
1,000 nodes, nodes that die, old news, nodes of different speeds, newcomers. Results of single runs are kept in
``.work/test-long-forwarding/<commit>``, so an interrupted run goes on where it was; with files changed since the commit
everything is done anew. docs/test-results/forwarding.md and .json say what holds and what does not, what would be a bug
included: claims of speed that fall short fail nothing, a bug does.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.bench.storing import table
from engine.simulation.forwarding.claims import NONE, OURS, Claim, claims_table, judge
from engine.simulation.forwarding.compare import LOADS, Case, Results, compare
from engine.simulation.forwarding.generated import SHARED, TRACES
from tests.forwarding.over_seeds import ORACLE_SEEDS, TAIL_SEEDS, oracle_claims, standard_error, tail_claims
from tests.support.long_runs import machine, report, store, work_folder

LOW_LOAD, SEEDS, LOW_SLACK = 0.1, 20, 0.02
SCALING_NODES, SCALING_LOAD, LEAST_SCALING = (1, 2, 4, 8), 2.0, 0.85
SCALING_LENGTH = 6
"""Times the requests of a comparison: the busy time has to be long beside the longest answer."""
LARGE = ((32, 200), (128, 100), (1_000, 20))  # nodes, requests for each
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "as above": {},
    "a tenth of the nodes dies in a minute": {"churn_per_minute": 0.1},
    "news every 5 s": {"gossip_seconds": 5.0},
    "100 ms between nodes": {"access_seconds": 0.025},
    "A100 and RTX 4090 in turn": {"kinds": ("a100-8b", "rtx-4090-8b")},
    "a quarter of the nodes has no standing": {"newcomers": 0.25},
    "a quarter of the nodes claims ten times its speed": {"overstating": 0.25},
}
COMPARED = (NONE, "least-load", "sglang", OURS)


def main() -> int:
    """0 if nothing is a bug, whatever the claims say."""
    parser = argparse.ArgumentParser(
        prog="make test-long-forwarding", description="Forwarding in the simulator with full counts (ARGS=...)."
    )
    parser.add_argument("--jobs", type=int, default=2, help="simulations at a time (2)")
    parser.add_argument("--requests", type=int, default=2_500, help="of each comparison (2500)")
    parser.add_argument("--quick", action="store_true", help="few of everything, to try the command; stores nothing")
    options = parser.parse_args()
    head, folder = work_folder("forwarding", "-quick" if options.quick else "")
    results = Results(options.jobs, folder, say=lambda line: print(f"[long] {line}", flush=True))
    requests = 200 if options.quick else options.requests
    found: dict[str, Any] = {"commit": head, "machine": machine(), "requests": requests}
    traces = ("tooluse",) if options.quick else tuple(TRACES)
    base = Case(trace="tooluse", requests=requests)
    comparison = compare(base, results, traces, (0.7,) if options.quick else LOADS)
    oracle = oracle_claims(base, results, comparison, ORACLE_SEEDS[: 2 if options.quick else None])
    claims = judge(comparison) + oracle
    claims += tail_claims(base, results, comparison, TAIL_SEEDS[: 2 if options.quick else None])
    claims += low_load(base, results, traces, 2 if options.quick else SEEDS)
    claims += scaling(base, results, traces)
    found["comparison"] = comparison
    found["claims"] = [
        {"claim": one.name, "where": one.where, "holds": one.holds, "found": one.words} for one in claims
    ]
    found["variants"] = variants(replace(base, trace="tooluse"), results)
    found["large"] = large(base, results, ((16, 5),) if options.quick else LARGE)
    found["problems"] = problems = bugs(found, oracle)
    page = as_markdown(found, claims)
    print(page)
    report(problems)
    if not options.quick:
        store("forwarding", found, page)
    return 1 if problems else 0


def low_load(base: Case, results: Results, traces: Sequence[str], seeds: int) -> list[Claim]:
    """Where nobody waits the shortest way is to stay: not worse than least-load, seed by seed."""
    claims = []
    for trace in traces:
        case = replace(base, trace=trace, requests=base.requests // 5, warm_up=0.0)
        case = replace(case, goodput=results.goodput(case), load=LOW_LOAD)
        pairs = [
            [replace(case, policy=policy, seed=seed) for policy in (OURS, "least-load")] for seed in range(1, seeds + 1)
        ]
        results.compute(one for pair in pairs for one in pair)
        ratios = [_mean(results.of(ours), "total_s") / _mean(results.of(least), "total_s") for ours, least in pairs]
        mean = sum(ratios) / len(ratios)
        words = f"{mean:.3f} of its mean whole answer, standard error {standard_error(ratios):.3f}, {len(ratios)} seeds"
        claims.append(Claim("at low load within 2 % of least-load", trace, mean <= 1 + LOW_SLACK, words))
    return claims


def scaling(base: Case, results: Results, traces: Sequence[str]) -> list[Claim]:
    """Goodput (while as many come as go) when far more arrives than can be served, by number of nodes."""
    claims = []
    for trace in [one for one in traces if one in SHARED]:
        cases = []
        for nodes in SCALING_NODES:
            case = replace(
                base, trace=trace, nodes=nodes, requests=SCALING_LENGTH * base.requests * nodes // 8, policy=OURS
            )
            one = replace(case, nodes=8, requests=base.requests)
            cases.append(replace(case, load=SCALING_LOAD, goodput=results.goodput(one) * nodes / 8))
        results.compute(cases)
        goodputs = [results.of(case)["steady_tokens_per_s"] for case in cases]
        shares = [got / (goodputs[0] * nodes) for got, nodes in zip(goodputs, SCALING_NODES, strict=True)]
        words = ", ".join(f"{share:.2f} at {nodes}" for share, nodes in zip(shares, SCALING_NODES, strict=True))
        claims.append(Claim("goodput at least 0.85 × linear", trace, min(shares) >= LEAST_SCALING, words))
    return claims


def variants(base: Case, results: Results) -> list[dict[str, Any]]:
    """The same with something that is worse."""
    rows = []
    for name, changes in VARIANTS.items():
        case = replace(base, **changes)
        case = replace(case, goodput=results.goodput(case), load=0.7)
        rows += _rows(name, [replace(case, policy=policy) for policy in COMPARED], results)
    return rows


def large(base: Case, results: Results, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """More nodes, on the trace with the shortest prompts."""
    rows = []
    for nodes, each in sizes:
        case = replace(base, trace="coding", nodes=nodes, requests=nodes * each)
        case = replace(case, goodput=results.goodput(case), load=0.7)
        rows += _rows(
            f"{nodes:,} nodes", [replace(case, policy=policy) for policy in (NONE, "least-load", OURS)], results
        )
    return rows


def _rows(name: str, cases: Sequence[Case], results: Results) -> list[dict[str, Any]]:
    results.compute(cases)
    return [{"what": name, **results.of(case), "node_share": None} for case in cases]


def _mean(result: Mapping[str, Any], what: str) -> float:
    found = result[what]["mean"]
    return math.nan if found is None else float(found)


def bugs(found: Mapping[str, Any], oracle: Sequence[Claim]) -> list[str]:
    """What cannot be, however good or bad the policies are."""
    problems = [f"{one.where}: {one.words}" for one in oracle if not one.holds]
    rows = [*found["comparison"]["rows"], *found["variants"], *found["large"]]
    lost = [row for row in rows if row["finished"] + row["rejected"] != row["requests"]]
    return problems + [f"{one['policy']}: {one['requests']} requests, {one['finished']} finished" for one in lost]


def as_markdown(found: Mapping[str, Any], claims: Sequence[Claim]) -> str:
    """The page."""
    short = sum(not one.holds for one in claims)
    what = (
        f"`make test-long-forwarding` at commit {found['commit']}: the simulator of "
        "[forwarding](../benchmarks/forwarding.md), where method and tables of all policies stand. "
        f"{found['requests']:,} requests in each comparison. "
        f"{len(claims) - short} of {len(claims)} claims hold; those that do not stand first."
    )
    lines = ["# Forwarding", "", what, "", *table(["claim", "where", "holds", "found"], claims_table(claims)), ""]
    lines += ["## Worse conditions", "", "tooluse at 70 % load, 8 nodes.", "", *_table(found["variants"]), ""]
    lines += ["## More nodes", "", "coding at 70 % load.", "", *_table(found["large"]), ""]
    lines += ["## What should not be", "", *([f"- {one}" for one in found["problems"]] or ["Nothing was found."])]
    return "\n".join([*lines, ""])


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ["", "policy", "first token", "p99", "whole answer", "hits", "rejected", "handed over"]
    return table(
        head,
        [
            [
                row["what"],
                row["policy"],
                f"{_mean(row, 'ttft_s'):.3f} s",
                f"{row['ttft_s']['p99'] or math.nan:.3f} s",
                f"{_mean(row, 'total_s'):.3f} s",
                f"{row['hit_rate']:.1%}",
                f"{row['rejected'] / row['requests']:.2%}",
                str(row["handed_over"]),
            ]
            for row in rows
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
