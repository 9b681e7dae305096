"""``gentorrent simulate capacity``: honest nodes and false claims in many networks, and what relaying looks like."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from engine.simulation.capacity.challenge import SHORT_TOKENS, ask_together, short_seconds
from engine.simulation.capacity.machines import Identity, Machine, new_machine
from engine.verification.capacity.agreeing import KEPT, WHOLE, Measured, agreed_capacity
from engine.verification.capacity.measuring import is_calm, measured_share
from engine.verification.members import faulty

RATES = (60.0, 500.0, 3_000.0, 9_000.0)
"""Tokens a second that machines read: from a processor to a large graphics card (``node_kinds.toml``)."""
LOADS = (0.0, 0.3, 0.6, 0.8)
BEHIND_ONE = 4
LOOKS = (1, 10, 100)
"""Questions of which the fastest answer counts, to tell who passes them on."""
Say = Callable[[str], None]
Maker = Callable[[Random], list[Identity]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``networks`` of each kind; ``rounds``: moments at which each verifier asks a group."""

    networks: int = 100
    verifiers: int = 4
    rounds: int = KEPT
    seed: int = 1


def simulate(plan: Plan, say: Say = lambda _: None) -> dict[str, Any]:
    """All of it, as a report; ``problems`` names what is not as it should be."""
    report: dict[str, Any] = {"plan": {name: getattr(plan, name) for name in plan.__dataclass_fields__}}
    report["claims"] = {name: _claims(plan, name, make, turns) for name, make, turns in _scenes()}
    for name, found in report["claims"].items():
        say(f"{name}: {found['believed_mean']:.2f} of what is claimed is believed")
    report["relaying"] = {name: _relaying(plan, hidden) for name, hidden in (("a link", False), ("paths", True))}
    cut = [name for name, one in report["claims"].items() if name.startswith("honest") and one["cut"] > 0]
    report["problems"] = [f"{name}: an honest node's claim was cut" for name in cut]
    return report


def _scenes() -> list[tuple[str, Maker, bool]]:
    scenes: list[tuple[str, Maker, bool]] = [
        (f"honest, busy {load:.0%} of the time", _honest(load), False) for load in LOADS
    ]
    scenes += [
        ("claims twice its speed", _overstating(2.0), False),
        ("claims ten times its speed", _overstating(10.0), False),
        ("claims ten times its speed, and always to be busy", _overstating(10.0, lies_busy=True), False),
        ("four identities of one machine, one after the other", _resold, False),
        ("four identities of one machine, by turns", _resold, True),
    ]
    return scenes


def _identity(machine: Machine, claimed: float | None = None, **changes: Any) -> Identity:
    claimed = machine.rate if claimed is None else claimed
    return Identity(machine=machine, claimed=claimed, access=machine.access, **changes)


def _honest(load: float) -> Maker:
    return lambda dice: [_identity(new_machine(dice.choice(RATES), load, dice)) for _ in range(8)]


def _overstating(factor: float, **changes: Any) -> Maker:
    def make(dice: Random) -> list[Identity]:
        machine = new_machine(dice.choice(RATES[:2]), 0.3, dice)
        return [_identity(machine, factor * machine.rate, **changes)]

    return make


def _resold(dice: Random) -> list[Identity]:
    machine = new_machine(dice.choice(RATES), 0.0, dice)
    return [_identity(machine) for _ in range(BEHIND_ONE)]


