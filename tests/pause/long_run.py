"""`make test-long-pause`: pause is pressed fifty times at random moments of prefill and decode, and in five answers
more that are finished first.

A real network on this machine: every node is a process, links are WebRTC. Each time the worker must be gone within a
second of the request, and the answer must go on at the other machine to its end, with receipts that hold. Many pauses
come during a prefill of 8,000 tokens.

What was done is kept in ``.work/test-long-pause/<commit>``, so an interrupted run goes on where it was; with files
changed since the commit everything is done anew. Only a whole run without a problem writes docs/test-results/pause.md
and .json. It is about time that passes: run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.pause.tries import LONG, MOST_SECONDS, SHAPE, TOKENS, Kind, as_json, pausing
from tests.support.long_runs import machine, report, store, work_folder

RELAYS = 12
TURNS: tuple[Kind, ...] = ("long prefill", "decode", "prefill", "decode", "long prefill")
TIMES = 50
FINISHED = 5
"""Further times in which the answer is finished first."""


def main() -> int:
    """0 if there are no problems."""
    parser = argparse.ArgumentParser(
        prog="make test-long-pause", description="Press pause in mid-answer, again and again (ARGS=...)."
    )
    parser.add_argument("--times", type=int, default=TIMES, help=f"how often ({TIMES}); fewer store nothing")
    options = parser.parse_args()
    kinds: list[Kind] = [TURNS[number % len(TURNS)] for number in range(options.times)]
    kinds += ["finish"] * FINISHED
    head, folder = work_folder("pause")
    left = [number for number in range(len(kinds)) if not (folder / f"{number}.json").exists()]
    if left:
        run(folder, {number: kinds[number] for number in left})
    found = [json.loads((folder / f"{number}.json").read_text("utf-8")) for number in range(len(kinds))]
    problems = [f"{number}: {problem}" for number, one in enumerate(found) for problem in one["problems"]]
    report(problems)
    result = {"commit": head, "machine": machine(), "tries": found}
    print(as_markdown(result))
    if not problems and options.times >= TIMES:
        store("pause", result, as_markdown(result))
    return 1 if problems else 0


def run(folder: Path, kinds: Mapping[int, Kind]) -> None:
    """Each of these once, in one network."""
    with tempfile.TemporaryDirectory() as data, pausing(Path(data), RELAYS) as here:
        for number, kind in kinds.items():
            told = here.once(number, kind)
            (folder / f"{number}.json").write_text(json.dumps(as_json(told)) + "\n", encoding="utf-8")
            said = "; ".join(told.problems) or f"free after {told.freed_s * 1000:.0f} ms"
            print(f"[long] {number}: {kind}, came in {told.during} at {told.moment:.2f}: {said}", flush=True)


def as_markdown(result: Mapping[str, Any]) -> str:
    """The page."""
    tries = result["tries"]
    at_once = [one for one in tries if one["kind"] != "finish"]
    finished = [one for one in tries if one["kind"] == "finish"]
    held = _count(at_once)
    in_long = [one for one in at_once if one["prompt_tokens"] >= LONG and one["during"] == "prefill"]
    size = max(one["megabytes"] for one in tries)
    rows = [
        ("all", at_once),
        ("during a prefill", [one for one in at_once if one["during"] == "prefill"]),
        (f"of these, of a prompt of {LONG:,} tokens", in_long),
        ("during decode", [one for one in at_once if one["during"] == "decode"]),
        ("answer finished first, from its end on", finished),
    ]
    return (
        "# Pause\n\n"
        f"`make test-long-pause` at commit {result['commit']}: real processes and WebRTC on one machine, {RELAYS}"
        f" relays, two machines with a model of random weights ({SHAPE.layers} layers of {SHAPE.hidden}), a client."
        f" Pause is pressed in mid-answer as the window does it; workers held up to {size:.0f} MB. {held} of"
        f" {len(at_once)} times the worker was gone within {MOST_SECONDS:.0f} s, and the other machine made the answer"
        f" to its end ({TOKENS} tokens), with receipts that hold. {_count(finished)} of {len(finished)} times with"
        " *finish running answers* the machine made its answer whole first.\n\n"
        "| seconds from pause to free memory | times | median | longest |\n|---|---|---|---|\n"
        + "".join(_row(name, ones) for name, ones in rows if ones)
        + "\n## Each time\n\nMoment: seconds after the worker began, or pieces of the answer that had arrived.\n\n"
        "| | pause came in | at | prompt | worker held | free after |\n|---|---|---|---|---|---|\n"
        + "".join(
            f"| {number} | {one['during']}{', finished first' if one['kind'] == 'finish' else ''} | {_moment(one)} |"
            f" {one['prompt_tokens']:,} | {one['megabytes']:.0f} MB | {one['freed_s'] * 1000:.0f} ms |\n"
            for number, one in enumerate(tries)
        )
    )


def _count(ones: Sequence[Mapping[str, Any]]) -> int:
    return sum(not one["problems"] for one in ones)


def _moment(one: Mapping[str, Any]) -> str:
    by_pieces = one["kind"] in ("decode", "finish")
    return f"{one['moment']:.0f} pieces" if by_pieces else f"{one['moment']:.2f} s"


def _row(name: str, ones: Sequence[Mapping[str, Any]]) -> str:
    seconds = [one["freed_s"] for one in ones]
    return f"| {name} | {len(ones)} | {median(seconds):.3f} | {max(seconds):.3f} |\n"


if __name__ == "__main__":
    sys.exit(main())
