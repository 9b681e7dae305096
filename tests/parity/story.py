"""A busy day of one model: the worker's own host, scheduler, cache, sampler and runner, and people who come and go.

Prompts share beginnings, fill the context to its last token, or are asked for several times at once. Answers are taken
back in the middle and asked for again with what they have, steps fail, memory shrinks and grows, the cache is full.
All of it follows from the seed.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.clock import ManualClock
from engine.errors import InferenceError, RequestError
from engine.inference.runtime.runner import Runner, StepLogits
from engine.inference.sampling.constraint import GrammarFactory
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings
from engine.inference.text.prompt import Prompt
from engine.inference.types import Delta, Done, GenerationEvent, GenerationRequest, ModelInfo, Started
from engine.inference.worker.model_host import ModelHost
from engine.wire.answer import Sampling

SLOTS = 6
LONGEST = 300
"""Tokens of a story's context at most, however much the model could hold."""
MOST_STEPS = 20_000


@dataclass
class Wish:
    """What somebody asks for."""

    prompt: tuple[int, ...]
    sampling: Sampling
    limit: int
    min_tokens: int
    options: dict[str, Any]


@dataclass
class Told:
    """What came of it. ``logits``: what the engine drew from, by position in the answer."""

    wish: Wish
    ids: list[int] = field(default_factory=list)
    reason: str = ""
    logits: dict[int, NDArray[np.float32]] = field(default_factory=dict)


class Watched:
    """A runner whose logits are kept, and that fails now and then, before or after it has done its work."""

    def __init__(self, runner: Runner, dice: random.Random, happened: Counter[str]) -> None:
        self._runner, self._dice, self._happened = runner, dice, happened
        self.calm = False
        self.drawn: dict[int, tuple[int, NDArray[np.float32]]] = {}  # key: (tokens before the drawn one, logits)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def step(self, rows: Any, top: int = 0) -> StepLogits:
        chance = 1.0 if self.calm else self._dice.random()
        if chance < 0.005:
            raise self._failure()
        found = self._runner.step(rows, top)
        if chance < 0.01:
            raise self._failure()
        self.drawn = {
            row.key: (row.start + len(row.ids), values.copy())
            for row, values in zip([row for row in rows if row.draw], found.logits, strict=True)
        }
        return found

    def _failure(self) -> InferenceError:
        self._happened["failed steps"] += 1
        return InferenceError("made up")


class _Numbers:
    """Requests whose text is the ids themselves."""

    def prompt(self, request: GenerationRequest) -> Prompt:
        return Prompt(tuple(int(one) for one in (request.prompt or "").split()))

    def public_tokens(self, request: GenerationRequest, prompt_ids: Any) -> int:
        return min(request.public_characters, len(prompt_ids))

    def decode(self, ids: Any) -> str:
        return "".join(chr(0x4E00 + one) for one in ids)

    def token_bytes(self, token: int) -> bytes:
        return b""


