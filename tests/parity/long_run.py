"""`make test-long-inference`: the engine's proof with full counts, on both ONNX Runtimes, in twenty minutes.

Pieces that are done are kept in `.work/test-long-inference/<commit>` and not done again, so an interrupted run goes on
where it was; with files changed since the commit everything is done anew. Only a run in which every piece passed
writes docs/test-results/inference.md and .json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parity.models import BUILTIN, MODELS
from tests.parity.page import as_markdown
from tests.support.long_runs import machine, store, work_folder
from tools import next_runtime_environment
from tools.lock import ROOT

RUNTIMES = {"locked": Path(sys.executable), "next": next_runtime_environment.PYTHON}
PROPERTIES = (
    "tests/property/test_prefix_cache_matches_reference.py",
    "tests/property/test_sampling_batch.py",
    "tests/property/test_sampling_matches_reference.py",
    "tests/property/test_scheduler_carries_everybody.py",
    "tests/property/test_scheduler_fairness.py",
    "tests/property/test_scheduler_storm.py",
)
CRASHES = "tests/integration/test_worker_crashes.py"
MOST_TIES = 1 / 1000
LONGEST = 3000
"""Seconds that one piece may take."""


@dataclass(frozen=True)
class Counts:
    """How much is done: stories of each tiny model and of the built-in one, property tests times, kill tests."""

    rounds: int = 80
    rounds_of_builtin: int = 10
    factor: int = 5
    kills: int = 3


@dataclass(frozen=True)
class Piece:
    """``out``: where the result lies when it is done. ``writes``: the command writes it; else how it went does."""

    name: str
    command: tuple[str, ...]
    out: Path
    writes: bool = False
    factor: int = 1


def main() -> int:
    """0 if everything that was to be shown is shown."""
    parser = argparse.ArgumentParser(
        prog="make test-long-inference", description="Test the inference engine with full counts (ARGS=...)."
    )
    parser.add_argument("--jobs", type=int, default=2, help="pieces at a time (2)")
    parser.add_argument("--quick", action="store_true", help="a few of each, to try the command itself; stores nothing")
    options = parser.parse_args()
    if status := next_runtime_environment.main():
        return status
    counts = Counts(3, 1, 1, 1) if options.quick else Counts()
    head, folder = work_folder("inference", "-quick" if options.quick else "")
    side_by_side, alone = pieces(folder, counts)
    begun = time.monotonic()
    done = Progress(len(side_by_side) + len(alone))
    with ThreadPoolExecutor(options.jobs) as pool:
        passed = list(pool.map(done.run, side_by_side))
    passed += [done.run(piece) for piece in alone]  # these kill and time workers
    if not all(passed):
        print(f"[long] {passed.count(False)} of {len(passed)} pieces failed", file=sys.stderr)
        return 1
    results = collect(folder, counts, head, side_by_side + alone)
    print(as_markdown(results))
    if share_of_ties(results) >= MOST_TIES:
        print(f"[long] the two best scores lie together at {share_of_ties(results):.2%} of the places", file=sys.stderr)
        return 1
    if not options.quick:
        store("inference", results, as_markdown(results))
    print(f"[long] everything agrees; {time.monotonic() - begun:.0f} s in this run")
    return 0


def pieces(folder: Path, counts: Counts) -> tuple[list[Piece], list[Piece]]:
    """What is to be done: side by side, and after that one by one."""
    side_by_side, alone = [], []
    for runtime, python in RUNTIMES.items():
        unit = (str(python), "-m", "tests.parity.unit")
        out = folder / f"golden-{runtime}.json"
        side_by_side.append(Piece(out.stem, (*unit, "golden", "--out", str(out)), out, writes=True))
        for model in MODELS:
            rounds = counts.rounds_of_builtin if model == BUILTIN else counts.rounds
            out = folder / f"same-tokens-{runtime}-{model}.json"
            command = (*unit, "same-tokens", "--model", model, "--rounds", str(rounds), "--out", str(out))
            side_by_side.append(Piece(out.stem, command, out, writes=True))
        pytest = (str(python), "-m", "pytest", "-q", "-p", "no:xdist")
        alone += [
            Piece(f"kills-{runtime}-{number}", (*pytest, CRASHES), folder / f"kills-{runtime}-{number}.json")
            for number in range(counts.kills)
        ]
    for file in PROPERTIES:
        name = f"property-{Path(file).stem}"
        again = (sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"--timeout={LONGEST}", file)
        side_by_side.append(Piece(name, again, folder / f"{name}.json", factor=counts.factor))
    side_by_side.sort(key=lambda piece: BUILTIN not in piece.name)  # the longest first
    return side_by_side, alone


class Progress:
    """Runs pieces that are not done yet and says so."""

    def __init__(self, total: int) -> None:
        self._total, self._number, self._lock = total, 0, threading.Lock()

    def run(self, piece: Piece) -> bool:
        """Whether the piece is done and agrees."""
        begun = time.monotonic()
        was_done = piece.out.exists()
        output = "" if was_done else run_piece(piece)
        passed = piece.out.exists()
        with self._lock:
            self._number += 1
            said = "done before" if was_done else f"{time.monotonic() - begun:.0f} s"
            print(f"[long] {self._number}/{self._total} {piece.name}: {said if passed else 'FAILED'}", flush=True)
            if not passed:
                print(output, file=sys.stderr, flush=True)
        return passed


def run_piece(piece: Piece) -> str:
    """Run it; its result is there afterwards if it passed. The end of its output."""
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "TEST_FACTOR": str(piece.factor)}
    piece.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            piece.command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {LONGEST} s"
    if done.returncode == 0 and not piece.writes:
        lines = [line for line in done.stdout.splitlines() if " passed" in line]
        piece.out.write_text(json.dumps({"said": lines[-1].strip("= ") if lines else ""}), encoding="utf-8")
    return done.stdout[-5000:]


def collect(folder: Path, counts: Counts, head: str, done: Sequence[Piece]) -> dict[str, Any]:
    """Everything that the pieces found."""
    found = {piece.name: json.loads(piece.out.read_text(encoding="utf-8")) for piece in done}
    golden = [found[f"golden-{runtime}"] for runtime in RUNTIMES]
    return {
        "commit": head,
        "machine": machine(),
        "onnxruntime": [one["onnxruntime"] for one in golden],
        "counts": {"stories": counts.rounds, "stories_of_builtin": counts.rounds_of_builtin, "factor": counts.factor},
        "golden": {one["onnxruntime"]: one["largest"] for one in golden},
        "same_tokens": [one for name, one in found.items() if name.startswith("same-tokens-")],
        "kill_tests": {
            one["onnxruntime"]: sum(name.startswith(f"kills-{runtime}-") for name in found)
            for runtime, one in zip(RUNTIMES, golden, strict=True)
        },
        "property_tests": {
            name.removeprefix("property-"): one["said"] for name, one in found.items() if name.startswith("property-")
        },
    }


def share_of_ties(results: dict[str, Any]) -> float:
    """The places where the two best scores lie too close together to tell, as a part of all."""
    tested = results["same_tokens"]
    return float(sum(one["ties"] for one in tested) / sum(one["positions"] for one in tested))


if __name__ == "__main__":
    sys.exit(main())
