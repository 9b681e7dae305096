"""``gumbel-1`` a second time, in plain Python and line by line as docs/sampling.md says it. Slow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.wire.answer import Sampling

WORD = 1 << 64
GAMMA = 0x9E3779B97F4A7C15


def mix(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
    return z ^ (z >> 31)


def bits(seed: int, position: int, token: int) -> int:
    a = mix((seed + GAMMA) % WORD)
    b = mix((a + (position + 1) * GAMMA) % WORD)
    return mix((b + (token + 1) * GAMMA) % WORD) >> 11


def noise_of(m: int) -> float:
    if m < 1 << 52:
        logarithm = math.log((m + 0.5) * 2.0**-53)
    else:
        logarithm = math.log1p(-(((1 << 53) - 1 - m) + 0.5) * 2.0**-53)
    return -math.log(-logarithm)


def gumbel(seed: int, position: int, token: int) -> float:
    return noise_of(bits(seed, position, token))


def choose(
    logits: Sequence[float],
    sampling: Sampling,
    position: int,
    prompt: Sequence[int] = (),
    answer: Sequence[int] = (),
    suppressed: Sequence[int] = (),
) -> int:
    scores = [float(value) for value in logits]
    for token in set(prompt) | set(answer):
        if token < len(scores):
            value, penalty = scores[token], sampling.repetition_penalty
            scores[token] = value / penalty if value > 0 else value * penalty
    for token in set(answer):
        if token < len(scores):
            scores[token] -= sampling.presence_penalty + sampling.frequency_penalty * list(answer).count(token)
    for token in suppressed:
        scores[token] = -math.inf
    if sampling.temperature == 0 or math.isinf(max(scores) / sampling.temperature):
        return min(range(len(scores)), key=lambda token: (-scores[token], token))
    scores = [value / sampling.temperature for value in scores]
    kept = [token for token in range(len(scores)) if scores[token] != -math.inf]
    kept.sort(key=lambda token: (-scores[token], token))
    if 0 < sampling.top_k < len(kept):
        kept = kept[: sampling.top_k]
    if sampling.top_p < 1:
        sums, total = [], 0.0
        for token in kept:
            total += math.exp(scores[token] - scores[kept[0]])
            sums.append(total)
        kept = kept[: next(i for i, value in enumerate(sums) if value >= sampling.top_p * total) + 1]
    if sampling.min_p > 0:
        best = scores[kept[0]]
        kept = [token for token in kept if scores[token] >= best + math.log(sampling.min_p)]
    return min(kept, key=lambda token: (-(scores[token] + gumbel(sampling.seed, position, token)), token))
