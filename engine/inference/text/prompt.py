"""A request as the model reads it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.inference.types import AnswerStyle


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids, not empty. ``style``: how the answer is to be read."""

    ids: tuple[int, ...]
    style: AnswerStyle = AnswerStyle()
