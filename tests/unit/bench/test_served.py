"""Samples of what adversaries serve, and how well they are told from honest ones."""

from __future__ import annotations

import math
import random

import pytest

from engine.bench.verification.served import SAMPLE, conversation_of, served_by, tell
from engine.simulation.verification.adversaries import ADVERSARIES, QUANTISED, Adversary
from engine.simulation.verification.recorded import Maker, RecordedAnswer, RecordedFile
from engine.verification.scoring.calibration import likelihoods
from tests.support.calibrations import calibration

GOOD = RecordedAnswer(20, 500_000, ((0, 60), (4, 40)))
BAD = RecordedAnswer(20, 500_000, ((0, 60), (4, 30), (15, 10)))
FILE = RecordedFile(
    "m",
    calibration(),
    (Maker("honest", "honest", ((GOOD, GOOD),) * 3), Maker(QUANTISED, "cheat", ((BAD, BAD),) * 3)),
)
MAKERS = served_by(FILE)


def adversary(**changes: object) -> Adversary:
    return Adversary(**{"name": "a", "words": "w", "maker": QUANTISED} | changes)


def test_answers_have_the_likelihoods_of_their_cells_and_their_credit() -> None:
    steps = likelihoods(FILE.calibration)
    (first, _), *_ = MAKERS[QUANTISED]
    assert sorted(first.steps) == sorted([steps[0]] * 60 + [steps[4]] * 30 + [steps[15]] * 10)
    assert first.logprob == math.log(0.5)
    impossible = RecordedFile("m", calibration(), (Maker("h", "honest", ((RecordedAnswer(1, 1, (), "constraint"),),)),))
    assert served_by(impossible)["h"][0][0].steps == (steps[-1],)


def test_an_adversary_serves_what_it_says() -> None:
    dice = random.Random(1)
    honest, cheated = MAKERS["honest"][0], MAKERS[QUANTISED][0]
    assert conversation_of(None, MAKERS, "honest", 0, dice) == honest
    assert conversation_of(adversary(maker=""), MAKERS, "honest", 0, dice) == honest
    assert conversation_of(adversary(), MAKERS, "honest", 0, dice) == cheated
    assert list(conversation_of(adversary(later_turns=True), MAKERS, "honest", 0, dice)) == [honest[0], cheated[1]]
    mixed = [conversation_of(adversary(share=0.25), MAKERS, "honest", 0, dice) == cheated for _ in range(2000)]
    assert 0.2 < sum(mixed) / len(mixed) < 0.3


def test_a_cheat_is_told_apart_and_one_that_relays_is_not() -> None:
    found = tell(adversary(), MAKERS, ["honest"], samples=60, seed=1, repeats=5)
    assert (found.auc, found.low, found.conversations) == (1.0, 1.0, 3)
    assert found.detected[SAMPLE] == 1
    assert found.published == 0.5  # the same credit
    relaying = tell(ADVERSARIES["relaying"], MAKERS, ["honest"], samples=200, seed=1, repeats=40)
    assert relaying.auc == pytest.approx(0.5, abs=0.12)
    assert relaying.low <= relaying.auc
    assert relaying.detected[SAMPLE] < 0.1
    cliff = tell(adversary(credit=410_000), MAKERS, ["honest"], samples=20, seed=1, repeats=2)
    assert cliff.published == 1.0  # a lower credit than the honest half


def test_who_cheats_in_some_conversations_is_told_less_well_and_the_same_seed_gives_the_same() -> None:
    half = tell(adversary(share=0.2), MAKERS, ["honest"], samples=200, seed=1, repeats=5)
    assert 0.5 < half.auc < 0.95
    assert half == tell(adversary(share=0.2), MAKERS, ["honest"], samples=200, seed=1, repeats=5)
