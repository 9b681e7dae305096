"""The results as a table, a page and a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.bench.charts import draw_bars
from engine.bench.forwarding.setting import BASELINE, DRAWS, OURS
from engine.bench.storing import disturbance, make_page, store_results, table

TARGET_GAIN = 0.5
TARGET_ERROR = 0.2
WAYS = (("real", "reality"), ("simulated", "simulation"))
METHOD = f"""
A bootstrap server, the model nodes and a client engine run on this machine as processes of `gentorrent`, linked by
WebRTC on 127.0.0.1, in a network without relays: the client draws an entry node for each question, seals the question
to it, and the entry node serves or forwards it as its policy says. Every policy gets a new network with empty caches.
The nodes compute with one thread each and hold the stated share of a processor by a control group with a quota (20 ms
periods), so that they do not disturb each other; where the machine has none, the page says so. A node's cache is
bounded by its setting `cache_memory`, so that it holds a few of the shared prompts and never all of them.

*Questions*: a shared system prompt, marked public and drawn by Zipf 1.1, and a question of its own, made from a seed;
lengths are log-normal (standard deviation a quarter of the mean). They arrive by a Poisson process whatever becomes of
those before, at the stated share of what the network without forwarding can do (computed by the simulator from the
measured rates). They are put to the client's OpenAI-compatible API and answered with as many tokens as each wants;
times are those of the program that asks, counted from the intended arrival. The first quarter fills the caches and is
not counted, neither here nor in the simulation.

*Rates* were measured in the same run, over the same network, with all nodes at work: new prompts of two lengths, long
prompts that are cached but for a question, and 1, 2, 4 and 8 answers at once after short and after long cached prompts;
fitted by least squares. They make the node kind that `gentorrent simulate forwarding` plays the very same trace with
(same code for policies, prefix caches and their memory). On a processor reading prompts and writing answers do not
overlap. `request_seconds` is what a request costs its node beside its tokens (sealing, tokenizing, copying the cached
prompt), `entry_seconds` what the entry node's decision and passing on cost; in the simulation both keep the node that
answers busy. The simulator has the entry nodes that were drawn in reality, but policies draw among equals, so its
numbers are the means of {DRAWS} simulations; in brackets the
lowest and the highest mean of them.

*Hits*: prompt tokens that came from a cache. *Rejected*: the user read a refusal. *Node shares*: of the answered
requests, the busiest node first. *Error*: of the simulated mean, as a share of the real one.
"""


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    return "\n".join(_lines(results)).rstrip()


def _lines(results: dict[str, Any]) -> Iterator[str]:
    for one in results["settings"]:
        yield f"## {one['setting']['name']}"
        yield ""
        yield _described(one, results)
        yield ""
        yield from table(_HEAD, [_row(way, row) for row in one["rows"] for way in WAYS])
        yield ""
        yield from _findings(one)
        yield ""
    yield from disturbance(results)


_HEAD = (
    *("policy", "", "first token, s: mean", "p50", "p90", "p99", "whole answer, s: mean", "p50", "p90", "p99"),
    *("hits", "rejected", "tokens/s", "node shares"),
)


def _row(way: tuple[str, str], row: dict[str, Any]) -> list[object]:
    found = row[way[0]]
    times = [_seconds(found[key][name]) for key in ("ttft_s", "total_s") for name in ("mean", "p50", "p90", "p99")]
    if means := found.get("ttft_mean_range_s"):
        times[0] += f" ({means[0]:.2f} to {means[1]:.2f})"
    unanswered = f"{found['rejected']:g}" + (f" + {found['lost']} lost" if found.get("lost") else "")
    shares = " ".join(f"{share:.0%}" for share in found["node_share"])
    speed = f"{found['goodput_tokens_per_s']:.1f}"
    return [row["policy"], way[1], *times, f"{found['hit_rate']:.1%}", unanswered, speed, shares]


def _described(one: dict[str, Any], results: dict[str, Any]) -> str:
    setting, rates = one["setting"], one["rates"]
    full = rates["step_seconds"] + 8 * rates["answer_seconds"]
    quota = (
        f"{setting['share']:g} of a processor each" if results["quota"] else "no quota: the nodes disturb each other"
    )
    return (
        f"{setting['nodes']} nodes ({quota}), model {setting['model']}. {setting['requests']} questions "
        f"({one['not_counted']} not counted), {one['arrivals_per_s']:g} a second: {setting['load']:.0%} of what no "
        f"forwarding can do. {one['texts_asked_for']} of {setting['texts']} shared prompts are asked for; a prompt has "
        f"{one['prompt_tokens']:,} tokens, {one['public_tokens']:,} of them shared; a node's cache holds "
        f"{one['kv_tokens']:,}, those of running answers included. Answers of {setting['output']} tokens. A node reads "
        f"{rates['prefill_rate']:,.0f} tokens/s; a token takes it {_alone(rates) * 1000:.0f} ms, of each "
        f"of 8 answers at once {full * 1000:.0f} ms."
    )


def _alone(rates: dict[str, float]) -> float:
    return rates["step_seconds"] + rates["answer_seconds"]


def _findings(one: dict[str, Any]) -> Iterator[str]:
    for row in one["rows"]:
        if row["policy"] == OURS and any(other["policy"] == BASELINE for other in one["rows"]):
            real, simulated = row["gain"]["real"], row["gain"]["simulated"]
            yield (
                f"- `{OURS}` against no forwarding: mean time to first token {_share(real['ttft_s'])} lower (simulated "
                f"{_share(simulated['ttft_s'])}; wanted: {TARGET_GAIN:.0%} or more), mean whole answer "
                f"{_share(real['total_s'])} lower (simulated {_share(simulated['total_s'])})."
            )
    for key, name in (("ttft_s", "time to first token"), ("total_s", "whole answer")):
        told = ", ".join(f"{row['policy']} {_signed(row['error'][key])}" for row in one["rows"])
        yield f"- Error of the simulation, mean {name} (wanted: within {TARGET_ERROR:.0%}): {told}."


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.0%}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write forwarding-real.json, .md and .svg."""
    findings = as_text(results).splitlines()
    if not results["quota"]:
        findings += ["", f"No quotas: {results['no_quota_because']}."]
    page = make_page(
        "Forwarding on real nodes, beside the simulation",
        "bench forwarding",
        "forwarding-real.svg",
        results,
        findings=findings,
        method=METHOD,
    )
    groups = [
        (f"{one['setting']['name']}, {name}", {row["policy"]: row[way]["ttft_s"]["mean"] or 0.0 for row in one["rows"]})
        for one in results["settings"]
        for way, name in WAYS
    ]
    machine = results["machine"]
    below = f"Shorter is better. {machine['processor']}, {machine['processors']} processors; all on one machine"
    picture = draw_bars("Mean time to first token, seconds", groups, below, "s")
    return store_results("forwarding-real", results, page, picture, folder)
