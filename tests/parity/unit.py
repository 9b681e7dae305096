"""One piece of the long test, in whichever environment runs it: `python -m tests.parity.unit KIND ... --out FILE`.

The result is one JSON object; the exit status is 0 only if everything agreed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from engine.inference.models.folder import read_model_folder
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.scheduling.plan import Row
from tests.families.plain import golden_sequences
from tests.parity.comparing import Comparison
from tests.parity.models import MODELS, expected_batching, folder_of

GOLDEN = Path(__file__).parents[1] / "families" / "golden"
LARGEST = 1e-4
CHUNKS = (1, 7, 32, 1000)


def main() -> int:
    """Compute and write one piece."""
    parser = argparse.ArgumentParser(description="One piece of the long inference test.")
    parser.add_argument("kind", choices=("same-tokens", "golden"))
    parser.add_argument("--model", choices=MODELS, help="of same-tokens")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    result = golden() if options.kind == "golden" else same_tokens(options.model, options.rounds)
    text = json.dumps({"onnxruntime": onnxruntime.__version__, **result}, indent=1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    partial = options.out.with_suffix(".new")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, options.out)
    return 0


def same_tokens(name: str, rounds: int) -> dict[str, Any]:
    """Stories ``0 .. rounds - 1`` of one model. AssertionError at the first token or logit that is not the loop's."""
    comparison = Comparison(folder_of(name))
    batching = comparison.runner.batching
    if batching != expected_batching(name):
        raise AssertionError(f"{name} is computed as {batching!r}: {comparison.runner.batching_reason}")
    for seed in range(rounds):
        comparison.round(seed)
    comparison.close()
    return {
        "model": name,
        "batching": batching,
        **asdict(comparison.figures),
        "happened": dict(sorted(comparison.happened.items())),
    }


def golden() -> dict[str, Any]:
    """Largest difference of a logit from PyTorch's, by model. AssertionError where it is more than ``LARGEST``."""
    found = {}
    for name in MODELS:
        path = GOLDEN / f"{name.rpartition('-')[0]}.npz"
        if path.exists():
            found[name] = max(_differences(name, path))
            if found[name] > LARGEST:
                raise AssertionError(f"{name}: a logit differs from PyTorch's by {found[name]}")
    return {"largest": found}


def _differences(name: str, path: Path) -> Iterator[float]:
    folder = read_model_folder("m", folder_of(name), lambda _: bytes(32))
    runner = Runner(folder, RuntimeSettings(threads=1, slots=1))
    for ids, places, wanted in golden_sequences(path):
        for chunk in CHUNKS:
            start = 0
            for place, row in zip(places, wanted, strict=True):
                while start <= place:
                    end = min(start + chunk, int(place) + 1)
                    logits = runner.step([Row(0, 0, start, tuple(ids[start:end]), True)]).logits[0]
                    start = end
                yield float(np.abs(logits - row).max())
    runner.close()


if __name__ == "__main__":
    sys.exit(main())
