"""The guard list of one client: which relays it enters the network by, and when one of them is replaced. Pure.

The fewer relays a client ever enters by, the smaller the chance that one of them is hostile. So the list is drawn once,
kept for weeks, and changes slowly whatever the bootstrap server lists, unlists or marks away: at most
``REPLACEMENTS_PER_WEEK`` new guards, and none because a guard is merely absent. Durations are added up from the times
between two looks, of which each counts for a day at most and none backwards, so that a clock that jumps by a year costs
one day. Times are seconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from engine.directory.directory import Directory
from engine.directory.sampling import GUARD_AVAILABILITY, GUARD_COUNT, WEEK_SECONDS, draw
from engine.ids import NodeId

RandomBytes = Callable[[int], bytes]
DAY_SECONDS: Final = 86_400.0
ABSENT_SECONDS: Final = 7 * DAY_SECONDS
"""A guard that is away for so long without a break is replaced."""
SERVICE_SECONDS: Final = 30 * DAY_SECONDS
"""A guard that has carried paths for so long is replaced."""
REPLACEMENTS_PER_WEEK: Final = 2
LONGEST_STEP: Final = DAY_SECONDS
"""The time between two looks counts for this at most."""
FAILURE_FACTOR: Final = 3.0
"""A guard with so many times the median guard's failures for each path that works is retired."""
LEAST_FAILURE_RATE: Final = 0.05
"""What the median counts for at least: in a network without failures, the first one would be infinitely often."""
LEAST_EVIDENCE: Final = 20
"""Paths through a guard before it is judged, or counts in the median."""
MOST_EVIDENCE: Final = 400
"""Beyond so many both counts are halved: what was long ago weighs less."""
CONFIDENCE: Final = 3.0
"""Standard deviations: chance alone retires an honest guard about once in a thousand judgements."""
MAX_RETIRED: Final = 32
"""Retired guards that are remembered, so that they are not drawn again."""
MAX_GUARDS: Final = 64
"""Of a saved list."""

_Id = Annotated[bytes, Meta(min_length=20, max_length=20)]
_Amount = Annotated[float, Meta(ge=0, le=1e12)]


class Guard(Struct, kw_only=True):
    """One guard: seconds of its present absence, seconds of service, and how its paths fared."""

    node_id: _Id
    absent: _Amount = 0.0
    served: _Amount = 0.0
    failures: Annotated[int, Meta(ge=0, le=100_000)] = 0
    successes: Annotated[int, Meta(ge=0, le=100_000)] = 0

    @property
    def paths(self) -> int:
        """Paths whose fate is known."""
        return self.failures + self.successes


class GuardState(Struct, kw_only=True):
    """What is kept on disk. ``drawn`` counts every guard ever drawn, ``budget`` the replacements allowed now."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    guards: Annotated[list[Guard], Meta(max_length=MAX_GUARDS)] = msgspec.field(default_factory=list)
    retired: Annotated[list[_Id], Meta(max_length=MAX_RETIRED)] = msgspec.field(default_factory=list)
    drawn: Annotated[int, Meta(ge=0)] = 0
    budget: Annotated[float, Meta(ge=0, le=REPLACEMENTS_PER_WEEK)] = float(REPLACEMENTS_PER_WEEK)
    looked: _Amount = 0.0


def state_of(node_ids: Sequence[NodeId]) -> GuardState:
    """The state of a list that has only ids, as earlier versions kept it."""
    known = list(dict.fromkeys(node_ids))[:MAX_GUARDS]
    return GuardState(guards=[Guard(node_id=node_id) for node_id in known], drawn=len(known))


@dataclass(frozen=True, slots=True)
class Retired:
    """A guard left the list because its paths failed too often: of ``paths``, ``failures``; the median guard's rate."""

    node_id: NodeId
    failures: int
    paths: int
    usual: float


