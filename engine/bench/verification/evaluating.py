"""Each cheat against honest answers of the same model: figures from what was recorded, the calibration from other
answers than those that are told apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from msgspec import Struct

from engine.bench.verification.calibrating import calibration
from engine.bench.verification.conditions import Condition
from engine.bench.verification.measuring import Record
from engine.bench.verification.rounding import SCHEMES
from engine.bench.verification.telling_apart import (
    Separation,
    detected,
    samples,
    separation,
    token_likelihoods,
    tokens_until_excluded,
)
from engine.verification.scoring.calibration import Calibration

SAMPLE = 300
"""Tokens of one sample."""
TOGETHER = "weights of 4 bits, all schemes together"
STEPS = (50, 100, 150, 200, 300)


class Found(Struct, frozen=True):
    """One cheat. ``perplexity_ratio``: of the cheat's model to the honest one, on the same honest answers (0: the model
    is the honest one, or it was not measured). ``detected``: share of samples beyond 99 % of the honest ones, by tokens
    seen. ``median_tokens``: to suspicion 12, token by token."""

    name: str
    separation: Separation
    perplexity_ratio: float
    missed: float
    detected: dict[int, float]
    median_tokens: int


class Evaluation(Struct, frozen=True):
    """``honest``: conditions whose answers are the honest class, together; ``entry``: what the likelihoods are of."""

    honest: tuple[str, ...]
    entry: Calibration
    cheats: tuple[Found, ...]


def evaluate(
    recorded: Mapping[Condition, Sequence[Record]],
    entropies: Mapping[Condition, float],
    learn: int,
    **facts: str,
) -> Evaluation:
    """Figures of every cheat in ``recorded``. The first ``learn`` tokens of each condition make the calibration, the
    others are told apart. ``entropies``: mean -ln p of honest answers under the honest model (by an honest condition)
    and under each cheat's; ``facts``: see ``calibrating.calibration``."""
    parts = {condition: _divided(records, learn) for condition, records in recorded.items()}
    entry = calibration({condition: first for condition, (first, _) in parts.items()}, **facts)
    honest = [
        sample
        for condition, (_, rest) in parts.items()
        if condition.kind == "honest"
        for sample in _samples(rest, entry)
    ]
    own = next((value for condition, value in entropies.items() if condition.kind == "honest"), 0.0)
    cheats, four_bits = [], list[Record]()
    for condition, (_, rest) in parts.items():
        made = _samples(rest, entry) if condition.kind == "cheat" else []
        if made:
            worse = entropies.get(condition)
            ratio = math.exp(worse - own) if worse is not None and condition.model else 0.0
            cheats.append(_found(condition.name, honest, made, ratio, rest))
            four_bits += rest if condition.model in SCHEMES else []
    if len(four_bits) > max((len(parts[one][1]) for one in parts if one.model in SCHEMES), default=0):
        cheats.append(_found(TOGETHER, honest, _samples(four_bits, entry), 0.0, four_bits))
    names = tuple(condition.name for condition in parts if condition.kind == "honest")
    return Evaluation(names, entry, tuple(cheats))


def _divided(records: Sequence[Record], learn: int) -> tuple[list[Record], list[Record]]:
    seen = 0
    for number, record in enumerate(records):
        if seen >= learn:
            return list(records[:number]), list(records[number:])
        seen += len(record.ids)
    return list(records), []


def _samples(records: Sequence[Record], entry: Calibration) -> list[list[int]]:
    return samples([token_likelihoods(record.margins, entry) for record in records], SAMPLE)


def _found(
    name: str, honest: Sequence[list[int]], cheat: Sequence[list[int]], ratio: float, records: Sequence[Record]
) -> Found:
    apart = separation([round(sum(one) / 1000) for one in honest], [round(sum(one) / 1000) for one in cheat])
    margins = [margin for record in records for margin in record.margins]
    until = list(tokens_until_excluded([value for sample in cheat for value in sample]))
    return Found(
        name,
        apart,
        round(ratio, 4),
        round(sum(margin > 0 for margin in margins) / len(margins), 5),
        {count: round(share, 4) for count, share in detected(honest, cheat, STEPS).items()},
        round(statistics.median(until)) if until else 0,
    )


def as_table(evaluation: Evaluation) -> list[str]:
    """Markdown."""
    columns = (
        "cheat", "perplexity ratio", "tokens not drawn", "samples (honest, cheat)", "AUC",
        "lower 95 % (DeLong, bootstrap)", "found after 50, 100, 200, 300 tokens", "median tokens to suspicion 12",
    )  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for one in evaluation.cheats:
        apart = one.separation
        seen = ", ".join(f"{100 * one.detected[count]:.1f} %" for count in (50, 100, 200, 300))
        ratio = f"{one.perplexity_ratio:.3f}" if one.perplexity_ratio else "—"
        lines.append(
            f"| {one.name} | {ratio} | {100 * one.missed:.2f} % | {apart.honest}, {apart.cheat} | {apart.auc:.5f} "
            f"| {apart.auc_low95:.5f}, {apart.auc_low95_bootstrap:.5f} | {seen} | {one.median_tokens} |"
        )
    return lines
