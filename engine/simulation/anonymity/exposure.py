"""Paths drawn as clients draw them, with a share of hostile relays that may refuse what brings them nothing.

Three adversaries:

- **relays**: those of one path work together, as in the published model;
- **guard and proxy**: they recognise a path that both carry by timing, and so connect a client with a model node;
- **guard and serving node**: the model node is hostile too, so a single hostile guard is enough.

A chat keeps its paths, so what holds for an answer holds for its chat. New chats have new middles and proxies, and the
same guards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from engine.simulation.anonymity.network import Path, RelayNetwork
from engine.simulation.anonymity.published import NODES, entropies

Refusal = Literal["never", "unless the guard is ours", "unless guard and proxy are ours"]
REFUSALS: tuple[Refusal, ...] = ("never", "unless the guard is ours", "unless guard and proxy are ours")
GUARDS = 8
_MOST_DRAWS = 200
"""Of one path; after it the adversary lets the next one pass, as a client that cannot ask is of no use to it."""


def guard_and_proxy(n: int, f: float, chats: int = 1, *, keep_guards: bool = True) -> float:
    """Probability that guard and proxy of any path of ``chats`` chats are hostile."""
    if not keep_guards:
        return float(1 - (1 - f * f) ** (n * chats))
    return float(1 - ((1 - f) + f * (1 - f) ** chats) ** n)


def guard_and_serving(n: int, f: float) -> float:
    """Probability that any guard is hostile; the same for one chat and for many, as guards are kept."""
    return float(1 - (1 - f) ** n)


@dataclass
class Exposure:
    """Means over the trials: the published metric, and the shares of answers in which each adversary succeeds."""

    anonymity: float
    guard_and_proxy: float
    guard_and_serving: float
    cloves_gathered: float
    draws_per_path: float
    standard_error: float
    """Of the anonymity."""


def simulate(
    network: RelayNetwork, f: float, refusal: Refusal, trials: int, generator: np.random.Generator
) -> Exposure:
    """One path set of one client in each trial; every relay is hostile with probability ``f`` on its own."""
    n, k, length = network.parameters.n, network.parameters.k, network.parameters.path_length
    table = entropies(n, length, f, nodes=NODES)
    values, linked, entered, gathered, draws = [], 0, 0, 0, 0
    for _ in range(trials):
        hostile = generator.random(network.size) < f
        paths, drawn = draw_set(network, partial(refuses, hostile=hostile, refusal=refusal), generator.bytes)
        bad = np.array([[hostile[relay] for relay in path] for path in paths])
        compromised = int(bad.any(axis=1).sum())
        values.append(table[compromised, int(bad.sum())])
        linked += bool((bad[:, 0] & bad[:, -1]).any())
        entered += bool(bad[:, 0].any())
        gathered += compromised >= k
        draws += drawn
    return Exposure(
        float(np.mean(values)),
        linked / trials,
        entered / trials,
        gathered / trials,
        draws / (trials * n),
        float(np.std(values) / np.sqrt(trials)),
    )


def draw_set(
    network: RelayNetwork, refused: Callable[[Path], bool], random_bytes: Callable[[int], bytes]
) -> tuple[list[Path], int]:
    """A chat's paths, and how many were drawn for it. A refused path is given up and drawn anew from another guard; the
    first guards serve again when all of them have been tried."""
    n = network.parameters.n
    guards = network.guards(GUARDS, random_bytes)
    standing: list[Path] = []
    queue = guards[n:]
    resting: list[int] = []
    drawn = n
    for path in network.paths(guards[:n], random_bytes):
        if refused(path):
            resting.append(path[0])
        else:
            standing.append(path)
    while len(standing) < n:
        used = [relay for path in standing for relay in path]
        if not set(queue) - set(used):
            queue, resting = queue + resting, []
        guard = next((guard for guard in queue if guard not in used), None)
        if guard is None:  # the other paths happen to go over all the other guards: a client draws everything anew
            more = draw_set(network, refused, random_bytes)
            return more[0], drawn + more[1]
        queue.remove(guard)
        drawn += 1
        path = network.paths([guard], random_bytes, used)[0]
        if refused(path) and drawn < _MOST_DRAWS:
            resting.append(guard)
        else:
            standing.append(path)
    return standing, drawn


def refuses(path: Path, hostile: np.ndarray[tuple[int], np.dtype[np.bool_]], refusal: Refusal) -> bool:
    """Whether a hostile relay on ``path`` breaks it off. Hostile relays of one path know each other."""
    bad = [bool(hostile[relay]) for relay in path]
    if refusal == "never" or not any(bad):
        return False
    if refusal == "unless the guard is ours":
        return not bad[0]
    return not (bad[0] and bad[-1])
