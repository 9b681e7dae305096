"""``gumbel-1`` a second time, in plain Python and line by line as docs/sampling.md says it. Slow."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

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
    c = mix(b)
    q, r = divmod(token, 4)
    upper = mix((b + (q + 1) * GAMMA) % WORD) // 2 ** (16 * r) % 2**16
    lower = mix((c + (token + 1) * GAMMA) % WORD) >> 27
    return upper * 2**37 + lower


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
    suppressed: Collection[int] = (),
    allowed: Collection[int] | None = None,
) -> int | None:
    """The token, or None where the answer ends with an error."""
    found = _candidates(logits, sampling, prompt, answer, suppressed, allowed)
    if found is None:
        return None
    scores, kept, greedy = found
    if greedy:
        return min(kept, key=lambda token: (-scores[token], token))
    return min(kept, key=lambda token: (-(scores[token] + gumbel(sampling.seed, position, token)), token))


def margin(
    logits: Sequence[float],
    sampling: Sampling,
    position: int,
    token: int,
    prompt: Sequence[int] = (),
    answer: Sequence[int] = (),
    suppressed: Collection[int] = (),
    allowed: Collection[int] | None = None,
) -> float | None:
    """How far the logits are from drawing ``token`` or, below 0, from not drawing it; infinite where the settings
    forbid it; None where the answer ends with an error."""
    found = _candidates(logits, sampling, prompt, answer, suppressed, allowed)
    if found is None:
        return None
    scores, kept, greedy = found
    if scores[token] == -math.inf:
        return math.inf
    others = [one for one in kept if one != token]
    if greedy:
        return max((scores[one] for one in others), default=-math.inf) - scores[token]
    sums = {one: scores[one] + gumbel(sampling.seed, position, one) for one in {*kept, token}}
    gap = max((sums[one] for one in others), default=-math.inf) - sums[token]
    if token not in kept:
        gap = max(gap, min(scores[one] for one in kept) - scores[token])
    return sampling.temperature * gap


def _candidates(
    logits: Sequence[float],
    sampling: Sampling,
    prompt: Sequence[int],
    answer: Sequence[int],
    suppressed: Collection[int],
    allowed: Collection[int] | None,
) -> tuple[list[float], list[int], bool] | None:
    """Scores, who may be drawn, and whether the highest score wins."""
    scores = [float(value) for value in logits]
    if not scores or any(math.isnan(value) for value in scores) or not math.isfinite(max(scores)):
        return None
    for token in set(prompt) | set(answer):
        if token < len(scores):
            value, penalty = scores[token], sampling.repetition_penalty
            scores[token] = value / penalty if value > 0 else value * penalty
    for token in set(answer):
        if token < len(scores):
            scores[token] -= sampling.presence_penalty + sampling.frequency_penalty * list(answer).count(token)
    for token in {token for token, _ in sampling.logit_bias}:
        if token < len(scores):
            bias = 0.0
            for one, value in sampling.logit_bias:
                bias += value if one == token else 0.0
            scores[token] += bias
    if allowed is not None:
        for token in range(len(scores)):
            if token not in allowed:
                scores[token] = -math.inf
    left = [value for token, value in enumerate(scores) if token not in suppressed]
    if left and max(left) > -math.inf:
        for token in suppressed:
            if token < len(scores):
                scores[token] = -math.inf
    if max(scores) == -math.inf:
        return None
    if sampling.temperature == 0 or math.isinf(max(scores) / sampling.temperature):
        return scores, list(range(len(scores))), True
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
    return scores, kept, False
