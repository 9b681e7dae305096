"""The picture of this machine's links, paths and groups: what the engine tells, laid out in a unit circle. No widgets.

Where there are more machines than can be told apart, those that no path of the open chat runs through stand together
as one mark with their number.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from app.i18n import number, tr
from engine.api import schema

MOST_MARKS = 36
"""Machines with a mark of their own."""
MOST_ROUTES = 12
"""Paths with a line of their own."""
_GROUP_RING, _LINK_RING, _FAR_RING = 0.36, 0.62, 0.92
_CORNER = (-0.98, 0.9)
"""Where those without a mark of their own stand: outside of all rings, so that they cover nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A machine, or ``count`` of them in one. ``x`` and ``y`` in [-1, 1]; this machine is in the middle."""

    key: str
    x: float
    y: float
    kind: str  # "here", "link", "relay", "member" or "others"
    label: str = ""
    count: int = 1
    load: float = 0.0  # of a member: share of its places that are taken
    relayed: bool = False
    linked: bool = False


@dataclass(frozen=True, slots=True)
class RouteLine:
    """A path, by the keys of its marks, this machine first."""

    marks: tuple[str, ...]
    use: str
    busy: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn."""

    marks: tuple[Mark, ...] = ()
    routes: tuple[RouteLine, ...] = ()
    routes_left_out: int = 0


@dataclass(slots=True)
class _Found:
    kind: str
    weight: int  # those of most weight keep their own mark
    ring: float
    relayed: bool = False
    linked: bool = False
    load: float = 0.0
    round_trips: list[float] = field(default_factory=list)


def lay_out(told: schema.Topology, most: int = MOST_MARKS) -> Picture:
    """Members of the groups in the inner ring, links in the next, relays that only paths reach outside."""
    found = _machines(told)
    shown = sorted(found, key=lambda key: (-found[key].weight, key))[: most if len(found) > most else None]
    kept = frozenset(shown)
    left = len(found) - len(kept)
    marks = [Mark("here", 0.0, 0.0, "here", tr("This machine"))]
    for ring in (_GROUP_RING, _LINK_RING, _FAR_RING):
        own = sorted(key for key in shown if found[key].ring == ring)
        marks += [_mark(key, found[key], ring, at, len(own)) for at, key in enumerate(own)]
    if left:
        marks.append(Mark("others", *_CORNER, "others", tr("{count} more", count=number(left)), left))
    routes = sorted(told.paths, key=lambda path: ("open", "chat", "spare").index(path.use))
    lines = [
        RouteLine(("here", *(relay if relay in kept else "others" for relay in path.relays)), path.use, path.busy)
        for path in routes[:MOST_ROUTES]
    ]
    return Picture(tuple(marks), tuple(lines), len(routes) - len(lines) + told.paths_left_out)


def _machines(told: schema.Topology) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for link in told.links:
        one = found.setdefault(link.peer, _Found("link", 1, _LINK_RING))
        one.relayed = one.relayed or link.relayed
        one.linked = True
        one.round_trips += [link.round_trip_ms] if link.round_trip_ms else []
    for member in told.members:
        if not member.here:
            one = found.setdefault(member.node, _Found("member", 2, _GROUP_RING))
            one.kind, one.ring, one.weight = "member", _GROUP_RING, max(2, one.weight)
            one.load = max(one.load, load_of(member))
    weights = {"open": 100, "chat": 10, "spare": 3}
    for path in told.paths:
        for relay in path.relays:
            one = found.setdefault(relay, _Found("relay", 0, _FAR_RING))
            one.kind = "relay" if one.kind == "link" else one.kind
            one.weight = max(one.weight, weights[path.use])
    return found


def load_of(member: schema.GroupMember) -> float:
    """The share of its places that are taken."""
    return min(1.0, (member.running + member.waiting) / max(1, member.slots))


def _mark(key: str, one: _Found, ring: float, at: int, places: int) -> Mark:
    x, y = _place(ring, at, places)
    label = short(key)
    if one.round_trips:
        label = tr("{node} · {time} ms", node=label, time=number(round(min(one.round_trips))))
    return Mark(key, x, y, one.kind, label, 1, one.load, one.relayed, one.linked)


def _place(ring: float, at: int, places: int) -> tuple[float, float]:
    turn = {_GROUP_RING: 0.25, _LINK_RING: 0.0, _FAR_RING: 0.5}[ring]
    angle = 2 * math.pi * (at + turn) / max(1, places) - math.pi / 2
    return ring * math.cos(angle), ring * math.sin(angle)


def short(node: str) -> str:
    """As much of a machine's id as a person compares."""
    return node[:8]


def rows(told: schema.Topology, most: int | None = None) -> list[tuple[str, str]]:
    """The same in words, one machine or path each, ``most`` at most: (what it is, how it is)."""
    every = itertools.chain(_path_rows(told.paths), _member_rows(told.members), _link_rows(told.links))
    return list(itertools.islice(every, most))


def _path_rows(paths: Sequence[schema.OwnPath]) -> Iterable[tuple[str, str]]:
    uses = {"open": tr("Path of the open chat"), "chat": tr("Path of a chat"), "spare": tr("Path kept ready")}
    for path in paths:
        words = [" → ".join(map(short, path.relays)), _time(path.round_trip_ms)]
        words += [tr("an answer comes over it now")] if path.busy else []
        yield uses[path.use], ", ".join(filter(None, words))


def _member_rows(members: Sequence[schema.GroupMember]) -> Iterable[tuple[str, str]]:
    for member in members:
        name = tr("This machine in its group") if member.here else tr("Group member {node}", node=short(member.node))
        load = tr(
            "{running} of {slots} places taken, {waiting} waiting",
            running=number(member.running),
            slots=number(member.slots),
            waiting=number(member.waiting),
        )
        standing = tr("standing {share} %", share=number(round(100 * member.standing)))
        words = [member.model, load, standing if member.established else tr("no standing yet")]
        words += [] if member.accepts else [tr("takes no questions now")]
        yield name, ", ".join(words)


def _link_rows(links: Sequence[schema.OwnLink]) -> Iterable[tuple[str, str]]:
    for link in links:
        way = tr("through a TURN server") if link.relayed else tr("direct")
        purpose = tr("for your questions") if link.holder == "client" else tr("for others")
        words = ", ".join(filter(None, (way, purpose, _time(link.round_trip_ms))))
        yield tr("Link with {node}", node=short(link.peer)), words


def _time(milliseconds: float) -> str:
    return tr("{time} ms", time=number(round(milliseconds))) if milliseconds else ""


class TopologyModel(QObject):
    """What the engine tells while somebody looks; ``changed`` after each."""

    changed = Signal()

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self._watched = False
        self.told = schema.Topology()
        self.chat = ""

    @property
    def watched(self) -> bool:
        """Whether somebody looks."""
        return self._watched

    def watch(self, on: bool) -> None:
        """Somebody looks now, or does not any more."""
        if on or self._watched:
            self._watched = on
            self._send(schema.WatchTopology(on=on, chat=self.chat))

    def look_at(self, chat: str) -> None:
        """The paths of this chat are to be marked from now on."""
        if chat != self.chat:
            self.chat = chat
            if self._watched:
                self.watch(True)

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Topology():
                self.told = event
                self.changed.emit()
            case schema.Welcome() if self._watched:
                self.watch(True)  # another connection
