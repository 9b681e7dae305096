"""`make test-long-churn`: 10,000 answers in a mesh and 10,000 in rings while relays die, and eight simulated hours.

Each piece is a process of its own; one that is done is kept in ``.work/test-long-churn/<commit>`` and not done again,
so an interrupted run goes on where it was. With files changed since the commit everything is done anew. Only a run in
which at most four answers of 10,000 are missing, and nothing has grown in the hours, writes docs/test-results/churn.md
and .json. (Real relays are killed by ``make test-long-real-churn``.)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.churn.hours import shows_growth
from tests.support.long_runs import machine, piece, report, store, work_folder

KEYS = ("asked", "complete", "wrong", "disturbed", "deaths", "arrivals", "simulated_seconds")


@dataclass(frozen=True)
class Network:
    """One simulated network: ``runs`` seeds of ``answers`` answers each, from ``clients`` clients of ten chats."""

    name: str
    relays: int
    runs: int
    answers: int
    clients: int
    options: tuple[str, ...] = ("--churn-per-minute=0.1",)
    most_misses: int = 4


TOGETHER = ("--churn-per-minute=0.6", "--every=10")
"""One relay in ten every ten seconds; two clients have twenty answers in flight, so 300 take five minutes."""
NETWORKS = (
    Network("rings", 1000, 4, 2500, 20),
    Network("mesh", 60, 5, 2000, 8),
    Network("together", 60, 1, 300, 2, TOGETHER, 0),
)
QUICK = (
    Network("rings", 120, 1, 40, 4),
    Network("mesh", 60, 2, 40, 4),
    Network("together", 60, 1, 20, 2, TOGETHER, 0),
)
NAMES = tuple(network.name for network in NETWORKS)


def main() -> int:
    """0 if few enough answers are missing."""
    parser = argparse.ArgumentParser(
        prog="make test-long-churn", description="Answers while relays die, with full counts (ARGS=...)."
    )
    parser.add_argument("--jobs", type=int, default=2, help="simulations at a time (2)")
    parser.add_argument("--only", choices=(*NAMES, "hours"), help="one part of it; stores nothing")
    parser.add_argument("--quick", action="store_true", help="a few answers, to try the command; stores nothing")
    options = parser.parse_args()
    head, folder = work_folder("churn", "-quick" if options.quick else "")
    wanted = [one for one in (QUICK if options.quick else NETWORKS) if options.only in (None, one.name)]
    results: dict[str, Any] = {"commit": head, "machine": machine()}
    runs = [(network, seed) for network in wanted for seed in range(1, network.runs + 1)]
    with ThreadPoolExecutor(options.jobs) as pool:
        found = []
        if options.only in (None, "hours"):
            found.append(("hours", pool.submit(hours, folder, 1.0 if options.quick else 8.0)))
        found += [(network.name, pool.submit(simulated, folder, network, seed)) for network, seed in runs]
    for name, done in found:
        results.setdefault(name, []).append(done.result())
    if any(done.result() is None for _, done in found):
        return 1
    print(as_markdown(results))
    problems = judge(results)
    report(problems)
    if problems:
        return 1
    if not options.quick and options.only is None:
        store("churn", results, as_markdown(results))
    print("[long] no more is missing than may be")
    return 0


def simulated(folder: Path, network: Network, seed: int) -> dict[str, Any] | None:
    """One simulation; its exit code says only whether an answer is missing."""
    program = str(Path(sys.executable).with_name("gentorrent"))
    command = (program, "simulate", "churn", "--json", *network.options)
    numbers = {"relays": network.relays, "answers": network.answers, "clients": network.clients, "seed": seed}
    options = [f"--{name}={value}" for name, value in numbers.items()]
    out = folder / f"{network.name}-{seed}.json"
    return piece(out, [*command, *options], accepted=(0, 1), keeps_output=True)


def hours(folder: Path, number: float) -> dict[str, Any] | None:
    """The simulated hours."""
    out = folder / "hours.json"
    command = [sys.executable, "-m", "tests.churn.hours", f"--hours={number:g}", f"--out={out}"]
    return piece(out, command, accepted=(0, 1), keeps_output=False)


def judge(results: Mapping[str, Any]) -> list[str]:
    """Everything that is not as it should be."""
    problems = []
    for network in NETWORKS:
        name = network.name
        misses = [miss for run in results.get(name, []) for miss in run["misses"]]
        if len(misses) > network.most_misses:
            problems.append(f"{name}: {len(misses)} answers are missing")
        if any(run["wrong"] for run in results.get(name, [])):
            problems.append(f"{name}: an answer was not what the node said")
    for ran in results.get("hours", []):
        problems += [f"hours: {text}" for text in ran["grown"]]
        if ran["misses"]:
            problems.append(f"hours: {len(ran['misses'])} answers are missing")
    return problems


def as_markdown(results: Mapping[str, Any]) -> str:
    """The page."""
    what = (
        f"`make test-long-churn` at commit {results['commit']}. In the simulated networks, made of the classes that"
        " nodes run, 10 % of the relays die in a minute without a word and as many arrive; half of these are old ones"
        " that come back. In the one called together one relay in ten dies every 10 s, all at once, and is replaced. An"
        " answer takes 20 s undisturbed; one that is not complete within twice that and 15 s is missing."
    )
    lines = [
        "# Answers while relays die",
        "",
        what,
        "",
        "| network | answers | missing | lost a relay on the way | relays that died | longest answer | longest pause |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in NAMES:
        runs = results.get(name, [])
        if not runs:
            continue
        total = {key: sum(run[key] for run in runs) for key in KEYS}
        missing = sum(len(run["misses"]) for run in runs)
        longest, pause = max(run["seconds_longest"] for run in runs), max(run["pause_longest"] for run in runs)
        lines.append(
            f"| {name}, {runs[0]['plan']['relays']} relays | {total['asked']} | {missing} | {total['disturbed']}"
            f" | {total['deaths']} | {longest:.1f} s | {pause:.1f} s |"
        )
    misses = [miss for name in (*NAMES, "hours") for run in results.get(name, []) for miss in run["misses"]]
    lines += ["", *(f"- Missing: answer {miss['number']} of seed {miss['seed']}, {miss['reason']}" for miss in misses)]
    lines += ["", *(describe_hours(ran) for ran in results.get("hours", []))]
    return "\n".join([*lines, ""])


def describe_hours(ran: Mapping[str, Any]) -> str:
    """The simulated hours in a paragraph."""
    sizes = {"memory_mib": "MiB of memory", "objects": "objects", "table_entries": "entries in all tables of all nodes"}
    tables = "no table grew beyond its limit" if shows_growth(ran["hours"]) else "too short to show growth"
    trends = [f"{ran['trends'][key][0]:.0f} and {ran['trends'][key][1]:.0f} {what}" for key, what in sizes.items()]
    return (
        f"{ran['hours']:g} simulated hours of a mesh of {ran['relays']} relays, of which {ran['deaths']} died and were"
        f" replaced, while {ran['clients']} clients chatted for 50 minutes and were silent for 70, out of step:"
        f" {ran['complete']} of {ran['asked']} answers complete. In the first and in the last third after the warm-up:"
        f" {', '.join(trends)}; {tables}."
    )


if __name__ == "__main__":
    sys.exit(main())
