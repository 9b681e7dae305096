"""``gentorrent simulate capacity``: honest nodes and false claims in many networks, and what relaying looks like."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from engine.simulation.capacity.challenge import CONTEXT, SHORT_TOKENS, ask_together, short_seconds
from engine.simulation.capacity.machines import Identity, Machine, new_machine
from engine.verification.capacity.agreeing import KEPT, Moment, agreed_rate, moment_of
from engine.verification.capacity.draw import KNOWN_SECONDS, UNKNOWN_SECONDS
from engine.verification.capacity.measuring import WHOLE, measured_share, prompt_tokens
from engine.verification.members import faulty

RATES = (60.0, 500.0, 3_000.0, 9_000.0)
"""Tokens a second that machines read: from a processor to a large graphics card (``node_kinds.toml``)."""
LOADS = (0.0, 0.3, 0.6, 0.8)
BEHIND_ONE = 4
LOOKS = (1, 10, 100)
"""Questions of which the fastest answer counts, to tell who passes them on."""
SLOW_LINE_SECONDS = 1.0
Say = Callable[[str], None]
Maker = Callable[[Random], list[Identity]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Nodes of one kind, and how members and machines are. ``slow_lines``: of members, whose own line takes a second
    more for each long question; ``liars``: members that report a tenth of what they measure."""

    name: str
    make: Maker
    in_turns: bool = False
    slow_lines: int = 0
    liars: int = 0


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
    report["claims"] = {scene.name: _claims(plan, scene) for scene in _scenes(plan)}
    report["share_of_time"] = _share_of_time()
    for name, found in report["claims"].items():
        say(f"{name}: {found['believed_mean']:.2f} of what is claimed is believed")
    report["relaying"] = {name: _relaying(plan, hidden) for name, hidden in (("a link", False), ("paths", True))}
    cut = [name for name, one in report["claims"].items() if name.startswith("honest") and one["ever_cut"] > 0]
    report["problems"] = [f"{name}: an honest node's claim was cut" for name in cut]
    return report


def _scenes(plan: Plan) -> list[_Scene]:
    few = faulty(plan.verifiers)
    scenes = [_Scene(name=f"honest, busy {load:.0%} of the time", make=_honest(load)) for load in LOADS]
    return [
        *scenes,
        _Scene(name="honest, busy 30%, slow lines of f members", make=_honest(0.3), slow_lines=few),
        _Scene(name="honest, busy 30%, f members lie", make=_honest(0.3), liars=few),
        _Scene(name="claims twice its speed", make=_overstating(2.0)),
        _Scene(name="claims ten times its speed", make=_overstating(10.0)),
        _Scene(name="claims ten times its speed, and always to be busy", make=_overstating(10.0, lies_busy=True)),
        _Scene(name="four identities of one machine, one after the other", make=_resold),
        _Scene(name="four identities of one machine, by turns", make=_resold, in_turns=True),
    ]


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


def _claims(plan: Plan, scene: _Scene) -> dict[str, Any]:
    """What is believed of each identity in the end, and whether it was cut at any time before."""
    dice = Random(f"{scene.name} {plan.seed}")
    believed: list[float] = []
    shares: list[int] = []
    first_cuts: list[int] = []  # moments of each member until then
    for _ in range(plan.networks):
        group = scene.make(dice)
        cut: dict[int, int] = {}
        for number in range(plan.rounds):
            shares += _moment(plan, scene, group, number, dice)
            for place, one in enumerate(group):
                if agreed_rate(one.measured, faulty(plan.verifiers)) is not None:
                    cut.setdefault(place, number + 1)
        first_cuts += cut.values()
        for one in group:
            rate = agreed_rate(one.measured, faulty(plan.verifiers))
            believed.append(1.0 if rate is None else rate / one.claimed)
    return {
        "identities": len(believed),
        "measured_median": statistics.median(shares) / WHOLE,
        "measured_low": sorted(shares)[len(shares) // 20] / WHOLE,
        "believed_mean": statistics.fmean(believed),
        "cut": sum(one < 1.0 for one in believed) / len(believed),
        "ever_cut": len(first_cuts) / len(believed),
        "moments_to_cut": statistics.median(first_cuts) if first_cuts else None,
    }


def _moment(plan: Plan, scene: _Scene, group: Sequence[Identity], epoch: int, dice: Random) -> list[int]:
    """Each member asks the group once; the shares that honest ones find."""
    shares = []
    for member in range(plan.verifiers):
        line = SLOW_LINE_SECONDS if member < scene.slow_lines else 0.0
        found = ask_together(group, dice, in_turns=scene.in_turns, line=line)
        for identity, one in zip(group, found, strict=True):
            moment = moment_of(epoch, one)
            if member < scene.liars:
                moment = Moment(epoch, moment.claimed, moment.claimed // 10, True)
            else:
                shares.append(measured_share(one))
            identity.measured.setdefault(bytes((member,)), []).append(moment)
    return shares


def _share_of_time() -> dict[str, float]:
    """Of its time a node reads long questions: while members know too little of it, and then."""
    seconds = max(prompt_tokens(rate, CONTEXT) / rate for rate in RATES)
    return {
        "at_first": seconds / UNKNOWN_SECONDS,
        "later": seconds / KNOWN_SECONDS,
        "seconds": seconds,
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
    return statistics.median(measured_share(probe) for probe in probes) / WHOLE


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
    lines = [f"{'claim':<52} measured/claimed  believed     cut  ever cut  after moments"]
    for name, one in report["claims"].items():
        measured = f"{one['measured_median']:.2f} ({one['measured_low']:.2f})"
        after = "" if one["moments_to_cut"] is None else f"{one['moments_to_cut']:g}"
        lines.append(
            f"{name:<52} {measured:>16}  {one['believed_mean']:>8.2f}  {one['cut']:>6.1%}  {one['ever_cut']:>8.1%}"
            f"  {after:>13}"
        )
    share = report["share_of_time"]
    reads = f"A node reads {share['seconds']:.1f} s for a long question at most"
    lines += ["", f"{reads}: {share['at_first']:.3%} of its time at first, {share['later']:.4%} from then on."]
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
