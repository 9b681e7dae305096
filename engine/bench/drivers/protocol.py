"""What the measuring process and a driver say to each other: one JSON object on a line, one answer on a line.

``{"do": "load", "model": PATH, "settings": {...}}`` is answered by ``{"versions": {...}}``;
``{"do": "measure", "kind", "batch", "prompt", "steps", "draw"}`` by ``{"seconds": S, "tokens": N}``. A failure is
answered by ``{"error": TEXT}``. The end of the input ends the driver.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Protocol

from engine.bench.work import Settings


class Driver(Protocol):
    """One engine. Seconds are of the work alone: loading and warming up come before."""

    def load(self, model: Path, settings: Settings) -> dict[str, str]:
        """Get ready, in the place of what was loaded before; the versions of what computes."""
        ...

    def decode(self, batch: int, prompt: int, steps: int, draw: str) -> tuple[float, int]:
        """Seconds and tokens of ``steps`` more tokens for each of ``batch`` answers that have their first."""
        ...

    def prefill(self, tokens: int) -> float:
        """Seconds from a prompt of ``tokens`` to its first token."""
        ...


def serve(driver: Driver) -> None:
    """Answer commands until the input ends."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # engines print where they like
        for line in sys.stdin:
            try:
                answer = _answer(driver, json.loads(line))
            except Exception as error:  # whatever an engine raises belongs into the report
                answer = {"error": f"{type(error).__name__}: {error}"[:2000]}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def _answer(driver: Driver, command: dict[str, Any]) -> dict[str, Any]:
    if command["do"] == "load":
        return {"versions": driver.load(Path(command["model"]), command["settings"])}
    if command["kind"] == "decode":
        seconds, tokens = driver.decode(command["batch"], command["prompt"], command["steps"], command["draw"])
        return {"seconds": seconds, "tokens": tokens}
    if command["kind"] == "prefill":
        return {"seconds": driver.prefill(command["prompt"]), "tokens": command["prompt"]}
    cached: Any = getattr(driver, "cached_prefix", None)
    cold, warm = cached(command["prompt"], command["steps"])
    return {"seconds": cold, "cached_seconds": warm, "tokens": command["prompt"]}
