"""What members know of each other: statements of load and public cache content, as old as gossip makes them.

Every member makes a statement once a period, each at its own moment, and in a small group another one when others would
reckon wrongly (``engine.forwarding.reckoning``). It carries what changed in its cache since the one before, and a
sequence number, and reaches another member after the network's delay. So what a member knows is given by one number for
each other member: the last statement heard. All replicas are views on one tree in which each entry has the numbers of
the statements that told of its coming and going; a test compares them with replicas that are fed one by one.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np

from engine.forwarding.members import Member
from engine.ids import NodeId
from engine.inference.scheduling.plan import BLOCK_TOKENS

KEPT = 16
"""Statements of a member that somebody may still not have heard the next one of."""


def node_name(place: int) -> NodeId:
    """The id of the member at ``place``."""
    return NodeId(place.to_bytes(20, "big"))


def place_of(name: NodeId) -> int:
    """The inverse of :func:`node_name`."""
    return int.from_bytes(name, "big")


class VersionedTree:
    """Which member holds which public block, by which statements. Members are numbers, statements count from 0."""

    def __init__(self) -> None:
        self._here: dict[bytes, dict[int, int]] = {}  # block -> member -> statement that told of it
        self._gone: dict[bytes, dict[int, list[tuple[int, int]]]] = {}  # those told to be gone a short while ago
        self._farewells: deque[tuple[int, int, bytes]] = deque()  # (statement, member, block), oldest first

    def insert(self, member: int, block: bytes, statement: int) -> None:
        """The member's ``statement`` tells that it holds the block."""
        self._here.setdefault(block, {})[member] = statement

    def evict(self, member: int, block: bytes, statement: int) -> None:
        """The member's ``statement`` tells that the block is gone."""
        holders = self._here.get(block, {})
        since = holders.pop(member, None)
        if not holders:
            self._here.pop(block, None)
        if since is None or since == statement:
            return
        self._gone.setdefault(block, {}).setdefault(member, []).append((since, statement))
        self._farewells.append((statement, member, block))

    def forget(self, heard: Sequence[int]) -> None:
        """Everybody has heard the statement ``heard[member]`` of each member: drop what only older ones need."""
        while self._farewells:
            statement, member, block = self._farewells[0]
            if statement > heard[member]:
                return
            self._farewells.popleft()
            known = self._gone.get(block, {})
            left = [one for one in known.pop(member, []) if one[1] > statement]
            if left:
                known[member] = left
            elif not known:
                self._gone.pop(block, None)

    def drop(self, member: int) -> None:
        """The member is gone, with everything it held."""
        for blocks in (self._here, self._gone):
            for block in [one for one, holders in blocks.items() if member in holders]:
                del blocks[block][member]
                if not blocks[block]:
                    del blocks[block]

    def depths(self, chain: Sequence[bytes], heard: Sequence[int]) -> dict[int, int]:
        """For each member that holds some of ``chain``, how many blocks of it, for somebody who has heard these
        statements."""
        found: dict[int, int] = {}
        unheard: set[int] = set()  # they hold the block, but the statement that tells it was not heard
        size = 0
        for depth in range(len(chain), 0, -1):
            block = chain[depth - 1]
            holders = self._here.get(block)
            if holders is not None:
                if len(holders) != size:  # who holds a block holds those before it: equally many are the same ones
                    size = len(holders)
                    unheard.update(holders.keys() - found.keys())
                for member in [one for one in unheard if holders[one] <= heard[one]]:
                    unheard.discard(member)
                    found[member] = depth
            for member, times in self._gone.get(block, {}).items():
                if member not in found and any(since <= heard[member] < until for since, until in times):
                    found[member] = depth
                    unheard.discard(member)
        return found


class Clockwork:
    """When which member makes which statement, and when it is heard where. ``delays[i][j]``: seconds from i to j."""

    def __init__(self, period: float, phases: Sequence[float], delays: np.ndarray) -> None:
        self.period = period
        self.phases = np.asarray(phases)
        self._offsets = delays.T + self.phases  # of who hears (row) and who speaks (column)
        self._latest = self._offsets.max(axis=0)

    def heard(self, member: int, now: float) -> np.ndarray:
        """The last statement of everybody that ``member`` has heard; -1 for none."""
        heard: np.ndarray = np.floor((now - self._offsets[member]) / self.period).astype(np.int64)
        return heard

    def made(self, now: float) -> np.ndarray:
        """The last statement that everybody has made."""
        made: np.ndarray = np.floor((now - self.phases) / self.period).astype(np.int64)
        return made

    def heard_by_all(self, now: float) -> list[int]:
        """The last statement of everybody that everybody has heard."""
        found: list[int] = np.floor((now - self._latest) / self.period).astype(np.int64).tolist()
        return found

    def next_statement(self, member: int, now: float) -> int:
        """The number of the first statement at or after ``now``."""
        return max(0, math.ceil((now - float(self.phases[member])) / self.period))

    def time(self, member: int, statement: int) -> float:
        """When it is made."""
        return float(self.phases[member] + statement * self.period)

    def made_at(self, member: int, statement: int, now: float) -> bool:
        """Whether ``now`` is the moment of that statement; afterwards it has been made."""
        return True


class IrregularClockwork(Clockwork):
    """Of a small group, in which the next statement is made a period after the last one, or before."""

    def __init__(self, period: float, phases: Sequence[float], delays: np.ndarray) -> None:
        super().__init__(period, phases, delays)
        self._delays: list[list[float]] = delays.tolist()
        self._said: list[list[float]] = [[] for _ in phases]

    def heard(self, member: int, now: float) -> np.ndarray:
        """See :class:`Clockwork`."""
        found = [
            bisect_right(said, now - delays[member]) - 1 for said, delays in zip(self._said, self._delays, strict=True)
        ]
        return np.array(found)

    def made(self, now: float) -> np.ndarray:
        """See :class:`Clockwork`."""
        return np.array([bisect_right(said, now) - 1 for said in self._said])

    def heard_by_all(self, now: float) -> list[int]:
        """See :class:`Clockwork`."""
        return [
            bisect_right(said, now - max(delays)) - 1 for said, delays in zip(self._said, self._delays, strict=True)
        ]

    def next_statement(self, member: int, now: float) -> int:
        """See :class:`Clockwork`."""
        return len(self._said[member])

    def time(self, member: int, statement: int) -> float:
        """When it was made, or is if nothing comes before."""
        said = self._said[member]
        if statement < len(said):
            return said[max(statement, 0)]
        return said[-1] + self.period if said else float(self.phases[member])

    def made_at(self, member: int, statement: int, now: float) -> bool:
        """See :class:`Clockwork`; False if it was made before its turn."""
        said = self._said[member]
        if statement != len(said):
            return False
        said.append(now)
        return True


class Statements:
    """The last statements of one member, as others see it. One before the beginning says what a machine that does
    nothing would say."""

    def __init__(self, member: Member) -> None:
        self._kept: deque[Member] = deque([member], KEPT)
        self._newest = -1

    def add(self, member: Member) -> None:
        """The next one."""
        self._kept.append(member)
        self._newest += 1

    def at(self, statement: int) -> Member:
        """What it said, or the oldest one that is kept."""
        return self._kept[max(0, len(self._kept) - 1 - (self._newest - statement))]


def chain_of(root: bytes, blocks: Iterable[Sequence[int]]) -> tuple[bytes, ...]:
    """Digests of the public blocks of a text, as the prefix cache chains them."""
    digests = []
    for block in blocks:
        root = sha256(root + struct.pack(f"<{BLOCK_TOKENS}I", *block)).digest()
        digests.append(root)
    return tuple(digests)
