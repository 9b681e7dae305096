"""`make test-long-demo`: `gentorrent demo` with every way of cheating, several times, one after the other.

Each run is kept in ``.work/test-long-demo/<commit>`` and not done again, so an interrupted one goes on where it was,
and ways can be played one by one (``--ways``): without options, what is still missing is played then, and all of it is
judged. A run that went wrong is kept as well; remove its file to play it again. With files changed since the commit
everything is done anew. Only runs without problems write docs/test-results/demo.md and .json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.demo.cheats import CHEATS, NO_CHEAT
from tests.support.demo import CHEAT_KEYS, KEYS, running
from tests.support.long_runs import machine, report, store, work_folder
from tests.support.network import gone

LONGEST = 1500.0
"""Seconds of one demo, on a machine that does other things besides."""
MOST_EPOCHS = 5
"""From the first in which the node was checked to its exclusion."""
MOST_MEMORY = 4_000_000_000
MOST_SECONDS = 45.0
"""To the first answer where nobody cheats."""
Run = dict[str, Any]


def main() -> int:
    """0 if there are no problems."""
    parser = argparse.ArgumentParser(prog="make test-long-demo", description="The demo, every way of it (ARGS=...).")
    parser.add_argument("--runs", type=int, default=3, help="of each way (3)")
    parser.add_argument("--ways", nargs="*", default=[NO_CHEAT, *CHEATS], help="only these; stores nothing")
    options = parser.parse_args()
    head, folder = work_folder("demo")
    found: dict[str, list[Run]] = {way: [] for way in options.ways}
    for number in range(1, options.runs + 1):
        for way in options.ways:
            found[way].append(played(folder / f"{way}-{number}.json", way))
    results: dict[str, Any] = {"commit": head, "machine": machine(), "runs": found}
    problems, page = judge(found), as_markdown(results)
    print(page)
    report(problems)
    if not problems and set(options.ways) == {NO_CHEAT, *CHEATS}:
        store("demo", results, page)
    return 1 if problems else 0


def played(out: Path, way: str) -> Run:
    """What came of one demo, now or before."""
    found: Run
    if out.exists():
        print(f"[long] {out.stem}: done before", flush=True)
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = _play(Path(folder), way)
        unfinished = out.with_suffix(".new")  # what was broken off while it was written is played again
        unfinished.write_text(json.dumps(found, indent=1), encoding="utf-8")
        unfinished.replace(out)
    found = json.loads(out.read_text(encoding="utf-8"))
    print(f"[long] {out.stem}: {found['seconds']:.0f} s, exit code {found['exit_code']}", flush=True)
    return found


def _play(folder: Path, way: str) -> Run:
    begun = time.monotonic()
    with running(folder, "--json", "--cheat", way) as demo:
        code = demo.child.wait(LONGEST)
        told = demo.output.read_text()
        return {
            "exit_code": code,
            "seconds": round(time.monotonic() - begun, 1),
            "memory": demo.memory,
            "left_behind": len(gone(demo.seen, 2.0)) + len(list(demo.temporary.iterdir())),
            "report": json.loads(told) if told.startswith("{") else {},
            "story": demo.progress.read_text(),
        }


def judge(found: Mapping[str, Sequence[Run]]) -> list[str]:
    """What is not as it is promised."""
    problems = []
    for way, runs in found.items():
        for number, run in enumerate(runs, 1):
            told, name = run["report"], f"{way}, run {number}"
            if run["exit_code"] != 0 or set(told) != (KEYS if way == NO_CHEAT else KEYS | CHEAT_KEYS):
                problems.append(f"{name}: exit code {run['exit_code']}; {run['story'][-300:]}")
                continue
            if run["left_behind"]:
                problems.append(f"{name}: left {run['left_behind']} processes or folders behind")
            if run["memory"] > MOST_MEMORY:
                problems.append(f"{name}: {run['memory'] / 1e9:.2f} GB")
            if told["nodes"]["verifier"] != 4:
                problems.append(f"{name}: {told['nodes']['verifier']} verifiers")
            problems += [f"{name}: {problem}" for problem in _judge_one(way, told)]
    return problems


def _judge_one(way: str, told: Mapping[str, Any]) -> list[str]:
    if way == NO_CHEAT:
        late = told["first_answer_s"] > MOST_SECONDS
        return [f"the first answer came after {told['first_answer_s']:.1f} s"] if late else []
    problems = []
    if (taken := epochs(told)) > MOST_EPOCHS:
        problems.append(f"excluded in the {taken}th epoch of its checks")
    if told["honest_excluded"]:
        problems.append(f"{told['honest_excluded']} honest nodes were excluded")
    if told["cheater"] in told["asked_after"]:
        problems.append("the excluded node was asked")
    return problems


def epochs(told: Mapping[str, Any]) -> int:
    """From the first in which it was checked to its exclusion, both counted."""
    return int(told["excluded_at_epoch"]) - int(told["first_checked_epoch"]) + 1


def as_markdown(results: Mapping[str, Any]) -> str:
    """The page."""
    lines = [
        "# The demo",
        "",
        f"`make test-long-demo` at {results['commit'] or 'an unknown commit'}. Epochs: from the first in which a node",
        "was checked to its exclusion, in brackets from the network's begin; seconds: of the whole demo; memory: the",
        "most that all its processes held together (PSS).",
        "",
        "| way | epochs | of seconds | honest nodes excluded | seconds | memory, GB |",
        "|---|---|---|---|---|---|",
    ]
    for way, runs in results["runs"].items():
        done = [run for run in runs if run["report"]]
        if way == NO_CHEAT:
            answers = ", ".join(f"{run['report']['first_answer_s']:.1f}" for run in done)
            cells = [f"first answer after {answers} s", "", ""]
        else:
            told = [run["report"] for run in done if run["report"]["excluded_at_epoch"] is not None]
            cells = [
                ", ".join(f"{epochs(one)} ({one['excluded_at_epoch'] + 1})" for one in told),
                ", ".join(f"{one['epoch_seconds']:.0f}" for one in told),
                ", ".join(str(one["honest_excluded"]) for one in told),
            ]
        seconds = ", ".join(f"{run['seconds']:.0f}" for run in done)
        memory = ", ".join(f"{run['memory'] / 1e9:.2f}" for run in done)
        lines.append(f"| `{way}` | {' | '.join(cells)} | {seconds} | {memory} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
