"""A comparison of forwarding policies as text, page and picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.charts import Curve, Panel, draw_panels
from engine.bench.machine import commit
from engine.bench.storing import store_results, table
from engine.forwarding.policies.registry import NAMES
from engine.simulation.forwarding.claims import NONE, OURS, claims_table, judge, oracle_is_best
from engine.simulation.forwarding.network import ORACLE

METHOD = """
Simulated. Code of real nodes that runs here unchanged: prefix caches with the memory that these share with running
answers, the shares of a step, the policies with their predictions and beliefs, and what a member finds worth saying.
Tests hold the rest beside real nodes: what an entry node counts, and when a member speaks. Not here: links that fail,
sealing and anonymous paths, tokenizing, and gossip's messages, of which there are only delays; a simulated node knows
its own load exactly, a real one hears it from its model between two steps and reckons on. A GPU is a formula: the
seconds of a step by prompt tokens read, answers written and keys and values held (`resources/engine/node_kinds.toml`
names the sources); prompts are read in pieces between the tokens of answers, shared as the scheduler shares them.
Each request arrives at an entry node drawn at random, at its time whatever happens to others (open loop); times count
from then, at the entry node: the anonymous paths in front of it are the same for all. A forward costs half a round
trip there and its answer half a round trip back. Members state their load and what changed in their caches four times
a second (groups of more than 16: once) where there is anything new to say, else every five seconds, each at its own
moment, and at the end of a step after which others would reckon wrongly (up to 16 members), and hear it after the
network's delay. A full node refuses; the request is tried again at the best alternative or another entry node, three
times in all. Later turns of a chat go to the node that has the earlier ones, under every policy.

*No forwarding* (`none`): the entry node serves, with its own cache. The *oracle* is `cost` with the truth at once and
memory without end. *Load* is a share of what the nodes can do at most without forwarding: the trace is played so fast,
with queues that refuse nobody, that all nodes always have something to do, and their output tokens per second are added
up. The first quarter of each trace fills the caches and is not counted. planetserve, sglang and least-load are shown
with the best of several parameters for each trace (lowest 99th percentile of the time to the first token at 70 %).

Traces are generated: prompt lengths and popularity after arXiv 2504.20101, shared parts, sharers and answers after
arXiv 2407.00023 (Preble); the papers' figures were written down from memory and should be checked before they are
quoted. tooluse: 7,206 tokens, 85 % of them a tool's description, Zipf 1.1 over 154 tools (39 requests each of 6,000),
43 tokens of answer. coding: 1,802, 97 %, Zipf 0.8 over 2,000 problems, 190. longdoc: 10,985, 91 %, Zipf 0.6 over 333
documents, 16. mixed: a third of each. bursts: tooluse, four times as fast for 15 % of the time. chat: four turns on
average with nothing public.

Of coding's 1,125 counted requests (seed 1, 8 nodes) 40 % are the first for their text, which somebody has to read.
With each text read once, every request served at once on an idle machine and repeated ones forwarded to one holder
from seven of eight entry nodes, the mean time to the first token would be 0.098 s: 49 % below no forwarding, averaged
over 50 to 90 % load. It would be 50.3 % if all texts lay on the machine with the shortest way, and nobody waited
there. So 50 % is out of reach on coding; what was reached is to be held against 49 %.
"""


def as_text(comparison: Mapping[str, Any]) -> str:
    """What is printed."""
    return "\n".join([*_tables(comparison), "", *_claims(comparison)])


def store(comparison: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write forwarding.json, forwarding.md and forwarding.svg."""
    versions = {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])}
    claims = [
        {"claim": one.name, "where": one.where, "holds": one.holds, "found": one.words} for one in judge(comparison)
    ]
    results = {**comparison, "claims": claims, "versions": versions}
    return store_results("forwarding", results, _page(results), _picture(comparison), folder)


def _page(results: Mapping[str, Any]) -> str:
    case = results["case"]
    command = f"gentorrent simulate forwarding --compare all --requests {case['requests']} --nodes {case['nodes']}"
    names = list(dict.fromkeys(row["policy"] for row in results["rows"]))
    if len(names) < len(NAMES) + 1:
        command += f" --policies {','.join(names)}"
    traces = ", ".join(results["saturation_tokens_per_s"])
    return "\n".join(
        [
            "# Who answers soonest: forwarding policies compared",
            "",
            f"Written by `{command}`; do not edit.",
            f"Traces: {traces}. Computed, not measured on people's machines.",
            "",
            "![Mean time to the first token](forwarding.svg)",
            "",
            *_claims(results),
            "",
            "## All policies",
            "",
            *_tables(results),
            "",
            "## Method",
            "",
            METHOD.strip(),
            "",
            "## Versions",
            "",
            *(f"- {name}: {value}" for name, value in results["versions"].items()),
            "",
        ]
    )


def _tables(comparison: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    head = ["policy", "load", "first token", "p50", "p90", "p99", "whole answer", "p99", "hits", "rejected", "tokens/s"]
    for trace, goodput in comparison["saturation_tokens_per_s"].items():
        rows = [row for row in comparison["rows"] if row["trace"] == trace]
        lines += ["", f"### {trace}", "", f"At most {goodput:,.0f} output tokens/s without forwarding. Seconds.", ""]
        lines += table(head, [_row(row) for row in rows])
    return lines[1:]


def _row(row: Mapping[str, Any]) -> list[str]:
    name = row["policy"] + "".join(f" {key}={value}" for key, value in row["parameters"].items())
    ttft, total = row["ttft_s"], row["total_s"]
    times = (ttft["mean"], ttft["p50"], ttft["p90"], ttft["p99"], total["mean"], total["p99"])
    return [
        name,
        f"{row['load']:.0%}",
        *("-" if one is None else f"{one:.3f}" for one in times),
        f"{row['hit_rate']:.1%}",
        f"{row['rejected'] / row['requests']:.1%}",
        f"{row['goodput_tokens_per_s']:,.0f}",
    ]


def _claims(comparison: Mapping[str, Any]) -> list[str]:
    claims = judge(comparison)
    short = [one for one in claims if not one.holds]
    lines = [f"{len(claims) - len(short)} of {len(claims)} claims hold; those that do not stand first.", ""]
    lines += table(["claim", "trace, load", "holds", "found"], claims_table(claims))
    better = oracle_is_best(comparison)
    if better:
        lines += [
            "",
            "Better than the oracle by more than 2 % on one seed (twenty: [results](../test-results/forwarding.md)):",
            "",
            *(f"- {one}" for one in better),
        ]
    return lines


def _picture(comparison: Mapping[str, Any]) -> str:
    panels = []
    for trace in comparison["saturation_tokens_per_s"]:
        rows = [row for row in comparison["rows"] if row["trace"] == trace]
        names = list(dict.fromkeys(row["policy"] for row in rows))
        names.sort(key=lambda name: (name not in (OURS, NONE), name))
        bound = max(row["ttft_s"]["mean"] or 0.0 for row in rows if row["policy"] in (NONE, OURS)) or 1.0
        curves = [
            Curve(
                name,
                [(100 * row["load"], row["ttft_s"]["mean"] or float("nan")) for row in rows if row["policy"] == name],
                dashed=name == ORACLE,
            )
            for name in names
        ]
        panels.append(Panel(f"{trace}: mean seconds to the first token", "load in %", curves, highest=bound))
    return draw_panels("Forwarding policies", panels, "Lines that leave a plot at its top are longer.")