class GuardList:
    """The ordered list. The first live ones serve; an absent one returns to its place."""

    def __init__(
        self,
        state: GuardState | None = None,
        *,
        count: int = GUARD_COUNT,
        needed: int = 4,
        exclude: Collection[NodeId] = (),
    ) -> None:
        """``count``: guards of a full list; ``needed``: live ones without which paths wait; ``exclude``: own ids."""
        self.state = state or GuardState()
        self._count = count
        self._needed = needed
        self._own = frozenset(exclude)

    @property
    def node_ids(self) -> list[NodeId]:
        """All guards in their order, absent ones too."""
        return [NodeId(guard.node_id) for guard in self.state.guards]

    def count_path(self, node_id: NodeId, worked: bool) -> None:
        """A path through this guard worked for a while, or failed for no reason that lies visibly elsewhere."""
        guard = next((known for known in self.state.guards if known.node_id == node_id), None)
        if guard is None:
            return
        guard.successes += worked
        guard.failures += not worked
        if guard.paths > MOST_EVIDENCE:
            guard.failures, guard.successes = guard.failures // 2, guard.successes // 2

    def look(
        self,
        directory: Directory,
        placed: Collection[NodeId],
        linked: Collection[NodeId],
        now: float,
        random_bytes: RandomBytes,
        exclude: Collection[NodeId] = (),
    ) -> list[Retired]:
        """Bring the list up to date with the directory and the links that are open; gives whom it retired.

        ``placed`` are the relays that have links with others (the graph); ``exclude`` those that are not to be drawn
        now (model nodes, where enough others are there).
        """
        self._follow_keys(directory)
        step = self._step(now)
        state = self.state
        state.budget = min(float(REPLACEMENTS_PER_WEEK), state.budget + step * REPLACEMENTS_PER_WEEK / WEEK_SECONDS)
        live = self.live(directory, placed)
        serving = set(live[: self._needed])
        for guard in state.guards:
            # Whose link works is not absent, whatever the server says.
            guard.absent = 0.0 if guard.node_id in live or guard.node_id in linked else guard.absent + step
            guard.served += step if guard.node_id in serving else 0.0
        young = directory.issued - directory.created < WEEK_SECONDS
        eligible = self._eligible(directory, placed, young, exclude)
        retired = self._replace(eligible, random_bytes)
        self._fill(eligible, random_bytes)
        if young:
            self._stand_in(self.live(directory, placed), eligible, random_bytes)
        return retired

    def live(self, directory: Directory, placed: Collection[NodeId]) -> list[NodeId]:
        """The guards that paths can begin at, in their order: listed, not away, and with a place in the graph."""
        found = []
        for name in self.node_ids:
            node = directory.get(name)
            if node is not None and node.descriptor.relay and not node.away and name in placed:
                found.append(name)
        return found

    def shortage(self, directory: Directory, placed: Collection[NodeId], needed: int) -> str:
        """Why paths that need so many guards have to wait, in plain words; empty when they need not."""
        live, known = len(self.live(directory, placed)), len(self.state.guards)
        if known < needed or live >= needed:
            return ""
        return (
            f"Only {live} of the {known} relays that this client enters the network by (guards) are there, and"
            f" {needed} are needed. They are not exchanged for others at once, as whoever could drive them away"
            " would then choose yours. Wait until one of them is back."
        )

    def _follow_keys(self, directory: Directory) -> None:
        """Who was revoked goes at once and for good; who has a new key is the same machine, and keeps its place."""
        kept: dict[NodeId, Guard] = {}
        for guard in self.state.guards:
            name = directory.newest(NodeId(guard.node_id))
            if name in directory.ended:
                self._remember(name)
            elif name not in kept:
                guard.node_id = name
                kept[name] = guard
        self.state.guards = list(kept.values())

    def _step(self, now: float) -> float:
        looked, self.state.looked = self.state.looked, now
        return min(max(0.0, now - looked), LONGEST_STEP) if looked else 0.0

    def _eligible(
        self, directory: Directory, placed: Collection[NodeId], young: bool, exclude: Collection[NodeId]
    ) -> list[NodeId]:
        """Whom a new guard is drawn from. An away mark does not count in an old network: marks are made in a minute,
        and whoever makes them would else narrow the draw down to friends."""
        taken = {*self.node_ids, *self.state.retired, *self._own, *exclude}
        return [
            node.node_id
            for node in directory.nodes()
            if node.descriptor.relay
            and node.node_id not in taken
            and node.node_id in placed
            and ((young and not node.away) or (not young and node.availability >= GUARD_AVAILABILITY))
        ]

    def _replace(self, eligible: list[NodeId], random_bytes: RandomBytes) -> list[Retired]:
        """Take those off the list whose time is over while the budget lasts and others are there to be drawn."""
        retired: list[Retired] = []
        usual = self._usual_rate()
        for guard in list(self.state.guards):
            if self.state.budget < 1 or not eligible:
                break
            fails = guard.paths >= LEAST_EVIDENCE and _far_more(_at_least(guard), usual)
            if not (fails or guard.absent >= ABSENT_SECONDS or guard.served >= SERVICE_SECONDS):
                continue
            self.state.guards.remove(guard)
            if fails:
                self._remember(NodeId(guard.node_id))
                retired.append(Retired(NodeId(guard.node_id), guard.failures, guard.paths, usual))
            self._draw(eligible, random_bytes)
        return retired

    def _fill(self, eligible: list[NodeId], random_bytes: RandomBytes) -> None:
        """Places that have never been filled are free; a place that a revoked guard left costs a replacement."""
        while len(self.state.guards) < self._count and eligible:
            if self.state.drawn >= self._count and self.state.budget < 1:
                return
            self._draw(eligible, random_bytes)

    def _stand_in(self, live: Collection[NodeId], eligible: list[NodeId], random_bytes: RandomBytes) -> None:
        """In a network without a week of history there is nobody steadier to wait for: others stand in for absent
        guards, at the end of the list. Absent ones keep their places; of more than a full list of these the last are
        forgotten."""
        absent = [guard for guard in self.state.guards if guard.node_id not in live]
        for forgotten in absent[self._count :]:
            self.state.guards.remove(forgotten)
        for _ in range(min(self._count - len(live), len(eligible))):
            self._append(eligible, random_bytes)

    def _draw(self, eligible: list[NodeId], random_bytes: RandomBytes) -> None:
        if self.state.drawn >= self._count:
            self.state.budget -= 1
        self._append(eligible, random_bytes)

    def _append(self, eligible: list[NodeId], random_bytes: RandomBytes) -> None:
        (chosen,) = draw(eligible, 1, random_bytes)
        eligible.remove(chosen)
        self.state.drawn += 1
        self.state.guards.append(Guard(node_id=chosen))

    def _remember(self, node_id: NodeId) -> None:
        self.state.retired = [*self.state.retired[-MAX_RETIRED + 1 :], node_id]

    def _usual_rate(self) -> float:
        """The median guard's share of failed paths, each smoothed by half a failure: the estimate of the network's."""
        judged = [guard for guard in self.state.guards if guard.paths >= LEAST_EVIDENCE]
        rates = [(guard.failures + 0.5) / (guard.paths + 1) for guard in judged]
        return max(LEAST_FAILURE_RATE, median(rates)) if len(rates) >= 3 else 1.0


def _far_more(share: float, usual: float) -> bool:
    """Whether there are ``FAILURE_FACTOR`` times the usual failures for each path that works: where few fail, that is
    so many times the usual share; where a third fails, as under an attack, no share could be three times that."""
    return share * (1 - usual) > FAILURE_FACTOR * usual * (1 - share)


def _at_least(guard: Guard) -> float:
    """The lower end of Wilson's interval for the share of failed paths: what the counts show beyond chance."""
    total, z = guard.paths, CONFIDENCE
    share = guard.failures / total
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (share + z * z / (2 * total) - spread) / (1 + z * z / total)
