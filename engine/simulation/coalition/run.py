"""``gentorrent simulate coalition``: every attempt, what it captures, and whether that is more than its share.

The share is what as many relays get that do nothing: the probability that relays drawn without regard to each other are
hostile. Every relay is equally often the first, second, … guard of a client, so that the count is not about whose
guards happen to be hostile.

Who only chooses where its relays stand must capture its share, within a tenth (and two standard errors of the count).
Who refuses paths captures more of those in use, as the refused ones are missing among them and are drawn anew: of a
share f that refuses whatever it can, at least f²/(1 - f)². docs/coalition.md says more.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.ids import NodeId
from engine.simulation.coalition.attempts import LIMITS, OTHERS, OURS, Attempt, refused_by
from engine.simulation.coalition.client import Client, Counts, Path
from engine.simulation.coalition.network import Network, make_network
from engine.wire.records import Parameters

TOLERANCE = 0.1
GUARDS = 8
TITLES = ("guard and proxy", "all three", "answers", "of paths drawn")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """``rounds``: how often every relay is a guard of two clients; ``chats``: of each client."""

    relays: int = 500
    share: float = 0.2
    rounds: int = 1
    chats: int = 24
    seed: int = 1


def simulate(
    plan: Plan,
    say: Say = lambda _: None,
    *,
    parameters: Parameters | None = None,
    attempts: Sequence[Attempt] = (*OURS, *OTHERS, *LIMITS),
) -> dict[str, Any]:
    """All of it, as a report; ``problems`` names what is not as it should be."""
    parameters = parameters or Parameters()
    rows = []
    for attempt in attempts:
        rows.append(_measure(plan, attempt, parameters))
        say(f"{attempt.name}: {rows[-1]['paths_in_use']} paths")
    report = {"plan": asdict(plan), "share": shares(plan, parameters.n), "attempts": rows}
    report["problems"] = judge(rows)
    return report


def shares(plan: Plan, paths: int) -> dict[str, float]:
    """What the coalition gets by chance."""
    hostile = round(plan.share * plan.relays)
    two = hostile * (hostile - 1) / (plan.relays * (plan.relays - 1))
    three = two * (hostile - 2) / (plan.relays - 2)
    return {"guard_and_proxy": two, "all_three": three, "answers": 1 - (1 - two) ** paths}


@dataclass
class Tally:
    """Counts of one attempt. *Captured*: guard and proxy are hostile, and so connect a client with a model node."""

    drawn: int = 0
    drawn_captured: int = 0
    drawn_whole: int = 0
    in_use: int = 0
    captured: int = 0
    whole: int = 0
    chats: int = 0
    incomplete: int = 0
    answers: int = 0
    guards_retired: int = 0
    hostile_guards_retired: int = 0

    def add(self, counts: Counts, hostile: frozenset[NodeId], n: int) -> None:
        """What one client met."""
        self.drawn += len(counts.drawn)
        self.drawn_captured += sum(_ends(path, hostile) for path in counts.drawn)
        self.drawn_whole += sum(hostile.issuperset(path) for path in counts.drawn)
        for chat in counts.chats:
            ends = sum(_ends(path, hostile) for path in chat)
            self.in_use += len(chat)
            self.captured += ends
            self.whole += sum(hostile.issuperset(path) for path in chat)
            self.chats += 1
            self.incomplete += len(chat) < n
            self.answers += ends > 0
        self.guards_retired += len(counts.retired)
        self.hostile_guards_retired += sum(name in hostile for name in counts.retired)

    def as_json(self, share: Mapping[str, float]) -> dict[str, Any]:
        """For reports."""
        return {
            "paths_drawn": self.drawn,
            "paths_in_use": self.in_use,
            "chats": self.chats,
            "chats_without_all_paths": self.incomplete,
            "guards_retired": self.guards_retired,
            "hostile_guards_retired": self.hostile_guards_retired,
            "of_paths_drawn": {
                "guard_and_proxy": _rate(self.drawn_captured, self.drawn, share["guard_and_proxy"]),
                "all_three": _rate(self.drawn_whole, self.drawn, share["all_three"]),
            },
            "of_paths_in_use": {
                "guard_and_proxy": _rate(self.captured, self.in_use, share["guard_and_proxy"]),
                "all_three": _rate(self.whole, self.in_use, share["all_three"]),
            },
            "of_answers": {"guard_and_proxy": _rate(self.answers, self.chats, share["answers"])},
        }


def _ends(path: Path, hostile: frozenset[NodeId]) -> bool:
    return path[0] in hostile and path[-1] in hostile


def _rate(count: int, total: int, share: float) -> dict[str, float]:
    """``times_share`` with the standard error that a count of the share would have by chance."""
    total = max(1, total)
    rate = count / total
    return {
        "captured": round(rate, 5),
        "times_share": round(rate / share, 3),
        "standard_error": round(1 / math.sqrt(share * total), 3),
    }


def _measure(plan: Plan, attempt: Attempt, parameters: Parameters) -> dict[str, Any]:
    tally = Tally()
    for placement in range(plan.rounds):
        network = make_network(attempt, plan.relays, plan.share, parameters, plan.seed + 1000 * placement)
        for counts in _clients(plan, attempt, network, random.Random(plan.seed + placement)):
            tally.add(counts, network.hostile, parameters.n)
    return {
        "attempt": attempt.name,
        "rules": attempt.rules,
        "refuses": attempt.refuses,
        **tally.as_json(shares(plan, parameters.n)),
    }


def _clients(plan: Plan, attempt: Attempt, network: Network, source: random.Random) -> Iterator[Counts]:
    """Two clients for every eight relays, with the same guards in another order."""

    def fate(path: Path) -> int | None:
        return refused_by([name in network.hostile for name in path], attempt.refusal)

    names = sorted(node.node_id for node in network.directory.nodes() if node.node_id in network.graph)
    source.shuffle(names)
    for start in range(0, len(names) - GUARDS + 1, GUARDS):
        guards = names[start : start + GUARDS]
        half = GUARDS // 2
        for order in (guards, guards[half:] + guards[:half]):
            yield Client(network, fate, order, random.Random(source.random())).ask(plan.chats)


def judge(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is not as it should be."""
    found = []
    declared = min((_captured(row) for row in rows if row["rules"] == "declared"), default=1.0)
    for row in rows:
        rates = row["of_paths_in_use"] | {"answers": row["of_answers"]["guard_and_proxy"]}
        if row["rules"] == "ours" and row["refuses"]:
            if _captured(row) >= declared:
                found.append(f"{row['attempt']}: captures no less than where relays declare their neighbours")
        elif row["rules"] == "ours" and row["attempt"] not in {attempt.name for attempt in LIMITS}:
            found += [
                f"{row['attempt']}: {key.replace('_', ' ')} is {rate['times_share']} times its share"
                for key, rate in rates.items()
                if abs(rate["times_share"] - 1) > TOLERANCE + 2 * rate["standard_error"]
            ]
        elif row["rules"] != "ours" and _at_most(rates["all_three"]) < 1 + TOLERANCE:
            found.append(f"{row['attempt']}: captures nothing more, so the count does not show what it is to show")
    return found