def _claims(plan: Plan, name: str, make: Maker, turns: bool) -> dict[str, Any]:
    """What is believed of each identity in the end."""
    dice = Random(f"{name} {plan.seed}")
    believed: list[int] = []
    shares: list[float] = []
    members = [bytes((number,)) for number in range(plan.verifiers)]
    for _ in range(plan.networks):
        group = make(dice)
        for member in members:
            for _ in range(plan.rounds):
                for identity, probe in zip(group, ask_together(group, dice, in_turns=turns), strict=True):
                    share = measured_share(probe, identity.claimed)
                    identity.measured.setdefault(member, []).append(Measured(share, is_calm(probe)))
                    shares.append(share)
        believed += [agreed_capacity(one.measured, faulty(plan.verifiers)) for one in group]
    return {
        "identities": len(believed),
        "measured_median": statistics.median(shares),
        "measured_low": sorted(shares)[len(shares) // 20],
        "believed_mean": statistics.fmean(believed) / WHOLE,
        "cut": sum(one < WHOLE for one in believed) / len(believed),
    }


def _relaying(plan: Plan, hidden: bool) -> dict[str, Any]:
    """How well the time to the first token of short questions tells who passes them on to an honest node, and what a
    moment tells at which both are asked."""
    dice = Random(f"relaying {hidden} {plan.seed}")
    honest = [_identity(new_machine(dice.choice(RATES), 0.3, dice)) for _ in range(plan.networks)]
    passing = [_passing_on(dice, hidden) for _ in range(plan.networks)]
    found: dict[str, Any] = {}
    for looks in LOOKS:
        ours = [_least_seconds(one, looks, dice) for one in honest]
        theirs = [_least_seconds(one, looks, dice) for one in passing]
        found[str(looks)] = {
            "auc": area(theirs, ours),
            "honest": _quantiles(ours),
            "passing_on": _quantiles(theirs),
        }
    alone = [_share_of(one, (), dice) for one in passing]
    together = [_share_of(one, (_identity(one.machine),), dice) for one in passing]
    found["with its server"] = {
        "auc": area([-one for one in together], [-one for one in alone]),
        "alone": _quantiles(alone),
        "together": _quantiles(together),
    }
    return found


def _passing_on(dice: Random, hidden: bool) -> Identity:
    machine = new_machine(dice.choice(RATES), 0.3, dice)
    own = new_machine(machine.rate, 0.0, dice)
    return Identity(machine=machine, claimed=machine.rate, access=own.access, relays=True, hidden=hidden)


def _least_seconds(identity: Identity, looks: int, dice: Random) -> float:
    """The fastest of some answers, less what reading the question takes by the node's own claim."""
    return min(short_seconds(identity, dice) for _ in range(looks)) - SHORT_TOKENS / identity.claimed


def _share_of(identity: Identity, others: Sequence[Identity], dice: Random) -> float:
    """Of its claim, the median of eight moments."""
    probes = [ask_together([identity, *others], dice, in_turns=True)[0] for _ in range(8)]
    return statistics.median(measured_share(probe, identity.claimed) for probe in probes)


def _quantiles(values: Sequence[float]) -> list[float]:
    """The 5 %, 50 % and 95 % quantiles."""
    ordered = sorted(values)
    return [round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 4) for share in (0.05, 0.5, 0.95)]


def area(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Under the curve: how often one of ``higher`` is above one of ``lower``."""
    ordered = sorted([(value, 0) for value in lower] + [(value, 1) for value in higher])
    below, total, place = 0, 0.0, 0
    while place < len(ordered):
        end = place
        while end < len(ordered) and ordered[end][0] == ordered[place][0]:
            end += 1
        ups = sum(kind for _, kind in ordered[place:end])
        downs = end - place - ups
        total += ups * (below + downs / 2)
        below, place = below + downs, end
    return total / (len(higher) * len(lower))


def as_text(report: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{'claim':<52} measured/claimed  believed  cut"]
    for name, one in report["claims"].items():
        measured = f"{one['measured_median']:.2f} ({one['measured_low']:.2f})"
        lines.append(f"{name:<52} {measured:>16}  {one['believed_mean']:>8.2f}  {one['cut']:>5.1%}")
    lines += ["", "Passing questions on to an honest node, by the seconds to the first token (5 %, 50 %, 95 %):"]
    for name, found in report["relaying"].items():
        for looks in map(str, LOOKS):
            one = found[looks]
            lines.append(
                f"over {name}, fastest of {looks:>3}: honest {one['honest']}, passing on {one['passing_on']}, "
                f"AUC {one['auc']:.3f}"
            )
        one = found["with its server"]
        lines.append(
            f"over {name}, share of its claim: alone {one['alone']}, asked with its server {one['together']}, "
            f"AUC {one['auc']:.3f}"
        )
    return "\n".join([*lines, *(f"problem: {one}" for one in report["problems"])])
