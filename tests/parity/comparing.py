"""What a story told, against a loop over the exporter's own graph with one sequence and nothing beside it.

The loop goes through every answer with the engine's tokens: the first one that it would not have chosen is found, and
so are all after it. A difference is allowed only where the two best scores lie within ``CLOSE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.sampling.gumbel import choose
from engine.inference.sampling.history import TokenHistory
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.wire.answer import Sampling
from tests.families.plain import PlainModel, PlainSequence
from tests.parity.story import SLOTS, Story, Told

CLOSE = 1e-4
LARGEST = 1e-4
"""Allowed difference of a logit."""


@dataclass
class Figures:
    """What was compared. ``ties``: positions where the two best scores lie within ``CLOSE``; ``differences``: those of
    them where the engine took the other token."""

    rounds: int = 0
    answers: int = 0
    positions: int = 0
    ties: int = 0
    differences: int = 0
    largest: float = 0.0  # difference of a logit


class Comparison:
    """One model: a runner for the stories, of ``wishes`` each, and a plain loop. ``figures`` add up."""

    def __init__(self, path: Path, wishes: int = 8) -> None:
        self._wishes = wishes
        self.folder: ModelFolder = read_model_folder("m", path, lambda _: bytes(32))
        self.runner = Runner(self.folder, RuntimeSettings(1, SLOTS))
        self.figures = Figures()
        self.happened: dict[str, int] = {}
        config = next(one for one in self.folder.files if one.name == "config.json")
        self._plain = PlainModel(self.folder.graph, config)

    def round(self, seed: int) -> None:
        """One story, compared token by token. AssertionError names the seed and the place."""
        folder = self.folder
        story = Story(self.runner, folder.context_length, folder.vocabulary, folder.end_ids, seed, self._wishes)
        for number, told in enumerate(story.run()):
            self._compare(told, f"seed {seed}, answer {number}")
        self.figures.rounds += 1
        for name, count in story.happened.items():
            self.happened[name] = self.happened.get(name, 0) + count

    def close(self) -> None:
        """Give the runner's memory back."""
        self.runner.close()

    def _compare(self, told: Told, where: str) -> None:
        wish, figures = told.wish, self.figures
        self._check_end(told, where)
        history = TokenHistory(wish.prompt, ())
        sequence = PlainSequence(self._plain)
        logits = sequence.feed(wish.prompt)[-1]
        for place, token in enumerate(told.ids):
            suppressed = self.folder.end_ids if place < wish.min_tokens else frozenset[int]()
            score = (wish.sampling, place, history, suppressed)
            right, tied = drawn(logits, *score)
            figures.ties += tied
            if token != right:
                assert tied, f"{where}: {token} at {place} is not the loop's {right}"
                assert token in others(logits, right, token, *score), f"{where}: {token} at {place} is no close second"
                figures.differences += 1
            difference = float(np.abs(told.logits[place] - logits).max())
            assert difference <= LARGEST, f"{where}: a logit at {place} differs by {difference}"
            figures.largest = max(figures.largest, difference)
            history.append(token)
            logits = sequence.feed([token])[-1]
        figures.answers += 1
        figures.positions += len(told.ids)

    def _check_end(self, told: Told, where: str) -> None:
        ends = [place for place, token in enumerate(told.ids) if token in self.folder.end_ids]
        wanted = len(told.ids) - 1 if told.reason == "stop" else told.wish.limit
        assert told.ids, where
        assert not ends or ends[0] >= told.wish.min_tokens, where
        if told.reason == "stop":
            assert ends == [len(told.ids) - 1], where
        else:
            assert told.reason == "length", where
            # Memory that was taken away may have cut it short: it ends where the last block is full.
            full = (len(told.wish.prompt) + len(told.ids)) % BLOCK_TOKENS == 0
            assert len(told.ids) == wanted or (len(told.ids) < wanted and full), where


def drawn(logits: Any, sampling: Sampling, place: int, history: TokenHistory, suppressed: Any) -> tuple[int, bool]:
    """The loop's token, and whether another one wins when it loses ``CLOSE``."""
    right = choose(logits.copy(), sampling, place, history, suppressed)
    lowered = logits.copy()
    lowered[right] -= CLOSE
    return right, choose(lowered, sampling, place, history, suppressed) != right


def others(logits: Any, right: int, token: int, *score: Any) -> set[int]:
    """Who wins when ``right`` loses ``CLOSE``, or ``token`` gains as much."""
    lowered, raised = logits.copy(), logits.copy()
    lowered[right] -= CLOSE
    raised[token] += CLOSE
    return {choose(lowered, *score), choose(raised, *score)}