def _at_most(rate: Mapping[str, float]) -> float:
    return rate["times_share"] + 2 * rate["standard_error"]


def _captured(row: Mapping[str, Any]) -> float:
    return float(row["of_paths_in_use"]["guard_and_proxy"]["captured"])


def as_text(report: Mapping[str, Any]) -> str:
    """For people."""
    plan, share = report["plan"], report["share"]
    by_chance = (
        f"{plan['relays']} relays, {plan['share']:.0%} of them in a coalition. By chance it has guard and proxy of"
        f" {share['guard_and_proxy']:.2%} of the paths,\nall three relays of {share['all_three']:.2%}, guard and proxy"
        f" of a path of {share['answers']:.1%} of the answers. What it gets (times its share):"
    )
    lines = [by_chance, "", f"{'':47}" + "".join(f"{title:>19}" for title in TITLES)]
    for row in report["attempts"]:
        in_use = row["of_paths_in_use"]
        cells = (
            in_use["guard_and_proxy"],
            in_use["all_three"],
            row["of_answers"]["guard_and_proxy"],
            row["of_paths_drawn"]["guard_and_proxy"],
        )
        lines.append(f"{row['attempt']:47}" + "".join(f"{_cell(cell):>19}" for cell in cells))
    return "\n".join([*lines, *(f"Problem: {problem}" for problem in report["problems"])])


def _cell(rate: Mapping[str, float]) -> str:
    return f"{rate['captured']:.1%} ({rate['times_share']:.2f})"
