"""A real node on a machine that is slower than this one, and that may claim more: its prompts take their time.

``python -m tests.support.claiming_node --reads RATE --claims RATE --bootstrap URL#NETWORKID --data DIR``. It is an
ordinary node with another inference back end; texts are those of its model.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from engine.config import load_configuration
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.types import (
    Delta,
    Done,
    GenerationEvent,
    GenerationRequest,
    InferenceBackend,
    ModelInfo,
    PromptShape,
    Started,
    TokenScores,
)
from engine.node.node import Node, run_node

SLICE = 64
"""Prompt tokens that the machine reads before it looks at another prompt."""


class Machine:
    """An ``InferenceBackend`` that reads ``reads`` tokens of prompts in a second, by turns, and says ``claims``."""

    def __init__(self, own: InferenceBackend, reads: float, claims: float) -> None:
        self._own, self._reads, self._claims = own, reads, claims
        self._turn = asyncio.Lock()

    def models(self) -> list[ModelInfo]:
        return [msgspec.structs.replace(info, prefill_rate=self._claims) for info in self._own.models()]

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        return await self._own.describe(request)

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        return await self._own.score(request, output_ids)

    async def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        begun, tokens, waited = asyncio.get_running_loop().time(), 0, 0.0
        is_read = False
        async for event in self._own.generate(request):
            if isinstance(event, Started):
                tokens = len(event.prompt_ids) - event.cached_tokens
            elif isinstance(event, Delta) and not is_read:
                is_read = True
                waited = await self._read(tokens, begun)
            yield msgspec.structs.replace(event, waited_seconds=waited) if isinstance(event, Done) else event

    async def _read(self, tokens: int, begun: float) -> float:
        """Seconds since ``begun`` in which something else was done."""
        for start in range(0, tokens, SLICE):
            async with self._turn:
                await asyncio.sleep(min(SLICE, tokens - start) / self._reads)
        return max(0.0, asyncio.get_running_loop().time() - begun - tokens / self._reads)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reads", type=float, required=True)
    parser.add_argument("--claims", type=float, required=True)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)

    def slow_down(node: Node) -> None:
        node.backend = Machine(node.backend, given.reads, given.claims)

    options: dict[str, object] = {
        "bootstrap": given.bootstrap,
        "data_directory": given.data,
        "api_port": 0,
        "contribute": BUILTIN_MODEL,
        "relay": False,
    }
    raise SystemExit(run_node(load_configuration(options, os.environ), started=slow_down))


if __name__ == "__main__":
    main()
