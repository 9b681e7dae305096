"""Eight simulated hours of a whole network: chats, hours in which nobody asks, relays that die, come back and join.

``python -m tests.churn.hours --hours 8 --out FILE``

Nothing may grow. Every table of every node is counted, whatever its name: the containers that objects of the engine
hold, together by class and attribute.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from engine.simulation.churn import Churn, ChurnRun
from engine.simulation.churn_report import ChurnPlan
from engine.simulation.client import SimulatedClient
from tests.soak.flatness import Limit, growth, thirds

CLIENTS = 4
CHATS = 2
"""At once, for each client."""
RELAYS = 60
DEATH_SECONDS = 50.0
"""Between two deaths, on average: 2 % of the relays in a minute."""
AWAY_SECONDS = (20.0, 400.0)
"""From a death to the arrival that makes up for it: their number stays, else everything would vary with it."""
PAUSE_SECONDS = 20.0
"""From an answer to the next question, on average."""
NEW_CHAT = 0.15
PERIOD_SECONDS = 7200.0
BUSY_SECONDS = 3000.0
"""Of a period; then nobody asks until its end, and the paths of idle chats are given up. Clients are out of step."""
MEASURE_SECONDS = 600.0
WARM_UP_SECONDS = 7200.0
"""In which everything gets its usual size. Only whole periods after it show growth: within one the number of those who
ask goes up and down."""
COUNTED = ("engine.paths.", "engine.node.", "engine.transport.", "engine.directory.", "engine.bootstrap.")
TABLES = (dict, set, frozenset, list, deque, tuple, Counter)
TABLE_LIMIT = Limit(1.25, 50.0)
"""How much more of a table's entries the last third of the hours may have than the first, in all nodes together."""
MEANT_TO_GROW = {
    "Registry.members": "the server remembers for 30 days when it first saw whom",
    "Beacons.values": "the beacons of 24 hours are part of every snapshot",
}
UNDER_WAY = {
    "ManualScheduler._actions": "what the simulated world waits for at this moment: a few hundred or a thousand"
}
"""Of these the largest values count, not the medians."""


class Hours(ChurnRun):
    """One long run. Answers are asked and judged as in a run of churn."""

    def __init__(self, hours: float, seed: int, say: Callable[[str], None]) -> None:
        plan = ChurnPlan(relays=RELAYS, answers=10**9, seed=seed, clients=CLIENTS, chats=CHATS)
        super().__init__(plan, say)
        self._seconds = hours * 3600
        self._begun = 0.0
        self.rows: list[dict[str, float]] = []
        self.tables: list[dict[str, int]] = []

    def last(self) -> None:
        """Let the hours pass."""
        network = self.network
        clients = [network.add_client() for _ in range(CLIENTS)]
        assert network.until(lambda: all(client.is_ready() for client in clients), 180.0)
        self.result.undisturbed = self._undisturbed(clients[0])
        churn = Churn(network, self._died, remembered=RELAYS)
        self._later_deaths(churn)
        self._begun = network.now()
        for client in clients:
            for _ in range(CHATS):
                self._next_question(client, self._new_chat())
        next_measure = self._begun + MEASURE_SECONDS
        while network.now() < self._begun + self._seconds:
            network.run(1.0)
            self._give_up_late()
            if network.now() >= next_measure:
                next_measure += MEASURE_SECONDS
                self._measure()
        self.result.deaths, self.result.arrivals = churn.deaths, churn.arrivals

    def _later_deaths(self, churn: Churn) -> None:
        later, chance = self.network.scheduler.call_later, self.network.random

        def die() -> None:
            before = churn.deaths
            churn.die()
            if churn.deaths > before:
                later(chance.uniform(*AWAY_SECONDS), churn.arrive)
            later(chance.expovariate(1 / DEATH_SECONDS), die)

        later(chance.expovariate(1 / DEATH_SECONDS), die)

    def _next_question(self, client: SimulatedClient, chat: bytes) -> None:
        """After a pause; or in the next period, where this client's busy time is over."""
        network = self.network
        delay = network.random.expovariate(1 / PAUSE_SECONDS)
        step = self.network.clients.index(client) * PERIOD_SECONDS / CLIENTS
        since = (network.now() + delay - self._begun + step) % PERIOD_SECONDS
        if since > BUSY_SECONDS:
            delay += PERIOD_SECONDS - since
        if since > BUSY_SECONDS or network.random.random() < NEW_CHAT:
            chat = self._new_chat()
        network.scheduler.call_later(delay, partial(self._ask, client, chat))

    def _measure(self) -> None:
        gc.collect()
        tables = count_tables()
        row = {
            "minute": round((self.network.now() - self._begun) / 60, 1),
            "memory_mib": round(psutil.Process(os.getpid()).memory_info().rss / 2**20, 2),
            "objects": len(gc.get_objects()),
            "table_entries": sum(tables.values()),
            "waiting_actions": len(self.network.scheduler._actions),
            "relays": len(self.network.relays),
            "complete": self.result.complete,
            "missing": len(self.result.misses),
        }
        self.tables.append(tables)
        self.rows.append(row)
        self._say(json.dumps(row))


