"""What is measured: the pieces of work, the settings that each engine is tried with. Data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["decode", "prefill", "cached prefix"]
Precision = Literal["int4", "fp32"]
Draw = Literal["greedy", "top_k_40", "full_vocabulary"]
Settings = dict[str, Any]

PRECISIONS: tuple[Precision, ...] = ("int4", "fp32")
DRAWS: tuple[Draw, ...] = ("greedy", "top_k_40", "full_vocabulary")
PREFILL_TOKENS = 512
SHARED_TOKENS = 480
"""Of a cached prompt of ``PREFILL_TOKENS``."""
OVERHEAD_BATCH = 8
"""Answers at once where the engine's overhead is measured."""
WORKS = ("decode-int4", "decode-fp32", "prefill-int4", "prefill-fp32", "cached-prefix", "overhead")
"""Names for ``--work``."""


@dataclass(frozen=True)
class Work:
    """One measurement. decode: ``batch`` answers at once, each after a prompt of ``prompt`` tokens, timed from the
    moment when all of them have their first token, for ``steps`` more tokens each. prefill: one prompt of ``prompt``
    tokens until its first token."""

    kind: Kind
    precision: Precision
    batch: int
    prompt: int
    steps: int
    draw: Draw = "greedy"

    @property
    def name(self) -> str:
        """What the tables call it."""
        return f"prefill {self.prompt} {self.precision}" if self.kind == "prefill" else f"{self.kind} {self.precision}"

    @property
    def tokens(self) -> int:
        """Tokens of one measurement."""
        return self.prompt if self.kind == "prefill" else self.batch * self.steps


@dataclass(frozen=True)
class Plan:
    """How much is measured. ``rounds`` interleaved measurements of everything, each after ``sweep_rounds`` for every
    setting that is tried; the overhead has ``overhead_rounds`` of ``overhead_steps`` tokens for each answer."""

    rounds: int = 5
    sweep_rounds: int = 2
    batches: tuple[int, ...] = (1, 4, 8, 16)
    fp32_batches: tuple[int, ...] = (1, 4, 8, 16)
    prompt: int = 32
    steps: int = 32
    fp32_steps: int = 16
    prefill: int = PREFILL_TOKENS
    overhead_rounds: int = 15
    overhead_steps: int = 32
    wide_sweep: bool = True

    def works(self, precision: Precision) -> list[Work]:
        """Everything measured against peers at one precision."""
        steps, batches = (self.steps, self.batches) if precision == "int4" else (self.fp32_steps, self.fp32_batches)
        decode = [Work("decode", precision, batch, self.prompt, steps) for batch in batches]
        return [*decode, Work("prefill", precision, 1, self.prefill, 0)]

    def sweep_works(self, precision: Precision) -> list[Work]:
        """What settings are compared on: one answer alone, many at once, a prompt."""
        wanted = (1, 8)
        works = [work for work in self.works(precision) if work.kind == "prefill" or work.batch in wanted]
        return [replace(work, steps=max(4, work.steps // 2)) if work.steps else work for work in works]


FULL = Plan()
QUICK = Plan(rounds=3, fp32_batches=(1, 8), steps=16, fp32_steps=6, overhead_rounds=6, wide_sweep=False)


def sweep_group(work: Work) -> str:
    """Works whose best settings are taken to be the same."""
    return "prefill" if work.kind == "prefill" else ("decode 1" if work.batch == 1 else "decode many")


def thread_counts(processors: int) -> list[int]:
    """Powers of two below the number of processors, and that number."""
    counts = [1 << power for power in range(10) if 1 << power < processors]
    return [*counts, processors]


def sweep(engine: str, processors: int, *, wide: bool) -> Iterator[Settings]:
    """The settings that ``engine`` is tried with."""
    counts = thread_counts(processors) if wide else thread_counts(processors)[-2:]
    for threads in counts:
        if engine == "llama.cpp" and wide:
            for flash in (False, True):
                for micro_batch in (128, 512):
                    yield {"threads": threads, "flash_attention": flash, "ubatch": micro_batch}
        elif engine == "bare loop":
            for spinning in (False, True):
                yield {"threads": threads, "spinning": spinning}
        else:
            yield {"threads": threads}
