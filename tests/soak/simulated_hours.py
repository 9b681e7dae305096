"""Eight hours of a whole overlay in simulated time: answers, relays that vanish and come back, changes of network.

``python -m tests.soak.simulated_hours --hours 8 --out FILE``
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.support import overlay as support
from tests.support.overlay import Member, Overlay

RELAYS = 16
QUESTION_SECONDS = 60.0
FAULT_SECONDS = 300.0
MEASURE_SECONDS = 600.0
IDLE_TICK = 0.25


class Hours:
    """One long run."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)
        self.overlay = Overlay(relays=RELAYS, words=100, pace=0.05, seed=seed)
        self.overlay.until(self.overlay.ready, 20)
        self.rows: list[dict[str, float]] = []
        self.asked = self.complete = 0

    def run(self, hours: float) -> None:
        """Questions every minute, a fault every five, a measurement every ten."""
        overlay = self.overlay
        begun = overlay.scheduler.now()
        next_fault, next_measure = begun + FAULT_SECONDS, begun + MEASURE_SECONDS
        while overlay.scheduler.now() < begun + hours * 3600:
            round_ends = overlay.scheduler.now() + QUESTION_SECONDS
            self.ask()
            if overlay.scheduler.now() >= next_fault:
                next_fault += FAULT_SECONDS
                self.fault()
            while overlay.scheduler.now() < round_ends:
                self.pass_time(1.0, IDLE_TICK)
            if overlay.scheduler.now() >= next_measure:
                next_measure += MEASURE_SECONDS
                self.rows.append(self.measure(overlay.scheduler.now() - begun))
                print(json.dumps(self.rows[-1]), flush=True)

    def ask(self) -> None:
        """One question in one of twenty chats, and its answer."""
        overlay = self.overlay
        for _ in range(60):
            if overlay.ready():
                break
            self.pass_time(1.0, 0.05)
        chat = b"chat %d" % self.source.randrange(20)
        answer = overlay.ask(chat)
        self.asked += 1
        for _ in range(60):
            if answer.finished or answer.error:
                break
            self.pass_time(1.0, 0.02)
        self.complete += answer.ids == list(range(100)) and answer.error is None
        overlay.client._streams.clear()

    def fault(self) -> None:
        """A relay vanishes and comes back with its keys, or somebody is in another network."""
        overlay = self.overlay
        victim = self.source.choice(overlay.relays)
        if self.source.random() < 0.5:
            overlay.internet.change_network(victim.node_id)
            return
        overlay.kill(victim)
        self.pass_time(20.0, IDLE_TICK)
        overlay.announce()
        self.pass_time(20.0, IDLE_TICK)
        back = Member(overlay, f"relay-{overlay.relays.index(victim)}", model=False, words=0, pace=0)
        back.onion = victim.onion
        overlay.relays[overlay.relays.index(victim)] = back
        overlay.announce()

    def pass_time(self, seconds: float, tick: float) -> None:
        """Simulated time, in steps as fine as needed."""
        usual, support.TICK = support.TICK, tick
        try:
            self.overlay.advance(seconds)
        finally:
            support.TICK = usual

    def measure(self, seconds: float) -> dict[str, float]:
        """What is held now."""
        gc.collect()
        overlay = self.overlay
        entries = 0
        for member in overlay.members():
            relay = member.peer.relay
            entries += len(relay._table) + len(relay._table._ends) + len(member.endpoint._plan._peers)
        return {
            "minute": round(seconds / 60, 1),
            "memory_mib": round(psutil.Process(os.getpid()).memory_info().rss / 2**20, 2),
            "objects": len(gc.get_objects()),
            "table_entries": entries,
            "waiting_actions": len(overlay.scheduler._actions),
            "asked": self.asked,
            "complete": self.complete,
        }


def simulate(hours: float, seed: int = 1) -> dict[str, Any]:
    """The measurements of so many simulated hours."""
    run = Hours(seed)
    run.run(hours)
    return {"hours": hours, "relays": RELAYS, "asked": run.asked, "complete": run.complete, "rows": run.rows}


def main() -> int:
    """Run and write; nothing is judged here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.write_text(json.dumps(simulate(options.hours)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
