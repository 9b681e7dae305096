"""Leaders that leave out what others have promised, and what that costs: nobody is checked behind a block without it.

Agreements are played in which all faulty members leave out what they can and one of them makes the first block; the
others are real machines. Calm: messages arrive, nobody crashes. Hostile: the network and the crashes are those of
``gentorrent simulate committee``. How often the block lacks a promise of an honest member is then the share of
epochs without any checks in networks with a cheat: too much, as what other members promised still counts there.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from engine.simulation.committee.blocks import identity_of
from engine.simulation.committee.evidence import ALL_RULES
from engine.simulation.committee.rogues import OMITTING
from engine.simulation.committee.world import Machine, World
from engine.simulation.verification import run as networks
from engine.simulation.verification.recorded import Recorded
from engine.verification.members import faulty
from engine.wire.blocks import block_decoder

CHEATS = ("quantised", "wrong-temperature", "mixed")
WITHOUT = Machine(rules=replace(ALL_RULES, counts=False, owes=False))
"""Members that vote for whatever a leader leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``schedules`` with a censoring leader in the first round; ``networks`` of each cheat, with that many epochs."""

    schedules: int
    networks: int
    members: int = 4
    epochs: int = 30
    seed: int = 1


def simulate(plan: Plan, recorded: Recorded | None = None) -> dict[str, Any]:
    """Blocks that leave promises out, with the rule against it and without; epochs until cheats are excluded."""
    found: dict[str, Any] = {"members": plan.members, "networks": plan.networks}
    for name, machine in {"with_rule": Machine(), "without_rule": WITHOUT}.items():
        for when in ("calm", "hostile"):
            blocks = _blocks(plan, machine, calm=when == "calm")
            # A censoring member leads as often as anybody.
            share = blocks["leaves_out"] * faulty(plan.members) / plan.members
            found.setdefault(name, {})[when] = {**blocks, "cheats": _excluded(plan, share, recorded)}
    found["no_censor"] = {"cheats": _excluded(plan, 0.0, recorded)}
    return found


def _blocks(plan: Plan, machine: Machine, *, calm: bool) -> dict[str, Any]:
    rounds, lacking, schedules = list[int](), list[float](), 0
    for world in _worlds(plan, machine, calm=calm):
        world.run()
        schedules += 1
        decided = [one.decided for one in world.members if one.is_honest and one.decided is not None]
        rounds += [one.certificate.round for one in decided]
        lacking += [_lacking(world, one.block) for one in decided[:1]]
    return {
        "schedules": schedules,
        "decided": len(lacking),
        "leaves_out": round(sum(share > 0 for share in lacking) / max(1, len(lacking)), 5),
        "leaves_out_all": round(sum(share == 1 for share in lacking) / max(1, len(lacking)), 5),
        "rounds_median": statistics.median(rounds),
        "rounds_max": max(rounds),
    }


def _lacking(world: World, block: bytes) -> float:
    """The share of the honest members whose promise is not in a block."""
    there = {signed.key for signed in block_decoder.decode(block).commitments}
    honest = [identity_of(one.index).public_key for one in world.members if one.is_honest]
    return sum(key not in there for key in honest) / len(honest)


def _worlds(plan: Plan, machine: Machine, *, calm: bool) -> Iterator[World]:
    """Those schedules in which everybody has promised in time and a censor makes the first block."""
    number = found = 0
    while found < plan.schedules:
        random = Random(f"censoring/{plan.seed}/{plan.members}/{number}")
        world = World(random, plan.members, faulty(plan.members), 0, machine, (OMITTING,), calm=calm)
        number += 1
        if world.promised_in_time and not world.first_leader.is_honest:
            found += 1
            yield world


def _excluded(plan: Plan, unchecked: float, recorded: Recorded | None) -> dict[str, Any]:
    report = networks.simulate(
        networks.Plan(
            verifiers=plan.members,
            networks=plan.networks,
            epochs=plan.epochs,
            unchecked=unchecked,
            seed=plan.seed,
            adversaries=CHEATS,
        ),
        recorded=recorded,
    )
    cheats = report["adversaries"]
    return {
        "unchecked": round(unchecked, 5),
        "excluded": {name: one["detected"] for name, one in cheats.items()},
        "epochs": {name: one["epochs_to_exclusion"] for name, one in cheats.items()},
        "honest_excluded": report["false_exclusions"] + sum(one["false_exclusions"] for one in cheats.values()),
        "honest_epochs": report["honest_epochs"] + sum(one["honest_epochs"] for one in cheats.values()),
        "highest_suspicion": report["highest_suspicion"],
    }
