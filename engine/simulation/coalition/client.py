"""A client that asks again and again: its guards, and the paths of each chat, by the classes that clients run.

Only the circuits are simulated: whether a path opens is decided when it is drawn.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from engine.directory.guards import GuardList, state_of
from engine.directory.sampling import choose_paths
from engine.directory.shapes import full_shape
from engine.ids import NodeId
from engine.paths.circuits import CircuitClient, CircuitLimits, PathHop
from engine.paths.effects import CircuitEffect, CircuitFailed, CircuitOpened, CircuitReceived
from engine.paths.path_sets import GUARD_REST_SECONDS, PathSets
from engine.simulation.anonymity.network import NOW
from engine.simulation.coalition.attempts import SILENCE
from engine.simulation.coalition.network import Network
from engine.wire.circuit import CircuitMessage, Probe, ProbeReply

Path = tuple[NodeId, ...]
Fate = Callable[[Path], int | None]
ANSWER_SECONDS = 0.2
"""Until a set-up or a probe is answered."""
CHAT_EVERY_SECONDS = 3600.0
"""Of the clock that guards are judged by. Links and paths live through a minute of each."""
WAIT_SECONDS = 600.0
"""A chat that does not have all its paths after so long begins with those that it has."""


@dataclass
class Counts:
    """Paths that were drawn, and for each chat those that it got; guards that were retired."""

    drawn: list[Path] = field(default_factory=list)
    chats: list[list[Path]] = field(default_factory=list)
    retired: list[NodeId] = field(default_factory=list)


class _Circuits(CircuitClient):
    """Circuits without cells: what becomes of each is known when it is drawn."""

    def __init__(self, fate: Fate, drawn: list[Path], random_bytes: Callable[[int], bytes]) -> None:
        super().__init__(random_bytes)
        self._fate = fate
        self._drawn = drawn
        self._number = 0
        self._order = itertools.count()
        self._coming: list[tuple[float, int, CircuitEffect]] = []

    def open(self, hops: Sequence[PathHop], now: float, wall: float) -> tuple[int, list[CircuitEffect]]:
        """See ``CircuitClient``."""
        path = tuple(hop.node_id for hop in hops)
        self._drawn.append(path)
        self._number += 1
        refused = self._fate(path)
        if refused is None:
            self._later(now + ANSWER_SECONDS, CircuitOpened(self._number, ANSWER_SECONDS))
        elif refused == SILENCE:
            self._later(now + CircuitLimits().set_up_timeout, CircuitFailed(self._number, None, "no answer"))
        else:
            self._later(now + ANSWER_SECONDS, CircuitFailed(self._number, refused, "refused"))
        return self._number, []

    def send(self, handle: int, message: CircuitMessage, now: float) -> list[CircuitEffect]:
        """Answer probes."""
        if isinstance(message, Probe):
            self._later(now + ANSWER_SECONDS, CircuitReceived(handle, ProbeReply(message.sent_us)))
        return []

    def close(self, handle: int, now: float) -> list[CircuitEffect]:
        """Nobody has to be told."""
        return []

    def next_deadline(self) -> float | None:
        """When the next thing happens."""
        return self._coming[0][0] if self._coming else None

    def due(self, now: float) -> list[CircuitEffect]:
        """What has happened by ``now``."""
        found = []
        while self._coming and self._coming[0][0] <= now:
            found.append(heapq.heappop(self._coming)[2])
        return found

    def _later(self, at: float, effect: CircuitEffect) -> None:
        heapq.heappush(self._coming, (at, next(self._order), effect))


class Client:
    """One client, with this guard list at the beginning."""

    def __init__(self, network: Network, fate: Fate, guards: Sequence[NodeId], source: random.Random) -> None:
        parameters = network.parameters
        self.counts = Counts()
        self._network = network
        self._random_bytes = source.randbytes
        self._now = self._wall = 0.0
        self._circuits = _Circuits(fate, self.counts.drawn, source.randbytes)
        self._guards = GuardList(state_of(guards), count=len(guards), needed=parameters.n)
        self._paths = PathSets(self._circuits, self._draw, full_shape(parameters))
        self._paths.path_judged = self._guards.count_path

    def ask(self, chats: int) -> Counts:
        """So many chats, one after the other; gives what came of all of them."""
        for number in range(chats):
            self._look()
            chat = b"chat-%d" % number
            found = self._paths.ensure(chat, self._now)
            end = self._now + WAIT_SECONDS
            self._until(lambda: len(found.open_slots()) == len(found.slots), end)  # noqa: B023 - called at once
            self.counts.chats.append([slot.hops for slot in found.open_slots()])
            self._until(lambda: False, self._now + GUARD_REST_SECONDS + ANSWER_SECONDS)
            self._paths.drop(chat, self._now)
        return self.counts

    def _look(self) -> None:
        self._wall += CHAT_EVERY_SECONDS
        directory, placed = self._network.directory, self._network.graph.placed()
        linked = self._paths.linked
        self.counts.retired += [
            retired.node_id
            for retired in self._guards.look(directory, placed, linked, NOW + self._wall, self._random_bytes)
        ]
        for guard in self._guards.node_ids:
            self._paths.link_up(guard)
        self._paths.set_guards(self._guards.node_ids)

    def _until(self, condition: Callable[[], bool], end: float) -> None:
        while not condition():
            due = [at for at in (self._circuits.next_deadline(), self._paths.next_deadline()) if at is not None]
            self._now = max(self._now, min([*due, end]))
            if self._now >= end:
                return
            for event in self._circuits.due(self._now):
                self._paths.on_event(event, self._now)
            self._paths.tick(self._now, NOW)

    def _draw(
        self, guards: Sequence[NodeId], used: Collection[NodeId], destinations: Collection[NodeId], length: int
    ) -> Sequence[PathHop]:
        network = self._network
        (path,) = choose_paths(
            network.directory,
            guards,
            1,
            1,
            length,
            network.parameters,
            destinations,
            self._random_bytes,
            NOW,
            used=used,
            graph=network.graph,
        )
        return [PathHop(node.node_id, node.descriptor.onion_keys[0].key) for node in path]
