"""The anonymity and confidentiality of PlanetServe (arXiv 2504.20101, NSDI '26), Garlic Cast and onion routing.

The published model. Each relay on a path is malicious with probability ``f``, on its own. Malicious relays of one path
know each other; those of different paths do in Garlic Cast only. A path with a malicious relay is *compromised*: the
one before the first malicious relay is taken for the sender with probability 1 / (n l - s), where ``s`` of all ``n l``
relays are malicious; the rest of the probability is spread evenly over all other honest nodes. Anonymity is the
expected Shannon entropy of this distribution over log2 of the number of nodes. (Where more paths are compromised than
relays are honest the probabilities exceed one; the published curves count nothing for the others then, and so do we.)

Confidentiality is the probability that the attacker has seen fewer than k of n cloves: all malicious nodes together, or
("SNP") any single one, which saw each captured clove with the same probability as every other.
"""

from __future__ import annotations

from math import comb, log2

import numpy as np
from numpy.typing import NDArray

NODES = 10_000
"""Of the published curves."""
ONION = (1, 5)
PLANETSERVE = GARLIC_CAST = (4, 4)
"""(paths, relays of a path) of the published anonymity curves."""
CONFIDENTIALITY_LENGTHS = {"PlanetServe": 4, "Garlic Cast": 6}
N, K = 4, 3

Array = NDArray[np.float64]


def anonymity(n: int, length: int, f: float, *, nodes: int = NODES, across_paths: bool = False) -> float:
    """Expected normalized entropy, 1 is perfect. ``across_paths``: malicious relays of all paths conspire."""
    if f >= 1:
        return 0.0
    table = entropies(n, length, f, nodes=nodes, across_paths=across_paths)
    return float((_compromised(n, length, f) * table).sum())


def entropies(n: int, length: int, f: float, *, nodes: int = NODES, across_paths: bool = False) -> Array:
    """Normalized entropy by number of compromised paths (first index, 0..n) and of malicious relays (0..n length)."""
    compromised = np.arange(n + 1, dtype=np.float64)[:, None]
    malicious = np.arange(n * length + 1, dtype=np.float64)[None, :]
    if across_paths:
        compromised = np.where(compromised > 0, float(n), 0.0)
    honest = n * length - malicious
    with np.errstate(divide="ignore", invalid="ignore"):
        predecessor = 1 / honest
        others = np.maximum(1.0, round((1 - f) * nodes) - compromised)
        other = (1 - compromised * predecessor) / others
        bits = compromised * _bits(predecessor) + others * _bits(other)
    bits = np.where(honest > 0, bits, 0.0)
    return np.asarray(np.where(compromised == 0, log2(nodes), bits) / log2(nodes))


def confidentiality(n: int, k: int, length: int, f: float) -> float:
    """Probability that all malicious nodes together see fewer than ``k`` of ``n`` cloves."""
    return 1 - gathered(n, k, length, f)


def gathered(n: int, k: int, length: int, f: float) -> float:
    """Probability that at least ``k`` of ``n`` paths have a malicious relay."""
    captured = 1 - (1 - f) ** length
    return sum(comb(n, seen) * captured**seen * (1 - captured) ** (n - seen) for seen in range(k, n + 1))


def confidentiality_alone(n: int, k: int, length: int, f: float, *, nodes: int = NODES) -> float:
    """Probability that no single malicious node sees ``k`` of ``n`` cloves; 2 k > n."""
    if 2 * k <= n:
        raise ValueError("two nodes could each see k of n cloves; this formula is for 2 k > n")
    captured = 1 - (1 - f) ** length
    malicious = max(1, round(f * nodes))
    each = captured / malicious  # that one given node sees one given clove
    one = sum(comb(n, seen) * each**seen * (1 - each) ** (n - seen) for seen in range(k, n + 1))
    return 1 - malicious * one


def _compromised(n: int, length: int, f: float) -> Array:
    """Probability by number of compromised paths and of malicious relays."""
    path = np.array([comb(length, s) * f**s * (1 - f) ** (length - s) for s in range(length + 1)])
    table = np.zeros((n + 1, n * length + 1))
    table[0, 0] = 1.0
    for _ in range(n):
        longer = path[0] * table
        for s in range(1, length + 1):
            longer[1:, s:] += path[s] * table[:-1, :-s]
        table = longer
    return table


def _bits(probability: Array) -> Array:
    positive = np.where((probability > 0) & np.isfinite(probability), probability, 1.0)
    return np.asarray(-positive * np.log2(positive))
