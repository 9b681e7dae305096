"""Kinds of machines and how fast they are: ``resources/engine/node_kinds.toml``, checked."""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec

from engine.errors import ConfigurationError
from engine.inference.scheduling.choosing import ALONE
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.resources import resource_path

DEFAULT = "a100-8b"


class NodeKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long the steps of one machine with one model take, and what fits into its memory.

    A step with ``n`` answers under way, whose caches hold ``k`` tokens together, takes ``max(step_seconds, reading) + n
    * answer_seconds + k * kv_token_seconds``: reading the weights hides behind computing, or the other way round.
    ``reading`` are the prompt tokens of the step, token ``x`` of a prompt ``1 / prefill_rate + x * attention_seconds``;
    at most ``step_tokens`` of them, and no more than ``longest_wait`` seconds, ``ALONE`` times as long without answers
    under way. Where nothing hides behind anything
    (``overlaps`` false: a processor, or an engine that reads and writes in turns) it takes their sum, and no
    ``step_seconds`` without answers under way. A request keeps its node busy for ``request_seconds`` beside its tokens.
    """

    title: str
    source: str
    prefill_rate: float
    attention_seconds: float
    step_seconds: float
    answer_seconds: float
    kv_token_seconds: float
    kv_tokens: int
    slots: int
    queue: int = 32
    step_tokens: int = 512
    longest_wait: float = 0.25
    overlaps: bool = True
    request_seconds: float = 0.0

    @property
    def chunk_seconds(self) -> float:
        """Of prompts, in one step that has more than enough of them."""
        return min(self.step_tokens / self.prefill_rate, self.longest_wait)

    @property
    def chunk_seconds_alone(self) -> float:
        """The same while no answer waits for it."""
        return min(self.step_tokens / self.prefill_rate, self.longest_wait * ALONE)

    @property
    def blocks(self) -> int:
        """Of memory for running answers and the prefix cache together."""
        return self.kv_tokens // BLOCK_TOKENS

    def prefill_seconds(self, begin: int, end: int) -> float:
        """Of computing for a prompt's tokens from ``begin`` up to ``end``."""
        return (end - begin) / self.prefill_rate + self.attention_seconds * (end * end - begin * begin) / 2

    def reading_seconds(self, begin: int, end: int) -> float:
        """Of a request until its first token, when it has the node for itself and ``begin`` tokens are cached."""
        return self.request_seconds + self.prefill_seconds(begin, end)

    def decode_seconds(self, answers: int, kv_tokens: float) -> float:
        """Of one step that reads no prompts."""
        return self.step_seconds + answers * self.answer_seconds + kv_tokens * self.kv_token_seconds


def load_kinds() -> dict[str, NodeKind]:
    """All kinds by name."""
    path = resource_path("engine/node_kinds.toml")
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: msgspec.convert(entry, NodeKind) for name, entry in found.items()}
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path.name} cannot be used: {error}") from error


def kind_of(name: str) -> NodeKind:
    """The kind called ``name``; :class:`ConfigurationError` lists the others."""
    kinds = load_kinds()
    if name not in kinds:
        raise ConfigurationError(f"There is no node kind {name!r}; there are: {', '.join(kinds)}.")
    return kinds[name]
