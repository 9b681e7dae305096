"""`make test-long-verification`: cheats and honest nodes in simulated networks with full counts, and scoring's cost.

Honest nodes: 30,000 epochs of one node for each way in which honest answers were recorded, new and established ones.
Each adversary: 200 networks of 4 nodes and 4 verifiers with one that cheats, and again with 3 nodes. Cost: processor
seconds of real workers with the built-in model and with one of 0.1 billion random weights. Claims of speed: 500
simulated networks of each kind, and one of real processes. Pieces are kept in
``.work/test-long-verification/<commit>``, so an interrupted run goes on where it was; with files changed since the
commit everything is done anew. docs/test-results/verification.md and .json say what was found, claim by claim
(``tests.verification.claims``); it fails where one does not hold.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.bench.verification.cost import scoring_share, share_of_processor
from engine.bench.verification.random_model import make_random_model
from engine.simulation.verification.adversaries import ADVERSARIES
from engine.simulation.verification.recorded import read_recorded
from engine.simulation.verification.text import ADVERSARIES as COLUMNS
from engine.simulation.verification.text import HONEST, adversary_rows, honest_rows
from tests.support.long_runs import machine, piece, report, store, work_folder
from tests.verification.claims import HONEST_EPOCHS, Claim, claims, counted, cut_in_words

EPOCHS = 60
NODES = 4
NETWORKS = 200
SPEED_NETWORKS = 500
SIZES = (4, 3)
Command = Sequence[str]


def main() -> int:
    """0 if every claim holds."""
    parser = argparse.ArgumentParser(
        prog="make test-long-verification", description="Verification in the simulator with full counts (ARGS=...)."
    )
    parser.add_argument("--quick", action="store_true", help="few of everything, to try the command; stores nothing")
    options = parser.parse_args()
    head, folder = work_folder("verification", "-quick" if options.quick else "")
    share = 20 if options.quick else 1
    honest = {source: _honest(folder, source, share) for source in read_recorded().honest}
    cheats = {str(nodes): {name: _cheat(folder, name, nodes, share) for name in ADVERSARIES} for nodes in SIZES}
    costs = {"built-in model": _cost(folder, "builtin"), "0.1 billion random weights": _cost_of_random(folder)}
    speeds = {"simulated": _speeds(folder, share), "real": _real_speeds(folder)}
    cheated = (one for found in cheats.values() for one in found.values())
    pieces = [*honest.values(), *cheated, *costs.values(), *speeds.values()]
    if None in pieces:
        return 1
    by_name = {nodes: {name: one["adversaries"][name] for name, one in some.items()} for nodes, some in cheats.items()}
    found = {"commit": head, "machine": machine(), "honest": honest, "cheats": by_name, "costs": costs}
    found["speeds"] = speeds
    made = claims(found)
    page = as_markdown(found, made)
    print(page)
    report([f"{one.words}: {one.measured}" for one in made if not one.holds])
    if not options.quick:
        store("verification", found | {"claims": [one._asdict() for one in made]}, page)
    return 0 if all(one.holds for one in made) else 1


def _honest(folder: Path, source: str, share: int) -> dict[str, Any] | None:
    """Networks whose nodes all make their answers so."""
    networks = HONEST_EPOCHS // (NODES * EPOCHS) // share
    slug = source.replace(" ", "-").lower()
    return piece(folder / f"honest-{slug}.json", _command(NODES, networks, "none", "--source", source), **KEPT)


def _cheat(folder: Path, name: str, nodes: int, share: int) -> dict[str, Any] | None:
    command = _command(nodes, NETWORKS // share, name, "--share", "0")
    return piece(folder / f"{name}-of-{nodes}.json", command, **KEPT)


def _cost(folder: Path, name: str, *options: str) -> dict[str, Any] | None:
    program = [sys.executable, "-m", "engine.bench.verification", "scoring-cost", "--json", *options]
    return piece(folder / f"cost-{name}.json", program, keeps_output=True)


def _cost_of_random(folder: Path) -> dict[str, Any] | None:
    model = folder / "random-model"
    if not (folder / "cost-random.json").exists():
        make_random_model(model)
    found = _cost(folder, "random", "--model", str(model), "--conversations", "8")
    shutil.rmtree(model, ignore_errors=True)
    return found


def _speeds(folder: Path, share: int) -> dict[str, Any] | None:
    program = [sys.executable, "-m", "engine.cli", "simulate", "capacity", "--json"]
    return piece(folder / "speeds.json", [*program, "--networks", str(SPEED_NETWORKS // share)], **KEPT)


def _real_speeds(folder: Path) -> dict[str, Any] | None:
    out = folder / "real-speeds.json"
    return piece(out, [sys.executable, "-m", "tests.verification.claimed_speeds", "--out", str(out)])


KEPT: dict[str, Any] = {"accepted": (0, 1), "keeps_output": True}


def _command(nodes: int, networks: int, adversary: str, *options: str) -> Command:
    program = [sys.executable, "-m", "engine.cli", "simulate", "verification", "--json", "--epochs", str(EPOCHS)]
    return [*program, "--nodes", str(nodes), "--networks", str(networks), "--adversary", adversary, *options]


def as_markdown(found: Mapping[str, Any], made: Sequence[Claim]) -> str:
    """The page."""
    honest, cheats, costs = found["honest"], found["cheats"], found["costs"]
    about = (
        f"`make test-long-verification` at commit {found['commit']}: networks of 4 verifiers in simulated epochs.",
        "Duties, scores and rules are those of real networks, answers are drawn from recorded ones of the built-in",
        "model ([method](../verification.md#what-the-simulation-shows)).",
    )
    holding = sum(one.holds for one in made)
    lines = [
        "# Verification in the simulator",
        "",
        " ".join(about),
        "",
        f"**{holding} of {len(made)} claims hold.**",
        "",
        *_table(
            ("claim", "measured", "holds"), [(one.words, one.measured, "yes" if one.holds else "NO") for one in made]
        ),
        "",
        "**Honest nodes:**",
        "",
        *_table(HONEST, [row for one in honest.values() for row in honest_rows(one)]),
    ]
    for nodes, by_name in cheats.items():
        rows = adversary_rows({"adversaries": by_name})
        lines += ["", f"**Cheats**, one in each of {NETWORKS} networks of {nodes} nodes:", "", *_table(COLUMNS, rows)]
    lines += ["", *_costs(honest, costs), "", *_claimed(found["speeds"])]
    return "\n".join(lines) + "\n"


WHEN = (("on average", ""), ("while new", "_new"), ("established", "_established"))


def _costs(honest: Mapping[str, Any], costs: Mapping[str, Any]) -> list[str]:
    """Two tables: what was measured of real workers, and shares of 200 answers in an epoch."""
    measured = [
        (
            name,
            f"{one['serving_ms']:.0f} ms ({one['made_together']:.1f})",
            f"{one['serving_at_once_ms']:.0f} ms",
            f"{one['scoring_ms']:.0f} ms",
            f"{100 * one['ratio']:.0f} %, {100 * one['ratio_at_once']:.0f} %",
        )
        for name, one in costs.items()
    ]
    shares = [
        (
            source,
            words,
            f"{100 * one[f'challenge_share{when}']:.2f} %",
            f"{100 * one[f'scoring_share{when}']:.2f} %",
            *(_shares(one, cost, when) for cost in costs.values()),
        )
        for source, one in honest.items()
        for words, when in WHEN
    ]
    head = ("answers made", "", "answers to checks", "tokens that scorers read", *(f"seconds, {one}" for one in costs))
    at_once = next(iter(costs.values()))["served_at_once"]
    return [
        "**Cost.** Processor time of one answer of 128 tokens, made as 200 of them come to a node in an epoch of ten",
        f"minutes (in brackets: how many are made together then) or {at_once} at once, and scored one by one:",
        "",
        *_table(("model", "making it", f"{at_once} at once", "scoring it", "share of both"), measured),
        "",
        "All scorers together, as shares of what 200 answers in an epoch take (of their number, of their tokens, of",
        f"their processor seconds as they come). In brackets: if all came {at_once} at once, with nothing between,",
        "which is not promised to stay below 3 %; and of a processor that serves all the time.",
        "",
        *_table(head, shares),
    ]


def _shares(honest: Mapping[str, Any], cost: Mapping[str, Any], when: str) -> str:
    """In processor seconds, by each measure."""
    at_once = scoring_share(honest, cost, when, "ratio_at_once")
    return (
        f"{100 * scoring_share(honest, cost, when):.2f} % "
        f"({100 * at_once:.2f} %, {100 * share_of_processor(honest, cost, when):.2f} %)"
    )


def _claimed(speeds: Mapping[str, Any]) -> list[str]:
    """What became of claims of speed."""
    rows = [
        (name, f"{one['believed_mean']:.2f}", counted(one["ever_cut"], one["identities"]))
        for name, one in speeds["simulated"]["claims"].items()
    ]
    real = speeds["real"]
    nodes = ", ".join(f"the {name} one claims {claims}" for name, claims in real["claims"].items())
    return [
        f"**Claims of speed**, in {SPEED_NETWORKS} simulated networks each:",
        "",
        *_table(("claim", "believed in the end", "nodes that were ever cut"), rows),
        "",
        f"Two nodes as real processes read {real['reads']} tokens a second; {nodes}. After {real['blocks']} epochs of",
        f"{real['epoch_seconds']} s and {real['speeds_measured']} measurements, cut: {cut_in_words(real)}.",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]


if __name__ == "__main__":
    sys.exit(main())
