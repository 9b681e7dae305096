"""`make test-long-committee`: more than 10,000 adversarial schedules of the committee's agreement, over all sizes.

Each piece is a process of its own; one that is done is kept in ``.work/test-long-committee/<commit>`` and not done
again, so an interrupted run goes on where it was. Then machines with one mistake play such schedules, and must be
found out. Only a run without problems writes docs/test-results/committee.md and .json.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from engine.simulation.committee.run import simulate
from tests.support.committee_mistakes import MISTAKES
from tests.support.long_runs import machine, piece, report, store, work_folder

SCHEDULES = {4: 5500, 5: 2500, 7: 1500, 10: 1000}
PIECE = 500
"""Schedules of one process."""
COUNTED = (
    "schedules",
    "safety_violations",
    "liveness_violations",
    "messages",
    "contradictions_shown",
    "blocks_refused",
    "refused_for_leaving_out",
    "refused_for_leaving_out_results",
    "decided_on_what_some_lack",
    "decided_on_broken_off",
    "decided_leaving_out",
)
MISTAKEN = 400
"""Schedules that a machine with a mistake plays; as many as `make test` has of four members."""


def main() -> int:
    """0 if there are no problems."""
    parser = argparse.ArgumentParser(
        prog="make test-long-committee", description="The committee's agreement with full counts (ARGS=...)."
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--quick", action="store_true", help="few schedules, to try the command; stores nothing")
    options = parser.parse_args()
    head, folder = work_folder("committee", "-quick" if options.quick else "")
    runs = plan(50 if options.quick else PIECE, 10 if options.quick else 1)
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(partial(simulated, folder), runs))
    if None in found:
        return 1
    done = [one for one in found if one is not None]
    results: dict[str, Any] = {"commit": head, "machine": machine()}
    results["sizes"] = {
        str(size): pooled([one for one in done if one["plan"]["members"] == size]) for size in SCHEDULES
    }
    results["mistakes"] = {name: found_out(name) for name in MISTAKES}
    problems, page = judge(results), as_markdown(results)
    print(page)
    report(problems)
    if not problems and not options.quick:
        store("committee", results, page)
    return 1 if problems else 0


def plan(size: int, divisor: int) -> list[tuple[int, int, int]]:
    """(members, schedules, seed) of every process; large committees first."""
    runs = []
    for members, schedules in reversed(SCHEDULES.items()):
        count = -(-schedules // divisor // size)
        runs += [(members, size, seed) for seed in range(1, count + 1)]
    return runs


def simulated(folder: Path, run: tuple[int, int, int]) -> dict[str, Any] | None:
    """One process; its exit code says only whether it has found problems, which are judged here."""
    members, schedules, seed = run
    program = str(Path(sys.executable).with_name("gentorrent"))
    options = (f"--members={members}", f"--schedules={schedules}", f"--seed={seed}")
    command = [program, "simulate", "committee", "--json", *options]
    return piece(folder / f"{members}-members-{seed}.json", command, accepted=(0, 1), keeps_output=True)


def pooled(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All runs of one size together."""
    totals: dict[str, Any] = {"faulty": runs[0]["plan"]["faulty"]}
    for name in COUNTED:
        totals[name] = sum(run[name] for run in runs)
    for name in ("members", "rounds_after_synchrony"):
        counted: Counter[str] = Counter()
        for run in runs:
            counted.update(run[name])
        totals[name] = dict(sorted(counted.items(), key=lambda item: (len(item[0]), item[0])))
    totals["problems"] = [problem | {"seed": run["plan"]["seed"]} for run in runs for problem in run["problems"]]
    return totals


def found_out(name: str) -> dict[str, Any]:
    """In which schedule a machine with this mistake broke safety first; None: in none."""
    wrong = MISTAKES[name]
    result = simulate(wrong.plan(MISTAKEN), wrong.machine, until=wrong.words)
    seen = [one["schedule"] for one in result["problems"] if any(wrong.words in text for text in one["problems"])]
    return {
        "what": wrong.words,
        "members": wrong.members,
        "schedule": result["schedules"] - 1 if seen or result["schedules"] < MISTAKEN else None,
    }


