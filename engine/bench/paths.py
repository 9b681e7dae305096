"""``gentorrent bench paths``: what it costs to open paths, to pass cells on and to keep links."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.charts import draw_bars
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.bench.storing import disturbance, make_page, store_results, table
from engine.errors import BenchmarkError
from engine.programs import module_command

Say = Callable[[str], None]
LINKS = 100
_LIMIT_SECONDS = 300.0
METHOD = f"""
Three measurements, each in a process of its own, without a bootstrap server and without a model:

*Protocol alone*: a client and the three relays of a path are the protocol machines that `gentorrent node` runs, and
hand each other their messages in memory. Counted is the time in each machine (median): opening and closing a path, and
one cell (mean of both ways). This is what the cryptography and the bookkeeping of a relay cost, without any network.

*Over links*: the same four, linked by WebRTC on 127.0.0.1, all in one process. *Set-up* is the time from the first
packet to the confirmation of all three relays, one path at a time; the rate is that of sixteen at a time, which all go
through the same guard. For cells, sixteen are on their way at a time; the processor time of the process is divided by
cells times links, so *cell and hop* is what it costs to receive a cell from one neighbour, to pass it on and to send it
to the next one, with DTLS and SCTP. Relays on machines of their own can do the inverse of it on one core.

*Links*: one node dials {LINKS} others, whose ends are in the same process. Memory and idle processor time are of both
ends together, divided by two. Idle is after the links are open, with heartbeats only.
"""


@dataclass(frozen=True)
class Amount:
    """Paths and cells of the two first measurements, and links of the third."""

    machines: int
    path: int
    links: int = LINKS


FULL = Amount(2000, 200)
QUICK = Amount(300, 30)


def run(*, quick: bool, say: Say) -> dict[str, Any]:
    """Measure; the documented keys and more."""
    amount = QUICK if quick else FULL
    say("measuring the machine")
    machine = describe_machine()
    others = OtherPrograms(_own_seconds)
    found = {}
    for name, count in (("machines", amount.machines), ("path", amount.path), ("links", amount.links)):
        say(f"measuring: {name}")
        found[name] = _measure(name, count)
    return {
        "machine": machine,
        "versions": {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])},
        **found,
        "other_programs": others.share(),
        "quick": quick,
    }


def _measure(name: str, count: int) -> dict[str, Any]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GENTORRENT_")}
    command = module_command("engine.bench.drivers.paths", name, str(count))
    try:
        done = subprocess.run(  # noqa: S603 - our own module with our own arguments
            command, capture_output=True, env=environment, text=True, timeout=_LIMIT_SECONDS, check=True
        )
        return dict(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        raise BenchmarkError(
            f"The measurement {name!r} took too long. Close other programs and run it again."
        ) from None
    except (subprocess.CalledProcessError, ValueError) as error:
        words = str(getattr(error, "stderr", error))[-2000:].strip()
        raise BenchmarkError(f"The measurement {name!r} failed. It wrote: {words}") from None


def _own_seconds() -> float:
    """Processor time of this process and of the measurements that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    alone, path, links = results["machines"], results["path"], results["links"]
    rows = [[name, alone["set_up_ms"][name], alone["cell_us"][name]] for name in alone["cell_us"]]
    lowest, highest = path["set_up_ms_spread"]
    return "\n".join(
        [
            *table(["protocol alone", "a path, ms", "a cell, microseconds"], rows),
            "",
            f"- Over links a path of three relays is set up in {path['set_up_ms']} ms (from {lowest} to {highest}),",
            f"  {path['set_ups_per_s']} paths a second with sixteen at a time through one guard.",
            f"- A cell there and another one back take {path['cell_round_trip_ms']} ms. A cell costs",
            f"  {path['us_per_cell_and_hop']} microseconds of processor time at each hop: a relay passes on",
            f"  {path['relay_cells_per_s_per_core']:,} cells a second with one core.",
            f"- {links['links']} links of one node were open after {links['all_s']} s, and took",
            f"  {links['processor_ms_per_link']} ms of processor time each, for both ends. An end takes",
            f"  {links['kb_per_end']} KB of memory, and {links['idle_processor_share_per_end']:.4%} of a processor",
            "  while idle.",
            *disturbance(results),
        ]
    )


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write paths.json, paths.md and paths.svg."""
    alone, path, links = results["machines"], results["path"], results["links"]
    groups: list[tuple[str, dict[str, float]]] = [
        ("a path, ms", {"measured": path["set_up_ms"]}),
        ("a path, relay's work, ms", {"measured": alone["set_up_ms"]["middle"]}),
        ("a cell, relay's work, us", {"measured": alone["cell_us"]["middle"]}),
        ("a cell and hop, us", {"measured": path["us_per_cell_and_hop"]}),
        ("a link, KB for an end", {"measured": links["kb_per_end"]}),
    ]
    below = f"{results['machine']['processor']}; each bar has a scale of its own"
    page = make_page(
        "Paths, cells and links",
        "bench paths",
        "paths.svg",
        results,
        findings=as_text(results).splitlines(),
        method=METHOD,
    )
    return store_results("paths", results, page, draw_bars("What paths cost", groups, below, ""), folder)
