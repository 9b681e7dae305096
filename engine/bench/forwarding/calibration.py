"""How fast a node of this run is: measured over the network, on all nodes at the same time, and fitted (pure).

Each node is reached by a conversation of its own, whose later turns go straight to it. *Prompts*: new ones of two
lengths, and long ones that its cache holds but for some words; the time to their first token. *Answers*: 1, 2, 4 and 8
at once on a node, after short prompts and after long ones that its cache holds, the time for each further token.
*Entry*: a prompt that all caches hold, asked in new conversations, whose entry node decides and passes most of them on,
and in those that go straight to a node.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.bench.forwarding.asking import Client, Record
from engine.bench.forwarding.setting import Setting
from engine.bench.forwarding.workload import CountTokens, words
from engine.errors import BenchmarkError
from engine.inference.types import PromptMessage

TRIES = 40
"""Conversations that are begun for each node until every node has one; a random one answers each."""
LENGTHS = (0.5, 1.0)
"""Of an average prompt."""
ROUNDS = 3
BATCHES = (1, 2, 4, 8)
TOKENS = 24
"""Of an answer whose speed is measured."""


@dataclass(frozen=True)
class Rates:
    """What was fitted. A prompt of ``n`` tokens, the first ``c`` of them cached, takes ``request_seconds + (n - c) /
    prefill_rate + attention_seconds * (n² - c²) / 2`` until its first token; a step of ``b`` answers whose caches hold
    ``k`` tokens together takes ``step_seconds + b * answer_seconds + k * kv_token_seconds``."""

    request_seconds: float
    prefill_rate: float
    attention_seconds: float
    step_seconds: float
    answer_seconds: float
    kv_token_seconds: float
    entry_seconds: float = 0.0  # of deciding who answers, and of passing on

    def as_json(self) -> dict[str, float]:
        """By name, four figures."""
        return {name: float(f"{value:.4g}") for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Measured:
    """(cached tokens, tokens of the whole prompt, seconds to the first token), and (answers at once, tokens that their
    caches hold together, seconds for each further token)."""

    prompts: Sequence[tuple[int, int, float]]
    steps: Sequence[tuple[int, int, float]]
    decided: Sequence[float] = ()  # seconds to the first token by an entry node that decided
    straight: Sequence[float] = ()  # and of the same without one

    def as_json(self) -> dict[str, Any]:
        """Medians."""
        prompts: dict[tuple[int, int], list[float]] = {}
        for cached, tokens, seconds in self.prompts:
            prompts.setdefault((round(cached, -2), round(tokens, -2)), []).append(seconds)
        steps: dict[tuple[int, int], list[float]] = {}
        for answers, context, seconds in self.steps:
            steps.setdefault((answers, round(context, -2)), []).append(seconds)
        return {
            "prompts": [
                {"cached": cached, "tokens": tokens, "first_token_s": round(statistics.median(found), 4)}
                for (cached, tokens), found in sorted(prompts.items())
            ],
            "decided_s": round(_mean(self.decided), 4),
            "straight_s": round(_mean(self.straight), 4),
            "steps": [
                {"answers": answers, "kv_tokens": context, "token_s": round(statistics.median(found), 4)}
                for (answers, context), found in sorted(steps.items())
            ],
        }


def fit(measured: Measured) -> Rates:
    """Least squares; what comes out below zero counts as zero and the rest is fitted again."""
    cached, tokens, seconds = np.array(measured.prompts, dtype=float).T
    request, per_token, attention = _fitted(
        np.stack([np.ones_like(tokens), tokens - cached, (tokens * tokens - cached * cached) / 2], axis=1), seconds
    )
    answers, context, pace = np.array(measured.steps, dtype=float).T
    step, answer, kv_token = _fitted(np.stack([np.ones_like(answers), answers, context], axis=1), pace)
    if per_token <= 0:
        raise BenchmarkError(
            "The speed of the nodes could not be measured: long prompts took no longer than short ones. Close other "
            "programs and run it again."
        )
    entry = _mean(measured.decided) - _mean(measured.straight)
    return Rates(request, 1 / per_token, attention, step, answer, kv_token, max(0.0, entry))


def _fitted(columns: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> list[float]:
    """Coefficients of the columns, none below zero; relative errors count."""
    scaled, ones = columns / values[:, None], np.ones_like(values)
    used = list(range(columns.shape[1]))
    while used:
        found = np.linalg.lstsq(scaled[:, used], ones, rcond=None)[0]
        negative = [place for place, value in zip(used, found, strict=True) if value < 0]
        if not negative:
            result = [0.0] * columns.shape[1]
            for place, value in zip(used, found, strict=True):
                result[place] = float(value)
            return result
        used.remove(negative[-1])
    return [0.0] * columns.shape[1]


class Calibration:
    """Measures a network that is ready and passes requests on to anybody (policy ``random``)."""

    def __init__(self, client: Client, setting: Setting, count_tokens: CountTokens) -> None:
        self._client = client
        self._setting = setting
        self._count = count_tokens
        self._texts = 0
        self._begin = time.monotonic()

    async def measure(self) -> Measured:
        """A minute or less."""
        pins = await self._pin()
        found = await asyncio.gather(*(self._one(name, place) for place, name in enumerate(pins)))
        decided, straight = await self._entry(pins)
        return Measured(
            [one for prompts, _ in found for one in prompts],
            [one for _, steps in found for one in steps],
            decided,
            straight,
        )

    async def _pin(self) -> list[str]:
        """A conversation with each node."""
        pins: dict[str, str] = {}
        for number in range(TRIES * self._setting.nodes):
            record = await self._ask(f"calibration {number}", self._text(8), "", 1)
            pins.setdefault(record.served_by, f"calibration {number}")
            if len(pins) == self._setting.nodes:
                return list(pins.values())
        raise BenchmarkError(f"Only {len(pins)} of {self._setting.nodes} nodes answered. Run it again.")

    async def _one(self, name: str, place: int) -> tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]]:
        setting = self._setting
        prompts, steps = [], []
        for _ in range(ROUNDS):
            for part in LENGTHS:
                length = round((setting.public + setting.private) * part)
                prompts.append(_first(await self._ask(name, self._text(length), "", 1)))
        for length in (32, setting.public):
            shared = words(length, f"calibration {place} {length}", self._count)
            await self._ask(name, shared, self._text(8), 1)
            if length == setting.public:
                prompts += [
                    _first(await self._ask(name, shared, self._text(setting.private), 1)) for _ in range(2 * ROUNDS)
                ]
            for batch in BATCHES:
                tasks = [self._ask(name, shared, self._text(8), TOKENS) for _ in range(batch)]
                steps.append(_step(await asyncio.gather(*tasks)))
        return prompts, steps

    async def _entry(self, pins: Sequence[str]) -> tuple[list[float], list[float]]:
        """Seconds to the first token with a decision before it, and without."""
        shared = words(self._setting.public, "calibration entry", self._count)
        for name in pins:
            await self._ask(name, shared, self._text(8), 1)
        decided: list[float] = []
        straight: list[float] = []
        for _ in range(ROUNDS):
            for name in pins:
                self._texts += 1
                new = f"entry {self._texts}"
                for conversation, found in ((new, decided), (name, straight)):
                    record = await self._ask(conversation, shared, self._text(self._setting.private), 1)
                    found.append(record.first_token_seconds)
        return decided, straight

    async def _ask(self, conversation: str, system: str, user: str, output: int) -> Record:
        """``system`` is public where there is a ``user`` message beside it."""
        messages = [PromptMessage("system", system), PromptMessage("user", user)] if user else []
        record = await self._client.ask(
            messages or [PromptMessage("user", system)],
            output=output,
            conversation=conversation,
            public_messages=1 if user else 0,
            begin=self._begin,
            intended=time.monotonic() - self._begin,
        )
        if record.error:
            raise BenchmarkError(f"A node could not be measured: {record.message}")
        return record

    def _text(self, tokens: int) -> str:
        """A new one."""
        self._texts += 1
        return words(tokens, f"calibration text {self._texts}", self._count)


def _mean(values: Sequence[float]) -> float:
    return statistics.mean(values) if values else 0.0


def _first(record: Record) -> tuple[int, int, float]:
    return record.cached_tokens, record.prompt_tokens, record.first_token_seconds


def _step(records: Sequence[Record]) -> tuple[int, int, float]:
    """Of answers that ran beside each other."""
    seconds = [(one.ended - one.first) / max(1, one.output_tokens - 1) for one in records]
    context = sum(one.prompt_tokens + one.output_tokens // 2 for one in records)
    return len(records), context, statistics.mean(seconds)
