"""`make test-long-contention`: programs that use all processors begin twenty times, at rest and in mid-answer.

A real network on this machine: every node is a process, sensors and load are real. Each time contributing must pause
within two seconds, with the reason, and its worker must go. Between tries the owner changes the rule, which ends the
pause at once; at the end it is waited once until contributing goes on by itself.

What was done is kept in ``.work/test-long-contention/<commit>``, so an interrupted run goes on where it was; with files
changed since the commit everything is done anew. Only a whole run without a problem writes
docs/test-results/contention.md and .json. It is about time that passes: run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from tests.contention.tries import PAUSES_WITHIN, RATE, RESTS, USUAL, Kind, contend, contended, goes_on
from tests.support.long_runs import machine, report, store, work_folder

TIMES = 20
KINDS: tuple[Kind, ...] = ("at rest", "in mid-answer")
AGAIN = "again"
LIMIT = ("--max-tokens-per-second", str(RATE))


def main() -> int:
    """0 if there are no problems."""
    parser = argparse.ArgumentParser(
        prog="make test-long-contention", description="Let other programs need the machine, again and again (ARGS=...)."
    )
    parser.add_argument("--times", type=int, default=TIMES, help=f"how often ({TIMES}); fewer store nothing")
    options = parser.parse_args()
    head, folder = work_folder("contention")
    names = [str(number) for number in range(options.times)]
    left = [name for name in (*names, AGAIN) if not (folder / f"{name}.json").exists()]
    if left:
        run(folder, left)
    tries = [_read(folder, name) for name in names]
    again = _read(folder, AGAIN)["seconds"]
    problems = [f"{name}: {problem}" for name, one in zip(names, tries, strict=True) for problem in one["problems"]]
    if again < 0.8 * RESTS:
        problems.append(f"it went on after {again:.1f} s")
    report(problems)
    result = {"commit": head, "machine": machine(), "tries": tries, "again_s": again}
    print(as_markdown(result))
    if not problems and options.times >= TIMES:
        store("contention", result, as_markdown(result))
    return 1 if problems else 0


def run(folder: Path, names: Sequence[str]) -> None:
    """Each of these once, in one network."""
    with tempfile.TemporaryDirectory() as data, contended(Path(data), *LIMIT) as network:
        for name in names:
            if name == AGAIN:
                found: dict[str, Any] = {"seconds": asyncio.run(goes_on(network))}
                said = f"went on after {found['seconds']:.1f} s"
            else:
                told = asyncio.run(contend(network, KINDS[int(name) % len(KINDS)], int(name)))
                found = asdict(told)
                said = f"{told.kind}: " + ("; ".join(told.problems) or f"paused after {told.paused_s:.2f} s")
            (folder / f"{name}.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
            print(f"[long] {name}: {said}", flush=True)


def as_markdown(result: Mapping[str, Any]) -> str:
    """The page."""
    tries = result["tries"]
    within = sum(not one["problems"] for one in tries)
    others = max(one["others"] for one in tries)
    rows = [("all", tries), *((kind, [one for one in tries if one["kind"] == kind]) for kind in KINDS)]
    return (
        "# Other programs need the machine\n\n"
        f"`make test-long-contention` at commit {result['commit']}: a real network on one machine that contributes the"
        f" built-in model with the real sensors, {result['machine']['processors']} processors. As many other programs"
        " as there are processors begin to compute, at rest and in mid-answer; the owner lets others have"
        f" {USUAL:.0%} of the processors. {within} of {len(tries)} times contributing was paused within"
        f" {PAUSES_WITHIN:.0f} s, with the reason. When the programs had ended it went on by itself after"
        f" {result['again_s']:.0f} s. Programs outside of the test used {others:.0%} of the processors at most before a"
        " try.\n\n"
        "| seconds from the load on | times | paused: median | longest | worker gone: median | longest |\n"
        "|---|---|---|---|---|---|\n"
        + "".join(_row(name, ones) for name, ones in rows if ones)
        + "\n## Each time\n\n| | | paused after | worker gone after |\n|---|---|---|---|\n"
        + "".join(
            f"| {number} | {one['kind']} | {one['paused_s']:.2f} s | {one['freed_s']:.2f} s |\n"
            for number, one in enumerate(tries)
        )
    )


def _read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return found


def _row(name: str, ones: Sequence[Mapping[str, Any]]) -> str:
    cells = [f"{pick([one[key] for one in ones]):.2f}" for key in ("paused_s", "freed_s") for pick in (median, max)]
    return f"| {name} | {len(ones)} | {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.exit(main())