def count_tables() -> dict[str, int]:
    """How much the engine's objects hold in all their containers, by class and attribute."""
    found: Counter[str] = Counter()
    for known in gc.get_objects():
        kind = type(known)
        if isinstance(known, type) or not str(kind.__module__).startswith(COUNTED):
            continue
        slots = chain.from_iterable(getattr(base, "__slots__", ()) for base in kind.__mro__)
        for name in {*getattr(known, "__dict__", ()), *slots}:
            value = getattr(known, name, None)
            if isinstance(value, TABLES):
                found[f"{kind.__name__}.{name}"] += len(value)
    return {name: count for name, count in found.items() if name not in MEANT_TO_GROW}


def grown(tables: Sequence[Mapping[str, int]]) -> list[str]:
    """The tables that have grown beyond their limit, in words."""
    found = []
    for name in sorted(set(chain.from_iterable(tables))):
        values = [float(row.get(name, 0)) for row in tables]
        third = len(values) // 3
        first, last = (max(values[:third]), max(values[-third:])) if name in UNDER_WAY else thirds(values)
        if last > first * TABLE_LIMIT.factor + TABLE_LIMIT.more:
            found.append(f"{name} grew from {first:.0f} to {last:.0f}")
    return found


def shows_growth(hours: float) -> bool:
    """Whether so many hours are enough to tell growth from ups and downs."""
    return hours * 3600 >= WARM_UP_SECONDS + PERIOD_SECONDS


def simulate(hours: float, seed: int = 1, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """So many simulated hours: the measurements, and what of them grew."""
    run = Hours(hours, seed, say)
    run.last()
    steady = [place for place, row in enumerate(run.rows) if row["minute"] * 60 > min(WARM_UP_SECONDS, hours * 1800)]
    rows = [run.rows[place] for place in steady]
    tables = [run.tables[place] for place in steady]
    result = run.result
    return {
        "hours": hours,
        "relays": run.plan.relays,
        "clients": CLIENTS,
        "deaths": result.deaths,
        "arrivals": result.arrivals,
        "asked": result.complete + len(result.misses),
        "complete": result.complete,
        "misses": result.as_json()["misses"],
        "grown": growth(rows) + grown(tables) if shows_growth(hours) else [],
        "trends": {name: thirds([row[name] for row in rows]) for name in rows[0]},
        "rows": run.rows,
        "tables": {name: thirds([float(row.get(name, 0)) for row in tables]) for name in sorted(tables[-1])},
    }


def main() -> int:
    """Run and write; the exit code says whether something grew or an answer is missing."""
    parser = argparse.ArgumentParser(description="A simulated network for hours; nothing may grow.")
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    found = simulate(options.hours, options.seed, lambda line: print(line, file=sys.stderr, flush=True))
    options.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    nothing = "nothing grew" if shows_growth(options.hours) else "too short to show whether something grows"
    print("\n".join(found["grown"] or [nothing]))
    return 1 if found["grown"] or found["misses"] else 0


if __name__ == "__main__":
    sys.exit(main())
