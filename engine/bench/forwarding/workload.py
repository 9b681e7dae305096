"""The requests of a run, made from a seed: shared system prompts drawn by Zipf, a question of its own for each. Pure.

The words mean nothing. What counts is how many tokens a text has, which the model's own tokenizer says, and that equal
beginnings are equal.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from engine.bench.forwarding.setting import Setting
from engine.inference.types import PromptMessage

CountTokens = Callable[[str], int]
Rendered = Callable[[tuple[PromptMessage, ...], int], tuple[tuple[int, ...], int]]
"""(messages, how many of them are public) -> (token ids of the prompt, how many of these are public)."""
SPREAD = 0.25
"""Of lengths: standard deviation over mean."""
_SYLLABLES = tuple(first + second for first in "bdfgklmnprstvz" for second in "aeiou")


@dataclass(frozen=True)
class Question:
    """One request. ``t`` seconds after the beginning of the run."""

    t: float
    session: str
    system: str  # public
    user: str
    output: int  # tokens
    text: int = 0  # which of the shared beginnings it has

    @property
    def messages(self) -> tuple[PromptMessage, ...]:
        """As they are sent."""
        return PromptMessage("system", self.system), PromptMessage("user", self.user)


def make_questions(setting: Setting, rate: float, count_tokens: CountTokens) -> list[Question]:
    """``setting.requests`` of them, in the order of arrival: a Poisson process of ``rate`` a second. Another rate gives
    the same questions at other times."""
    draw = random.Random(f"forwarding {setting.seed}")
    systems = [
        words(_length(setting.public, draw), f"{setting.seed} text {k}", count_tokens) for k in range(setting.texts)
    ]
    weights = list(accumulate(rank**-setting.zipf for rank in range(1, setting.texts + 1)))
    found, t = [], 0.0
    for number in range(setting.requests):
        t += draw.expovariate(1.0)
        chosen = draw.choices(range(setting.texts), cum_weights=weights)[0]
        user = words(_length(setting.private, draw), f"{setting.seed} question {number}", count_tokens)
        output = _length(setting.output, draw)
        found.append(Question(t / rate, f"s{number}", systems[chosen], user, output, chosen))
    return found


def words(tokens: int, seed: str, count_tokens: CountTokens) -> str:
    """A text of about so many tokens, other words for another ``seed``."""
    draw = random.Random(seed)
    text = " ".join(_word(draw) for _ in range(max(4, tokens)))  # a word has at least one token
    per_character = count_tokens(text) / len(text)
    return text[: max(1, round(tokens / per_character))].rstrip()


def trace_lines(questions: Sequence[Question], rendered: Rendered) -> list[dict[str, Any]]:
    """The same requests as the simulator reads them (``gentorrent simulate forwarding --trace``)."""
    lines = []
    for one in questions:
        prompt, public = rendered(one.messages, 1)
        lines.append(
            {
                "t": round(one.t, 6),
                "session": one.session,
                "prompt": list(prompt),
                "public_tokens": public,
                "output_tokens": one.output,
            }
        )
    return lines


def _word(draw: random.Random) -> str:
    return "".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4)))


def _length(mean: int, draw: random.Random) -> int:
    """At least 4; log-normal with this mean and :data:`SPREAD`."""
    variance = math.log(1 + SPREAD * SPREAD)
    return max(4, round(draw.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))))
