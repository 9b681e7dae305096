"""Many machines that leave the choice of the model to their engines: what is asked is covered, few go at a time, and
in the end nearly nobody goes any more."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from engine.governor.choosing import STAY_SECONDS, Chooser, Option, Seen, asked_of

LOOK = 60.0
PLACES = 4
"""Answers that one machine can write at a time."""
TOLD = 60.0
"""A machine that comes or goes is seen in the directory after so long."""
PUBLISHED = 900.0
"""Seconds between two words of a machine about itself."""
GIGABYTE = 1_000_000_000
CATALOGUE = {"tiny": 0.05, "small": 0.5, "middle": 2.0, "large": 5.0, "huge": 12.0}


@dataclass
class Machine:
    chooser: Chooser
    options: list[Option]
    room: int
    speaks_at: float
    told: tuple[str, bool] = ("", False)  # what the directory shows: the model, and whether it was answering
    moved: list[float] = field(default_factory=list)
    joined: float = 0.0


class Market:
    """``demand``: answers at a time by model. Machines of one model share them evenly; what is left over waits."""

    def __init__(self, seed: int, machines: int, demand: dict[str, float], together: bool) -> None:
        self.random, self.demand, self.now = random.Random(seed), demand, 0.0
        self.machines = [self.machine(together) for _ in range(machines)]
        self.moves: list[tuple[float, str]] = []
        self.serving: Counter[str] = Counter()

    def machine(self, together: bool) -> Machine:
        room = self.random.choice([4, 8, 16, 32]) * GIGABYTE
        speed = self.random.uniform(50, 400) * GIGABYTE
        options = [
            Option(
                model=name,
                here=name == "tiny" or self.random.random() < 0.7,
                memory=int(size * 1.2 * GIGABYTE),
                size=int(size * GIGABYTE),
                tokens_per_s=0.6 * speed / (size * GIGABYTE),
            )
            for name, size in CATALOGUE.items()
        ]
        begins = 0.0 if together else self.random.uniform(0, 3600)
        seed = self.random.random()
        return Machine(
            Chooser(random.Random(seed).random), options, room, self.random.uniform(0, PUBLISHED), joined=begins
        )

    def each(self, model: str) -> float:
        """Answers at a time of each machine, waiting ones included."""
        count = self.serving[model]
        return self.demand.get(model, 0.0) / count if count else 0.0

    def step(self) -> None:
        self.now += LOOK
        self.publish()
        listed = Counter(one.told[0] for one in self.machines if one.told[0])
        busy = Counter(one.told[0] for one in self.machines if one.told[1])
        for one in self.machines:
            if self.now >= one.joined:
                self.look(one, listed, busy)

    def publish(self) -> None:
        for one in self.machines:
            model = one.chooser.model
            late = one.moved and self.now < one.moved[-1] + TOLD
            if model and not late and (self.now >= one.speaks_at or one.told[0] != model):
                one.speaks_at = self.now + PUBLISHED
                one.told = (model, self.answering(model))

    def answering(self, model: str) -> bool:
        return self.random.random() < -math.expm1(-self.each(model))

    def look(self, one: Machine, listed: Counter[str], busy: Counter[str]) -> None:
        own, (told, was_busy) = one.chooser.model, one.told
        seen = {}
        for name in CATALOGUE:
            others = listed[name] - (told == name)
            share = (busy[name] - (told == name and was_busy)) / others if others else 0.0
            # The own group is known as it is now; of the others the directory tells.
            seen[name] = Seen(others, self.each(name) if name == own else asked_of(share))
        answering = bool(own) and self.answering(own)
        one.chooser.look(one.options, seen, room=one.room, answering=answering, now=self.now)
        if one.chooser.model != own:
            self.serving.subtract([own] if own else [])
            self.serving[one.chooser.model] += 1
            one.moved.append(self.now)
            self.moves.append((self.now, one.chooser.model))

    def run(self, hours: float) -> None:
        end = self.now + hours * 3600
        while self.now < end:
            self.step()


MIXED = {"tiny": 8.0, "small": 6.0, "middle": 30.0, "large": 40.0, "huge": 4.0}


@pytest.mark.parametrize("together", [True, False], ids=["all start at once", "within an hour"])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_asked_is_covered_and_the_network_comes_to_rest(seed: int, together: bool) -> None:
    market = Market(seed, 120, MIXED, together)
    market.run(6)
    for model, asked in MIXED.items():
        assert market.serving[model] * PLACES >= asked, (model, market.serving)
    before = len(market.moves)
    market.run(3)
    assert len(market.moves) - before <= 0.1 * len(market.machines) * 3, "an hour moves a tenth of them at most"


@pytest.mark.parametrize("seed", range(2))
def test_a_sudden_demand_is_met_and_not_by_all_at_once(seed: int) -> None:
    market = Market(seed, 120, {"large": 60.0}, together=False)
    market.run(6)
    market.demand = {"large": 30.0, "middle": 160.0}
    before, share = len(market.moves), market.serving["middle"]
    assert share * PLACES < 160, "else this tests nothing"
    market.run(6)
    moved = [at for at, model in market.moves[before:] if model == "middle"]
    assert market.serving["middle"] * PLACES >= 160, market.serving
    assert market.serving["large"] * PLACES >= 30, market.serving
    crowd = max(sum(at <= other < at + 60 for other in moved) for at in moved)
    assert crowd <= 0.15 * len(market.machines), "so many within one minute"


@pytest.mark.parametrize("seed", range(2))
def test_nobody_changes_within_the_least_time_nor_while_it_answers(seed: int) -> None:
    market = Market(seed, 60, MIXED, together=True)
    market.run(6)
    for one in market.machines:
        assert all(later - earlier >= STAY_SECONDS for earlier, later in pairwise(one.moved))


def test_a_few_machines_serve_what_suits_each_best() -> None:
    """Nobody asks anything: four machines spread, and none of those with much memory takes the tiny model."""
    market = Market(7, 4, {}, together=True)
    market.run(3)
    assert all(
        one.chooser.model != "tiny"
        for one in market.machines
        if any(
            option.here and option.model != "tiny" and option.memory <= one.room and option.tokens_per_s > 20
            for option in one.options
        )
    )
