"""`make test-long-links`: real links for half an hour and an overlay for eight simulated hours; nothing may grow.

Each of the two is a process of its own; one that is done is kept in ``.work/test-long-links/<commit>`` and not done
again, so an interrupted run goes on with the other. With files changed since the commit both are done anew. Only a run
in which nothing grew writes docs/test-results/links.md and .json.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.soak.flatness import LIMITS, growth, thirds
from tests.soak.real_links import MESSAGES_PER_SECOND
from tests.support.long_runs import machine, piece, report, store, work_folder

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
    head, folder = work_folder("links", f"-{options.minutes:g}-{options.hours:g}")
    every = min(60.0, options.minutes * 60 / 9)
    simulated = measured(folder / "simulated.json", "simulated_hours", "--hours", f"{options.hours:g}")
    real = measured(folder / "real.json", "real_links", "--minutes", f"{options.minutes:g}", "--every", f"{every:g}")
    if simulated is None or real is None:
        return 1
    results = {"commit": head, "machine": machine(), "real": real, "simulated": simulated}
    print(as_markdown(results))
    problems = judge(results)
    report(problems)
    if problems:
        shutil.rmtree(folder)
        return 1
    if options.minutes >= 30 and options.hours >= 8:
        store("links", results, as_markdown(results))
    print("[long] nothing grew")
    return 0


def measured(out: Path, module: str, *arguments: str) -> dict[str, Any] | None:
    """What the module has measured, now or before; None if it failed."""
    print(f"[long] {module} {' '.join(arguments)}", flush=True)
    return piece(out, (sys.executable, "-m", f"tests.soak.{module}", *arguments, "--out", str(out)))


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


if __name__ == "__main__":
    sys.exit(main())
