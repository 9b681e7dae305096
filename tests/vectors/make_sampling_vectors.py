"""Writes sampling_gumbel_1.json with the naive reference: ``python -m tests.vectors.make_sampling_vectors``.

The vectors are fixed for ever under the name ``gumbel-1``; running this again must not change the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.wire.answer import Sampling
from tests.support import naive_sampling

PLACE = Path(__file__).with_name("sampling_gumbel_1.json")
NOISE = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (42, 7, 31_999), (2**53 - 1, 100_000, 262_143)]
SETTINGS: list[dict[str, Any]] = [
    {"temperature": 0.0},
    {"temperature": 1.0},
    {"temperature": 0.7, "top_k": 5},
    {"temperature": 1.3, "top_p": 0.8},
    {"temperature": 2.0, "min_p": 0.2},
    {"temperature": 0.9, "top_k": 20, "top_p": 0.9, "min_p": 0.05},
    {"temperature": 1.0, "repetition_penalty": 1.3},
    {"temperature": 1.0, "presence_penalty": 1.5, "frequency_penalty": -0.5},
    {"temperature": 0.0, "repetition_penalty": 4.0, "frequency_penalty": 2.0},
]


def logits() -> list[float]:
    """40 values from -6 to 6 in steps of 1/8, with ties, so that every one is exact in float32."""
    return [((naive_sampling.bits(3, 1, token) % 97) - 48) / 8 for token in range(40)]


def vectors() -> dict[str, Any]:
    """Everything in the file."""
    values, prompt, answer = logits(), [1, 5, 9, 38], [5, 5, 30, 12]
    draws = []
    for number, setting in enumerate(SETTINGS):
        for position in (0, 4, 1000):
            sampling = Sampling(seed=1_000_003 * number + 17, **setting)
            token = naive_sampling.choose(values, sampling, position, prompt, answer, [2])
            draws.append({"seed": sampling.seed, **setting, "position": position, "token": token})
    noise = [
        {"seed": seed, "position": position, "token": token, "bits": naive_sampling.bits(seed, position, token)}
        | {"noise": naive_sampling.gumbel(seed, position, token)}
        for seed, position, token in NOISE
    ]
    return {"noise": noise, "logits": values, "prompt": prompt, "answer": answer, "suppressed": [2], "draws": draws}


if __name__ == "__main__":
    PLACE.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="utf-8")
