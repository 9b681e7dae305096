"""`make test-long-links`: real links for half an hour and an overlay for eight simulated hours; nothing may grow.

Each of the two is a process of its own; one that is done is kept in ``.work/test-long-links/<commit>`` and not done
again, so an interrupted run goes on with the other. With files changed since the commit both are done anew. Only a run
in which nothing grew writes docs/test-results/links.md and .json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.bench.machine import commit, describe_machine
from tests.soak.flatness import LIMITS, growth, thirds
from tests.soak.real_links import MESSAGES_PER_SECOND
from tools.lock import ROOT

WORK = ROOT / ".work" / "test-long-links"
WARM_UP_MINUTES = 75.0
"""Of simulated time, in which all chats get their first paths and idle ones lose them."""


def main() -> int:
    """0 if everything stayed flat and every answer was complete."""
    parser = argparse.ArgumentParser(
        prog="make test-long-links", description="Hold links for long; nothing may grow (ARGS=...)."
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="of the real links (30); only 30 or more is stored")
    parser.add_argument("--hours", type=float, default=8.0, help="of simulated time (8); only 8 or more is stored")
    options = parser.parse_args()
    head = commit(ROOT)
    folder = WORK / f"{head or 'unknown'}-{options.minutes:g}-{options.hours:g}"
    if not head or head.endswith("+"):
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    every = min(60.0, options.minutes * 60 / 9)
    simulated = piece(folder / "simulated.json", "simulated_hours", "--hours", f"{options.hours:g}")
    real = piece(folder / "real.json", "real_links", "--minutes", f"{options.minutes:g}", "--every", f"{every:g}")
    if simulated is None or real is None:
        return 1
    results = {"commit": head, "machine": machine(), "real": real, "simulated": simulated}
    print(as_markdown(results))
    problems = judge(results)
    for problem in problems:
        print(f"[long] {problem}", file=sys.stderr)
    if problems:
        shutil.rmtree(folder)
        return 1
    if options.minutes >= 30 and options.hours >= 8:
        store(results, ROOT / "docs" / "test-results")
    print("[long] nothing grew")
    return 0


def piece(out: Path, module: str, *arguments: str) -> dict[str, Any] | None:
    """What the module has measured, now or before; None if it failed."""
    if out.exists():
        print(f"[long] {module}: done before", flush=True)
    else:
        print(f"[long] {module} {' '.join(arguments)}", flush=True)
        command = (sys.executable, "-m", f"tests.soak.{module}", *arguments, "--out", str(out))
        if subprocess.run(command, cwd=ROOT, check=False, timeout=3600).returncode != 0:
            print(f"[long] {module} FAILED", file=sys.stderr, flush=True)
            return None
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def machine() -> dict[str, Any]:
    """Where it ran; no speed is measured here."""
    found = describe_machine()
    found.pop("read_gb_per_s", None)
    return found


def steady(rows: Sequence[Mapping[str, float]], hours: float) -> list[Mapping[str, float]]:
    """The simulated measurements after the warm-up, or the later half of a short run."""
    return [row for row in rows if row["minute"] > min(WARM_UP_MINUTES, hours * 30)]


def messages_per_second(real: Mapping[str, Any]) -> float:
    """That arrived over the real links, heartbeats included."""
    first, last = real["rows"][0], real["rows"][-1]
    return float((last["received"] - first["received"]) / ((last["minute"] - first["minute"]) * 60))


def judge(results: Mapping[str, Any]) -> list[str]:
    """Everything that is not as it should be."""
    real, simulated = results["real"], results["simulated"]
    problems = [f"real links: {text}" for text in growth(real["rows"])]
    if any(row["links"] != real["links"] or row["lost_links"] for row in real["rows"]):
        problems.append("real links: a link was lost")
    if messages_per_second(real) < 0.9 * 2 * real["links"] * MESSAGES_PER_SECOND:
        problems.append("real links: less arrived than was sent")
    problems += [f"simulated: {text}" for text in growth(steady(simulated["rows"], simulated["hours"]))]
    if simulated["complete"] != simulated["asked"]:
        problems.append(f"simulated: {simulated['asked'] - simulated['complete']} answers were not complete")
    return problems


def as_markdown(results: Mapping[str, Any]) -> str:
    """The page."""
    real, simulated = results["real"], results["simulated"]
    what = (
        f"`make test-long-links` at commit {results['commit']}: {real['links']} real WebRTC links in one process for"
        f" {real['minutes']:g} minutes, over which {messages_per_second(real):.0f} messages a second arrived,"
        f" heartbeats included; and an overlay of {simulated['relays']} relays, a model node and a client for"
        f" {simulated['hours']:g} simulated hours, in which a relay vanished or changed its network every five minutes:"
        f" {simulated['complete']} of {simulated['asked']} answers complete."
    )
    lines = [
        "# Links for long",
        "",
        what,
        "",
        "Medians of the first and the last third of the run; it fails when the last exceeds its limit.",
        "",
        "| what | first third | last third | limit |",
        "|---|---|---|---|",
    ]
    series = {"real": real["rows"], "simulated": steady(simulated["rows"], simulated["hours"])}
    for run, rows in series.items():
        for name, limit in LIMITS.items():
            values = [row[name] for row in rows if name in row]
            if values:
                first, last = thirds(values)
                lines.append(f"| {run}: {name} | {first:g} | {last:g} | {first * limit.factor + limit.more:.1f} |")
    return "\n".join([*lines, ""])


def store(results: Mapping[str, Any], folder: Path) -> None:
    """Write page and numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "links.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / "links.md").write_text(as_markdown(results), encoding="utf-8")
    print(f"[long] written to {folder.relative_to(ROOT).as_posix()}")


if __name__ == "__main__":
    sys.exit(main())
