"""The Gumbel noise of ``gumbel-1``: for any token alone, and bounds of it for a whole vocabulary at once. Pure.

docs/sampling.md ("The noise G") is the specification. The upper 16 of the 53 random bits of four neighbouring tokens
come from one word, so that a quarter of a word's work tells how large each token's noise can be at most; the other 37
bits are needed only for the few tokens that can still win.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Uppers = NDArray[np.uint16]
_Words = np.uint64 | NDArray[np.uint64]

UPPER_BITS = 16
LOWER_BITS = 37

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_HALF = np.uint64(1 << 52)
_TOP = np.uint64((1 << 53) - 1)
_SCALE = 2.0**-53
_WORDS_AT_ONCE = 4096  # 32 KB: what is being mixed stays in the first-level cache
_SLACK = 1e-9  # far above what logarithms of different libraries differ by


class Streams(NamedTuple):
    """Where the two counters of one place of an answer begin."""

    upper: int
    lower: int


def streams(seed: int, position: int) -> Streams:
    """Start of the words for the upper bits (one for four tokens) and of those for the lower bits."""
    upper = _mix(_mix((seed + _GAMMA) & _MASK) + (position + 1) * _GAMMA & _MASK)
    return Streams(upper, _mix(upper))


def gumbel(seed: int, position: int, ids: Ids) -> NDArray[np.float64]:
    """Standard Gumbel noise for token ``ids`` at ``position``; finite for every input."""
    start = streams(seed, position)
    return _noise(ids, np.uint64((start.upper + _GAMMA) & _MASK), np.uint64((start.lower + _GAMMA) & _MASK))


def gumbel_rows(places: Sequence[tuple[int, int]], ids: Ids) -> NDArray[np.float64]:
    """``gumbel`` of several rows: ``places`` are their seeds and positions, ``ids`` is [rows, any]."""
    starts = [streams(seed, position) for seed, position in places]
    upper = np.array([[(start.upper + _GAMMA) & _MASK] for start in starts], dtype=np.uint64)
    lower = np.array([[(start.lower + _GAMMA) & _MASK] for start in starts], dtype=np.uint64)
    return _noise(ids, upper, lower)


def gumbel_of(starts: Sequence[Streams], rows: Ids, ids: Ids) -> NDArray[np.float64]:
    """``gumbel`` of token ``ids[k]`` at the place whose words begin at ``starts[rows[k]]``."""
    upper = np.array([(start.upper + _GAMMA) & _MASK for start in starts], dtype=np.uint64)
    lower = np.array([(start.lower + _GAMMA) & _MASK for start in starts], dtype=np.uint64)
    return _noise(ids, upper[rows], lower[rows])


def _noise(ids: Ids, upper: _Words, lower: _Words) -> NDArray[np.float64]:
    """The noise of ``ids``; ``upper`` and ``lower``: the first words of both counters, of all or of each row."""
    numbers = ids.astype(np.uint64)
    words = np.empty((2, *numbers.shape), dtype=np.uint64)
    words[0] = (numbers >> np.uint64(2)) * np.uint64(_GAMMA) + upper
    words[1] = numbers * np.uint64(_GAMMA) + lower
    _mix_in_place(words, np.empty_like(words))
    high = words[0] >> ((numbers & np.uint64(3)) << np.uint64(4)) << np.uint64(64 - UPPER_BITS)
    return noise_of((high | words[1] >> np.uint64(UPPER_BITS)) >> np.uint64(11))


def noise_of(bits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The noise that 53 random bits stand for."""
    low = bits < _HALF
    # u = (bits + 1/2) / 2^53 needs 54 bits above one half: there ln(u) is taken from 1 - u, which is exact.
    part = (np.where(low, bits, _TOP - bits).astype(np.float64) + 0.5) * _SCALE
    noise: NDArray[np.float64] = -np.log(-np.where(low, np.log(part), np.log1p(-part)))
    return noise


def upper_bits(seed: int, position: int, vocabulary: int) -> Uppers:
    """The upper 16 bits of every token's 53: [vocabulary]."""
    uppers: Uppers = upper_bits_of([streams(seed, position).upper], vocabulary)[0]
    return uppers


def upper_bits_of(starts: Sequence[int], vocabulary: int) -> Uppers:
    """``upper_bits`` of several places, by the starts of their words (``Streams.upper``): [places, vocabulary]."""
    steps = _steps((vocabulary + 3) // 4)
    begins = np.array([[start] for start in starts], dtype=np.uint64)
    words = np.empty((len(starts), steps.size), dtype="<u8")
    wide = min(_WORDS_AT_ONCE, steps.size)
    rows = max(1, _WORDS_AT_ONCE // max(1, steps.size))
    scratch = np.empty((rows, wide), dtype=np.uint64)
    for row in range(0, len(starts), rows):
        for first in range(0, steps.size, wide):
            part = words[row : row + rows, first : first + wide]
            np.add(steps[first : first + wide], begins[row : row + rows], out=part)
            _mix_in_place(part, scratch[: part.shape[0], : part.shape[1]])
    return words.view("<u2")[:, :vocabulary]


@cache
def ceilings() -> NDArray[np.float64]:
    """[65536]: what the noise of a token with these upper bits never exceeds; rising."""
    uppers = np.arange(1 << UPPER_BITS, dtype=np.uint64)
    highest = uppers << np.uint64(LOWER_BITS) | np.uint64((1 << LOWER_BITS) - 1)
    table: NDArray[np.float64] = np.maximum.accumulate(noise_of(highest) + _SLACK)
    table.flags.writeable = False
    return table


@lru_cache(maxsize=4)  # as many as there are different vocabularies in one process
def _steps(count: int) -> NDArray[np.uint64]:
    """(q + 1) * g for q below ``count``."""
    steps: NDArray[np.uint64] = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(_GAMMA)
    steps.flags.writeable = False
    return steps


def _mix_in_place(state: NDArray[np.uint64], scratch: NDArray[np.uint64]) -> None:
    for shift, factor in ((np.uint64(30), _FIRST), (np.uint64(27), _SECOND)):
        np.right_shift(state, shift, out=scratch)
        np.bitwise_xor(state, scratch, out=state)
        np.multiply(state, factor, out=state)
    np.right_shift(state, np.uint64(31), out=scratch)
    np.bitwise_xor(state, scratch, out=state)


def _mix(state: int) -> int:
    """SplitMix64's output function on one 64-bit number."""
    state = (state ^ (state >> 30)) * int(_FIRST) & _MASK
    state = (state ^ (state >> 27)) * int(_SECOND) & _MASK
    return state ^ (state >> 31)