def judge(results: Mapping[str, Any]) -> list[str]:
    """Everything that is not as it should be."""
    found = []
    for size, one in results["sizes"].items():
        counts = {kind: one[f"{kind}_violations"] for kind in ("safety", "liveness")}
        found += [f"{size} members: {count} violations of {kind}" for kind, count in counts.items() if count]
    found += [f"{name}: not found out" for name, one in results["mistakes"].items() if one["schedule"] is None]
    return found


_WHAT = (
    "An adversary holds, loses, doubles and reorders messages, cuts the network in two, keeps members from hearing "
    "each other, and crashes them, also all at once and between a vote and its sending; some lose their disk. As many"
    " members as the size bears are faulty: silent, signing twice, running as two, proposing several blocks or "
    "invalid ones, holding back, forging, forgetting, leaving out of their blocks what others have promised and "
    "found. In three of four schedules members have results of up to three nodes to put into the block, as evidence "
    "that a member must have before it votes, half of them of conversations that were broken off; faulty ones show "
    "theirs to some, another to each (one broken off, the next not), late or to nobody, and say otherwise of them "
    "than they say. All promise what they will ask in the next epoch, in half of the schedules long before; faulty "
    "ones promise it in the same ways. Then messages come through within a fifth of the first round's time-out, and "
    "everybody must decide. Unsafe: two honest members decide differently, or on something invalid, or on evidence "
    "that no honest one has seen, or that says something else, or on a block of the first 2f + 2 rounds that leaves "
    "out promises, or of the first f + 1 rounds that leaves out results, which too many honest ones had held for a "
    "tenth of an epoch when it was made, or one contradicts itself, or is accused. Blocks refused: votes that honest "
    "members did not give; leaving out: of these for promises that were left out; results: for results that were. "
    "Lacked: in so many schedules an honest member has not got the evidence of the decided block. Broken off: in so "
    "many the decided block names conversations that were. Without: in so many it lacks a commitment that an honest "
    "member has by then, as it came late, too few had it, or the block is of a later round."
)
_HEADER = (
    "| members | faulty | schedules | unsafe | not decided | decided before synchrony | rounds after it: median | most"
    " | contradictions shown | blocks refused | leaving out | results | lacked | broken off | without |"
)


def as_markdown(results: Mapping[str, Any]) -> str:
    """The page."""
    total = sum(one["schedules"] for one in results["sizes"].values())
    lines = [
        "# The committee's agreement",
        "",
        f"`make test-long-committee` at commit {results['commit']}: {total:,} schedules. {_WHAT}",
        "",
        _HEADER,
        "|---" * 15 + "|",
    ]
    for size, one in results["sizes"].items():
        rounds = [int(key) for key, count in one["rounds_after_synchrony"].items() for _ in range(count)]
        rounds.sort()
        cells = (
            size,
            one["faulty"],
            f"{one['schedules']:,}",
            one["safety_violations"],
            one["liveness_violations"],
            f"{rounds.count(0) / len(rounds):.0%}",
            rounds[len(rounds) // 2],
            rounds[-1],
            f"{one['contradictions_shown']:,}",
            f"{one['blocks_refused']:,}",
            f"{one['refused_for_leaving_out']:,}",
            f"{one['refused_for_leaving_out_results']:,}",
            f"{one['decided_on_what_some_lack']:,}",
            f"{one['decided_on_broken_off']:,}",
            f"{one['decided_leaving_out']:,}",
        )
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += ["", "Such schedules, of four members where it says nothing else, find out machines with one mistake:", ""]
    for name, one in results["mistakes"].items():
        where = "never" if one["schedule"] is None else f"in schedule {one['schedule'] + 1} of {MISTAKEN}"
        of = "" if one["members"] == 4 else f", of {one['members']} members"
        lines.append(f"- {name}: {one['what']}, {where}{of}.")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
