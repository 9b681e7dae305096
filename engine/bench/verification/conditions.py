"""The ways in which answers are made: honest ones on machines that differ, and cheats. Data only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from engine.bench.verification.rounding import SCHEMES

Kind = Literal["honest", "cheat"]
PLAIN, HALF, FEWER_LAYERS, SMALLER = "", "half precision", "fewer layers", "smaller model"


@dataclass(frozen=True, slots=True)
class Condition:
    """``model``: which version of the reference model answers: "" the reference itself, ``HALF``, ``FEWER_LAYERS``,
    ``SMALLER`` (another installed model) or the name of a rounding scheme. ``slots``, ``chunk`` and ``threads``: of the
    worker. ``cached``: every prompt is in the prefix cache. ``other_runtime``: the worker runs in another Python
    environment. ``temperature``: a factor of what was asked for. ``other_seed``, ``greedy`` (and so only read, not
    drawn, by the model that is claimed), ``forgets`` (the first half of the prompt): what they say."""

    name: str
    kind: Kind
    model: str = PLAIN
    slots: int = 8
    chunk: int = 512
    threads: int = 1
    cached: bool = False
    other_runtime: bool = False
    temperature: float = 1.0
    other_seed: bool = False
    greedy: bool = False
    forgets: bool = False

    @property
    def slug(self) -> str:
        """For file names."""
        return re.sub(r"[^a-z0-9.]+", "-", self.name.lower())


HONEST = (
    Condition("eight at a time", "honest"),
    Condition("one at a time", "honest", slots=1),
    Condition("thirty-two at a time", "honest", slots=32),
    Condition("prompts in pieces of 16", "honest", chunk=16),
    Condition("two threads", "honest", threads=2),
    Condition("prompts from the cache", "honest", cached=True),
)
"""What a node may do as it likes."""
OTHER_PRECISION = Condition("half precision", "honest", model=HALF)
"""What a GPU does with a model of 16 bits."""
OTHER_RUNTIME = Condition("another ONNX Runtime", "honest", other_runtime=True)

FOUR_BITS = tuple(Condition(scheme.name, "cheat", model=scheme.name) for scheme in SCHEMES.values() if scheme.bits == 4)
SMALLER_MODEL = Condition("smaller model", "cheat", model=SMALLER)
CHEATS = (
    *FOUR_BITS,
    Condition("a third of the layers left out", "cheat", model=FEWER_LAYERS),
    Condition("temperature 0.8 of what was asked", "cheat", temperature=0.8),
    Condition("seed ignored", "cheat", other_seed=True),
    Condition("text of fewer layers, greedy, read by the right model", "cheat", model=FEWER_LAYERS, greedy=True),
    Condition("half of the prompt forgotten", "cheat", forgets=True),
)


def with_slots(condition: Condition, slots: int) -> Condition:
    """The same cheat, made with so many answers at a time."""
    return replace(condition, slots=slots)
