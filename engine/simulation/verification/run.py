"""``gentorrent simulate verification``: every adversary among honest nodes, in many networks, and what became of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

from engine.errors import ConfigurationError
from engine.ids import NodeId
from engine.simulation.verification.adversaries import ADVERSARIES, SOON, Adversary
from engine.simulation.verification.network import Course, SimulatedNetwork, SimulatedNode
from engine.simulation.verification.recorded import Recorded, read_recorded
from engine.verification.members import faulty
from engine.verification.reputation.page import OURS

TURNCOATS_TAKE = 10
"""So many times the epochs of a plan are simulated where a node turns after good results: it is checked rarely then."""
SERVED = 200
"""Answers that a node serves in an epoch, at which the cost of scoring is given."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``networks`` of ``nodes`` each, with ``share`` of them dishonest (one at least). ``adversaries``: names; besides
    there are always networks of honest nodes alone. ``sources``: how honest nodes make their answers, by turns (all
    that were recorded). ``unchecked``: the share of epochs in which nobody is checked. ``maker``: of the answers of all
    that cheat, instead of the one that each has of its own."""

    nodes: int = 4
    verifiers: int = 4
    epochs: int = 60
    networks: int = 50
    share: float = 0.25
    unchecked: float = 0.0
    maker: str = ""
    seed: int = 1
    adversaries: tuple[str, ...] = tuple(ADVERSARIES)
    sources: tuple[str, ...] = ()


def chosen_adversaries(names: Sequence[str]) -> tuple[str, ...]:
    """Names from a command line: "all" stands for all, "none" for none. :class:`ConfigurationError` for others."""
    if not names or "all" in names:
        return tuple(ADVERSARIES)
    for name in names:
        if name != "none" and name not in ADVERSARIES:
            raise ConfigurationError(f"--adversary {name!r} is not known; there are: {', '.join(ADVERSARIES)}, none.")
    return tuple(name for name in ADVERSARIES if name in names)


def simulate(plan: Plan, say: Say = lambda _: None, recorded: Recorded | None = None) -> dict[str, Any]:
    """All of it, as a report; ``problems`` names what is not as it should be."""
    recorded = recorded or read_recorded()
    sources = plan.sources or tuple(recorded.honest)
    for source in (*sources, *([plan.maker] if plan.maker else [])):
        recorded.of(source)
    honest = _honest(plan, recorded, sources)
    say(f"honest nodes: {sum(course.epochs for _, course in honest)} epochs")
    found = {}
    for name in plan.adversaries:
        adversary = ADVERSARIES[name]
        if plan.maker and adversary.maker:
            adversary = replace(adversary, words=f"{adversary.words} (here: {plan.maker})", maker=plan.maker)
        found[name] = _adversary(plan, adversary, _play(plan, adversary, recorded, sources))
        say(f"{name}: {100 * found[name]['detected']:.0f} % excluded")
    report: dict[str, Any] = {"plan": asdict(plan), "model": recorded.model}
    report |= _of_honest(plan, honest) | {"recorded": _of_recorded(recorded), "adversaries": found}
    report["problems"] = judge(report)
    return report


def judge(report: dict[str, Any]) -> list[str]:
    """What is not as the network promises."""
    problems = []
    if report["false_exclusions"]:
        problems.append(f"{report['false_exclusions']} honest nodes were excluded")
    for name, one in report["adversaries"].items():
        within = ADVERSARIES[name].within
        if within is None:
            continue
        if one["detected"] < 1:
            problems.append(f"{name}: {100 * (1 - one['detected']):.1f} % were not excluded in time")
        late = one["epochs_from_failed_challenge" if ADVERSARIES[name].turns else "epochs_to_exclusion"]
        if late["max"] > within:
            problems.append(f"{name}: exclusion took up to {late['max']} epochs, not {within}")
    return problems


# ------------------------------------------------------------------------------------------------------------- playing


def _honest(plan: Plan, recorded: Recorded, sources: Sequence[str]) -> list[tuple[str, Course]]:
    courses = []
    for number in range(plan.networks):
        dice = Random(f"{plan.seed}/honest/{number}")
        nodes = [
            SimulatedNode(NodeId(dice.randbytes(20)), sources[(number + place) % len(sources)])
            for place in range(plan.nodes)
        ]
        network = SimulatedNetwork(recorded, nodes, plan.verifiers, dice, unchecked=plan.unchecked)
        for _ in range(plan.epochs):
            network.run_epoch()
        courses += [(node.source, node.course) for node in nodes]
    return courses


def _play(plan: Plan, adversary: Adversary, recorded: Recorded, sources: Sequence[str]) -> list[SimulatedNode]:
    """The nodes of all networks, each of which ends when all that cheat are excluded."""
    played: list[SimulatedNode] = []
    dishonest = max(1, round(plan.share * plan.nodes))
    epochs = _epochs(plan, adversary)
    for number in range(plan.networks):
        dice = Random(f"{plan.seed}/{adversary.name}/{number}")
        nodes = [
            SimulatedNode(
                NodeId(dice.randbytes(20)),
                sources[(number + place) % len(sources)],
                adversary if place < dishonest else None,
            )
            for place in range(plan.nodes)
        ]
        network = SimulatedNetwork(recorded, nodes, plan.verifiers, dice, unchecked=plan.unchecked)
        while network.epoch < epochs and any(node.course.excluded is None for node in nodes[:dishonest]):
            network.run_epoch()
        played += nodes
    return played


def _epochs(plan: Plan, adversary: Adversary) -> int:
    return plan.epochs * (TURNCOATS_TAKE if adversary.turns else 1)


# ------------------------------------------------------------------------------------------------------------ counting


def _adversary(plan: Plan, adversary: Adversary, nodes: Sequence[SimulatedNode]) -> dict[str, Any]:
    courses = [node.course for node in nodes if node.adversary is not None]
    honest = [node.course for node in nodes if node.adversary is None]
    excluded = [course for course in courses if course.excluded is not None]
    published = [course for course in courses if course.published_excluded is not None]
    simulated = _epochs(plan, adversary) * len(courses)
    epochs = sum(course.until_epochs for course in courses)
    return {
        "words": adversary.words,
        "nodes": len(courses),
        "detected": len(excluded) / len(courses),
        "excluded_soon": sum(_is_soon(course, adversary) for course in courses),
        "epochs_to_exclusion": spread(course.excluded + 1 for course in excluded if course.excluded is not None),
        "answers_until_exclusion": spread(course.until_answers for course in excluded),
        "tokens_until_exclusion": spread(course.until_tokens for course in excluded),
        "epochs_to_failed_challenge": spread(
            course.first_fail + 1 for course in courses if course.first_fail is not None
        ),
        "epochs_from_failed_challenge": spread(
            course.excluded - course.first_fail
            for course in courses
            if course.excluded is not None and course.first_fail is not None
        ),
        "traffic_until_exclusion": sum(course.traffic for course in courses) / max(1, epochs),
        "cheated_traffic_share": sum(course.cheated_traffic for course in courses) / simulated,
        "traffic_share_lost": 1 - sum(course.traffic for course in courses) / simulated,
        "published_detected": len(published) / len(courses),
        "published_epochs": spread(
            course.published_excluded + 1 for course in published if course.published_excluded is not None
        ),
        "honest_epochs": sum(course.epochs for course in honest),
        "false_exclusions": sum(course.excluded is not None for course in honest),
        "dropped": sum(node.course.dropped for node in nodes),
        "timing": "nothing: no rule judges by time" if not adversary.maker else "",
    }


def _is_soon(course: Course, adversary: Adversary) -> bool:
    """Whether it was excluded within ``SOON`` epochs; one that turns, of its first failed check."""
    if course.excluded is None:
        return False
    epochs: float = course.excluded + 1
    if adversary.turns:
        epochs = math.inf if course.first_fail is None else course.excluded - course.first_fail
    return epochs <= SOON


def _of_honest(plan: Plan, honest: Sequence[tuple[str, Course]]) -> dict[str, Any]:
    by_source: dict[str, list[Course]] = {}
    for source, course in honest:
        by_source.setdefault(source, []).append(course)
    total = [course for _, course in honest]
    return {
        **_counts(plan, total),
        "honest": {source: _counts(plan, courses) for source, courses in by_source.items()},
    }


def _counts(plan: Plan, courses: Sequence[Course]) -> dict[str, Any]:
    epochs, new = sum(one.epochs for one in courses), sum(one.new_epochs for one in courses)
    answers, new_answers = sum(one.answers for one in courses), sum(one.new_answers for one in courses)
    read, new_read = sum(one.read_tokens for one in courses), sum(one.new_read_tokens for one in courses)
    served = SERVED * read / max(1, answers)  # tokens of a node and epoch, of answers like those that were checked
    readers = scorers(plan.verifiers)
    return {
        "honest_epochs": epochs,
        "honest_nodes": len(courses),
        "honest_answers_judged": answers,
        "false_exclusions": sum(one.excluded is not None for one in courses),
        "published_false_exclusions": sum(one.published_excluded is not None for one in courses),
        "highest_suspicion": max((one.highest_suspicion for one in courses), default=0) / 1000,
        "highest_lapses": max((one.highest_lapses for one in courses), default=0) / 1000,
        "checks_per_node_epoch": sum(one.checks for one in courses) / max(1, epochs),
        "checks_per_established_node_epoch": sum(one.checks - one.new_checks for one in courses) / max(1, epochs - new),
        "checks_per_new_node_epoch": sum(one.new_checks for one in courses) / max(1, new),
        "challenge_share": answers / max(1, epochs) / SERVED,
        "challenge_share_established": (answers - new_answers) / max(1, epochs - new) / SERVED,
        "challenge_share_new": new_answers / max(1, new) / SERVED,
        "scorers": readers,
        "scoring_share": readers * read / max(1, epochs) / max(1, served),
        "scoring_share_established": readers * (read - new_read) / max(1, epochs - new) / max(1, served),
        "scoring_share_new": readers * new_read / max(1, new) / max(1, served),
        "dropped": sum(one.dropped for one in courses),
    }


def scorers(verifiers: int) -> int:
    """How many members of such a committee read each answer; more only where these do not agree."""
    return faulty(verifiers) + 1


def _of_recorded(recorded: Recorded) -> dict[str, Any]:
    """By maker: answers, their median likelihood and credit, and how many fail and pass."""
    found = {}
    for maker, conversations in {**recorded.honest, **recorded.cheats}.items():
        scores = [answer.score for conversation in conversations for answer in conversation]
        found[maker] = {
            "answers": len(scores),
            "tokens": sum(score.tokens for score in scores),
            "median_likelihood": statistics.median(score.likelihood for score in scores) / 1000,
            "highest_likelihood": max(score.likelihood for score in scores) / 1000,
            "median_credit": statistics.median(score.credit for score in scores) / 1_000_000,
            "passed": sum(score.verdict == 1 for score in scores) / len(scores),
            "failed": sum(score.verdict == 2 for score in scores) / len(scores),
        }
    return found


def spread(values: Iterable[int]) -> dict[str, float]:
    """Median, 90th percentile (the nearest rank) and largest; zeros where there are no values."""
    ordered = sorted(values)
    if not ordered:
        return {"median": 0, "p90": 0, "max": 0}
    return {
        "median": statistics.median(ordered),
        "p90": ordered[math.ceil(0.9 * len(ordered)) - 1],
        "max": ordered[-1],
    }


def limit() -> float:
    """Suspicion at which a node is excluded."""
    return OURS.limit / 1000
