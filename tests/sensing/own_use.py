"""Measure what the governor takes of a processor where there is a desktop, a battery, and graphics cards.

python -m tests.sensing.own_use            # 20 minutes, on a machine that does nothing else; writes nothing
python -m tests.sensing.own_use --write    # and keeps the numbers in docs/benchmarks/governor-desktops.{md,json,svg}
python -m tests.sensing.own_use --quick    # three minutes
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from engine import __version__
from engine.bench import governor
from engine.bench.charts import draw_bars
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.bench.storing import disturbance, make_page, store_results, table
from engine.governor.rules import DeviceRules, Rules
from tests.sensing.played_machine import played_machine
from tests.support.played_desktops import KINDS, Kind, desktop, environment_of, resting_programs
from tests.support.played_nvml import play_cards
from tools.lock import ROOT

PROGRAMS = 300
"""Of a desktop, beside what runs here."""
STRANGERS = 3
"""Other programs on each card."""
WORKERS = 4
SECONDS, QUICK_SECONDS = 20.0, 3.0
METHOD = f"""
As on the page [governor.md](governor.md), but for {SECONDS:.0f} s each and in a process that finds more: a real X
server (Xvfb) with the properties of a window manager, real D-Bus daemons with the services of NetworkManager, logind,
GameMode, and on GNOME Mutter's, which are played in another process; a battery and an energy counter of the
processor, whose files are played; NVIDIA's management library, whose C functions are played behind the real pynvml;
and {PROGRAMS} more programs that rest. On each card one of {WORKERS} workers of the engine and {STRANGERS} other
programs work; rules of all cards limit power and heat. What a driver itself takes of the processor when it is asked
is not in these numbers, nor are files of thermometers: no machine here has them.
"""


class Place(NamedTuple):
    """Where the governor runs."""

    kind: Kind
    cards: int = 0

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.kind}, {self.cards} {'card' if self.cards == 1 else 'cards'}" if self.cards else self.kind


PLACES = (*(Place(kind) for kind in KINDS), Place("X11", 1), Place("X11", 4))


def measured(places: tuple[Place, ...], seconds: float) -> dict[str, Any]:
    """What is stored."""
    found = []
    outside = OtherPrograms()
    with resting_programs(PROGRAMS) as pids:
        for place in places:
            with desktop(place.kind) as there:
                given = json.dumps([place.cards, seconds, pids[: WORKERS + STRANGERS]])
                command = [sys.executable, "-m", "tests.sensing.own_use", "--inside", given]
                told = subprocess.run(
                    command, env=environment_of(there), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
                )
                found.append({"place": place.name, **json.loads(told.stdout)})
    return {
        "machine": describe_machine(),
        "versions": {"gentorrent": __version__, "commit": commit(ROOT)},
        "seconds": seconds,
        "wanted_share": governor.WANTED,
        "places": found,
        "other_programs": outside.share(),
    }


def inside(cards: int, seconds: float, pids: list[int]) -> dict[str, Any]:
    """In a process of its own: what the governor takes there. ``pids``: of workers, then of others."""
    workers, strangers = pids[:WORKERS], pids[WORKERS:]
    limits = tuple(DeviceRules(device=f"GPU-{n}", power_cap=150, temperature_cap=60) for n in range(cards))
    rules = Rules(exclusive_programs=("game",), only_when_idle=True, devices=limits)
    play_cards(cards, [workers[0], *strangers])
    with tempfile.TemporaryDirectory() as folder, played_machine(Path(folder) / "machine"):
        own = lambda: workers  # noqa: E731
        rows = governor.rounds(Path(folder), seconds, rules, own)
        return {"rows": rows, "sensors": governor.each_sensor(Path(folder), own)}


def as_lines(results: dict[str, Any]) -> list[str]:
    """What is printed, and said first on the page."""
    shares = {one["place"]: [row["share"] for row in one["rows"]] for one in results["places"]}
    nothing = {one["place"]: [row["nothing"] for row in one["rows"]] for one in results["places"]}
    worst = max(max(row) for row in shares.values())
    verdict = "within" if worst <= results["wanted_share"] else "beyond"
    wanted = governor.percent(results["wanted_share"])
    rows = [[name, *map(governor.percent, shares[name]), governor.percent(max(nothing[name]))] for name in shares]
    lines = [
        f"The governor takes {governor.percent(worst)} of one processor at most, {verdict} {wanted}.",
        "",
        *table(["", "round 1, as it is", "busy", "round 2, as it is", "busy", "nothing, at most"], rows),
    ]
    lines += disturbance(results)
    for one in results["places"]:
        lines += ["", f"{one['place']}:", "", *governor.sensor_table(one["sensors"])]
    return lines


def keep(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write governor-desktops.json, .md and .svg."""
    groups = [
        (one["place"], {sensor["name"]: 100 * sensor["share"] for sensor in one["sensors"]})
        for one in results["places"]
    ]
    page = make_page(
        "The governor beside a desktop and graphics cards: what it takes itself",
        "tests.sensing.own_use --write",
        "governor-desktops.svg",
        results,
        findings=as_lines(results),
        method=METHOD,
        program="python -m",
    )
    picture = draw_bars("What each sensor takes of one processor", groups, "Shorter is better", "%")
    return store_results("governor-desktops", results, page, picture, folder)


def main() -> int:
    """1 where it takes too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the numbers in docs/benchmarks")
    parser.add_argument("--quick", action="store_true", help="for less time")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(inside(*json.loads(given.inside))))
        return 0
    if given.write and given.quick:
        parser.error("--quick is too little to be kept: leave out one of --write and --quick")
    results = measured(PLACES, QUICK_SECONDS if given.quick else SECONDS)
    print("\n".join(as_lines(results)))
    if given.write:
        keep(results, ROOT / "docs" / "benchmarks")
    return 0 if all(row["share"] <= governor.WANTED for one in results["places"] for row in one["rows"]) else 1


if __name__ == "__main__":
    sys.exit(main())
