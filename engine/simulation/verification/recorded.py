"""Answers that real workers made and another one judged, by who made them; with scores as verifiers compute them.

The file is ``resources/engine/verification/answers.json``; ``python -m engine.bench.verification record-conversations``
writes it. Of each answer it holds how many of its tokens lie in each cell of margins, and its published credit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from engine.errors import ConfigurationError
from engine.resources import resource_path
from engine.verification.scoring.calibration import Calibration
from engine.verification.scoring.score import score_answer
from engine.wire.challenges import Score

MAX_FILE = 16 * 1024 * 1024
_MILLION = 1_000_000
Number = Annotated[int, Meta(ge=0, le=1_000_000)]


class RecordedAnswer(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """``cells``: (cell, tokens in it), only those that are not empty. ``credit`` in millionths. ``impossible``: see
    ``TokenScores``."""

    prompt_tokens: Number
    credit: Number
    cells: tuple[tuple[Number, Number], ...]
    impossible: str = ""


class Maker(Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers in one way. All have had the same ``conversations``, by their place, each a list of turns."""

    name: str
    kind: Literal["honest", "cheat"]
    conversations: tuple[tuple[RecordedAnswer, ...], ...]


class RecordedFile(Struct, frozen=True, forbid_unknown_fields=True):
    """``calibration`` is the one that comes with the program, made of other answers than those of ``makers``."""

    model: str
    calibration: Calibration
    makers: tuple[Maker, ...]


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """``tokens``: of prompt and answer, which each scorer reads."""

    score: Score
    tokens: int


Conversation = tuple[JudgedAnswer, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Conversations by the name of who made the answers; place k is the same conversation everywhere."""

    model: str
    honest: Mapping[str, Sequence[Conversation]]
    cheats: Mapping[str, Sequence[Conversation]]

    def of(self, maker: str) -> Sequence[Conversation]:
        """:class:`ConfigurationError` for one that was not recorded."""
        found = self.honest.get(maker) or self.cheats.get(maker)
        if not found:
            raise ConfigurationError(f"No answers of {maker!r} were recorded.")
        return found


def read_recorded(path: Path | None = None) -> Recorded:
    """The recorded answers that ship with the program, judged; see :func:`read_recorded_file`."""
    return judged(read_recorded_file(path))


def read_recorded_file(path: Path | None = None) -> RecordedFile:
    """The recorded answers that ship with the program; :class:`ConfigurationError` says what is wrong with them."""
    path = path or resource_path("engine/verification/answers.json")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise ConfigurationError(f"{path} is larger than {MAX_FILE} bytes.")
        return msgspec.json.decode(data, type=RecordedFile)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(f"The recorded answers in {path} cannot be read: {error}.") from error


def judged(file: RecordedFile) -> Recorded:
    """The file's answers with their scores."""
    makers = {
        kind: {
            maker.name: [
                tuple(_judged(answer, file.calibration) for answer in conversation)
                for conversation in maker.conversations
            ]
            for maker in file.makers
            if maker.kind == kind
        }
        for kind in ("honest", "cheat")
    }
    lengths = {len(found) for by_name in makers.values() for found in by_name.values()}
    if not makers["honest"] or len(lengths) != 1 or 0 in lengths:
        raise ConfigurationError("The recorded answers are not those of the same conversations by several makers.")
    return Recorded(file.model, makers["honest"], makers["cheat"])


def _judged(answer: RecordedAnswer, calibration: Calibration) -> JudgedAnswer:
    """As a verifier scores it: a margin stands for each cell, a mean probability for the credit."""
    inside = margins_inside(calibration.bounds)
    if any(cell >= len(inside) for cell, _ in answer.cells):
        raise ConfigurationError("The recorded answers have other cells than their calibration.")
    margins = [inside[cell] for cell, count in answer.cells for _ in range(count)]
    logprobs = [math.log(max(1, answer.credit) / _MILLION)] * len(margins)
    score = score_answer(margins, logprobs, calibration, answer.impossible)
    return JudgedAnswer(score, answer.prompt_tokens + len(margins))


def margins_inside(bounds: Sequence[int]) -> list[float]:
    """One margin (logits) of each cell: bounds are whole millionths, and this is half of one below."""
    return [(bound - 0.5) / _MILLION for bound in bounds] + [math.inf]
