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
NOISE = [
    *((0, 0, token) for token in range(9)),
    (1, 0, 0),
    (0, 1, 0),
    (42, 7, 31_999),
    (42, 7, 151_935),
    (2**53 - 1, 100_000, 262_143),
]
ALONE: list[dict[str, Any]] = [
    {"temperature": 0.0},
    {"temperature": 1.0},
    {"temperature": 0.3},
    {"temperature": 10.0},
    {"temperature": 5e-324},
    {"top_k": 1},
    {"top_k": 5},
    {"top_p": 0.8},
    {"top_p": 1e-9},
    {"min_p": 0.2},
    {"min_p": 1.0},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.5},
    {"presence_penalty": 1.5},
    {"frequency_penalty": 2.0},
    {"frequency_penalty": -2.0},
    {"logit_bias": [[39, -100.0], [12, 3.5], [12, 1.5], [1000, 100.0]]},
    {"suppressed": [2, 39]},
    {"suppressed": list(range(40))},
    {"allowed": [0, 3, 7, 11]},
    {"allowed": [2, 39], "suppressed": [2, 39]},
    {"allowed": []},
]
TOGETHER: list[dict[str, Any]] = [
    {"temperature": 0.0, "repetition_penalty": 4.0, "frequency_penalty": 2.0, "logit_bias": [[6, 1.0]]},
    {"temperature": 0.7, "top_k": 20, "top_p": 0.9},
    {"temperature": 0.9, "top_k": 20, "top_p": 0.9, "min_p": 0.05},
    {"temperature": 1.3, "top_p": 0.9, "min_p": 0.02, "presence_penalty": -1.0},
    {"temperature": 0.6, "top_k": 8, "repetition_penalty": 1.1, "presence_penalty": 0.5, "frequency_penalty": 0.25},
    {
        "temperature": 1.0,
        "top_p": 0.95,
        "logit_bias": [[20, 2.0]],
        "allowed": list(range(0, 40, 2)),
        "suppressed": [38],
    },
    {
        "temperature": 0.8,
        "top_k": 30,
        "top_p": 0.97,
        "min_p": 0.01,
        "repetition_penalty": 1.2,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "logit_bias": [[5, -4.0], [31, 2.5]],
        "suppressed": [8, 2],
        "allowed": list(range(1, 40)),
    },
]


def logits() -> list[float]:
    """40 values from -6 to 6 in steps of 1/8, with ties, so that every one is exact in float32."""
    return [((naive_sampling.bits(3, 1, token) % 97) - 48) / 8 for token in range(40)]


def sampling_of(settings: dict[str, Any]) -> Sampling:
    """The parameters by their names in the file."""
    bias = tuple((token, value) for token, value in settings.get("logit_bias", ()))
    return Sampling(**settings | {"logit_bias": bias})


def vectors() -> dict[str, Any]:
    """Everything in the file. A draw whose token is null ends the answer with an error."""
    values, prompt, answer = logits(), [1, 5, 9, 38], [5, 5, 30, 12]
    draws = []
    for number, setting in enumerate(ALONE + TOGETHER):
        wire = {name: value for name, value in setting.items() if name not in ("suppressed", "allowed")}
        sampling = sampling_of({"seed": 1_000_003 * number + 17, **wire})
        for position in (0, 4, 1000):
            token = naive_sampling.choose(
                values, sampling, position, prompt, answer, setting.get("suppressed", ()), setting.get("allowed")
            )
            draws.append({"seed": sampling.seed, **setting, "position": position, "token": token})
    noise = [
        {"seed": seed, "position": position, "token": token, "bits": naive_sampling.bits(seed, position, token)}
        | {"noise": naive_sampling.gumbel(seed, position, token)}
        for seed, position, token in NOISE
    ]
    return {"noise": noise, "logits": values, "prompt": prompt, "answer": answer, "draws": draws}


if __name__ == "__main__":
    PLACE.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="utf-8")
