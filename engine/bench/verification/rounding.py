"""Weights rounded to few bits, as quantised models have them, and given back as float32. Pure NumPy.

A product with the rounded weights in float32 is what a kernel for quantised weights computes, up to the order of its
sums; so a graph with rounded weights answers like a quantised one, whatever the runtime's kernels can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

NF4 = np.array(
    [-1.0, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0.0, 0.0795803, 0.1609302,
     0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0],
    dtype=np.float32,
)  # fmt: skip
"""NormalFloat4 of bitsandbytes (Dettmers et al. 2023, arXiv 2305.14314, appendix E)."""
_SHRINKS = tuple(1.0 - step / 40 for step in range(13))


@dataclass(frozen=True, slots=True)
class Scheme:
    """``kind``: "symmetric" (2^bits levels around zero), "asymmetric" (between each block's extremes) or "nf4".
    ``block``: weights of one output that share a scale. ``fitted``: the scale with the least squared error is searched,
    instead of the one that the largest weight needs. ``head``: the embedding and the output matrix are rounded too."""

    name: str
    kind: Literal["symmetric", "asymmetric", "nf4"]
    bits: int
    block: int
    fitted: bool = False
    head: bool = True


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme("int4 by 32", "symmetric", 4, 32),
        Scheme("int4 by 32, head kept", "symmetric", 4, 32, head=False),
        Scheme("int4 by 32 with zero points, head kept", "asymmetric", 4, 32, head=False),
        Scheme("int4 by 32 with zero points, fitted, head kept", "asymmetric", 4, 32, fitted=True, head=False),
        Scheme("int4 by 16 with zero points, fitted, head kept", "asymmetric", 4, 16, fitted=True, head=False),
        Scheme("nf4 by 64, head kept", "nf4", 4, 64, head=False),
        Scheme("nf4 by 32, head kept", "nf4", 4, 32, head=False),
        Scheme("int8 by 32", "symmetric", 8, 32),
    )
}
"""The 4-bit schemes that are tried, the coarsest first (those of ONNX Runtime and llama.cpp's Q4_0, of GPTQ's grid and
of bitsandbytes), and 8 bits for comparison."""


def rounded(weights: Array, scheme: Scheme) -> Array:
    """``weights`` [outputs, inputs] on the scheme's grid; a last block may be shorter."""
    outputs, inputs = weights.shape
    padding = -inputs % scheme.block
    blocks = np.pad(weights, ((0, 0), (0, padding))).reshape(-1, scheme.block)
    if not scheme.fitted:
        found = _on_grid(blocks, scheme, 1.0)
    else:
        best = np.full(len(blocks), np.inf, dtype=np.float64)
        found = np.zeros_like(blocks)
        for shrink in _SHRINKS:
            candidate = _on_grid(blocks, scheme, shrink)
            error = np.square(candidate - blocks, dtype=np.float64).sum(axis=1)
            better = error < best
            best[better], found[better] = error[better], candidate[better]
    return found.reshape(outputs, inputs + padding)[:, :inputs]


def _on_grid(blocks: Array, scheme: Scheme, shrink: float) -> Array:
    levels = (1 << scheme.bits) - 1
    largest = np.abs(blocks).max(axis=1, keepdims=True) * np.float32(shrink)
    if scheme.kind == "nf4":
        scale = np.where(largest == 0, 1, largest)
        borders = (NF4[1:] + NF4[:-1]) / 2
        return NF4[np.searchsorted(borders, blocks / scale)] * scale
    if scheme.kind == "symmetric":
        half = np.float32(levels // 2)
        scale = np.where(largest == 0, 1, largest / half)
        return np.clip(np.rint(blocks / scale), -half - 1, half) * scale
    low = np.minimum(blocks.min(axis=1, keepdims=True), 0) * np.float32(shrink)
    high = np.maximum(blocks.max(axis=1, keepdims=True), 0) * np.float32(shrink)
    scale = np.where(high == low, 1, (high - low) / levels)
    zero = np.clip(np.rint(-low / scale), 0, levels)
    found: Array = ((np.clip(np.rint(blocks / scale) + zero, 0, levels) - zero) * scale).astype(np.float32)
    return found
