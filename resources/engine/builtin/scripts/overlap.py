"""Keeps the held-out questions out of the training text.

A held-out question may share at most 60 % of its word 4-grams with all training text together.  So for each question
the rarest two fifths of its 4-grams are forbidden, and a training question that contains a forbidden one is not used.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

EVALUATION = Path(__file__).resolve().parent.parent / "evaluation"
SHARED_LIMIT = 0.6
Gram = tuple[str, ...]


def grams(text: str) -> list[Gram]:
    """The word 4-grams of a text in lower case; a text of fewer than four words is one shorter gram."""
    words = re.findall(r"[a-z0-9]+(?:[-'.][a-z0-9]+)*", text.lower())
    if len(words) < 4:
        return [tuple(words)] if words else []
    return [tuple(words[start : start + 4]) for start in range(len(words) - 3)]


@dataclass(frozen=True)
class Exclusion:
    """The forbidden 4-grams."""

    forbidden: frozenset[Gram] = field(default_factory=frozenset)

    def allows(self, text: str) -> bool:
        """Whether a training text contains none of them."""
        return not self.forbidden or self.forbidden.isdisjoint(grams(text))


def held_out_texts(folder: Path = EVALUATION) -> list[str]:
    """The text of every held-out question, in file order; empty when there is no evaluation yet."""
    texts: list[str] = []
    for name in ("heldout.toml", "offtopic.toml"):
        path = folder / name
        if path.exists():
            texts += [entry["text"] for entry in tomllib.loads(path.read_text(encoding="utf-8"))["question"]]
    return texts


def make_exclusion(held_out: Iterable[str], sample: Iterable[str]) -> Exclusion:
    """Forbid the 4-grams of each held-out question that are rarest in a sample of the training text."""
    questions = [list(dict.fromkeys(grams(text))) for text in held_out]
    wanted = {gram for question in questions for gram in question}
    counts: Counter[Gram] = Counter()
    for text in sample:
        counts.update(gram for gram in grams(text) if gram in wanted)
    forbidden: set[Gram] = set()
    for question in questions:
        keep_out = len(question) - math.floor(len(question) * SHARED_LIMIT)
        forbidden.update(sorted(question, key=lambda gram: (counts[gram], gram))[:keep_out])
    return Exclusion(frozenset(forbidden))


def shared_fractions(held_out: Iterable[str], training: set[Gram]) -> list[float]:
    """For each held-out question the fraction of its 4-grams that occur in the training text."""
    fractions = []
    for text in held_out:
        own = set(grams(text))
        fractions.append(len(own & training) / len(own) if own else 0.0)
    return fractions
