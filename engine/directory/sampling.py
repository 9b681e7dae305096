"""Drawing guards and paths: uniformly, from the caller's random bytes, never twice the same network or owner on a path.

Uniform means: given the guards, every assignment of relays that the rules allow and whose links the graph has is as
likely as every other one. Whole draws that break a rule are thrown away and drawn anew. Where rules leave so little
room that this does not end, a single path is drawn from the list of all that are allowed; only for several at once is a
depth-first search with shuffled choices used instead (docs: the rules stand in the protocol's section on anonymous
paths).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from engine.directory.directory import Directory, DirectoryNode
from engine.directory.graph import RelayGraph
from engine.errors import TooFewRelaysError
from engine.ids import NodeId
from engine.sentences import say
from engine.wire.records import Parameters

RandomBytes = Callable[[int], bytes]
Path = tuple[DirectoryNode, ...]
T = TypeVar("T")

GUARD_COUNT = 8
WEEK_SECONDS = 7 * 86_400
GUARD_AVAILABILITY = 0.8
"""A guard must have been listed for this share of the last seven days (in a younger network: any relay)."""
_WHOLE_DRAWS = 300
_SEARCH_STEPS = 5_000


def random_below(bound: int, random_bytes: RandomBytes) -> int:
    """A uniform integer in [0, bound) without modulo bias; ``bound`` >= 1."""
    if bound < 1:
        raise ValueError("there is nothing to draw from")
    length = max(1, ((bound - 1).bit_length() + 7) // 8)
    mask = (1 << (bound - 1).bit_length()) - 1
    while True:
        value = int.from_bytes(random_bytes(length), "big") & mask
        if value < bound:
            return value


def draw(items: Sequence[T], count: int, random_bytes: RandomBytes) -> list[T]:
    """``count`` different items in random order, each sequence equally likely; ``ValueError`` if there are fewer."""
    if count > len(items):
        raise ValueError(f"cannot draw {count} of {len(items)}")
    pool = list(items)
    for index in range(count):
        other = index + random_below(len(pool) - index, random_bytes)
        pool[index], pool[other] = pool[other], pool[index]
    return pool[:count]


def usable_relays(directory: Directory, now: float) -> list[DirectoryNode]:
    """The relays that take new paths: not away, with spare capacity and an onion key that is good at ``now``."""
    return list(directory.usable_relays(now))


def choose_guards(
    directory: Directory,
    random_bytes: RandomBytes,
    now: float,
    *,
    count: int = GUARD_COUNT,
    keep: Sequence[NodeId] = (),
    exclude: Collection[NodeId] = (),
) -> list[NodeId]:
    """An ordered list of up to ``count`` guards: first those in ``keep`` in their order, then uniform draws.

    Eligible are relays that were listed for at least 80 % of the last seven days; in a network younger than that, all.
    The list is shorter where the network has fewer. The caller itself belongs into ``exclude``.
    """
    young = now - directory.created < WEEK_SECONDS
    taken = set(keep) | set(exclude)
    eligible = [
        node.node_id
        for node in directory.usable_relays(now)
        if node.node_id not in taken and (young or node.availability >= GUARD_AVAILABILITY)
    ]
    kept = list(keep)[:count]
    return kept + draw(eligible, min(count - len(kept), len(eligible)), random_bytes)


def choose_paths(
    directory: Directory,
    guards: Sequence[NodeId],
    n: int,
    k: int,
    length: int,
    parameters: Parameters,
    exclude: Collection[NodeId],
    random_bytes: RandomBytes,
    now: float,
    *,
    used: Collection[NodeId] = (),
    graph: RelayGraph | None = None,
) -> list[Path]:
    """``n`` disjoint paths guard, middle, proxy of ``length`` relays (of 1 the guard is the proxy).

    ``guards`` are the linked ones in order of preference: the first usable ``n`` serve, one per path in this order.
    Middles and proxies are uniform among the usable relays. No relay stands on two paths; on one path no two share a
    prefix (unless ``parameters.one_prefix``) or a declared family. ``exclude`` are the caller, the destination and its
    group: neither they nor relays of their families are drawn. ``used`` are the relays of this chat's other paths.
    ``graph`` says who is linked with whom (None: everybody is); a relay without a place in it is not drawn.
    Raises :class:`TooFewRelaysError`, which says how many are missing.
    """
    usable = _allowed(directory, exclude, used, now)
    if graph is not None:
        placed = graph.placed()
        usable = [node for node in usable if node.node_id in placed]
    by_id = {node.node_id: node for node in usable}
    live_guards = [by_id[name] for name in dict.fromkeys(guards) if name in by_id]
    if len(usable) < n * length:
        raise TooFewRelaysError(_too_few(len(usable), n, length))
    if len(live_guards) < n:
        raise TooFewRelaysError(say("paths.too_few_guards", needed=n, have=len(live_guards)))
    first = live_guards[:n]
    if length == 1:
        return [(guard,) for guard in first]
    along = None if graph is None or graph.is_mesh else _Edges(graph, by_id)
    for _ in range(_WHOLE_DRAWS):
        if along is None:
            paths = _draw_anywhere(first, usable, length, random_bytes)
        else:
            paths = along.draw_paths(first, length, random_bytes)
        if paths and all(path_allowed(path, parameters) for path in paths):
            return paths
    if along is not None and n == 1:
        found = along.draw_from_all(live_guards, length, parameters, random_bytes)
    else:
        found = _search(live_guards, n, length, usable, parameters, random_bytes, along)
    if found is None:
        raise TooFewRelaysError(say("paths.too_close", have=len(usable), paths=n, length=length))
    return found


def _draw_anywhere(
    guards: Sequence[DirectoryNode], usable: Sequence[DirectoryNode], length: int, random_bytes: RandomBytes
) -> list[Path]:
    """Paths of any relays, none of them twice."""
    starts = {guard.node_id for guard in guards}
    rest = [node for node in usable if node.node_id not in starts]
    more = length - 1
    drawn = draw(rest, len(guards) * more, random_bytes)
    return [(guard, *drawn[i * more : (i + 1) * more]) for i, guard in enumerate(guards)]


class _Edges:
    """The links between the relays that may be drawn."""

    def __init__(self, graph: RelayGraph, usable: Mapping[NodeId, DirectoryNode]) -> None:
        self._graph = graph
        self._usable = usable

    def next_to(self, node: DirectoryNode) -> list[DirectoryNode]:
        """The neighbours that may be drawn."""
        return [self._usable[name] for name in self._graph.neighbours(node.node_id) if name in self._usable]

    def draw_paths(self, guards: Sequence[DirectoryNode], length: int, random_bytes: RandomBytes) -> list[Path]:
        """One draw; empty where it met nobody, or one relay twice. Each step takes one of ``degree`` places, some of
        which are empty where a relay has fewer neighbours: so every path has the same probability, whatever the number
        of neighbours on the way."""
        paths: list[Path] = []
        met = {guard.node_id for guard in guards}
        for guard in guards:
            path = [guard]
            while len(path) < length:
                neighbours = self._graph.neighbours(path[-1].node_id)
                place = random_below(self._graph.degree, random_bytes)
                node = self._usable.get(neighbours[place]) if place < len(neighbours) else None
                if node is None or node.node_id in met:
                    return []
                met.add(node.node_id)
                path.append(node)
            paths.append(tuple(path))
        return paths

    def draw_from_all(
        self, guards: Sequence[DirectoryNode], length: int, parameters: Parameters, random_bytes: RandomBytes
    ) -> list[Path] | None:
        """One path from the first guard that has any, each of its allowed ones as likely as every other."""
        for guard in guards:
            paths: list[Path] = [(guard,)]
            for _ in range(length - 1):
                longer = [(*path, node) for path in paths for node in self.next_to(path[-1])]
                paths = [path for path in longer if path_allowed(path, parameters)]
            if paths:
                return [paths[random_below(len(paths), random_bytes)]]
        return None


def path_allowed(path: Iterable[DirectoryNode], parameters: Parameters) -> bool:
    """Whether no two relays of ``path`` are the same, of one prefix (unless allowed) or of one declared family."""
    nodes = list(path)
    families = [node.descriptor.family for node in nodes if node.descriptor.family]
    prefixes = [] if parameters.one_prefix else [node.prefix for node in nodes]
    ids = [node.node_id for node in nodes]
    return all(len(set(values)) == len(values) for values in (ids, families, prefixes))


def _allowed(
    directory: Directory, exclude: Collection[NodeId], used: Collection[NodeId], now: float
) -> list[DirectoryNode]:
    shunned = {node.descriptor.family for name in exclude if (node := directory.get(name)) is not None} - {""}
    taken = set(exclude) | set(used)
    return [
        node
        for node in directory.usable_relays(now)
        if node.node_id not in taken and node.descriptor.family not in shunned
    ]


def _search(
    guards: Sequence[DirectoryNode],
    n: int,
    length: int,
    usable: Sequence[DirectoryNode],
    parameters: Parameters,
    random_bytes: RandomBytes,
    along: _Edges | None = None,
) -> list[Path] | None:
    """Depth first with shuffled choices, bounded in steps; None if no assignment was found."""
    steps = 0
    chosen: list[list[DirectoryNode]] = []

    def extend(used: set[NodeId]) -> bool:
        nonlocal steps
        steps += 1
        if steps > _SEARCH_STEPS:
            return False
        if len(chosen) == n and len(chosen[-1]) == length:
            return True
        starts = not chosen or len(chosen[-1]) == length
        # Guards keep their order of preference; everything else is shuffled.
        near = usable if starts or along is None else along.next_to(chosen[-1][-1])
        pool = list(guards) if starts else draw(near, len(near), random_bytes)
        for node in pool:
            if node.node_id in used or not (starts or path_allowed([*chosen[-1], node], parameters)):
                continue
            if starts:
                chosen.append([node])
            else:
                chosen[-1].append(node)
            if extend(used | {node.node_id}):
                return True
            chosen[-1].pop()
            if starts:
                chosen.pop()
            if steps > _SEARCH_STEPS:
                return False
        return False

    return [tuple(path) for path in chosen] if extend(set()) else None


def _too_few(have: int, n: int, length: int) -> str:
    needed = n * length
    missing = needed - have
    code = "paths.one_missing" if missing == 1 else "paths.too_few"
    return say(code, paths=n, length=length, needed=needed, have=have, missing=missing)
