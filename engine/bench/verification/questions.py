"""What is asked while margins are recorded: deterministic by its number. Pure.

Most prompts are plain text of words in a disorder in which a model is undecided how to go on, as ordinary models are
in ordinary conversations; where a model is certain of every token nothing tells its versions apart.
"""

from __future__ import annotations

import random
import re
import tomllib

from engine.inference.types import GenerationRequest, PromptMessage
from engine.resources import resource_path
from engine.wire.answer import Sampling

WORDS = 12
_SETTINGS: tuple[dict[str, float | int], ...] = (
    {},
    {},
    {"temperature": 0.7, "top_p": 0.9},
    {"temperature": 0.8, "top_k": 40},
    {"temperature": 1.0, "min_p": 0.05, "presence_penalty": 0.5},
)


class Questions:
    """``varied``: settings as users have them, and some questions in the form of a chat; otherwise every answer is a
    continuation at temperature 1."""

    def __init__(self, model_id: str, *, varied: bool, max_tokens: int = 100, first_seed: int = 0) -> None:
        self._model_id = model_id
        self._varied = varied
        self.max_tokens = max_tokens
        self._first_seed = first_seed
        self._sentences = _sentences()
        self._words = sorted({word for one in self._sentences for word in one.split()})

    def ask(self, number: int) -> GenerationRequest:
        """The request with this number."""
        dice = random.Random(f"{self._first_seed}/{number}")
        settings = _SETTINGS[number % len(_SETTINGS)] if self._varied else {}
        chat = self._varied and number % 4 == 3
        text = dice.choice(self._sentences) if chat else " ".join(dice.choices(self._words, k=WORDS))
        return GenerationRequest(
            model_id=self._model_id,
            messages=(PromptMessage("user", text),) if chat else (),
            prompt=None if chat else text,
            sampling=Sampling(seed=dice.getrandbits(53), **settings),  # type: ignore[arg-type]
            max_tokens=self.max_tokens,
        )


def _sentences() -> list[str]:
    """Of the help texts."""
    content = tomllib.loads(resource_path("engine/help/topics.toml").read_text(encoding="utf-8"))
    return [one for text in _texts(content) for one in re.split(r"(?<=[.?!])\s+", text) if len(one) > 20]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return []
