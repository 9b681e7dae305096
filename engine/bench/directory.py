"""``gentorrent bench directory``: what a large directory costs the server, its readers, and the way between them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.charts import draw_bars
from engine.bench.crowd import MODEL_NODES, STAY_SECONDS
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.bench.storing import disturbance, make_page, store_results, table
from engine.bootstrap.store import STEPS_AT_MOST
from engine.errors import BenchmarkError
from engine.programs import module_command

Say = Callable[[str], None]
NODES, QUICK_NODES = 20_000, 2_000
LARGE = 100_000
"""Nodes of the network that is computed."""
PERIOD_SECONDS = 10.0
"""Between two snapshots of a new network."""
UPDATES = 12
DAY_SECONDS = 86_400
_LIMIT_SECONDS = 1_800.0
METHOD = f"""
The nodes are synthetic, their keys and signatures are real. All relay, one in {MODEL_NODES} serves a model. They stay
for {STAY_SECONDS / 60:.0f} minutes on average and leave without a word, others come in their place, and each renews its
descriptor after half of its life (15 minutes). A snapshot is made every {PERIOD_SECONDS:.0f} s.

*Server*: the classes of `gentorrent bootstrap` in simulated time, in a process of its own: who is listed, marks, the
snapshot, the delta, compression. *Saving* is the time until the snapshot is in the database on this disk.

*Client*: the part of an engine that fetches, checks and keeps the directory, in a process of its own, from a server of
files on 127.0.0.1 that shares its event loop. *Time* is from the question until the directory is in use; *processor* is
that of all its threads; *event loop kept waiting* is the longest time in which nothing else could run. Starting again,
it has on its disk what was checked before. An engine has two identities, and each does this.

