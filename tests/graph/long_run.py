"""`make test-long-graph`: 500 and 2,000 relays that find their links under churn, and a fifth of them in a coalition.

Each piece is a process of its own; one that is done is kept in ``.work/test-long-graph/<commit>`` and not done again,
so an interrupted run goes on where it was. With files changed since the commit everything is done anew. Only a run
without problems writes docs/test-results/graph.md and .json.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine.simulation.coalition.attempts import LIMITS, OTHERS, OURS
from engine.simulation.coalition.run import TOLERANCE
from tests.support.long_runs import machine, piece, report, store, work_folder

METRICS = {
    "guard and proxy": ("of_paths_in_use", "guard_and_proxy"),
    "all three": ("of_paths_in_use", "all_three"),
    "answers": ("of_answers", "guard_and_proxy"),
    "guard and proxy, of paths drawn": ("of_paths_drawn", "guard_and_proxy"),
}
WEIGHTS = {"of_paths_in_use": "paths_in_use", "of_answers": "chats", "of_paths_drawn": "paths_drawn"}
JUDGED = tuple(METRICS)[:3]


@dataclass(frozen=True)
class Part:
    """One command with these options, once for each of ``seeds``."""

    name: str
    command: str
    options: tuple[str, ...]
    seeds: int
    excused: str = "nothing"  # a problem with these words is shown by the page and fails nothing


# The longest ones first, so that both processors end at about the same time.
PARTS = (
    Part("coalition of 2,000", "coalition", ("--relays=2000",), 2),
    Part("2,000 relays", "self-organisation", ("--relays=2000",), 3),
    Part(
        "2,000 relays, 5 % unlinkable", "self-organisation", ("--relays=2000", "--unreachable=0.05"), 1, "first tries"
    ),
    Part("coalition of 500", "coalition", ("--relays=500", "--rounds=2"), 4),
    Part("500 relays", "self-organisation", ("--relays=500",), 3),
)
QUICK = (
    Part("coalition of 500", "coalition", ("--relays=120", "--chats=2"), 2),
    Part("500 relays", "self-organisation", ("--relays=120", "--minutes=3"), 1),
)


def main() -> int:
    """0 if there are no problems."""
    parser = argparse.ArgumentParser(
        prog="make test-long-graph", description="The relay graph with full counts (ARGS=...)."
    )
    parser.add_argument("--jobs", type=int, default=2, help="simulations at a time (2)")
    parser.add_argument("--quick", action="store_true", help="few relays, to try the command; stores nothing")
    options = parser.parse_args()
    head, folder = work_folder("graph", "-quick" if options.quick else "")
    parts = QUICK if options.quick else PARTS
    runs = [(part, seed) for part in parts for seed in range(1, part.seeds + 1)]
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(partial(simulated, folder), *zip(*runs, strict=True)))
    if None in found:
        return 1
    results: dict[str, Any] = {"commit": head, "machine": machine()}
    for part in parts:
        results[part.name] = [result for (one, _), result in zip(runs, found, strict=True) if one is part]
    print(as_markdown(results))
    if options.quick:
        return 0
    problems = judge(results)
    report(problems)
    if not problems:
        store("graph", results, as_markdown(results))
    return 1 if problems else 0


def simulated(folder: Path, part: Part, seed: int) -> dict[str, Any] | None:
    """One simulation; its exit code says only whether it has found problems, which are judged here."""
    program = str(Path(sys.executable).with_name("gentorrent"))
    name = part.name.replace(",", "").replace(" %", "").replace(" ", "-")
    command = [program, "simulate", part.command, "--json", *part.options, f"--seed={seed}"]
    return piece(folder / f"{name}-{seed}.json", command, accepted=(0, 1), keeps_output=True)


def pooled(runs: Sequence[Mapping[str, Any]], attempt: str) -> dict[str, dict[str, float]]:
    """What an attempt captured in all runs together: the rate, how many times the share that is, and the standard error
    that a count of the share would have by chance."""
    found = {}
    for title, (kind, metric) in METRICS.items():
        rows = [next(row for row in run["attempts"] if row["attempt"] == attempt) for run in runs]
        weights = [row[WEIGHTS[kind]] for row in rows]
        share = runs[0]["share"]["answers" if kind == "of_answers" else metric]
        rates = [row[kind][metric]["captured"] for row in rows]
        rate = sum(weight * value for weight, value in zip(weights, rates, strict=True)) / sum(weights)
        error = 1 / math.sqrt(share * sum(weights))
        found[title] = {"captured": rate, "times_share": rate / share, "standard_error": error}
    return found


def judge(results: Mapping[str, Any]) -> list[str]:
    """Everything that is not as it should be."""
    found = []
    for part in PARTS:
        runs = results[part.name]
        if part.command == "self-organisation":
            texts = [(seed, text) for seed, run in enumerate(runs, 1) for text in run["problems"]]
            found += [f"{part.name}, seed {seed}: {text}" for seed, text in texts if part.excused not in text]
            continue
        declared = pooled(runs, OTHERS[0].name)["guard and proxy"]["captured"]
        for attempt in OURS:
            rates = pooled(runs, attempt.name)
            if attempt.refuses and rates["guard and proxy"]["captured"] >= 0.6 * declared:
                found.append(f"{part.name}, {attempt.name}: not much less than where relays declare their neighbours")
            far = [title for title in JUDGED if _is_far(rates[title])]
            found += [f"{part.name}, {attempt.name}: {title} is not its share" for title in far if not attempt.refuses]
    return found


def _is_far(rate: Mapping[str, float]) -> bool:
    return abs(rate["times_share"] - 1) > TOLERANCE + rate["standard_error"]


def as_markdown(results: Mapping[str, Any]) -> str:
    """The page."""
    what = (
        f"`make test-long-graph` at commit {results['commit']}: relays in simulated time that run the graph,"
        " admissions, dials and refusals of nodes. In ten minutes 30 % of them leave without a word, half of which come"
        " back; 2 % of the pairs cannot be linked (5 % where it says so) and 10 % only by a TURN server. Then the"
        " bootstrap server goes away, listed relays return through one neighbour each, and all leave until a tenth is"
        " left. At last another network grows from 80 relays to 130 and shrinks again."
    )
    lines = ["# The relay graph", "", what, ""]
    header = (
        "| relays | seed | looks | components | paths at first try | of new clients | first path after return"
        " | half of the links | without server one piece until | paths broken at the border |"
    )
    lines += [header, "|---" * 10 + "|"]
    for part in PARTS:
        if part.command == "self-organisation":
            lines += [_row(part.name, seed, run) for seed, run in enumerate(results.get(part.name, []), 1)]
    lines += ["", _COALITION, ""]
    for part in PARTS:
        if part.command == "coalition" and part.name in results:
            lines += _coalition(results[part.name])
    return "\n".join(lines)


_COALITION = (
    "**A fifth of the relays conspires** ([what this means](../coalition.md)). Each row is one thing that it tries; in"
    " brackets how many times as much as by chance."
)


def _row(name: str, seed: int, run: Mapping[str, Any]) -> str:
    churn, away, crossing = run["churn"], run["server_away"], run["crossing"]
    returns = away["returns"]
    crossed = round(crossing["paths"]["opened"] * crossing["paths"]["tries"])
    cells = (
        name.replace(" relays", ""),
        seed,
        churn["looks"],
        max(churn["most_components"], away["most_components"], crossing["most_components"]),
        f"{churn['paths']['opened']:.1%} of {churn['paths']['tries']}",
        f"{churn['paths_of_new_clients']['opened']:.1%}",
        _seconds(returns["seconds_to_first_path"]),
        _seconds(returns["seconds_to_half_of_the_links"]),
        f"{away['one_component_until_gone']:.0%} had gone",
        f"{crossing['broken_although_their_relays_live']} of {crossed}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _seconds(spread: Mapping[str, float] | None) -> str:
    return "never" if spread is None else f"{spread['median']} s, at most {spread['largest']} s"


def _coalition(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    paths = sum(run["attempts"][0]["paths_in_use"] for run in runs)
    errors = ", ".join(f"{rate['standard_error']:.2f}" for rate in pooled(runs, OURS[0].name).values())
    title = (
        f"{runs[0]['plan']['relays']} relays, {paths} paths in use for each row; standard errors in brackets {errors}:"
    )
    lines = [
        title,
        "",
        "| attempt | " + " | ".join(METRICS) + " |",
        "|---" * (1 + len(METRICS)) + "|",
    ]
    for attempt in (*OURS, *OTHERS, *LIMITS):
        rates = pooled(runs, attempt.name).values()
        cells = [f"{rate['captured']:.2%} ({rate['times_share']:.2f})" for rate in rates]
        lines.append(f"| {attempt.name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
