"""The published rule of reputation beside ours, on the very same answers. Pure.

A node is checked by four members in each epoch, in conversations of one and of two turns, as new ones are; both rules
judge the same conversations, for as many epochs, so that neither is cut off where the other one has decided.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from engine.bench.verification.served import conversation_of
from engine.ids import NodeId
from engine.simulation.verification.adversaries import Adversary
from engine.simulation.verification.recorded import JudgedAnswer, Recorded
from engine.simulation.verification.run import spread
from engine.verification.challenges.duties import CHECKERS
from engine.verification.challenges.plan import LATER_TURNS, turns_of_new
from engine.verification.reputation.page import OURS
from engine.verification.reputation.published import PUBLISHED
from engine.verification.reputation.rule import ONE, Rule
from engine.wire.challenges import Score

RULES: Mapping[str, Rule] = {"ours": OURS, "published": PUBLISHED}
CREDITS = tuple(number * ONE // 100 for number in range(10, 61))
"""Of the cliff: constant credits (millionths)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of many courses under one rule. ``epochs``: to the exclusion, of those that were excluded."""

    excluded: float
    epochs: dict[str, float]


def compare(
    recorded: Recorded,
    adversary: Adversary | None,
    sources: Sequence[str],
    *,
    epochs: int,
    courses: int,
    seed: int,
    friends: int = 0,
) -> dict[str, Outcome]:
    """By rule; ``adversary`` None: an honest node. ``friends``: so many of those who check it tell it when they do, and
    get honest answers."""
    makers = {**recorded.honest, **recorded.cheats}
    lengths = [len(turns) for turns in makers[sources[0]]]
    places = {
        least: [place for place, length in enumerate(lengths) if length >= least] for least in range(1, LATER_TURNS + 1)
    }
    ended: dict[str, list[int]] = {name: [] for name in RULES}
    for number in range(courses):
        dice = random.Random(f"{seed}/{adversary.name if adversary else 'honest'}/{number}")
        source = sources[number % len(sources)]
        duties = [
            [
                _conversation(adversary if check >= friends else None, makers, source, places, dice)
                for check in range(CHECKERS)
            ]
            for _ in range(epochs)
        ]
        for name, rule in RULES.items():
            if (found := excluded_in(rule, duties)) is not None:
                ended[name].append(found)
    return {name: Outcome(len(found) / courses, spread(found)) for name, found in ended.items()}


def _conversation(
    adversary: Adversary | None,
    makers: Mapping[str, Sequence[Sequence[JudgedAnswer]]],
    source: str,
    places: Mapping[int, Sequence[int]],
    dice: random.Random,
) -> list[Score]:
    """``places``: of conversations with so many questions at least."""
    turns = turns_of_new(dice.randbytes)
    answers = conversation_of(adversary, makers, source, dice.choice(places[turns]), dice)[:turns]
    credit = adversary.credit if adversary is not None else None
    return [one.score if credit is None else msgspec.structs.replace(one.score, credit=credit) for one in answers]


def excluded_in(rule: Rule, duties: Sequence[Sequence[Sequence[Score]]]) -> int | None:
    """The first epoch (from 1) after which a node is excluded, None where it never is."""
    standing = rule.newcomer(NodeId(bytes(20)))
    for epoch, results in enumerate(duties, start=1):
        standing = rule.judge(standing, results)
        if standing.excluded:
            return epoch
    return None


def cliff(
    recorded: Recorded, adversary: Adversary, *, epochs: int, courses: int, seed: int
) -> list[dict[str, float | None]]:
    """The median epoch of exclusion of an adversary whose answers always have the same credit, by that credit; None:
    most of them never are."""
    rows: list[dict[str, float | None]] = []
    for credit in CREDITS:
        constant = Adversary(name=f"credit {credit}", words="", maker=adversary.maker, credit=credit)
        found = compare(recorded, constant, list(recorded.honest), epochs=epochs, courses=courses, seed=seed)
        row: dict[str, float | None] = {"credit": credit / ONE}
        row |= {name: one.epochs["median"] if one.excluded > 0.5 else None for name, one in found.items()}
        rows.append(row)
    return rows
