"""A node that does not serve what it claims, for ``gentorrent demo --cheat``. No engine can be told to be one.

It is an ordinary node with another inference back end: everything else, down to the signatures of its receipts, is
that of an honest one. ``python -m engine.demo.cheating_node --cheat NAME --bootstrap URL#NETWORKID --data DIR``; ends
with its standard input.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.bench.verification.measuring import without_layers
from engine.bench.verification.remade_models import remake
from engine.bench.verification.rounding import SCHEMES
from engine.clock import SystemClock
from engine.config import load_configuration
from engine.inference.models.folder import ModelFolder
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.supervisor.pool import WorkerPool
from engine.inference.supervisor.settings import InferenceSettings
from engine.inference.types import GenerationEvent, GenerationRequest, ModelInfo, PromptShape, TokenScores
from engine.node.node import Node, run_node
from engine.wire.answer import Sampling

COOLER = 0.5
"""Of the temperature that was asked for."""
FOUR_BITS = "int4 by 32"


@dataclass(frozen=True, slots=True)
class Cheat:
    """``sampling``: what the node makes of the settings that it was asked for; ``make``: writes the model that it runs
    in truth to a folder, None for the one that it claims."""

    sampling: Callable[[Sampling], Sampling] = lambda asked: asked
    make: Callable[[ModelFolder, Path], Path] | None = None


def _quantised(model: ModelFolder, target: Path) -> Path:
    return remake(model, target, SCHEMES[FOUR_BITS])


def _smaller(model: ModelFolder, target: Path) -> Path:
    return remake(model, target, change=without_layers)


def _cooler(asked: Sampling) -> Sampling:
    return msgspec.structs.replace(asked, temperature=COOLER * asked.temperature)


def _other_seed(asked: Sampling) -> Sampling:
    return msgspec.structs.replace(asked, seed=asked.seed ^ 1)


def _greedy(asked: Sampling) -> Sampling:
    return msgspec.structs.replace(asked, temperature=0.0)


WAYS = {
    "smaller-model": Cheat(make=_smaller),
    "quantised": Cheat(make=_quantised),
    "wrong-temperature": Cheat(_cooler),
    "ignored-seed": Cheat(_other_seed),
    "prefill-attack": Cheat(_greedy, _smaller),
}
"""By the names of ``engine.demo.cheats``."""


class CheatingBackend:
    """An ``InferenceBackend`` that claims to run the model ``claimed``."""

    def __init__(self, own: WorkerPool, cheat: Cheat, claimed: ModelFolder) -> None:
        self._own = own
        self._cheat = cheat
        self._claimed = claimed

    def models(self) -> list[ModelInfo]:
        """What it has, under the name and digests of what it claims."""
        return [
            msgspec.structs.replace(info, digest=self._claimed.digest, tokenizer_digest=self._claimed.tokenizer_digest)
            for info in self._own.models()
            if info.model_id == self._claimed.model_id
        ]

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """Another answer than the one that was asked for."""
        return self._own.generate(self._cheated(request))

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """As it is: the prompt is read correctly."""
        return await self._own.describe(request)

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        """What it would say of others, if anybody asked."""
        return await self._own.score(request, output_ids)

    def _cheated(self, request: GenerationRequest) -> GenerationRequest:
        return msgspec.structs.replace(request, sampling=self._cheat.sampling(request.sampling))


def run_cheat(name: str, bootstrap: str, data: Path) -> int:
    """Run the node until the parent ends or a signal comes; the exit code."""
    cheat, claimed = WAYS[name], Catalogue(None).open(BUILTIN_MODEL)
    really = cheat.make(claimed, data / "really") if cheat.make is not None else None

    def corrupt(node: Node) -> None:
        settings = InferenceSettings()
        node.inference = WorkerPool(Catalogue(None, really), SystemClock(), settings, node.worker_changed)
        node.backend = CheatingBackend(node.inference, cheat, claimed)

    options: dict[str, object] = {
        "bootstrap": bootstrap,
        "data_directory": data,
        "api_port": 0,
        "contribute": BUILTIN_MODEL,
        "relay": False,
        "forwarding_policy": "none",
    }
    return run_node(load_configuration(options, os.environ), started=corrupt)


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description="Run the dishonest node of a demo network.")
    parser.add_argument("--cheat", required=True, choices=WAYS)
    parser.add_argument("--bootstrap", required=True, metavar="URL#NETWORKID")
    parser.add_argument("--data", required=True, type=Path, metavar="DIR")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    raise SystemExit(run_cheat(arguments.cheat, arguments.bootstrap, arguments.data))


if __name__ == "__main__":
    main()