{LARGE:,} nodes are computed from these numbers in proportion, without anything being measured.
"""


def run(*, nodes: int = NODES, quick: bool, say: Say) -> dict[str, Any]:
    """Measure with so many nodes; the documented keys and more."""
    say("measuring the machine")
    machine = describe_machine()
    others = OtherPrograms(_own_seconds)
    updates = 7 if quick else UPDATES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        say(f"measuring: a server with {nodes} nodes")
        server = _measure("server", folder, str(nodes), str(updates))
        say("measuring: a client that joins")
        join = _measure("join", folder)
        say("measuring: a client that starts again")
        restart = _measure("restart", folder)
    found = {"server": server, "restart": restart, **join}
    return {
        "machine": machine,
        "versions": {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])},
        "nodes": server["nodes"],
        **found,
        "computed": {str(LARGE): scaled(found, LARGE)},
        "other_programs": others.share(),
        "quick": quick,
    }


def _measure(name: str, folder: Path, *arguments: str) -> dict[str, Any]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GENTORRENT_")}
    command = module_command("engine.bench.drivers.directory", name, str(folder), *arguments)
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


def scaled(found: dict[str, Any], nodes: int) -> dict[str, float]:
    """What ``nodes`` nodes would need, in proportion to what was measured."""
    server, join, update = found["server"], found["join"], found["update"]
    ratio = nodes / server["nodes"]
    per_snapshot = sum(server[name] for name in ("list_ms", "sign_ms", "step_ms", "compress_ms", "delta_ms"))
    delta = server["delta_bytes"] * ratio
    return {
        "whole_compressed_mb": round(server["whole_compressed_bytes"] * ratio / 1e6, 1),
        "whole_mb": round(server["whole_bytes"] * ratio / 1e6, 1),
        "update_kb_per_s": round(delta / PERIOD_SECONDS / 1e3, 1),
        "update_mb_per_day": round(delta / PERIOD_SECONDS * DAY_SECONDS / 1e6),
        "server_sends_mb_per_s": round(delta / PERIOD_SECONDS * nodes / 1e6),
        "server_processor_share": round(
            (per_snapshot / PERIOD_SECONDS + server["tick_ms"]) * ratio / 1e3
            + server["published_per_period"] * ratio / PERIOD_SECONDS * server["accept_ms"] / 1e3,
            3,
        ),
        "join_processor_s": round(join["processor_s"] * ratio, 1),
        "update_processor_share": round(
            (update["processor_s"] * 1e3 + update["graph_ms"]) * ratio / (PERIOD_SECONDS * 1e3)
            + found["mark_ms"] * ratio / 1e3,
            3,
        ),
        "memory_mb": round(join["memory_mb"] * ratio),
        "saved_gb_per_day": round(_saved(server) * ratio * DAY_SECONDS / PERIOD_SECONDS / 1e9, 1),
        "places_s": round(join["graph_ms"] * ratio / 1e3, 1),
    }


def _saved(server: dict[str, Any]) -> float:
    """Bytes that are written for a snapshot on average: a whole one, then steps that are half as long together."""
    steps = min(STEPS_AT_MOST, server["whole_bytes"] / 2 / max(1, server["step_bytes"]))
    return float((server["whole_bytes"] + steps * server["step_bytes"]) / (steps + 1))


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    return "\n".join([*_measured(results), "", *_computed(results), *disturbance(results)])


def _measured(results: dict[str, Any]) -> list[str]:
    server, join, restart, update = (results[name] for name in ("server", "join", "restart", "update"))
    here = scaled(results, results["nodes"])
    bytes_ = [
        ["the whole directory", f"{server['whole_bytes']:,}", f"{server['whole_compressed_bytes']:,}"],
        ["one update (10 s)", f"{server['delta_fresh_bytes']:,}", f"{server['delta_bytes']:,}"],
    ]
    if server["delta_bytes_a_minute"]:
        bytes_.append(["an update after a minute", "", f"{server['delta_bytes_a_minute']:,}"])
    client = [
        [name, cost["s"], cost["processor_s"], cost["loop_blocked_ms"]]
        for name, cost in (("join, nothing known", join), ("start again", restart), ("one update", update))
    ]
    work = [
        ["take a descriptor, signature checked", server["accept_ms"]],
        ["look through everybody, every second", server["tick_ms"]],
        ["gather the listings of a snapshot", server["list_ms"]],
        ["encode and sign it (beside the event loop)", server["sign_ms"]],
        ["the step from the last one (beside it)", server["step_ms"]],
        ["compress the whole, once (beside it)", server["compress_ms"]],
        ["compress an update, once (beside it)", server["delta_ms"]],
        ["save it (time on the disk)", server["save_ms"]],
    ]
    return [
        f"{results['nodes']:,} nodes are listed, {server['bytes_per_node']} bytes each. In 10 s",
        f"{server['published_per_period']:.0f} descriptors change and {server['marks_per_s'] * 10:.0f} marks are made.",
        "",
        *table(["fetched", "bytes", "compressed"], bytes_),
        "",
        *table(["client", "time, s", "processor, s", "event loop kept waiting, ms"], client),
        "",
        *table(["server", "processor, ms"], work),
        "",
        f"- A client takes {join['memory_mb']} MB for it ({join['peak_mb']} MB at most while it joins),",
        f"  {join['graph_ms']:.0f} ms to place all relays and {update['graph_ms']:.0f} ms after an update, and",
        f"  {results['mark_ms']:.1f} ms for a message of marks: {here['update_processor_share']:.1%} of a processor.",
        f"- It fetches {here['update_kb_per_s']} KB a second, {here['update_mb_per_day']:,} MB a day. A server without",
        f"  mirrors sends {here['server_sends_mb_per_s']:,} MB a second to all nodes together. The directory takes",
        f"  {here['server_processor_share']:.1%} of its processor and {server['memory_mb']:.0f} MB of its memory, and",
        f"  {server['joined_per_s']:,} nodes can join in a second.",
    ]


def _computed(results: dict[str, Any]) -> list[str]:
    need = results["computed"][str(LARGE)]
    return [
        f"## What {LARGE:,} nodes would need",
        "",
        *table(
            [f"computed for {LARGE:,} nodes", "value"],
            [
                ["whole directory, MB", need["whole_mb"]],
                ["compressed, MB", need["whole_compressed_mb"]],
                ["a client fetches, KB/s", need["update_kb_per_s"]],
                ["a client fetches, MB a day", need["update_mb_per_day"]],
                ["the servers send to all, MB/s", need["server_sends_mb_per_s"]],
                ["server, share of a processor", need["server_processor_share"]],
                ["server writes, GB a day", need["saved_gb_per_day"]],
                ["client places all relays, s", need["places_s"]],
                ["client joins, processor s", need["join_processor_s"]],
                ["client, share of a processor", need["update_processor_share"]],
                ["client's memory, MB", need["memory_mb"]],
            ],
        ),
        "",
        "What would have to change, in the order in which it would hurt:",
        "",
        "1. The format holds at most 20,000 listings and 64 MiB; both limits would be raised with a new version.",
        "2. Every update goes to everybody, so what the servers send grows with the square of the network. A snapshot",
        "   a minute instead of every ten seconds helps little, because each renewal is in it anyway. If descriptors",
        "   lived for six hours instead of half an hour there would be a twelfth of the renewals (away marks say who",
        "   has gone); relays could pass updates on to neighbours, who check every signature; mirrors share the rest.",
        "3. A client places all relays in its event loop when it joins; for so many that would go into a thread.",
        "4. Clients would hold only what they draw from: relays, and the keys of model nodes (a third of the bytes)",
        "   when somebody asks for that model. But who fetches a part tells what it wants, so parts have to be large.",
    ]


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write directory.json, directory.md and directory.svg."""
    server, join, restart, update = (results[name] for name in ("server", "join", "restart", "update"))
    groups: list[tuple[str, dict[str, float]]] = [
        (
            "fetched, KB compressed",
            {"whole": server["whole_compressed_bytes"] / 1e3, "one update": server["delta_bytes"] / 1e3},
        ),
        (
            "client, processor ms",
            {
                "join": join["processor_s"] * 1e3,
                "start again": restart["processor_s"] * 1e3,
                "one update": update["processor_s"] * 1e3,
            },
        ),
        (
            "server, processor ms",
            {
                "list": server["list_ms"],
                "sign": server["sign_ms"],
                "find the step": server["step_ms"],
                "compress the whole": server["compress_ms"],
            },
        ),
    ]
    below = f"{results['nodes']:,} nodes, {results['machine']['processor']}; each group has a scale of its own"
    page = make_page(
        f"A directory of {results['nodes']:,} nodes",
        "bench directory",
        "directory.svg",
        results,
        findings=as_text(results).splitlines(),
        method=METHOD,
    )
    return store_results("directory", results, page, draw_bars("What the directory costs", groups, below, ""), folder)
