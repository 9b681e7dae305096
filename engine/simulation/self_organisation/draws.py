"""A client among the relays: its guards, its view of the graph, and what becomes of the paths that it draws."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field

from engine.directory.directory import Directory
from engine.directory.graph import SettledGraph
from engine.directory.sampling import choose_guards, choose_paths
from engine.ids import NodeId
from engine.simulation.anonymity.network import NOW
from engine.simulation.self_organisation.world import World
from engine.transport.heartbeat import SILENCE_LIMIT


@dataclass
class Tries:
    """First tries of paths, and why those that failed did."""

    opened: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def all(self) -> int:
        """Tries in all."""
        return self.opened + self.failed.total()

    def as_json(self) -> dict[str, object]:
        """For reports."""
        share = round(self.opened / self.all, 4) if self.all else None
        return {"tries": self.all, "opened": share, "failed": dict(sorted(self.failed.items()))}


class Drawer:
    """Draws paths as clients do: from a settled view of the graph, through guards whose links it takes for open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._view = world.server.directory
        self._settled = SettledGraph(world.parameters)
        self._settled.announce(self._view, world.now())
        self._guards: list[NodeId] = []
        self._gone: dict[NodeId, float] = {}
        world.readers.append(self.announce)

    def announce(self, directory: Directory) -> None:
        """See :meth:`SettledGraph.announce`."""
        self._view = directory
        self._settled.announce(directory, self._world.now())

    def close(self) -> None:
        """It reads no more news."""
        self._world.readers.remove(self.announce)

    def draw(self) -> tuple[NodeId, ...]:
        """One path, through any of its guards."""
        world = self._world
        source = world.random.randbytes
        guards = self._live_guards()
        world.random.shuffle(guards)
        directory, graph = self._view, self._settled.at(world.now())
        (path,) = choose_paths(directory, guards, 1, 1, 3, world.parameters, (), source, NOW, graph=graph)
        return tuple(node.node_id for node in path)

    def _live_guards(self) -> list[NodeId]:
        """In a young network others stand in for guards that are away; one that has just died still seems linked."""
        now, relays = self._world.now(), self._world.relays
        for guard in self._guards:
            if guard in relays:
                self._gone.pop(guard, None)
            else:
                self._gone.setdefault(guard, now)
        self._guards = [guard for guard in self._guards if now < self._gone.get(guard, now) + SILENCE_LIMIT]
        source = self._world.random.randbytes
        self._guards = choose_guards(self._view, source, NOW, keep=self._guards)
        dead = [guard for guard in self._guards if guard not in relays and guard not in self._gone]
        return [guard for guard in self._guards if guard not in dead]

    def try_once(self, tries: Tries) -> tuple[NodeId, ...] | None:
        """Draw one path and set it up; the path if it opened."""
        path = self.draw()
        problem = obstacle(self._world, path)
        if problem:
            tries.failed[problem] += 1
            return None
        tries.opened += 1
        return path


def obstacle(world: World, path: tuple[NodeId, ...]) -> str:
    """Why this path cannot be set up; empty if it can."""
    if any(name not in world.relays for name in path):
        return "a relay is dead"
    for one, other in itertools.pairwise(path):
        if world.cannot_link(one, other):
            return "the pair cannot be linked"
        if other not in world.relays[one].links or one not in world.relays[other].links:
            return "the link is not there yet"
    return ""
