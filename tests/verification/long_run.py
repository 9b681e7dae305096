"""`make test-long-verification`: cheats and honest nodes in simulated networks with full counts.

Honest nodes: 30,000 epochs of one node for each way in which honest answers were recorded, new and established ones.
Each adversary: 200 networks of 4 nodes and 4 verifiers with one that cheats, and again with 3 nodes. Pieces are kept in
``.work/test-long-verification/<commit>``, so an interrupted run goes on where it was; with files changed since the
commit everything is done anew. docs/test-results/verification.md and .json say what was found. It fails where an
honest node was excluded; cheats that are found late are reported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.simulation.verification.adversaries import ADVERSARIES
from engine.simulation.verification.recorded import read_recorded
from engine.simulation.verification.text import ADVERSARIES as COLUMNS
from engine.simulation.verification.text import HONEST, adversary_rows, honest_rows
from tests.support.long_runs import machine, piece, report, store, work_folder

NODE_EPOCHS = 30_000
EPOCHS = 60
NODES = 4
NETWORKS = 200
SIZES = (4, 3)
Command = Sequence[str]


def main() -> int:
    """0 if no honest node was excluded and every piece was done."""
    parser = argparse.ArgumentParser(
        prog="make test-long-verification", description="Verification in the simulator with full counts (ARGS=...)."
    )
    parser.add_argument("--quick", action="store_true", help="few of everything, to try the command; stores nothing")
    options = parser.parse_args()
    head, folder = work_folder("verification", "-quick" if options.quick else "")
    share = 20 if options.quick else 1
    honest = {source: _honest(folder, source, share) for source in read_recorded().honest}
    cheats = {str(nodes): {name: _cheat(folder, name, nodes, share) for name in ADVERSARIES} for nodes in SIZES}
    pieces = [*honest.values(), *(one for found in cheats.values() for one in found.values())]
    if None in pieces:
        return 1
    found = {"commit": head, "machine": machine(), "honest": honest, "cheats": cheats}
    problems = [f"{source}: {one['false_exclusions']} excluded" for source, one in honest.items() if _excluded(one)]
    page = as_markdown(found)
    print(page)
    report(problems)
    if not options.quick and not problems:
        store("verification", found, page)
    return 1 if problems else 0


def _excluded(one: Mapping[str, Any] | None) -> bool:
    return one is None or bool(one["false_exclusions"])


def _honest(folder: Path, source: str, share: int) -> dict[str, Any] | None:
    """Networks whose nodes all make their answers so."""
    networks = NODE_EPOCHS // (NODES * EPOCHS) // share
    slug = source.replace(" ", "-").lower()
    return piece(folder / f"honest-{slug}.json", _command(NODES, networks, "none", "--source", source), **KEPT)


def _cheat(folder: Path, name: str, nodes: int, share: int) -> dict[str, Any] | None:
    command = _command(nodes, NETWORKS // share, name, "--share", "0")
    return piece(folder / f"{name}-of-{nodes}.json", command, **KEPT)


KEPT: dict[str, Any] = {"accepted": (0, 1), "keeps_output": True}


def _command(nodes: int, networks: int, adversary: str, *options: str) -> Command:
    program = [sys.executable, "-m", "engine.cli", "simulate", "verification", "--json", "--epochs", str(EPOCHS)]
    return [*program, "--nodes", str(nodes), "--networks", str(networks), "--adversary", adversary, *options]


def as_markdown(found: Mapping[str, Any]) -> str:
    """The page."""
    honest, cheats = found["honest"], found["cheats"]
    total = sum(one["honest_epochs"] for one in honest.values())
    method = "[method](../verification.md#what-the-simulation-shows)"
    about = (
        f"`make test-long-verification` at commit {found['commit']}: networks of 4 verifiers in simulated epochs.",
        "Duties, scores and rules are those of real networks, answers are drawn from recorded ones of the built-in",
        f"model ({method}).",
    )
    excluded = sum(one["false_exclusions"] for one in honest.values())
    costs = (
        "Checks of a node in an epoch, and tokens that all scorers read as a share of what it reads and writes with",
        "200 answers in an epoch:",
    )
    lines = [
        "# Verification in the simulator",
        "",
        " ".join(about),
        "",
        f"**Honest nodes**: {excluded} excluded in {total:,} epochs of one node.",
        "",
        *_table(HONEST, [row for one in honest.values() for row in honest_rows(one)]),
        "",
        " ".join(costs),
        "",
        *_table(
            ("answers made", "checks", "share", "of new nodes", "of others"), [_cost(*one) for one in honest.items()]
        ),
    ]
    for nodes, by_name in cheats.items():
        rows = [row for one in by_name.values() for row in adversary_rows(one)]
        lines += ["", f"**Cheats**, one in each of {NETWORKS} networks of {nodes} nodes:", "", *_table(COLUMNS, rows)]
    late = sorted({problem for by_name in cheats.values() for one in by_name.values() for problem in one["problems"]})
    lines += ["", "Not within 5 epochs:", "", *(f"- {problem}" for problem in late or ["nothing"])]
    return "\n".join(lines) + "\n"


def _cost(source: str, one: Mapping[str, Any]) -> list[str]:
    shares = (one[key] for key in ("scoring_share", "scoring_share_new", "scoring_share_established"))
    return [source, f"{one['checks_per_node_epoch']:.3f}", *(f"{100 * share:.2f} %" for share in shares)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    sys.exit(main())
