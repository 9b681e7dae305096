"""How identities are chosen by where they would stand: the more of their neighbours are friends, the better."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.directory.graph import ring_positions
from engine.ids import NodeId

Places = NDArray[np.uint64]
"""One row for each identity, one column for each ring."""
_DROPPED_AT_ONCE = 0.2


def places(names: Sequence[NodeId], beacons: Sequence[bytes], rings: int) -> Places:
    """Where identities stand, each by its own beacon; shape (identities, rings)."""
    rows = [ring_positions(beacon, name, rings) for name, beacon in zip(names, beacons, strict=True)]
    return np.array(rows, dtype=np.uint64).reshape(len(rows), rings)


def grind(others: Places, beacon: bytes, count: int, tries: int, new_id: Callable[[], NodeId]) -> list[NodeId]:
    """``count`` identities, each the best of ``tries`` at its turn: the one with most friends beside it, given the
    ``others`` and those chosen before, if ``beacon`` gives the places."""
    rings = others.shape[1]
    order = np.sort(others, axis=0)
    friends = np.zeros(order.shape, dtype=bool)
    chosen: list[NodeId] = []
    for _ in range(count):
        names = [new_id() for _ in range(tries)]
        table = places(names, [beacon] * tries, rings)
        met = np.zeros(tries, dtype=np.int64)
        for ring in range(rings):
            after = np.searchsorted(order[:, ring], table[:, ring])
            met += friends[after % len(order), ring]
            met += friends[after - 1, ring]
        best = int(np.argmax(met))
        chosen.append(names[best])
        order, friends = _with(order, friends, table[best])
    return chosen


def _with(order: Places, friends: NDArray[np.bool_], row: Places) -> tuple[Places, NDArray[np.bool_]]:
    size, rings = order.shape
    at = [int(np.searchsorted(order[:, ring], row[ring])) for ring in range(rings)]
    wider, marked = np.empty((size + 1, rings), dtype=np.uint64), np.empty((size + 1, rings), dtype=bool)
    for ring, index in enumerate(at):
        wider[:, ring] = np.insert(order[:, ring], index, row[ring])
        marked[:, ring] = np.insert(friends[:, ring], index, True)
    return wider, marked


def best_together(others: Places, own: Places, count: int) -> list[int]:
    """Which ``count`` rows of ``own`` have most of each other beside them, found by leaving out the worst by turns."""
    left = list(range(len(own)))
    while len(left) > count:
        met = _friends_beside(others, own[left])
        dropped = max(1, int(_DROPPED_AT_ONCE * (len(left) - count)))
        worst = set(np.argsort(met, kind="stable")[:dropped].tolist())
        left = [row for place, row in enumerate(left) if place not in worst]
    return left


def _friends_beside(others: Places, own: Places) -> NDArray[np.int64]:
    table = np.concatenate([others, own])
    friend = np.arange(len(table)) >= len(others)
    met = np.zeros(len(table), dtype=np.int64)
    for ring in range(table.shape[1]):
        order = np.argsort(table[:, ring], kind="stable")
        flags = friend[order].astype(np.int64)
        met[order] += np.roll(flags, 1) + np.roll(flags, -1)
    return met[len(others) :]
