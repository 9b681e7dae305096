"""``gentorrent simulate committee``: the agreement against adversarial schedules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from engine.errors import ConfigurationError
from engine.simulation.committee.world import Machine, World
from engine.verification.members import faulty as most_faulty

SIZES = (4, 5, 7, 10)
MOST_SHOWN = 20
"""Schedules with problems that are described one by one."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate. ``faulty``: members that do not follow the protocol, None: as many as the size allows."""

    members: int = 4
    faulty: int | None = None
    schedules: int = 300
    seed: int = 1


def simulate(plan: Plan, machine: Machine | None = None, *, until: str | None = None) -> dict[str, Any]:
    """Run every schedule; the result says what was broken, and how many rounds it took.

    ``until``: end at the first problem with these words. ``ConfigurationError`` if more members are faulty than can be
    borne.
    """
    most = most_faulty(plan.members)
    faulty = most if plan.faulty is None else plan.faulty
    if faulty > most:
        raise ConfigurationError(
            f"A committee of {plan.members} bears {most} faulty members. With {faulty} nothing is promised; choose"
            " fewer, or more members."
        )
    kinds, needed, rounds = Counter[str](), Counter[int](), Counter[int]()
    problems: list[dict[str, Any]] = []
    broken, contradictions, messages, refused = Counter[str](), 0, 0, 0
    refused_left_out, refused_results, lacked, broken_off, left_out = 0, 0, 0, 0, 0
    for number in range(plan.schedules):
        world = _world(plan, faulty, number, machine or Machine())
        world.run()
        kinds += world.kinds
        contradictions += world.contradictions
        messages += world.messages
        refused += world.refused
        refused_left_out += world.refused_left_out
        refused_results += world.refused_results
        lacked += world.is_evidence_lacked
        left_out += world.is_left_out
        broken_off += world.is_broken_off
        needed[world.rounds_needed] += 1
        for member in world.members:
            if member.is_honest and member.decided is not None:
                rounds[member.decided.certificate.round] += 1
        for text in world.problems:
            broken["liveness" if "have not decided" in text else "safety"] += 1
        if world.problems and len(problems) < MOST_SHOWN:
            problems.append({"schedule": number, "problems": world.problems[:10]})
        if until is not None and any(until in text for text in world.problems):
            break
    return {
        "plan": asdict(plan) | {"faulty": faulty},
        "schedules": number + 1 if plan.schedules else 0,
        "safety_violations": broken["safety"],
        "liveness_violations": broken["liveness"],
        "members": dict(sorted(kinds.items())),
        "messages": messages,
        "contradictions_shown": contradictions,
        "blocks_refused": refused,
        "refused_for_leaving_out": refused_left_out,
        "refused_for_leaving_out_results": refused_results,
        "decided_on_what_some_lack": lacked,
        "decided_on_broken_off": broken_off,
        "decided_leaving_out": left_out,
        "decided_in_round": {str(key): value for key, value in sorted(rounds.items())},
        "rounds_after_synchrony": {str(key): value for key, value in sorted(needed.items())},
        "problems": problems,
    }


def _world(plan: Plan, faulty: int, number: int, machine: Machine) -> World:
    random = Random(f"committee/{plan.seed}/{plan.members}/{number}")
    # Who has lost its memory signs nothing, which for the others is a fault like any other.
    forgetful = random.randint(0, faulty) if random.random() < 0.3 else 0
    return World(random, plan.members, faulty - forgetful, forgetful, machine)


def as_text(result: dict[str, Any]) -> str:
    """What people read."""
    plan = result["plan"]
    needed = result["rounds_after_synchrony"]
    what = f"{result['schedules']} schedules of {plan['members']} members, {plan['faulty']} of them faulty"
    most = f"After synchrony a decision took at most {max(map(int, needed), default=0)} rounds"
    lacked = f"in {result['decided_on_what_some_lack']} schedules an honest member lacked evidence of the decided block"
    refused = f"{result['blocks_refused']} refusals of a block, {result['refused_for_leaving_out']} for leaving out"
    results = result["refused_for_leaving_out_results"]
    lines = [
        f"{what}: {result['safety_violations']} violations of safety, {result['liveness_violations']} of liveness.",
        f"{most} ({needed.get('0', 0)} schedules: none).",
        f"{result['messages']} messages; {result['contradictions_shown']} contradictions of faulty members were shown.",
        f"{refused} commitments, {results} for leaving out results; {lacked}.",
        f"In {result['decided_leaving_out']} the decided block lacks a commitment that an honest member has.",
        f"In {result['decided_on_broken_off']} the decided block names conversations that were broken off.",
    ]
    lines += [f"Schedule {one['schedule']}: {'; '.join(one['problems'])}" for one in result["problems"]]
    return "\n".join(lines)
