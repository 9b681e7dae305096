"""Twenty-one real links (a mesh of seven nodes) in one process, with light traffic, measured every minute.

``python -m tests.soak.real_links --minutes 30 --out FILE``
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from engine.lifeline import run_on_loop
from engine.transport.link import Channel
from tests.support.links import LocalSignaling
from tests.support.real_links import Node, running, until

NODES = 7
MESSAGES_PER_SECOND = 2.0
"""From each node to each neighbour: 84 messages a second in all."""
SETTLE_SECONDS = 15.0


def measure(nodes: list[Node], begun: float) -> dict[str, float]:
    """The state of this process now."""
    process = psutil.Process(os.getpid())
    gc.collect()
    trips = [node.mesh.round_trip(peer) for node in nodes for peer in node.mesh.links()]
    return {
        "minute": round((time.monotonic() - begun) / 60, 2),
        "links": sum(len(node.mesh.links()) for node in nodes) / 2,
        "round_trip_ms": round(statistics.median(trip for trip in trips if trip is not None) * 1000, 3),
        "memory_mib": round(process.memory_info().rss / 2**20, 2),
        "objects": len(gc.get_objects()),
        "tasks": len(asyncio.all_tasks()),
        "threads": process.num_threads(),
        "open_files": process.num_fds() if hasattr(process, "num_fds") else process.num_handles(),
        "received": sum(node.mesh.statistics().messages_received for node in nodes),
        "lost_links": sum(node.mesh.statistics().links_lost for node in nodes),
    }


async def talk(node: Node, source: random.Random) -> None:
    """Light traffic to every neighbour, cells and control messages."""
    while True:
        for peer in node.mesh.links():
            channel = source.choice((Channel.CELLS, Channel.CONTROL))
            node.mesh.send(peer, channel, b"\x09\xc8" + source.randbytes(1158 if channel is Channel.CELLS else 200))
        await asyncio.sleep(source.uniform(0.5, 1.5) / MESSAGES_PER_SECOND)


async def soak(minutes: float, every: float = 60.0) -> dict[str, Any]:
    """The measurements of ``minutes``, one every ``every`` seconds."""
    signaling = LocalSignaling()
    nodes = [Node(signaling, number) for number in range(1, NODES + 1)]
    for node in nodes:
        node.handler.on_message = lambda *_, handler=node.handler: handler.messages.clear()
    rows: list[dict[str, float]] = []
    async with running(*nodes), asyncio.TaskGroup() as tasks:
        for node in nodes:
            node.mesh.want({other.id for other in nodes if other.id > node.id})
        await until(lambda: all(len(node.mesh.links()) == NODES - 1 for node in nodes), 60)
        signaling.passed.clear()
        talkers = [tasks.create_task(talk(node, random.Random(number))) for number, node in enumerate(nodes)]
        await asyncio.sleep(SETTLE_SECONDS)
        begun = time.monotonic()
        for number in range(round(minutes * 60 / every) + 1):
            await asyncio.sleep(max(0.0, begun + number * every - time.monotonic()))
            rows.append(measure(nodes, begun))
            print(json.dumps(rows[-1]), flush=True)
        for talker in talkers:
            talker.cancel()
    return {"links": NODES * (NODES - 1) // 2, "minutes": minutes, "rows": rows}


async def _soak_and_write(minutes: float, every: float, out: Path) -> None:
    found = await soak(minutes, every)
    out.write_text(json.dumps(found), encoding="utf-8")


def main() -> int:
    """Run and write; nothing is judged here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two measurements")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    run_on_loop(_soak_and_write(options.minutes, options.every, options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