class Story:
    """``context`` and ``vocabulary`` are the model's; ``end_ids`` end an answer."""

    def __init__(
        self, runner: Runner, context: int, vocabulary: int, end_ids: frozenset[int], seed: int, wishes: int = 8
    ) -> None:
        self.dice = dice = random.Random(seed)
        self.context, self.vocabulary = min(context, LONGEST), vocabulary
        self.happened: Counter[str] = Counter()
        self.told = [Told(wish) for wish in self._wishes(wishes)]
        self._waiting = list(range(wishes))
        self._live: dict[int, int] = {}  # key: number of the wish
        self._keys = 0
        self._clock = ManualClock(0.0)
        self._runner = Watched(runner, dice, self.happened)
        whole = -(-self.context // BLOCK_TOKENS)
        self._blocks = dice.choice([whole + 1, 2 * whole, 12 * whole])
        settings = SchedulerSettings(
            context_length=self.context,
            end_ids=end_ids,
            slots=dice.choice([1, 2, 4, SLOTS]),
            queue_limit=2 * wishes,
            step_tokens=dice.choice([3, 40, 64, 512]),
        )
        self.scheduler = Scheduler(settings, PrefixCache(b"m", self._blocks))
        info = ModelInfo(model_id="m", digest=b"", tokenizer_digest=b"", context_length=self.context, slots=SLOTS)
        grammars = GrammarFactory(lambda: "", vocabulary, end_ids)
        self._host = ModelHost(
            info,
            self._runner,
            _Numbers(),
            grammars,
            self.scheduler,
            self._clock,
            self._hear,
        )

    def run(self) -> list[Told]:
        """Until everybody has an answer; then everything is given back."""
        steps = 0
        while self._waiting or self._live:
            steps += 1
            assert steps < MOST_STEPS, "the story does not end"
            self._something_happens()
            if not self._host.step():
                self._clock.advance(0.02)
            self._clock.advance(0.01)
        self._runner.calm = True
        self._host.set_budget(0)
        while self._host.step():
            pass
        assert self.scheduler.kv_tokens_cached == 0
        return self.told

    def _something_happens(self) -> None:
        dice = self.dice
        if self._waiting and (not self._live or dice.random() < 0.3):
            self._ask(self._waiting.pop(0))
        if self._live and dice.random() < 0.01:
            key = dice.choice(sorted(self._live))
            self._waiting.append(self._live.pop(key))
            self._host.cancel(key)
            self.happened["taken back"] += 1
        if dice.random() < 0.01:
            self._set_blocks(dice.choice([3, self._blocks // 2, self._blocks]))
            self.happened["budgets"] += 1

    def _ask(self, number: int) -> None:
        told = self.told[number]
        self._keys += 1
        self._live[self._keys] = number
        wish = told.wish
        request = GenerationRequest(
            model_id="m",
            messages=(),
            prompt=" ".join(map(str, wish.prompt)),
            sampling=wish.sampling,
            max_tokens=wish.limit,
            min_tokens=wish.min_tokens,
            continue_tokens=tuple(told.ids),
            **wish.options,
        )
        self.happened["continued"] += bool(told.ids)
        self._host.submit(self._keys, request)

    def _hear(self, key: int, event: GenerationEvent | RequestError) -> None:
        number = self._live.get(key)
        assert number is not None, "an event for an answer that nobody waits for"
        told = self.told[number]
        if isinstance(event, Started):
            assert event.prompt_ids == told.wish.prompt
        elif isinstance(event, Delta):
            self._keep(key, told, event)
        elif isinstance(event, Done):
            del self._live[key]
            told.reason = event.reason
            assert event.completion_tokens == len(told.ids)
            self.happened["cached tokens"] += event.cached_tokens
        elif isinstance(event, RequestError):
            del self._live[key]
            self._waiting.append(number)
            self.happened["refused or failed"] += 1
            if self.scheduler.kv_tokens_total < self._blocks * BLOCK_TOKENS:
                self._set_blocks(self._blocks)

    def _keep(self, key: int, told: Told, event: Delta) -> None:
        if event.ids:
            before, logits = self._runner.drawn[key]
            assert before == len(told.wish.prompt) + len(told.ids)
            told.logits[len(told.ids)] = logits
            told.ids.extend(event.ids)

    def _set_blocks(self, blocks: int) -> None:
        self._host.set_budget(blocks * BLOCK_TOKENS * self._runner.bytes_per_token)

    def _wishes(self, count: int) -> list[Wish]:
        begin = self._ids(self.context)
        wishes: list[Wish] = []
        for number in range(count):
            prompt = self._prompt(begin)
            if wishes and self.dice.random() < 0.3:  # the same prompt for several answers
                prompt = self.dice.choice(wishes).prompt
            room = self.context - len(prompt)
            limit = min(room, self.dice.choice([1, 2, 9, 33, 40, 40, self.context]))
            wishes.append(
                Wish(
                    prompt,
                    self._sampling(number),
                    limit,
                    self.dice.choice([0, 0, min(3, limit), limit]),
                    self._options(),
                )
            )
        return wishes

    def _ids(self, count: int) -> tuple[int, ...]:
        return tuple(self.dice.randrange(self.vocabulary) for _ in range(count))

    def _prompt(self, begin: tuple[int, ...]) -> tuple[int, ...]:
        length = self.dice.choice([0, 5, 31, 32, 33, 64, 96, 128, self.context])
        prompt = begin[:length] + self._ids(self.dice.choice([0, 1, 7, 40]))
        return prompt[: max(1, self.context - self.dice.choice([1, 2, 30]))] or begin[:1]

    def _sampling(self, number: int) -> Sampling:
        choice = self.dice.choice
        return Sampling(
            seed=choice([3, number]),
            temperature=choice([0.0, 0.0, 0.7, 1.0, 1.3]),
            top_k=choice([0, 0, 5, 40]),
            top_p=choice([1.0, 1.0, 0.9]),
            min_p=choice([0.0, 0.0, 0.05]),
            repetition_penalty=choice([1.0, 1.0, 1.2]),
            presence_penalty=choice([0.0, 0.5]),
            frequency_penalty=choice([0.0, 0.2]),
            logit_bias=choice([(), ((1, 2.0), (3, -5.0))]),
        )

    def _options(self) -> dict[str, Any]:
        choice = self.dice.choice
        return {
            "owner": choice([False, False, True]),
            "cache_salt": choice([b"", b"one", b"two"]),
            "public_characters": choice([0, 40, 64, 1000]),
            "max_tokens_per_second": choice([None, None, None, 60.0]),
        }
