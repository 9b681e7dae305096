"""What adversaries serve, as samples of tokens drawn from recorded answers, and how well they are told from honest
ones: by the likelihood that verifiers compute, and by the published credit of the same answers. Pure.

Few conversations were recorded with each maker of answers, so a sample is not new evidence: intervals come from drawing
the conversations themselves anew (a bootstrap of clusters). Where no sample of one kind lies among those of the other,
an interval has no width.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from typing import TypeVar

from engine.bench.verification.telling_apart import area, detected
from engine.simulation.verification.adversaries import Adversary
from engine.simulation.verification.recorded import RecordedAnswer, RecordedFile
from engine.verification.scoring.calibration import Calibration, likelihoods

SAMPLE = 300
"""Tokens of one sample."""
STEPS = (50, 100, 150, 200, 300)
REPEATS = 200
_MILLION = 1_000_000


@dataclass(frozen=True)
class Served:
    """One answer: the likelihood of each token (millionths; their order was not recorded), and its published credit as
    a mean logarithm of the probability of its tokens."""

    steps: tuple[int, ...]
    logprob: float

    @cached_property
    def total(self) -> int:
        """Of all tokens."""
        return sum(self.steps)


T = TypeVar("T")
Conversation = tuple[Served, ...]
Conversations = Sequence[Conversation]


@dataclass(frozen=True, slots=True)
class Sample:
    """``steps``: likelihoods of :data:`SAMPLE` tokens; ``logprob``: mean of theirs."""

    steps: list[int]
    logprob: float

    @property
    def total(self) -> int:
        """Thousandths; larger ones speak against the maker."""
        return round(sum(self.steps) / 1000)


@dataclass(frozen=True, slots=True)
class Told:
    """How well an adversary's samples are told from honest ones. ``low``: the lower end of the 95 % interval.
    ``published``: the area by credit. ``detected``: share of its samples that are worse than 99 % of the honest ones,
    by tokens seen. ``conversations``: that it was drawn from."""

    auc: float
    low: float
    published: float
    detected: Mapping[int, float]
    conversations: int


def served_by(file: RecordedFile) -> dict[str, Conversations]:
    """By maker; place k is the same conversation everywhere."""
    return {
        maker.name: [
            tuple(_served(answer, file.calibration) for answer in conversation) for conversation in maker.conversations
        ]
        for maker in file.makers
    }


def _served(answer: RecordedAnswer, calibration: Calibration) -> Served:
    values = likelihoods(calibration)
    steps = [values[cell] for cell, count in answer.cells for _ in range(count)]
    if answer.impossible:
        steps.append(values[-1])
    return Served(tuple(steps), math.log(max(1, answer.credit) / _MILLION))


def conversation_of(
    adversary: Adversary | None,
    makers: Mapping[str, Sequence[Sequence[T]]],
    source: str,
    place: int,
    dice: random.Random,
) -> Sequence[T]:
    """Its answers in this conversation while it cheats; None: an honest node's, made as by ``source``."""
    honest = makers[source][place]
    if adversary is None or not adversary.maker or (adversary.share < 1 and dice.random() >= adversary.share):
        return honest
    cheated = makers[adversary.maker][place]
    return [*honest[:1], *cheated[1:]] if adversary.later_turns else cheated


def _stream(
    adversary: Adversary | None,
    makers: Mapping[str, Conversations],
    source: str,
    places: Sequence[int],
    dice: random.Random,
) -> Iterator[Served]:
    """Its answers, without end: conversations drawn with replacement."""
    while True:
        yield from conversation_of(adversary, makers, source, dice.choice(places), dice)


def _draw(answers: Iterator[Served], credit: int | None, dice: random.Random) -> Sample:
    """Answers until they have so many tokens, each answer's tokens in a random order. ``credit`` (millionths): what the
    published rule sees of them, None: what was recorded."""
    steps: list[int] = []
    logprob = 0.0
    while len(steps) < SAMPLE:
        answer = next(answers)
        part = dice.sample(answer.steps, min(len(answer.steps), SAMPLE - len(steps)))
        steps += part
        logprob += len(part) * (answer.logprob if credit is None else math.log(credit / _MILLION))
    return Sample(steps, logprob / SAMPLE)


def _draw_total(answers: Iterator[Served], dice: random.Random) -> int:
    """The total of one sample, as of :func:`_draw`; the order of tokens in whole answers does not matter to it."""
    total = 0
    left = SAMPLE
    while left:
        answer = next(answers)
        whole = len(answer.steps) <= left
        total += answer.total if whole else sum(dice.sample(answer.steps, left))
        left -= len(answer.steps) if whole else left
    return round(total / 1000)


def tell(
    adversary: Adversary,
    makers: Mapping[str, Conversations],
    sources: Sequence[str],
    *,
    samples: int,
    seed: int,
    repeats: int = REPEATS,
) -> Told:
    """``samples`` of it against as many of honest nodes, whose answers are made in all ways by turns."""
    dice = random.Random(f"{seed}/{adversary.name}/samples")
    places = range(len(makers[sources[0]]))
    honest, cheat = (_samples(one, makers, sources, places, samples, dice) for one in (None, adversary))
    found = area([one.total for one in honest], [one.total for one in cheat])
    return Told(
        found,
        min(found, _low(adversary, makers, sources, max(50, samples // 10), repeats, dice)),
        area([-one.logprob for one in honest], [-one.logprob for one in cheat]),
        detected([one.steps for one in honest], [one.steps for one in cheat], STEPS),
        len(places),
    )


def _samples(
    adversary: Adversary | None,
    makers: Mapping[str, Conversations],
    sources: Sequence[str],
    places: Sequence[int],
    count: int,
    dice: random.Random,
) -> list[Sample]:
    streams = _streams(adversary, makers, sources, places, dice)
    credit = adversary.credit if adversary is not None else None
    return [_draw(next(streams), credit, dice) for _ in range(count)]


def _streams(
    adversary: Adversary | None,
    makers: Mapping[str, Conversations],
    sources: Sequence[str],
    places: Sequence[int],
    dice: random.Random,
) -> Iterator[Iterator[Served]]:
    """Of each way of making honest answers, by turns."""
    return cycle([_stream(adversary, makers, source, places, dice) for source in sources])


def _low(
    adversary: Adversary,
    makers: Mapping[str, Conversations],
    sources: Sequence[str],
    samples: int,
    repeats: int,
    dice: random.Random,
) -> float:
    """The 2.5th percentile of the area over conversations drawn anew."""
    count = len(makers[sources[0]])
    areas = []
    for _ in range(repeats):
        places = dice.choices(range(count), k=count)
        both = [_streams(one, makers, sources, places, dice) for one in (None, adversary)]
        honest, cheat = ([_draw_total(next(streams), dice) for _ in range(samples)] for streams in both)
        areas.append(area(honest, cheat))
    return sorted(areas)[int(repeats * 0.025)]
