"""Recorded answers: their file, and the scores that verifiers would compute."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from engine.errors import ConfigurationError
from engine.simulation.verification.adversaries import ADVERSARIES
from engine.simulation.verification.recorded import (
    Maker,
    RecordedAnswer,
    RecordedFile,
    judged,
    margins_inside,
    read_recorded,
)
from engine.verification.scoring.cells import BOUNDS, CELLS, cell_of
from engine.verification.scoring.score import score_answer
from tests.support.calibrations import calibration

ANSWER = RecordedAnswer(20, 500_000, ((0, 60), (9, 2), (15, 1)))


def file(*makers: Maker) -> RecordedFile:
    return RecordedFile("m", calibration(), makers)


def test_a_margin_stands_for_each_cell() -> None:
    assert [cell_of(margin) for margin in margins_inside(BOUNDS)] == list(range(CELLS))


def test_the_score_is_the_one_of_the_margins_and_the_credit_that_was_measured() -> None:
    found = judged(file(Maker("honest", "honest", ((ANSWER,),))))
    (conversation,) = found.of("honest")
    margins = [-5.0] * 60 + [-0.00005] * 2 + [0.05]
    expected = score_answer(margins, [math.log(0.5)] * 63, calibration())
    assert conversation[0].score == expected
    assert expected.credit == 500_000
    assert conversation[0].tokens == 20 + 63
    impossible = msgspec.structs.replace(ANSWER, impossible="vocabulary")
    (conversation,) = judged(file(Maker("honest", "honest", ((impossible,),)))).of("honest")
    assert (conversation[0].score.verdict, conversation[0].score.likelihood) == (2, 5_000)


@pytest.mark.parametrize(
    "makers",
    [
        (),
        (Maker("c", "cheat", ((ANSWER,),)),),
        (Maker("h", "honest", ()),),
        (Maker("h", "honest", ((ANSWER,),)), Maker("c", "cheat", ((ANSWER,), (ANSWER,)))),
        (Maker("h", "honest", ((RecordedAnswer(1, 1, ((CELLS, 1),)),),)),),
    ],
)
def test_what_does_not_fit_together_is_refused(makers: tuple[Maker, ...]) -> None:
    with pytest.raises(ConfigurationError, match="recorded answers"):
        judged(file(*makers))


def test_a_maker_that_was_not_recorded_is_named() -> None:
    found = judged(file(Maker("h", "honest", ((ANSWER,),))))
    with pytest.raises(ConfigurationError, match="'nobody'"):
        found.of("nobody")


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"model": 1}'])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "answers.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_recorded(path)


def test_the_shipped_answers_hold_what_every_adversary_needs() -> None:
    found = read_recorded()
    assert len(found.honest) >= 3
    assert {one.maker for one in ADVERSARIES.values()} <= {"", *found.cheats}
    for name, conversations in {**found.honest, **found.cheats}.items():
        assert sum(len(one) for one in conversations) >= 50, name
        assert any(len(one) > 1 for one in conversations)
    for name, conversations in found.honest.items():
        assert all(answer.score.verdict != 2 for one in conversations for answer in one), name
